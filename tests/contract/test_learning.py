"""Every rule learns a toy with its own defaults, and rules that should differ do."""

import dataclasses
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from contract_cases import CLASSES, PAIRS, Case, blobs, small

from apical.audit.perfect import without_error
from apical.core import Batch, State
from apical.rules.base import AbstractRule
from apical.rules.registry import RULES

N_UPDATES = 1000
CHANCE = 1 / CLASSES


def learns(case: Case) -> None:
    """Beats chance clearly after a thousand updates."""
    state, steps = case.state(), len(case.order)
    for call in range(-(-N_UPDATES // steps)):
        state, _ = case.learn(state, stop=steps, key=jr.key(call))
    hits = np.asarray(case.predict(state)).argmax(-1) == np.asarray(case.test.y)
    assert hits.mean() > 3 * CHANCE


def test_beats_chance_with_its_own_defaults(case: Case) -> None:
    if case.network != next(iter(RULES[case.name].networks)) or case.name == "spiking-microcircuit":
        pytest.skip("other networks than the rule's first one, and circuits that spike, learn in the long run")
    learns(case)


@pytest.mark.long
def test_beats_chance_on_every_network(case: Case) -> None:
    learns(case)


@eqx.filter_jit
def direction(rule: AbstractRule, state: State, batch: Batch) -> tuple:
    """What the rule would have the forward weights descend along."""
    return rule.update(state, batch, jr.key(0))[1].direction.forward


def kernels(layers: tuple) -> list[np.ndarray]:
    """The kernel of each layer."""
    return [np.asarray(layer.kernel) for layer in layers]


NETWORKS = sorted({network for _, network in PAIRS})
# Theory: the last hidden layer's target is a step down the loss, so its direction is the gradient.
STEP_DOWN = {"backprop", "target-propagation", "difference-target-propagation"}


@pytest.mark.parametrize("network", [pytest.param(n, marks=() if n == "mlp" else pytest.mark.long) for n in NETWORKS])
def test_different_rules_differ_in_hidden_layers(network: str) -> None:
    batch, found = blobs(8, 0), {}
    for name in (name for name, offered in PAIRS if offered == network):
        rule = small(name, network)
        state = rule.init(jr.key(len(found)), batch)  # rules that differ in how feedback is learnt start apart
        weights = rule.network.init(jr.key(1))
        state = eqx.tree_at(lambda s: s.weights.forward, state, weights)
        found[name] = (type(rule.network), kernels(direction(rule, state, batch)))
    assert found
    for (a, (net_a, one)), (b, (net_b, other)) in itertools.combinations(found.items(), 2):
        if net_a is net_b:
            above = 2 if {a, b} <= STEP_DOWN else 1
            for l, pair in enumerate(zip(one[:-above], other[:-above], strict=True)):
                cosine = np.vdot(*pair) / np.linalg.norm(pair[0]) / np.linalg.norm(pair[1])
                assert cosine < 0.99, f"{a} and {b} are the same in layer {l}"


def test_output_layers_of_the_descent_rules_agree() -> None:
    batch, found = blobs(8, 0), []
    for name in ("backprop", "feedback-alignment", "direct-feedback-alignment"):
        rule = small(name, "mlp")
        state = eqx.tree_at(lambda s: s.weights.forward, rule.init(jr.key(0), batch), rule.network.init(jr.key(1)))
        found.append(kernels(direction(rule, state, batch))[-1])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found[2], found[0], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", RULES)
def test_no_error_no_update(name: str) -> None:
    settings = RULES[name].presets[RULES[name].compared].settings if RULES[name].compared else {}
    rule, x = small(name, next(iter(RULES[name].networks)), **settings), blobs(8, 0).x
    for label, silent in ((0, rule.silent), (1, False)):
        batch = Batch(x, jnp.full(8, label))
        state = rule.init(jr.key(0), batch)
        weights = without_error(rule.network, state.weights)
        assert weights is not None, "add the network of this rule to apical.audit.perfect"
        state = dataclasses.replace(state, weights=weights)
        largest = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(direction(rule, state, batch)))
        assert (largest < 1e-5) == silent
