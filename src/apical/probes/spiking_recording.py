"""A spiking microcircuit over time without plasticity: spikes and potentials at each step of a changing input."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from apical.core import PRNGKey, Weights
from apical.networks.microcircuit_state import Activity, Potentials
from apical.networks.spiking_circuit import SpikingCircuit
from apical.networks.spiking_steps import Cells, at_rest, draw, step


class SpikeTrace(eqx.Module):
    """What is recorded, a leading axis of steps on all: when (ms), spikes of every population as counts, potentials.

    Populations are input, pyramidal layers, interneurons; `somas` the pyramidal and interneurons' own.
    """

    times_ms: Float[Array, " steps"]
    spikes: Potentials
    somas: Potentials
    activity: Activity


@eqx.filter_jit
def record(
    net: SpikingCircuit,
    weights: Weights,
    x: Float[Array, "steps inputs"],
    target: Float[Array, "steps outputs"] | None,
    key: PRNGKey,
) -> SpikeTrace:
    """The circuit from rest under an input that may change at every step of dt_ms, without a teacher or towards
    `target` potentials; spikes are counted where they arrive."""

    def one(cells: Cells, now: tuple[Array, Array, Array | None]) -> tuple[Cells, tuple]:
        i, shown, taught = now
        nudge = None if taught is None else net.nudge(taught[None])
        moment_key = jr.fold_in(key, i)
        words = tuple(w[0] for w in draw(net, moment_key, 1, 1))
        cells, moment = step(net, weights, cells, shown[None], nudge, words, moment_key)
        counts = tuple(jnp.round(net.psi * net.dt_ms * q) for q in moment.arriving)
        return cells, jax.tree.map(lambda a: a[0], (counts, cells.somas, moment.seen))

    steps = jnp.arange(len(x))
    _, (spikes, somas, seen) = jax.lax.scan(one, at_rest(net, 1), (steps, x, target))
    return SpikeTrace((steps + 1).astype(float) * net.dt_ms, spikes, somas, seen)
