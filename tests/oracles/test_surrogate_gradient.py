"""Backprop through time in spikes: a port in NumPy at the same spikes, and the true gradient where spikes are rates."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch, Weights
from apical.networks.spiking_circuit import SpikingCircuit
from apical.networks.spiking_steps import at_rest, draw, step
from apical.reproduce.spikes.surrogate import ThroughTime, through_time
from apical.rules.assembly import assemble
from apical.rules.registry import RULES
from apical.rules.spiking_microcircuit import SpikingMicrocircuit

DT, STEPS, LAG, C, LEAK, BETA, THETA = 0.5, 14, 4, 1.5, 0.9, 2.0, 0.3
SETTINGS = {
    "presentation_ms": STEPS * DT,
    "readout_lag_ms": LAG * DT,
    "dt_ms": DT,
    "basal_capacitance": C,
    "dendritic_leak": LEAK,
    "readout": "prospective",
    "transfer": "logistic",
    "beta": BETA,
    "theta": THETA,
    "bias": True,
}
SHARES = np.array([0.1 / 0.19, 0.1 / 0.19, 0.1 / 0.13])  # of a basal potential, in two hidden somas and the output


def made(psi: float) -> ThroughTime:
    rule = assemble(RULES["spiking-microcircuit"], "mlp", (5,), 3, (6, 4), {**SETTINGS, "psi": psi})
    assert isinstance(rule, SpikingMicrocircuit)
    return through_time(rule)


@pytest.fixture(scope="module")
def batch() -> Batch:
    return Batch(jr.uniform(jr.key(0), (4, 5)), jr.uniform(jr.key(1), (4, 3)))


@eqx.filter_jit
def found(rule: ThroughTime, batch: Batch) -> tuple[Weights, Weights, tuple]:
    """Weights, the direction of an update, and the spikes that it drew: (steps, batch, cells) of every layer."""
    net, key = rule.network, jr.key(3)
    assert isinstance(net, SpikingCircuit)
    state = rule.init(jr.key(2), batch)

    def one(cells: object, i: jax.Array) -> tuple:
        now = jr.fold_in(key, i)
        words = tuple(w[0] for w in draw(net, now, 1, len(batch.x)))
        cells, moment = step(net, state.weights, cells, batch.x, None, words, now)
        return cells, moment.arriving[:3]

    spikes = jax.lax.scan(one, at_rest(net, len(batch.x)), jnp.arange(STEPS))[1]
    return state.weights, rule.update(state, batch, key)[1].direction, spikes


def phi(u: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-BETA * (u - THETA)))


def slope(u: np.ndarray) -> np.ndarray:
    return BETA * phi(u) * (1 - phi(u))


def ported(kernels: list[np.ndarray], spikes: list[np.ndarray], y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Gradients of kernels and biases (0 here), by hand, from the top layer and the last step down."""
    kept, potentials = 1 - DT * LEAK / C, []
    for kernel, sent in zip(kernels, spikes, strict=True):
        v = np.zeros((STEPS + 1, len(y), len(kernel)))
        for t in range(STEPS):
            v[t + 1] = kept * v[t] + DT / C * sent[t] @ kernel.T
        potentials.append(v)
    output = SHARES[2] * potentials[2][LAG:STEPS].mean(0)
    arriving = np.zeros((STEPS, *output.shape))
    arriving[LAG:] = SHARES[2] * slope(output) * (output - y) / len(y) / (STEPS - LAG)
    gradients = []
    for layer in (2, 1, 0):
        adjoint = np.zeros((STEPS + 1, *arriving.shape[1:]))
        for t in reversed(range(STEPS)):
            adjoint[t] = arriving[t] + kept * adjoint[t + 1]
        moved = DT / C * adjoint[1:]
        gradients.insert(0, (np.einsum("tbn,tbs->ns", moved, spikes[layer]), moved.sum((0, 1))))
        if layer:
            share = SHARES[layer - 1]
            arriving = share * slope(share * potentials[layer - 1][:STEPS]) * (moved @ kernels[layer])
    return gradients


def smooth(kernels: list[jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
    """The loss of the same cells that send their rates, whose derivative in an output u is phi'(u) (u - y)."""
    v = [jnp.zeros((len(x), len(k))) for k in kernels]
    read = []
    for _ in range(STEPS):
        acting = [float(s) * u for s, u in zip(SHARES, v, strict=True)]
        sent = [x, *(jax.nn.sigmoid(BETA * (a - THETA)) for a in acting[:2])]
        read.append(acting[2])
        v = [u + DT / C * (q @ k.T - LEAK * u) for u, q, k in zip(v, sent, kernels, strict=True)]
    u = jnp.stack(read[LAG:]).mean(0)
    rate, integral = jax.nn.sigmoid(BETA * (u - THETA)), jax.nn.softplus(BETA * (u - THETA)) / BETA
    return -(integral + (y - u) * rate).sum(-1).mean()


def test_the_surrogate_gradient_of_one_step_is_that_of_a_port_in_numpy(batch: Batch) -> None:
    weights, direction, spikes = found(made(psi=2.0), batch)
    kernels = [np.asarray(layer.kernel, float) for layer in weights.forward]
    gradients = ported(kernels, [np.asarray(s, float) for s in spikes], np.asarray(batch.y, float))
    for ours, (kernel, bias) in zip(direction.forward, gradients, strict=True):
        assert np.abs(kernel).max() > 1e-3
        np.testing.assert_allclose(ours.kernel, kernel, atol=1e-5)
        np.testing.assert_allclose(ours.bias, bias, atol=1e-5)
    assert not any(jnp.any(leaf) for leaf in jax.tree.leaves((weights.lateral, weights.feedback)))


def test_where_spikes_are_rates_it_is_the_gradient(batch: Batch) -> None:
    weights, direction, _ = found(made(psi=1e6), batch)
    exact = jax.jit(jax.grad(smooth))([layer.kernel for layer in weights.forward], batch.x, batch.y)
    for ours, theirs in zip(direction.forward, exact, strict=True):
        np.testing.assert_allclose(ours.kernel, theirs, atol=0.02 * float(jnp.abs(theirs).max()))
