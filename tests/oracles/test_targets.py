"""The target propagation family against an independent port, closed forms and the limits that theory names."""

import dataclasses
from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from targets_port import Port

from apical.core import Batch, State, Weights
from apical.networks.feedforward import Trace
from apical.networks.inverses import Inverse, inverse_direction
from apical.networks.layers import Conv
from apical.neurons.transfer import ACTIVATIONS
from apical.rules.assembly import assemble
from apical.rules.layer_targets import AbstractLayerTargets
from apical.rules.registry import RULES
from apical.rules.simplified_dtp import AuxiliaryOutputSDTP

SHAPE, CLASSES = (6, 6, 2), 5
KINDS = {
    "tp": "target-propagation",
    "dtp": "difference-target-propagation",
    "sdtp": "simplified-dtp",
    "ao": "ao-sdtp",
}
DIFFERENCES = [KINDS[kind] for kind in ("dtp", "sdtp", "ao")]
NETWORKS = {
    "dense": ("mlp", (9, 8, 7), {}),
    "convolutional": (
        "cnn",
        (6,),
        {"channels": (3, 4), "kernels": (3,), "padding": (1,), "strides": (1, 2), "pool": 2, "batch_norm": False},
    ),
    "locally connected": ("lc", (6,), {"channels": (3, 4), "kernels": (3, 2), "strides": (2, 1), "padding": (1, 0)}),
}


@pytest.fixture(scope="module", autouse=True)
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def made(name: str, network: str = "dense", **settings: object) -> AbstractLayerTargets:
    wiring, hidden, sizes = NETWORKS[network]
    given = {"activation": "tanh", "initialiser": "glorot", **sizes, **settings}
    rule = assemble(RULES[name], wiring, SHAPE, CLASSES, hidden, given)
    assert isinstance(rule, AbstractLayerTargets)
    return rule


def batch(n: int = 6, seed: int = 1) -> Batch:
    return Batch(jr.uniform(jr.key(seed), (n, *SHAPE), dtype=float), jnp.arange(n) % CLASSES)


def learnt(rule: AbstractLayerTargets, weights: Weights, examples: Batch, key: jax.Array) -> Weights:
    """The directions of all weights."""
    state = State(weights, (), rule.network.rest(examples.x))
    return eqx.filter_jit(rule.assign_credit)(state, examples, key)[0].direction


@eqx.filter_jit
def shaken(rule: AbstractLayerTargets) -> Weights:
    """Initial weights with biases that are not zero."""
    weights = rule.init_weights(jr.key(0))
    return jax.tree.map(lambda w: w + 0.1 * jr.normal(jr.key(w.size), w.shape, dtype=w.dtype), weights)


@eqx.filter_jit
def traced(rule: AbstractLayerTargets, weights: Weights, examples: Batch) -> tuple[Trace, tuple[jax.Array, ...]]:
    """One pass, and the target of every hidden layer."""
    trace = rule.network.trace(weights.forward, examples.x)
    return trace, rule.targets(weights, trace, jax.grad(rule.output_loss)(trace.scores, examples.y))


updated = eqx.filter_jit(lambda rule, state, examples, key: rule.update(state, examples, key))


def close(found: object, expected: object) -> None:
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-12)


def pairs(layers: tuple) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(np.array(layer.kernel), np.array(getattr(layer, "layer", layer).bias)) for layer in layers]


LOCAL = pytest.param("ao-sdtp", "locally connected", marks=pytest.mark.long)


@pytest.mark.parametrize("kind", KINDS)
def test_one_step_is_that_of_the_port(kind: str) -> None:
    extra: dict = {"auxiliary_width": 4} if kind == "ao" else {"target_step": 0.4} if kind in ("tp", "dtp") else {}
    rule, examples, key = made(KINDS[kind], noise=0.3, label_smoothing=0.2, **extra), batch(), jr.key(5)
    weights = shaken(rule)
    found = learnt(rule, weights, examples, key)
    A = np.array(weights.lateral[0]) if kind == "ao" else None
    port = Port(kind, pairs(weights.forward), pairs(weights.feedback), A, target_step=0.4, smoothing=0.2)
    widths = (9, 8, 7)[: len(weights.feedback)]
    noise = [0.3 * np.array(jr.normal(jr.fold_in(key, l), (6, n))) for l, n in enumerate(widths, 1)]
    port.step(np.array(examples.x.reshape(6, -1)), np.array(examples.y), noise)
    assert len(weights.feedback) == (2 if kind in ("tp", "dtp") else 3)
    for ours, theirs in ((found.forward, port.forward), (found.feedback, port.feedback)):
        for a, b in zip(pairs(ours), theirs, strict=True):
            np.testing.assert_allclose(a[0], b[0], rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(a[1], b[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "network"), [("ao-sdtp", "convolutional"), LOCAL, (KINDS["dtp"], "dense")])
def test_inverses_descend_the_reconstruction(name: str, network: str) -> None:
    """By automatic differentiation of the squared error, for every kind of layer, pools included."""
    rule, examples, key = made(name, network, noise=0.2), batch(), jr.key(3)
    weights = shaken(rule)
    trace, _ = traced(rule, weights, examples)

    def error(feedback: tuple) -> jax.Array:
        now, total = dataclasses.replace(weights, feedback=feedback), jnp.zeros(())
        for l, block in enumerate(rule.inverted(weights), 1):
            h = trace.inputs[l] + 0.2 * jr.normal(jr.fold_in(key, l), trace.inputs[l].shape)
            total += ((rule.invert(now, l, rule.heard(weights, l, block.layer(h)), h) - h) ** 2).sum() / 2 / len(h)
        return total

    expected = jax.jit(jax.grad(error))(weights.feedback)
    found = learnt(rule, weights, examples, key).feedback
    assert len(found) == len(weights.forward) - (2 if name.startswith("difference") else 1)
    close(found, expected)


@pytest.mark.parametrize(
    ("name", "network"),
    [("simplified-dtp", "convolutional"), pytest.param(KINDS["tp"], "locally connected", marks=pytest.mark.long)],
)
def test_layers_descend_the_distance_to_their_targets_alone(name: str, network: str) -> None:
    """By automatic differentiation of 1/2 |h_l - hhat_l|^2 with the activity below held fixed."""
    rule, examples = made(name, network), batch()
    weights = shaken(rule)
    trace, targets = traced(rule, weights, examples)
    found = learnt(rule, weights, examples, jr.key(0)).forward
    for l, (block, target) in enumerate(zip(weights.forward[:-1], targets, strict=True)):

        def distance(block: eqx.Module, l: int = l, target: jax.Array = target) -> jax.Array:
            h = block.respond(block.layer(trace.inputs[l]))  # type: ignore[attr-defined]
            return ((h - target) ** 2).sum() / 2 / len(h)

        close(found[l], eqx.filter_jit(jax.grad(distance))(block))


@pytest.mark.parametrize(("name", "network"), [(KINDS["tp"], "dense"), (KINDS["dtp"], "convolutional")])
def test_the_last_hidden_layer_learns_as_by_backprop_times_the_step(name: str, network: str) -> None:
    rule, examples = made(name, network, target_step=0.3), batch()
    weights = shaken(rule)
    net = rule.network
    gradient = eqx.filter_jit(jax.grad(lambda f: net.loss(net.apply(f, examples.x), examples.y)))(weights.forward)
    found = learnt(rule, weights, examples, jr.key(0)).forward
    np.testing.assert_allclose(found[-2].kernel, 0.3 * gradient[-2].kernel, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found[-1].kernel, gradient[-1].kernel, rtol=1e-8, atol=1e-12)


def test_exact_inverses_give_the_gauss_newton_step_of_the_last_hidden_layer() -> None:
    """Linear, square, invertible, one example: h_l - hhat_l = J^+ (h_{L-1} - hhat_{L-1}), J the Jacobian between."""
    rule = assemble(RULES["difference-target-propagation"], "mlp", (7,), CLASSES, (7, 7, 7), {"activation": "identity"})
    assert isinstance(rule, AbstractLayerTargets)
    weights = shaken(rule)
    inverses = [jnp.linalg.inv(block.kernel) for block in weights.forward[1:-1]]
    exact = tuple(
        Inverse(inverse.T, -inverse @ block.layer.bias)
        for inverse, block in zip(inverses, weights.forward[1:-1], strict=True)
    )
    weights, x = dataclasses.replace(weights, feedback=exact), jr.normal(jr.key(4), (1, 7), dtype=float)
    trace = rule.network.trace(weights.forward, x)
    targets = rule.targets(weights, trace, jax.grad(rule.output_loss)(trace.scores, jnp.array([2])))
    errors = [np.array(h - t)[0] for h, t in zip(trace.inputs[1:], targets, strict=True)]
    jacobian = np.eye(7)
    for l in (1, 0):
        jacobian = jacobian @ np.array(weights.forward[l + 1].kernel)
        np.testing.assert_allclose(errors[l], np.linalg.pinv(jacobian) @ errors[2], rtol=1e-8)
    found = learnt(rule, weights, Batch(x, jnp.array([2])), jr.key(0)).forward
    np.testing.assert_allclose(found[0].kernel, np.outer(errors[0], x), rtol=1e-8)
    output = np.array(jax.grad(rule.output_loss)(trace.scores, jnp.array([2])))[0]
    on_output = np.linalg.pinv(np.array(weights.forward[-1].kernel) @ jacobian) @ output
    cosine = errors[0] @ on_output / np.linalg.norm(errors[0]) / np.linalg.norm(on_output)
    assert cosine < 0.9, "the Gauss-Newton step of the output's loss is another one"


def test_reconstruction_falls_to_the_noise_floor_of_a_linear_autoencoder() -> None:
    """The best linear inverse of a narrow layer leaves tr(C - C W^T (W C W^T)^-1 W C), C the noisy input's moment."""
    noise = 0.4
    settings = {"activation": "identity", "noise": noise, "feedback_optimiser": "sgd", "feedback_rate": 0.02}
    rule = assemble(RULES["difference-target-propagation"], "mlp", (8,), 2, (8, 5), settings)
    assert isinstance(rule, AbstractLayerTargets)
    alone = dataclasses.replace(rule, optimisers={"feedback": rule.optimisers["feedback"]})
    examples = Batch(jr.normal(jr.key(0), (200, 8), dtype=float), jnp.arange(200) % 2)
    state = alone.init(jr.key(1), examples)

    @jax.jit
    def train(state: State, keys: jax.Array) -> State:
        return jax.lax.scan(lambda s, k: (alone.update(s, examples, k)[0], None), state, keys)[0]

    def loss(state: State) -> float:
        h = alone.network.trace(state.weights.forward, examples.x).inputs[1]
        noisy = jnp.tile(h, (50, 1)) + noise * jr.normal(jr.key(9), (50 * len(h), 8), dtype=float)
        heard = noisy @ state.weights.forward[1].kernel.T
        return float(((alone.invert(state.weights, 1, heard, noisy) - noisy) ** 2).sum(1).mean())

    h = np.array(alone.network.trace(state.weights.forward, examples.x).inputs[1])
    C, W = h.T @ h / len(h) + noise**2 * np.eye(8), np.array(state.weights.forward[1].kernel)
    floor = np.trace(C - C @ W.T @ np.linalg.solve(W @ C @ W.T, W @ C))
    before = loss(state)
    after = loss(train(state, jr.split(jr.key(2), 3000)))
    assert before > 2 * floor
    assert after == pytest.approx(floor, rel=0.04)


@pytest.mark.parametrize(
    ("name", "stays"),
    [("simplified-dtp", True), pytest.param("ao-sdtp", True, marks=pytest.mark.long), (KINDS["dtp"], False)],
)
def test_output_weights_are_not_transported_where_they_need_not_be(name: str, stays: bool) -> None:
    """Moving W_L at right angles to h leaves the scores as they are; only a rule that uses W_L^T takes notice."""
    rule, examples = made(name), batch(1)
    weights = shaken(rule)
    h = rule.network.trace(weights.forward, examples.x).inputs[-1][0]
    way = jr.normal(jr.key(8), (CLASSES, len(h)), dtype=float)
    across = way - jnp.outer(way @ h, h) / (h @ h)
    moved = eqx.tree_at(lambda w: w.forward[-1].layer.kernel, weights, replace_fn=lambda k: k + across)
    scores = [rule.network.apply(w.forward, examples.x) for w in (weights, moved)]
    np.testing.assert_allclose(scores[1], scores[0])
    before, after = (learnt(rule, w, examples, jr.key(0)).forward[:-1] for w in (weights, moved))
    for a, b in zip(before, after, strict=True):
        assert np.allclose(a.kernel, b.kernel, rtol=1e-9, atol=1e-13) == stays


@pytest.mark.parametrize(
    ("name", "network"), [(name, "dense") for name in DIFFERENCES] + [("ao-sdtp", "convolutional")]
)
def test_a_label_predicted_perfectly_leaves_activity_its_own_target(name: str, network: str) -> None:
    rule, examples = made(name, network), batch()
    weights = shaken(rule)
    trace, _ = traced(rule, weights, examples)
    silent = eqx.filter_jit(lambda t: rule.targets(weights, t, jnp.zeros_like(t.scores)))(trace)
    for target, h in zip(silent, trace.inputs[1:], strict=True):
        np.testing.assert_allclose(target, h, atol=1e-14)


def test_auxiliary_outputs_keep_their_value_in_the_target() -> None:
    """Inverse weights of auxiliary outputs alone, in the linear range, leave nothing of the label in the target."""
    rule, examples = made("ao-sdtp", auxiliary_width=4, inverse_activation="identity"), batch()
    weights = shaken(rule)
    deaf = weights.feedback[-1].kernel.at[:CLASSES].set(0)
    weights = eqx.tree_at(lambda w: w.feedback[-1].kernel, weights, deaf)
    trace = rule.network.trace(weights.forward, examples.x)
    error = jax.grad(rule.output_loss)(trace.scores, examples.y)
    np.testing.assert_allclose(rule.top_target(weights, trace, error), trace.inputs[-1], atol=1e-14)
    (inverse,) = weights.feedback[2:]
    heard = rule.heard(weights, 3, rule.inverted(weights)[-1].layer(trace.inputs[-1]))
    assert not np.allclose(rule.invert(weights, 3, heard, trace.inputs[-1]), inverse.bias)


def test_without_auxiliary_outputs_the_rule_is_the_simplified_one() -> None:
    plain, auxiliary = made("simplified-dtp"), made("ao-sdtp", auxiliary_width=0)
    weights = shaken(plain)
    both = dataclasses.replace(weights, lateral=auxiliary.init_weights(jr.key(0)).lateral)
    assert isinstance(auxiliary, AuxiliaryOutputSDTP)
    one, other = learnt(plain, weights, batch(), jr.key(1)), learnt(auxiliary, both, batch(), jr.key(1))
    close((one.forward, one.feedback), (other.forward, other.feedback))


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_alternating_training_freezes_one_group_with_its_optimiser(epoch: int) -> None:
    rule, examples = made("ao-sdtp", inverse_training="alternating"), batch()
    before = eqx.filter_jit(rule.init)(jr.key(0), examples)
    before, _ = updated(rule, before, examples, jr.key(1))  # so that Adam has a past that would go on moving weights
    after, info = updated(rule.in_epoch(jnp.asarray(epoch)), before, examples, jr.key(2))
    moving, resting = ("feedback", "forward") if epoch % 2 == 0 else ("forward", "feedback")
    same = lambda a, b: all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))  # noqa: E731
    assert same(getattr(before.weights, resting), getattr(after.weights, resting))
    assert same(before.optimiser[resting], after.optimiser[resting])
    assert not same(getattr(before.weights, moving), getattr(after.weights, moving))
    both = dataclasses.replace(rule, inverse_training="parallel")
    expected, direction = updated(both, before, examples, jr.key(2))
    close(getattr(after.weights, moving), getattr(expected.weights, moving))
    assert not any(leaf.any() for leaf in jax.tree.leaves(getattr(info.direction, resting)))
    assert any(leaf.any() for leaf in jax.tree.leaves(getattr(direction.direction, resting)))


def test_a_pool_is_undone_by_giving_its_value_to_the_whole_field() -> None:
    """An inverse behind a pool of odd sides: the transposed convolution of the spread image, the rim zero."""
    settings = {"channels": (2, 3), "kernels": (1,), "padding": (0,), "batch_norm": False}
    rule = assemble(RULES["simplified-dtp"], "cnn", (5, 5, 1), 3, (), settings)
    assert isinstance(rule, AbstractLayerTargets)
    weights = rule.init_weights(jr.key(0))
    block = weights.forward[0]
    inverse = Inverse(jnp.ones_like(block.kernel), jnp.zeros(1))
    h = jr.normal(jr.key(1), (1, 2, 2, 2), dtype=float)
    found = np.array(inverse(block, h, (5, 5, 1)))[0, :, :, 0]
    expected = np.zeros((5, 5))
    expected[:4, :4] = np.kron(np.array(h[0]).sum(-1), np.ones((2, 2)))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_inverses_learn_with_every_activation(activation: str) -> None:
    """The direction is the gradient of the squared error, strides and padding included."""
    layer = Conv(jr.normal(jr.key(0), (3, 3, 2, 4), dtype=float), jnp.zeros(4), 2, 1)
    rule = made("ao-sdtp", "convolutional")
    block = dataclasses.replace(rule.init_weights(jr.key(0)).forward[0], layer=layer, pool=1)
    inverse = Inverse(jr.normal(jr.key(1), (3, 3, 2, 4), dtype=float), jnp.array([0.2, -0.1]))
    h, below = jr.normal(jr.key(2), (5, 3, 3, 4), dtype=float), jr.normal(jr.key(3), (5, 6, 6, 2), dtype=float)

    def error(inverse: Inverse) -> jax.Array:
        return ((ACTIVATIONS[activation](inverse(block, h, (6, 6, 2))) - below) ** 2).sum() / 10

    expected = jax.jit(jax.grad(error))(inverse)
    found = jax.jit(
        lambda inverse: inverse_direction(inverse, block, activation, h, below.shape[1:], lambda g: (g - below) / 5)
    )(inverse)
    np.testing.assert_allclose(found.kernel, expected.kernel, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.bias, expected.bias, rtol=1e-9, atol=1e-12)
