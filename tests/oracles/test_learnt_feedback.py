"""Rules whose feedback weights follow the forward ones: by their signs, by the same changes, by the echo of noise."""

import dataclasses
from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch, State, Weights
from apical.probes.credit import angle
from apical.rules.assembly import assemble
from apical.rules.base import AbstractDescentRule
from apical.rules.registry import RULES
from apical.rules.sign_symmetry import SignSymmetry

SHAPE, CLASSES = (7, 6, 2), 5
NETWORKS = {
    "dense": ("mlp", (9, 8, 7), {"activation": "tanh"}),
    "convolutional": ("cnn", (6,), {"channels": (3, 4), "kernels": (3,), "padding": (1,), "strides": (1, 2)}),
}


@pytest.fixture(scope="module", autouse=True)
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def made(name: str, network: str = "dense", **settings: object) -> AbstractDescentRule:
    wiring, hidden, sizes = NETWORKS[network]
    rule = assemble(RULES[name], wiring, SHAPE, CLASSES, hidden, {**sizes, **settings})
    assert isinstance(rule, AbstractDescentRule)
    return rule


def batch(n: int = 6) -> Batch:
    return Batch(jr.uniform(jr.key(1), (n, *SHAPE), dtype=float), jnp.arange(n) % CLASSES)


def direction(rule: AbstractDescentRule, weights: Weights) -> tuple:
    state = State(weights, (), rule.network.rest(batch().x))
    return eqx.filter_jit(rule.assign_credit)(state, batch(), jr.key(0))[0].direction.forward


def path(rule: AbstractDescentRule, state: State, n: int) -> list[State]:
    """The states after each of n updates on one batch."""
    update = eqx.filter_jit(lambda s, k: rule.update(s, batch(), k)[0])
    states = [state]
    for key in jr.split(jr.key(4), n):
        states.append(update(states[-1], key))
    return states


@pytest.mark.parametrize("network", NETWORKS)
def test_uniform_signs_are_backprop_where_all_weights_have_one_magnitude(network: str) -> None:
    rule, backprop = made("sign-symmetry", network, variant="usf"), made("backprop", network)
    weights = rule.init_weights(jr.key(0))
    forward = tuple(eqx.tree_at(lambda b: b.layer.kernel, block, jnp.sign(block.kernel)) for block in weights.forward)
    ones = jax.tree.map(jnp.ones_like, weights.feedback)
    found, expected = direction(rule, Weights(forward, ones)), direction(backprop, Weights(forward))
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    other = direction(rule, Weights(weights.forward, ones))
    assert float(angle(other[0].kernel, direction(backprop, Weights(weights.forward))[0].kernel)) > 5


@pytest.mark.parametrize("variant", ["usf", "brsf", "frsf"])
def test_magnitudes_are_those_the_variant_names_and_signs_are_always_those_of_the_weights(variant: str) -> None:
    rule = made("sign-symmetry", variant=variant, scale=2.0, rate=0.5, optimiser="sgd")
    assert isinstance(rule, SignSymmetry)
    states = path(rule, rule.init(jr.key(0), batch()), 3)
    laws = [float(jnp.sqrt((b.kernel**2).mean())) for b in rule.network.init(jr.key(77))[1:]]
    for state in states:
        for carrier, block, law in zip(rule.carriers(state.weights), state.weights.forward[1:], laws, strict=True):
            np.testing.assert_array_equal(jnp.sign(carrier), jnp.sign(block.kernel))
            assert (float(jnp.abs(carrier).std()) < 1e-9) == (variant == "usf")
            assert float(jnp.sqrt((carrier**2).mean())) == pytest.approx(2 * law, rel=0.5)
    first, last = states[0].weights, states[-1].weights
    assert any(
        (jnp.sign(a.kernel) != jnp.sign(b.kernel)).any() for a, b in zip(first.forward, last.forward, strict=True)
    )
    same = all((a == b).all() for a, b in zip(first.feedback, last.feedback, strict=True))
    assert same == (variant != "brsf")


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_kolen_pollack_feedback_closes_on_the_forward_weights_by_its_decay(network: str, optimiser: str) -> None:
    """B - W shrinks by 1 - feedback_decay in every update, whatever is learnt."""
    rule = made("kolen-pollack", network, feedback_decay=0.1, rate=0.02, optimiser=optimiser)
    states = path(rule, rule.init(jr.key(0), batch()), 60)

    def apart(state: State) -> list[np.ndarray]:
        pairs = zip(state.weights.feedback, state.weights.forward[1:], strict=True)
        return [np.array(b - block.kernel) for b, block in pairs]

    for now, before in ((1, 0), (20, 0), (60, 20)):
        for a, b in zip(apart(states[now]), apart(states[before]), strict=True):
            np.testing.assert_allclose(a, 0.9 ** (now - before) * b, rtol=1e-6, atol=1e-12)
    first, last = (np.array(states[i].weights.forward[-1].kernel) for i in (0, -1))
    assert np.linalg.norm(last - 0.9**60 * first) > 0.1 * np.linalg.norm(last), "something was learnt beside the decay"


@pytest.mark.parametrize("network", NETWORKS)
def test_weight_mirrors_show_the_forward_weights(network: str) -> None:
    """With weights held still B goes to E[s'] W: W itself where units are linear, at the rim of an image as well."""
    rule = made("weight-mirror", network, activation="identity", feedback_rate=0.02, mirror_noise=0.3)
    rule = dataclasses.replace(rule, optimisers={"feedback": rule.optimisers["feedback"]})
    many = Batch(jnp.tile(batch().x, (30, 1, 1, 1)), jnp.tile(batch().y, 30))
    state = rule.init(jr.key(0), many)

    @eqx.filter_jit
    def train(state: State, keys: jax.Array) -> State:
        return jax.lax.scan(lambda s, k: (rule.update(s, many, k)[0], None), state, keys)[0]

    before, after = state.weights, train(state, jr.split(jr.key(5), 500)).weights
    for b, first, block in zip(after.feedback, before.feedback, after.forward[1:], strict=True):
        assert float(angle(first, block.kernel)) > 60
        np.testing.assert_allclose(b, block.kernel, atol=0.12 * float(jnp.abs(block.kernel).max()))


def test_rectified_units_mirror_half_of_their_weights() -> None:
    """E[relu'] = 1/2 for noise without a mean; biases are left out of the mirror's turn."""
    rule = made("weight-mirror", activation="relu", feedback_rate=0.02)
    rule = dataclasses.replace(rule, optimisers={"feedback": rule.optimisers["feedback"]})
    many = Batch(jnp.tile(batch().x, (30, 1, 1, 1)), jnp.tile(batch().y, 30))
    state = rule.init(jr.key(0), many)
    state = eqx.tree_at(lambda s: s.weights.forward[1].layer.bias, state, jnp.full(8, -9.0))
    train = eqx.filter_jit(lambda s, keys: jax.lax.scan(lambda s, k: (rule.update(s, many, k)[0], None), s, keys)[0])
    after = train(state, jr.split(jr.key(5), 500)).weights
    for b, block, share in zip(after.feedback, after.forward[1:], (0.5, 0.5, 1.0), strict=True):
        slope = float(jnp.vdot(b, block.kernel) / jnp.vdot(block.kernel, block.kernel))
        assert slope == pytest.approx(share, rel=0.05)
