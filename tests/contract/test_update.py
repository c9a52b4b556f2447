"""What one update may and may not do, for every rule on every network."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from contract_cases import PAIRS, Case, blobs, copied, predicted, small

from apical.core import Batch, State
from apical.hyperparameters import Hyperparameter
from apical.rules.assembly import schema
from apical.rules.base import AbstractDescentRule, AbstractRule
from apical.rules.registry import RULES
from apical.training.loop import Segment, advance

GROUPS = ("forward", "feedback", "lateral")
NOISY = (("backprop", "cnn"), ("difference-target-propagation", "mlp"), ("microcircuit", "mlp"))
IN_LANES = ("backprop", "weight-mirror", "ao-sdtp", "segregated-dendrites", "microcircuit", "spiking-microcircuit")


def described(tree: Any) -> list[tuple]:
    """Path, shape, dtype and weakness of every array of a tree."""
    leaves = jax.tree_util.tree_leaves_with_path(eqx.filter(tree, lambda x: hasattr(x, "dtype")))
    return [(jax.tree_util.keystr(path), leaf.shape, leaf.dtype, leaf.weak_type) for path, leaf in leaves]


def bits(tree: Any) -> list[bytes]:
    """The bytes of every array of a tree."""
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(eqx.filter(tree, eqx.is_array))]


def another(declaration: Hyperparameter) -> float:
    """A valid value close to the default of a real hyperparameter."""
    default = declaration.default
    assert isinstance(default, float)
    near = (default * 1.1, default * 0.9, default + 0.1, default - 0.1)
    return next(v for v in near if v != default and declaration.admits(v))


def reals(case: Case) -> dict[str, Hyperparameter]:
    """The real hyperparameters of a case; what is switched off by default is another program when it is on."""
    known = schema(RULES[case.name], case.network)
    return {n: d for n, d in known.items() if d.kind == "real" and not d.static and d.default is not None}


def changed(case: Case) -> AbstractRule:
    """The rule of a case with every real hyperparameter a little different."""
    return small(case.name, case.network, **{**case.settings, **{name: another(d) for name, d in reals(case).items()}})


@pytest.mark.parametrize(("name", "network"), [p for p in PAIRS if "input_mean" in schema(RULES[p[0]], p[1])])
def test_input_mean_and_scale_are_as_if_the_data_were_so(name: str, network: str) -> None:
    """While learning and while predicting: a network that applies them at one of both alone is found out."""
    batch = blobs(20, 0)
    scaled = Batch((batch.x - 0.4) * 3, batch.y)
    found = []
    for rule, seen in (
        (small(name, network, input_mean=0.4, input_scale=3.0), batch),
        (small(name, network), scaled),
    ):
        state, _ = eqx.filter_jit(rule.update)(rule.init(jr.key(0), seen), seen, jr.key(1))
        found.append((jax.tree.leaves(state.weights), predicted(rule, state, seen.x, jr.key(2))))
    for a, b in zip(jax.tree.leaves(found[0]), jax.tree.leaves(found[1]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def noisy() -> list:
    """Rules on networks with noisy inputs; one of each way to learn at once, the others at length."""
    pairs = [pair for pair in PAIRS if "input_noise" in schema(RULES[pair[0]], pair[1])]
    return [pytest.param(*pair, marks=() if pair in NOISY else pytest.mark.long) for pair in pairs]


@pytest.mark.parametrize(("name", "network"), noisy())
def test_noise_on_inputs_is_felt_while_learning_alone(name: str, network: str) -> None:
    """Other noise with another key, and the more of it the further from what is learnt without; none to predict."""
    batch = blobs(20, 0)
    quiet, loud, plain = (small(name, network, input_noise=noise) for noise in (0.01, 0.03, None))
    state = plain.init(jr.key(0), batch)
    update = eqx.filter_jit(lambda rule, key: rule.update(state, batch, key)[1].scores)
    one, other, three = (
        np.asarray(update(rule, key)) - np.asarray(update(plain, key))
        for rule, key in ((quiet, jr.key(1)), (quiet, jr.key(2)), (loud, jr.key(1)))
    )
    size = np.abs(one).max()
    assert size > 0 and np.abs(one - other).max() > 0.1 * size
    assert np.linalg.norm(three) / np.linalg.norm(one) == pytest.approx(3, rel=0.2)
    after = (predicted(rule, state, batch.x, jr.key(3)) for rule in (quiet, plain))
    np.testing.assert_array_equal(*after)


def test_update_keeps_structure_shapes_and_dtypes(case: Case) -> None:
    state = eqx.filter_eval_shape(case.rule.init, jr.key(0), case.batch)
    after, info = eqx.filter_eval_shape(case.rule.update, state, case.batch, jr.key(0))
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert described(after) == described(state)
    assert not any(weak for *_, weak in described(state))
    assert info.scores.shape == (case.batch_size, case.rule.network.classes)
    assert info.loss.shape == ()
    assert described(info.direction.forward) == described(state.weights.forward)


def test_hyperparameters_are_strongly_typed(case: Case) -> None:
    assert not any(weak for *_, weak in described(case.rule)), "a weakly typed leaf is traced again when it changes"


def test_changed_numbers_do_not_compile_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    traces = 0
    update = type(case.rule).update

    def counted(rule: AbstractRule, state: State, batch: Batch, key: jax.Array) -> tuple:
        nonlocal traces
        traces += 1
        return update(rule, state, batch, key)

    monkeypatch.setattr(type(case.rule), "update", counted)
    state, _ = case.learn(case.state())
    first = traces
    for name, declaration in reals(case).items():
        rule = small(case.name, case.network, **{**case.settings, name: another(declaration)})
        case.learn(case.state(), rule=rule)
        assert traces == first, f"another {name} is traced again"
    case.learn(case.state(), start=1, stop=3, key=jr.key(9))
    case.learn(state)
    assert traces == first


def test_same_key_same_bits(case: Case) -> None:
    first, second = (case.learn(case.state(3), key=jr.key(5)) for _ in range(2))
    assert bits(first) == bits(second)


def test_only_groups_with_an_optimiser_move(case: Case) -> None:
    before = case.state()
    after, _ = case.learn(before)
    for group in GROUPS:
        same = bits(getattr(after.weights, group)) == bits(getattr(before.weights, group))
        empty = not jax.tree.leaves(getattr(before.weights, group))
        assert same == (group not in case.rule.optimisers or empty), group


def test_a_rule_without_optimisers_is_frozen(case: Case) -> None:
    if not isinstance(case.rule, AbstractDescentRule):
        pytest.skip("only descent rules have optimisers")
    frozen = dataclasses.replace(case.rule, optimisers={})
    before = frozen.init(jr.key(0), case.batch)
    after = eqx.filter_jit(lambda state, batch, key: frozen.update(state, batch, key)[0])(before, case.batch, jr.key(0))
    assert bits(after.weights) == bits(before.weights)
    assert jax.tree.leaves(after.optimiser) == []


@eqx.filter_jit
def learnt_in_lanes(rules: AbstractRule, segment: Segment, keys: jax.Array, states: State) -> tuple:
    """`advance` with a lane for each rule, key and state."""

    def lane(rule: AbstractRule, key: jax.Array, state: State) -> tuple:
        return advance(Segment(rule, segment.data, segment.order, segment.start, segment.stop, key), state)

    return eqx.filter_vmap(lane)(rules, keys, states)


def test_lanes_of_seeds_and_hyperparameters_equal_the_loop(case: Case) -> None:
    if case.name not in IN_LANES:
        pytest.skip("one rule of each kind stands for its kin; all run in the long tests")
    lanes_equal_the_loop(case)


@pytest.mark.long
def test_lanes_of_every_rule_equal_the_loop(case: Case) -> None:
    lanes_equal_the_loop(case)


def lanes_equal_the_loop(case: Case) -> None:
    """Two lanes, with seeds and hyperparameters of their own, against each alone."""
    rules, keys, states = (case.rule, changed(case)), (jr.key(1), jr.key(2)), (case.state(1), case.state(5))
    together = [jax.tree.map(lambda *a: jnp.stack(a), *trees) for trees in (rules, keys, states)]
    segment = Segment(case.rule, case.data, case.order, jnp.asarray(0), jnp.asarray(4), keys[0])
    lanes, scored = learnt_in_lanes(together[0], segment, *together[1:])
    for i in range(2):
        alone, scored_alone = case.learn(states[i], key=keys[i], rule=rules[i])
        lane = jax.tree.map(lambda a, i=i: a[i], lanes)
        # Adam turns a gradient that is zero but for rounding into a step of full length, so weights may part a little
        np.testing.assert_allclose(case.apply(lane), case.apply(alone), atol=2e-2)
        np.testing.assert_allclose(scored.loss[i], scored_alone.loss, rtol=1e-3)
    assert not np.isclose(scored.loss[0], scored.loss[1], rtol=5e-3)


@pytest.mark.parametrize("pixel", [0.0, 1.0])
def test_finite_on_saturated_input(case: Case, pixel: float) -> None:
    data = Batch(jnp.full_like(case.data.x, pixel), case.data.y)
    state, scored = case.learn(case.state(), data=data)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((state, scored)))


def test_finite_with_huge_weights(case: Case) -> None:
    state = case.state()
    huge = jax.tree.map(lambda w: 1e3 * w, state.weights.forward)
    state = eqx.tree_at(lambda s: s.weights.forward, copied(state), huge)
    state, scored = case.learn(state)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((state, scored)))
