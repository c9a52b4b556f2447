"""Limits in which feedback alignment and its kin coincide with backprop or with each other, on every kind of layer."""

from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch, State, Weights
from apical.networks.layers import Dense
from apical.probes.credit import angle
from apical.rules.assembly import assemble
from apical.rules.base import AbstractDescentRule
from apical.rules.registry import RULES

SHAPE, CLASSES = (7, 6, 2), 5
NETWORKS = {
    "dense": ("mlp", (9, 8, 7), {"activation": "tanh"}),
    "dense, normalised": ("mlp", (9, 8), {"batch_norm": True}),
    "convolutional": (
        "cnn",
        (6,),
        {"channels": (3, 4), "kernels": (3,), "padding": (1,), "strides": (1, 2), "pool": 2},
    ),
    "locally connected": ("lc", (6,), {"channels": (3, 4), "kernels": (3, 2), "strides": (2, 1), "padding": (1, 0)}),
}

LONG = ("dense", "locally connected")  # the others hold what is in these
SOME = [pytest.param(name, marks=pytest.mark.long if name in LONG else ()) for name in NETWORKS]


@pytest.fixture(scope="module", autouse=True)
def double() -> Iterator[None]:
    """In float64, so that what should be equal is equal to far more digits than a wrong term would leave."""
    with jax.enable_x64(True):
        yield


def made(name: str, network: str, hidden: tuple[int, ...], settings: dict) -> AbstractDescentRule:
    rule = assemble(RULES[name], network, SHAPE, CLASSES, hidden, settings)
    assert isinstance(rule, AbstractDescentRule)
    return rule


def batch(n: int = 6) -> Batch:
    return Batch(jr.uniform(jr.key(1), (n, *SHAPE), dtype=float), jnp.arange(n) % CLASSES)


def direction(rule: AbstractDescentRule, weights: Weights, examples: Batch) -> tuple:
    state = State(weights, (), rule.network.rest(examples.x))
    return eqx.filter_jit(rule.assign_credit)(state, examples, jr.key(0))[0].direction.forward


def same(a: tuple, b: tuple) -> None:
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SOME)
def test_feedback_alignment_with_transported_weights_is_backprop(name: str) -> None:
    backprop, alignment = (made(rule, *NETWORKS[name]) for rule in ("backprop", "feedback-alignment"))
    forward = backprop.network.init(jr.key(0))
    transported = Weights(forward, tuple(block.kernel for block in forward[1:]))
    gradient = direction(backprop, Weights(forward), batch())
    same(direction(alignment, transported, batch()), gradient)
    drawn = alignment.init_weights(jr.key(0))
    random = direction(alignment, Weights(forward, drawn.feedback), batch())
    same(random[-1:], gradient[-1:])
    assert float(angle(random[0].kernel, gradient[0].kernel)) > 10


@pytest.mark.parametrize("name", ["dense", "convolutional", "locally connected"])
def test_direct_feedback_alignment_is_feedback_alignment_with_one_hidden_layer(name: str) -> None:
    network, hidden, settings = NETWORKS[name]
    if network == "mlp":
        hidden = hidden[:1]
    else:
        hidden, settings = (
            (),
            {key: value[:1] if isinstance(value, tuple) else value for key, value in settings.items()},
        )
    layered, direct = (made(f"{rule}feedback-alignment", network, hidden, settings) for rule in ("", "direct-"))
    weights = layered.init_weights(jr.key(2))
    (matrix,) = weights.feedback
    same(
        direction(direct, Weights(weights.forward, (matrix.T,)), batch()),
        direction(layered, weights, batch()),
    )


@pytest.mark.parametrize("name", SOME)
def test_backprop_is_the_finite_difference_of_the_loss(name: str) -> None:
    rule, examples = made("backprop", *NETWORKS[name]), batch()
    net, forward = rule.network, rule.network.init(jr.key(0))
    gradient = direction(rule, Weights(forward), examples)
    way = jax.tree.map(lambda w: jr.normal(jr.key(w.size), w.shape, dtype=w.dtype), forward)

    def loss(step: float) -> float:
        moved = jax.tree.map(lambda w, d: w + step * d, forward, way)
        return float(net.loss(net.apply(moved, examples.x), examples.y))

    slope = sum(float(jnp.vdot(g, d)) for g, d in zip(jax.tree.leaves(gradient), jax.tree.leaves(way), strict=True))
    assert (loss(1e-6) - loss(-1e-6)) / 2e-6 == pytest.approx(slope, rel=1e-4)


@pytest.mark.parametrize("rule", ["backprop", "feedback-alignment", "direct-feedback-alignment"])
def test_no_error_no_update(rule: str) -> None:
    """Scores that give the labels with certainty leave nothing to learn."""
    one = made(rule, "mlp", (9, 8), {})
    weights = one.init_weights(jr.key(0))
    certain = Dense(jnp.zeros((CLASSES, 8)), jnp.where(jnp.arange(CLASSES) == 2, 1e3, 0.0))
    forward = (*weights.forward[:-1], eqx.tree_at(lambda b: b.layer, weights.forward[-1], certain))
    examples = Batch(batch().x, jnp.full(6, 2))
    found = direction(one, Weights(forward, weights.feedback), examples)
    assert all(not leaf.any() for leaf in jax.tree.leaves(found))


def test_direct_feedback_comes_within_a_right_angle_from_zero_weights() -> None:
    """A linear network that starts from zero is taught by its feedback to be helped by it (Noekland 2016)."""
    rule = made(
        "direct-feedback-alignment", "mlp", (12, 11), {"activation": "identity", "optimiser": "sgd", "rate": 0.05}
    )
    examples = batch(40)
    state = rule.init(jr.key(0), examples)
    zeros = jax.tree.map(jnp.zeros_like, state.weights.forward)
    state = eqx.tree_at(lambda s: s.weights.forward, state, zeros)
    net = rule.network

    @eqx.filter_jit
    def update(state: State, key: jax.Array) -> tuple:
        gradient = jax.grad(lambda f: net.loss(net.apply(f, examples.x), examples.y))(state.weights.forward)
        return *rule.update(state, examples, key), gradient

    angles = []
    for step in range(300):
        state, info, gradient = update(state, jr.key(step))
        angles.append([float(angle(d.kernel, g.kernel)) for d, g in zip(info.direction.forward[:-1], gradient[:-1])])  # noqa: B905
    assert (np.array(angles[50:]) < 90).all()


def test_sparse_feedback_keeps_its_power_and_its_share_of_zeros() -> None:
    sizes = ("mlp", (400, 300), {"feedback_sparsity": 0.8, "feedback_scale": 2.0})
    (layered, _) = made("feedback-alignment", *sizes).init_weights(jr.key(0)).feedback
    direct, _ = made("direct-feedback-alignment", *sizes).init_weights(jr.key(0)).feedback
    for matrix, deviation in ((layered, 2 * np.sqrt(2 / 400)), (direct, 2 / np.sqrt(CLASSES))):
        assert np.mean(np.asarray(matrix) == 0) == pytest.approx(0.8, abs=0.03)
        assert float(matrix.std()) == pytest.approx(deviation, rel=0.08)


@pytest.mark.parametrize("name", ["feedback-alignment", "direct-feedback-alignment"])
def test_forward_scale_leaves_feedback_and_biases_alone(name: str) -> None:
    """From zero, the first kernel moves at once, by random feedback alone; kernels above it hear nothing yet."""
    sizes, settings = ("mlp", (9, 8, 7)), {"activation": "tanh", "optimiser": "sgd", "rate": 1.0}
    plain, half, none = (made(name, *sizes, {**settings, "forward_scale": s}) for s in (1.0, 0.5, 0.0))
    whole, less = (rule.init_weights(jr.key(0)) for rule in (plain, half))
    same(whole.feedback, less.feedback)
    for a, b in zip(whole.forward, less.forward, strict=True):
        np.testing.assert_array_equal(0.5 * np.asarray(a.kernel), b.kernel)
        np.testing.assert_array_equal(a.layer.bias, b.layer.bias)
    examples = batch()
    moved, info = eqx.filter_jit(none.update)(none.init(jr.key(0), examples), examples, jr.key(0))
    np.testing.assert_array_equal(info.scores, 0)
    assert np.abs(moved.weights.forward[0].kernel).max() > 0
    for block in moved.weights.forward[1:]:
        np.testing.assert_array_equal(block.kernel, 0)
