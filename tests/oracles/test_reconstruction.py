"""Losses of inverses: their directions against automatic differentiation, their minima against closed forms."""

import dataclasses
from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch, State, Weights
from apical.networks.blocks import Block
from apical.rules.assembly import assemble
from apical.rules.layer_targets import AbstractLayerTargets
from apical.rules.registry import RULES

NOISE, DAMPING = 0.3, 0.5
CONVOLUTION = {"channels": (3, 4), "kernels": (3,), "padding": (1,), "strides": (1, 2), "pool": 2, "batch_norm": False}


@pytest.fixture(scope="module", autouse=True)
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def made(
    name: str, network: str, shape: tuple[int, ...], hidden: tuple[int, ...], **settings: object
) -> AbstractLayerTargets:
    rule = assemble(RULES[name], network, shape, 4, hidden, {"noise": NOISE, **settings})  # type: ignore[arg-type]
    assert isinstance(rule, AbstractLayerTargets)
    return rule


def above(rule: AbstractLayerTargets, weights: Weights, l: int, block: Block, h: jax.Array) -> jax.Array:
    """What the inverse of layer l hears when the activity below it is h."""
    if rule.name != "direct-dtp":
        return rule.heard(weights, l, block.layer(h))
    for upper in weights.forward[l:]:
        h = upper.respond(upper.layer(h))
    return h


def losses(rule: AbstractLayerTargets, weights: Weights, x: jax.Array, key: jax.Array) -> jax.Array:
    """The loss of all inverses, written from its formula."""
    trace, total = rule.network.trace(weights.forward, x), jnp.zeros(())
    for l, block in enumerate(rule.inverted(weights), 1):
        h = trace.inputs[l]
        shift = NOISE * jr.normal(jr.fold_in(key, l), h.shape)
        f = lambda h, l=l, block=block: above(rule, weights, l, block, h)  # noqa: E731
        g = lambda heard, l=l, h=h: rule.invert(weights, l, heard, h)  # noqa: E731
        change = g(f(h + shift)) - g(f(h))
        jolt = NOISE * jr.normal(jr.fold_in(jr.fold_in(key, l), 0), f(h).shape)
        if rule.reconstruction_loss == "difference":
            total += ((change - shift) ** 2).sum() / 2 / len(x)
        else:
            total += (((g(f(h) + jolt) - g(f(h))) ** 2).sum() / 2 - (shift * change).sum()) / len(x)
    return total


@pytest.mark.parametrize("loss", ["difference", "transpose"])
@pytest.mark.parametrize(
    ("name", "network", "hidden", "sizes"),
    [
        pytest.param("ao-sdtp", "cnn", (6,), CONVOLUTION, marks=pytest.mark.long),
        ("direct-dtp", "mlp", (9, 8, 7), {}),
    ],
)
def test_inverses_descend_their_loss(loss: str, name: str, network: str, hidden: tuple, sizes: dict) -> None:
    rule = made(name, network, (6, 6, 2), hidden, activation="tanh", reconstruction_loss=loss, **sizes)
    weights, x, key = rule.init_weights(jr.key(0)), jr.uniform(jr.key(1), (5, 6, 6, 2), dtype=float), jr.key(3)
    of = lambda feedback: losses(rule, dataclasses.replace(weights, feedback=feedback), x, key)  # noqa: E731
    expected = jax.jit(jax.grad(of))(weights.feedback)
    state = State(weights, (), rule.network.rest(x))
    found = eqx.filter_jit(rule.assign_credit)(state, Batch(x, jnp.arange(5) % 4), key)[0].direction.feedback
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-12)
        assert np.abs(b).max() > 1e-6 or b.ndim == 1


def trained(rule: AbstractLayerTargets, steps: int) -> tuple[State, Batch]:
    """The inverses alone, trained on noise from the rule's first weights."""
    examples = Batch(jr.normal(jr.key(0), (400, 8), dtype=float), jnp.arange(400) % 4)
    alone = dataclasses.replace(rule, optimisers={"feedback": rule.optimisers["feedback"]})
    state = alone.init(jr.key(1), examples)
    train = jax.jit(lambda s, keys: jax.lax.scan(lambda s, k: (alone.update(s, examples, k)[0], None), s, keys)[0])
    return train(state, jr.split(jr.key(2), steps)), examples


def displacements(rule: AbstractLayerTargets, state: State, examples: Batch) -> list[np.ndarray]:
    """hhat - h of each hidden layer."""
    trace = rule.network.trace(state.weights.forward, examples.x)
    error = jax.grad(rule.output_loss)(trace.scores, examples.y)
    targets = rule.targets(state.weights, trace, error)
    return [np.asarray(t - h) for t, h in zip(targets, trace.inputs[1:], strict=True)]


def linear(loss: str, **settings: object) -> AbstractLayerTargets:
    given = {"activation": "identity", "feedback_optimiser": "sgd", "feedback_rate": 0.3, "feedback_rate_decay": 0.01}
    name = "difference-target-propagation"
    return made(name, "mlp", (8,), (8, 5), reconstruction_loss=loss, **given, **settings)


@pytest.mark.long
def test_differences_under_decay_lead_to_the_damped_gauss_newton_targets() -> None:
    """V = J^T (J J^T + d)^-1, d = decay / noise^2: hhat - h is (J^T J + d)^-1 J^T times that of the layer above."""
    rule = linear("difference", feedback_weight_decay=DAMPING * NOISE**2)
    state, examples = trained(rule, 3000)
    J = np.asarray(state.weights.forward[1].kernel)
    expected = J.T @ np.linalg.inv(J @ J.T + DAMPING * np.eye(5))
    np.testing.assert_allclose(np.asarray(state.weights.feedback[0].kernel).T, expected, atol=0.02)
    lower, upper = displacements(rule, state, examples)
    step = np.linalg.solve(J.T @ J + DAMPING * np.eye(8), J.T @ upper.T).T
    np.testing.assert_allclose(lower, step, atol=0.03 * np.abs(step).max())


def test_the_transpose_loss_leads_to_the_targets_of_backprop() -> None:
    rule = linear("transpose")
    state, examples = trained(rule, 3000)
    J = np.asarray(state.weights.forward[1].kernel)
    np.testing.assert_allclose(state.weights.feedback[0].kernel, J, atol=0.03)
    net = rule.network
    gradient = jax.grad(lambda forward: net.loss(net.apply(forward, examples.x), examples.y))(state.weights.forward)
    found = rule.forward_direction(state.weights, net.trace(state.weights.forward, examples.x), examples.y)
    for ours, theirs in zip(found, gradient, strict=True):
        np.testing.assert_allclose(ours.kernel, theirs.kernel, atol=0.03 * np.abs(theirs.kernel).max())


@pytest.mark.long
def test_direct_feedback_leads_to_the_damped_gauss_newton_step_on_the_output() -> None:
    """hhat_l - h_l is -step (J^T J + d)^-1 J^T e, for J from each hidden layer to the scores."""
    rule = made(
        "direct-dtp", "mlp", (8,), (8, 6), activation="identity", reconstruction_loss="difference", target_step=0.2,
        inverse_activation="identity", feedback_optimiser="sgd", feedback_rate=0.3, feedback_rate_decay=0.01,
        feedback_weight_decay=DAMPING * NOISE**2,
    )  # fmt: skip
    state, examples = trained(rule, 3000)
    w1, w2 = (np.asarray(block.kernel) for block in state.weights.forward[1:])
    trace = rule.network.trace(state.weights.forward, examples.x)
    e = len(examples.y) * np.asarray(jax.grad(rule.output_loss)(trace.scores, examples.y))
    for J, found in zip((w2 @ w1, w2), displacements(rule, state, examples), strict=True):
        step = -0.2 * np.linalg.solve(J.T @ J + DAMPING * np.eye(J.shape[1]), J.T @ e.T).T
        np.testing.assert_allclose(found, step, atol=0.04 * np.abs(step).max())
