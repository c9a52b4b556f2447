"""Segregated dendrites in rate mode against an independent port, closed forms, and the gradient of its own loss."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import optimize
from segregated_port import Port, logistic

from apical.core import Batch, State
from apical.data.registry import load
from apical.networks.dendritic import Dendritic
from apical.networks.dendritic_init import optimised_moments
from apical.networks.synapses import Synapses
from apical.neurons.compartments import fire, fire_slope
from apical.rules.assembly import assemble
from apical.rules.base import AbstractRule
from apical.rules.registry import RULES
from apical.rules.segregated_dendrites import RATES

N_EXAMPLES = 200


def made(hidden: tuple[int, ...], **settings: object) -> AbstractRule:
    return assemble(RULES["segregated-dendrites"], "mlp", (8, 8, 1), 10, hidden, {**RATES, **settings})


@pytest.fixture(scope="module")
def batch() -> Batch:
    digits = load("digits").train
    return Batch(jnp.asarray(digits.take(np.arange(N_EXAMPLES))), jnp.asarray(digits.labels[:N_EXAMPLES]))


def learnt(rule: AbstractRule, state: State, batch: Batch) -> State:
    """The state after one example after the other."""

    def one(state: State, example: Batch) -> tuple[State, None]:
        single = jax.tree.map(lambda a: a[None], example)
        return rule.update(state, single, jr.key(0))[0], None

    return eqx.filter_jit(lambda s: jax.lax.scan(one, s, batch)[0])(state)


def doubles(arrays: tuple) -> list[np.ndarray]:
    return [np.asarray(a, dtype=np.float64) for a in arrays]


SETTINGS = {
    "one hidden layer": ((30,), {}),
    "two hidden layers": ((30, 20), {}),
    "layer-wise feedback": ((30, 20), {"broadcast": False}),
    "apical conductance": ((30,), {"apical_conductance": True, "g_apical": 0.09}),
    "other numbers": ((20,), {"max_rate": 0.4, "tau_L_ms": 7.0, "g_basal": 0.4, "e_exc": 6.0, "e_inh": -11.0}),
}


@pytest.mark.filterwarnings("ignore:broadcast=false")
@pytest.mark.parametrize("name", SETTINGS)
def test_weights_agree_with_the_port_over_online_examples(name: str, batch: Batch) -> None:
    hidden, settings = SETTINGS[name]
    rule = made(hidden, **settings)
    state = rule.init(jr.key(3), batch)
    forward = state.weights.forward
    numbers = {"max_rate": "max_rate", "tau_L_ms": "tau_L", "g_basal": "g_B", "e_exc": "E_E", "e_inh": "E_I"}
    port = Port(
        doubles(tuple(f.kernel for f in forward)),
        doubles(tuple(f.bias for f in forward)),
        doubles(tuple(y.kernel for y in state.weights.feedback)),
        g_A=settings.get("g_apical", 0.0),
        broadcast=settings.get("broadcast", True),
        **{theirs: settings[ours] for ours, theirs in numbers.items() if ours in settings},
    )
    for x, y in zip(np.asarray(batch.x, np.float64), np.asarray(batch.y), strict=True):
        port.learn(x.ravel(), int(y))
    after = learnt(rule, state, batch).weights.forward
    for ours, theirs, before in zip(after, port.W, forward, strict=True):
        assert np.linalg.norm(np.asarray(ours.kernel) - theirs) <= 1e-4 * np.linalg.norm(theirs)
        moved = np.linalg.norm(theirs - np.asarray(before.kernel))
        if moved > 0:
            assert np.linalg.norm(np.asarray(ours.kernel) - theirs) <= 0.01 * moved
    for ours, theirs in zip(after, port.b, strict=True):
        np.testing.assert_allclose(ours.bias, theirs, rtol=1e-3, atol=1e-4)


def test_output_direction_is_the_gradient_of_the_networks_loss(batch: Batch) -> None:
    rule = made((30, 20))
    state = rule.init(jr.key(0), batch)
    net = rule.network
    direction = rule.update(state, batch, jr.key(0))[1].direction.forward[-1]
    gradient = jax.grad(lambda f: net.loss(net.apply(f, batch.x), batch.y))(state.weights.forward)[-1]
    np.testing.assert_allclose(direction.kernel, 20 * gradient.kernel, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(direction.bias, 20 * gradient.bias, rtol=1e-4, atol=1e-6)


def test_hidden_direction_nears_the_gradient_with_small_transposed_feedback(batch: Batch) -> None:
    """Y = c W^T linearises the plateau: alpha^t - alpha^f -> c/4 W^T (lambda^t - lambda^f), the fed-back output change.

    Backprop weighs that change with the slope of the output cells; where somas are small the slopes are all alike.
    """
    rule = made((30,), optimised_init=False)
    state = rule.init(jr.key(0), batch)
    quiet = jax.tree.map(lambda w: 0.01 * w, state.weights.forward)
    feedback = (Synapses(30 * quiet[1].kernel.T),)
    state = eqx.tree_at(lambda s: (s.weights.forward, s.weights.feedback), state, (quiet, feedback))
    net = rule.network
    direction = rule.update(state, batch, jr.key(0))[1].direction.forward[0].kernel
    gradient = jax.grad(lambda f: net.loss(net.apply(f, batch.x), batch.y))(quiet)[0].kernel
    cosine = jnp.vdot(direction, gradient) / (jnp.linalg.norm(direction) * jnp.linalg.norm(gradient))
    assert cosine > 0.999


def test_layers_that_hear_no_target_do_not_learn(batch: Batch) -> None:
    with pytest.warns(UserWarning, match="lower ones do not learn"):
        rule = made((30, 20, 15), broadcast=False)
    state = rule.init(jr.key(0), batch)
    first, second, third, _ = rule.update(state, batch, jr.key(0))[1].direction.forward
    assert not first.kernel.any() and not second.kernel.any() and third.kernel.any()


def test_a_somas_steady_state_stops_the_conductances(batch: Batch) -> None:
    """0 = -g_L C + g_B (B - C) + g_A (A - C) at A = 0, and the taught output's equation, solved by bisection."""
    rule = made((6,), apical_conductance=True)
    net, weights = rule.network, rule.init(jr.key(0), batch).weights
    free = net.steady_phase(weights, batch.x[:1].reshape(1, -1))
    taught = net.steady_phase(weights, batch.x[:1].reshape(1, -1), net.target(batch.y[:1]))
    g_L, g_B, g_A = 0.1, 0.6, 0.05
    hidden, output = (np.asarray(f(p))[0] for f, p in zip(weights.forward, free.psps, strict=True))
    for B, C in zip(hidden, free.somas[0][0], strict=True):
        root = optimize.brentq(lambda C, B=B: -g_L * C + g_B * (B - C) - g_A * C, -50, 50)
        assert float(C) == pytest.approx(root, rel=1e-5)
    for label, B, C in zip(range(10), output, taught.somas[1][0], strict=True):
        on = label == int(batch.y[0])
        balance = lambda C, B=B, on=on: -g_L * C + g_B * (B - C) + on * (8 - C) + (1 - on) * (-8 - C)  # noqa: E731
        assert float(C) == pytest.approx(optimize.brentq(balance, -50, 50), rel=1e-5)


def test_firing_and_its_slope() -> None:
    soma, rate = jnp.linspace(-4, 4, 9)[None], jnp.asarray(0.2)
    np.testing.assert_allclose(fire(soma, rate), 0.2 * logistic(np.asarray(soma)), rtol=1e-6)
    (derivative,) = jax.vjp(lambda c: fire(c, rate), soma)[1](jnp.ones_like(soma))
    np.testing.assert_allclose(fire_slope(soma, rate), derivative, rtol=1e-5)


def test_optimised_weights_have_the_moments_of_the_formula() -> None:
    """The published layer-0 norm 632.5 of 784-500, the spread aimed at with init_spread 1, and half of it."""
    norms = {}
    for spread in (1.0, 2.0):
        net = Dendritic(shape=(28, 28, 1), classes=10, hidden=(500,), init_spread=spread)
        norms[spread] = float(jnp.linalg.norm(net.init(jr.key(0))[0].kernel))
    assert norms[2.0] == pytest.approx(632.5, rel=0.01)
    assert norms[1.0] == pytest.approx(316.2, rel=0.01)
    n, nu, V, S, beta = 784, 0.05, 3.0, 18.0, 0.8
    mean = (V - beta) / (nu * n * V)
    square = (S + nu**2 * (n - n**2) * mean**2 * V**2 - 2 * n * nu * beta * V * mean - beta**2) / (n * nu**2 * S)
    ours = optimised_moments(784, jnp.asarray(0.2))
    np.testing.assert_allclose(ours, (mean, np.sqrt(square - mean**2)), rtol=1e-4)


def test_optimised_weights_give_the_potentials_aimed_at() -> None:
    """As the formula assumes: presynaptic potentials of mean 3 and s.d. 3, rates max_rate / 4 times them."""
    layer = Dendritic(shape=(400,), classes=10, hidden=(500,), init_spread=1.0).init(jr.key(0))[0]
    presynaptic = np.random.default_rng(0).normal(3, 3, (1000, 400))
    basal = np.asarray(layer(jnp.asarray(0.2 / 4 * presynaptic, jnp.float32)))
    assert basal.mean() == pytest.approx(3, rel=0.03) and basal.std() == pytest.approx(3, rel=0.03)


def test_initial_laws_of_every_layer() -> None:
    """Feedback onto layer l has the law of that layer's own width, whatever it reads from; biases lie near 0.8."""
    net = Dendritic(shape=(8, 8, 1), classes=10, hidden=(300, 200), init_spread=2.0)
    forward = net.init(jr.key(0))
    feedback = [apical.kernel for apical in net.init_feedback(jr.key(1), forward)]
    assert [y.shape for y in feedback] == [(300, 10), (200, 10)]
    for l, y in enumerate(feedback):
        mean, deviation = optimised_moments(net.hidden[l], jnp.asarray(0.2))
        assert float(y.std()) == pytest.approx(2 * float(deviation), rel=0.06)
        assert float(y.mean()) == pytest.approx(float(mean), abs=6 * float(deviation) / y.size**0.5)
    for layer, below in zip(forward, (64, 300, 200), strict=True):
        assert float(layer.kernel.std()) == pytest.approx(
            2 * float(optimised_moments(below, jnp.asarray(0.2))[1]), rel=0.06
        )
        assert np.abs(np.asarray(layer.bias) - 0.8).max() <= 0.00347
    plain = Dendritic(shape=(8, 8, 1), classes=10, hidden=(300,), optimised_init=False)
    layers = plain.init(jr.key(0))
    layer, (y,) = layers[0], plain.init_feedback(jr.key(0), layers)
    limits = [float(jnp.abs(a).max()) for a in (layer.kernel, layer.bias, y.kernel)]
    np.testing.assert_allclose(limits, (0.1, 1.0, 1.0), rtol=0.02)
    assert all(a != b for a, b in itertools.pairwise(map(float, feedback[0][0])))
