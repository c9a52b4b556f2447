"""Probes of microcircuits: the self-predicting state, a shift of known size, and Jacobians against simulation."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from apical.core import Batch, State, Weights
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_euler import Soma, at_rest, euler_step
from apical.networks.microcircuit_state import Nudge
from apical.networks.synapses import Synapses
from apical.probes import stability
from apical.probes.microcircuit import free_output_error, highest_rate, prediction_probes, weight_errors
from apical.probes.microcircuit_recording import record
from apical.rules.assembly import assemble
from apical.rules.microcircuit import Microcircuit
from apical.rules.spiking_microcircuit import SpikingMicrocircuit

KEY = jr.key(0)
N_INPUTS, HIDDEN, CLASSES = 5, (4, 3), 2


def made(**settings: object) -> Microcircuit:
    rule = assemble(Microcircuit, "mlp", (N_INPUTS,), CLASSES, HIDDEN, {"rate_per": "presentation", **settings})
    assert isinstance(rule, Microcircuit)
    return rule


@pytest.fixture(scope="module")
def batch() -> Batch:
    return Batch(jr.uniform(jr.key(1), (6, N_INPUTS)), jnp.asarray([0, 1, 0, 1, 1, 0]))


def shifted(layers: tuple[Synapses, ...], by: float) -> tuple[Synapses, ...]:
    return tuple(replace(w, kernel=w.kernel + by) for w in layers)


def test_the_self_predicting_start_has_no_error_and_shifted_weights_have_that_of_the_shift(batch: Batch):
    rule = made(engine="steady-state")
    weights = rule.network.init_weights(KEY)
    found = jax.jit(lambda w: prediction_probes(rule, State(w, (), None), batch, KEY))(weights)
    assert all(float(v) < 1e-6 for layers in found.values() for v in layers.values())
    ip, pi = weights.lateral
    moved = replace(weights, lateral=(shifted(ip, 0.1), shifted(pi, -0.2)))
    errors = weight_errors(rule.network, moved)
    for layer in ("0", "1"):
        assert float(errors["feedforward_error"][layer]) == pytest.approx(0.01, rel=1e-4)
        assert float(errors["feedback_error"][layer]) == pytest.approx(0.04, rel=1e-4)
    seen = jax.jit(lambda w: prediction_probes(rule, State(w, (), None), batch, KEY))(moved)
    assert float(seen["apical_error"]["1"]) > 0.05


def test_the_error_of_the_free_output_is_that_of_the_potentials(batch: Batch):
    rule = made(target_low=-0.5, target_high=2.0)
    weights = rule.network.init_weights(KEY)
    out = np.asarray(rule.network.apply(weights.forward, batch.x))
    target = np.where(np.eye(CLASSES)[np.asarray(batch.y)] > 0, 2.0, -0.5)
    assert float(free_output_error(rule.network, weights, batch)) == pytest.approx(
        ((out - target) ** 2).mean(), rel=1e-5
    )


@pytest.mark.parametrize(("kind", "psi", "spikes"), [(Microcircuit, {}, 1.0), (SpikingMicrocircuit, {"psi": 3.0}, 3.0)])
def test_the_highest_rate_is_that_of_the_fastest_cell_wherever_it_is(
    kind: type[Microcircuit | SpikingMicrocircuit], psi: dict[str, float], spikes: float
):
    settings = {"transfer": "soft-relu", "beta": 1.0, "theta": 0.0, "bias": False, **psi}
    net = assemble(kind, "mlp", (N_INPUTS,), CLASSES, HIDDEN, settings).network
    assert isinstance(net, Circuit)
    silent = jax.tree.map(jnp.zeros_like, net.init_weights(KEY))
    *below, last = silent.forward
    loud = replace(silent, forward=(*below, replace(last, kernel=last.kernel + 5.0)))
    dark, lit = (Batch(jnp.full((1, N_INPUTS), level), jnp.zeros(1, int)) for level in (0.0, 2.0))
    at_rest, output = np.log(2), np.asarray(net.phi.rate(net.apply(loud.forward, dark.x))).max()
    assert output > 2
    for weights, batch, expected in ((silent, dark, at_rest), (silent, lit, 2.0), (loud, dark, output)):
        found = jax.jit(highest_rate)(net, weights, batch)
        assert float(found) == pytest.approx(spikes * expected, rel=1e-5)


def test_the_fast_jacobian_is_what_a_step_does_to_a_disturbance(batch: Batch):
    """From the steady state of a taught network that does not predict itself: (step(u + d) - step(u)) / dt = J d."""
    rule = made(start="random", latent_equilibrium=False, g_apical=0.02)
    net, x = rule.network, batch.x[:1]
    weights, nudge = net.init_weights(KEY), net.nudge(net.target(batch.y[:1]))
    one = jax.tree.map(lambda a: a[0] if a.ndim == 2 else a, nudge)
    flat = jax.jit(lambda: _settled(net, weights, x[0], one))()

    def step(somas: jax.Array) -> jax.Array:
        cells, shaped = at_rest(net, 1), ravel_pytree(stability.potentials(net, weights, x[0], one))[1]
        pyramidal, inter = shaped(somas)
        soma = lambda u: Soma(u[None], u[None], net.phi.rate(u[None]))  # noqa: E731
        cells = replace(cells, input=x, pyramidal=tuple(map(soma, pyramidal)), inter=tuple(map(soma, inter)))
        after = euler_step(net, weights, cells, x, nudge, KEY)[0]
        return ravel_pytree((tuple(s.now[0] for s in after.pyramidal), tuple(s.now[0] for s in after.inter)))[0]

    step = jax.jit(step)
    np.testing.assert_allclose(step(flat), flat, atol=1e-5)
    disturbance = 0.05 * jr.normal(jr.key(2), flat.shape)
    change = (step(flat + disturbance) - step(flat - disturbance)) / 2 - disturbance
    expected = net.dt_ms * jax.jit(lambda: stability.jacobian(net, weights, x[0], one))() @ disturbance
    np.testing.assert_allclose(change, expected, atol=0.02 * float(jnp.abs(expected).max()))


def _settled(net: Circuit, weights: Weights, x: jax.Array, nudge: Nudge) -> jax.Array:
    return ravel_pytree(stability.potentials(net, weights, x, nudge))[0]


@pytest.mark.long
def test_the_slow_jacobian_is_what_an_update_does_to_a_disturbance(batch: Batch):
    """Around the self-predicting state, at rest without a teacher, an update moves weights by J times what is off."""
    rule = made(engine="steady-state", taught=False, rate_up=0.1, rate_ip=0.2, rate_pi=0.3)
    weights = rule.network.init_weights(KEY)
    flat, shaped = ravel_pytree(rule.plastic(weights))
    jacobian = jax.jit(lambda w: stability.slow_jacobian(rule, w, batch, taught=False))(weights)
    disturbance = 0.01 * jr.normal(jr.key(3), flat.shape)

    @jax.jit
    def moved(vector: jax.Array) -> jax.Array:
        now = shaped(vector)
        state = rule.init(KEY, batch)
        state = State(Weights(now["up"], weights.feedback, (now["ip"], now["pi"])), state.optimiser, state.neurons)
        return ravel_pytree(rule.plastic(rule.update(state, batch, KEY)[0].weights))[0] - vector

    np.testing.assert_allclose(moved(flat), 0, atol=1e-6)
    found, expected = (moved(flat + disturbance) - moved(flat - disturbance)) / 2, jacobian @ disturbance
    np.testing.assert_allclose(found, expected, atol=0.02 * float(jnp.abs(expected).max()))
    assert np.linalg.eigvals(np.asarray(jacobian, float)).real.max() < 1e-3


def test_the_hessian_is_the_change_of_the_gradient(batch: Batch):
    rule = made()
    net, weights = rule.network, rule.network.init_weights(KEY)
    flat, shaped = ravel_pytree(weights.forward)
    slope = jax.jit(jax.grad(lambda v: net.loss(net.apply(shaped(v), batch.x), batch.y)))
    along = 0.05 * jr.normal(jr.key(4), flat.shape)
    expected = jax.jit(lambda w: stability.hessian(net, w, batch))(weights) @ along
    np.testing.assert_allclose((slope(flat + along) - slope(flat - along)) / 2, expected, atol=2e-3)


def test_a_recording_is_the_charging_of_a_membrane(batch: Batch):
    """The first hidden layer, without its apical dendrite, goes to its steady state as 1 - (1 - dt / tau)^n."""
    net = made(latent_equilibrium=False, g_apical=0.0).network
    weights = net.init_weights(KEY)
    trace = record(net, weights, jnp.repeat(batch.x[:1], 40, 0), None, KEY)
    settled = np.asarray(net.g_basal * weights.forward[0].potential(batch.x[0]) / net.pull_hidden)
    charged = 1 - (1 - net.dt_ms * float(net.pull_hidden)) ** np.arange(1, 41)
    np.testing.assert_allclose(trace.activity.somas[0], charged[:, None] * settled, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(trace.times_ms, 0.1 * np.arange(1, 41), rtol=1e-5)
