"""A microcircuit over time without plasticity: everything its cells know at each step of a changing input."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from apical.core import PRNGKey, Weights
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_euler import Cells, at_rest, euler_step
from apical.networks.microcircuit_state import Activity


class Trace(eqx.Module):
    """What is recorded, a leading axis of steps on all: when (ms), and what plasticity would see; one example."""

    times_ms: Float[Array, " steps"]
    activity: Activity


@eqx.filter_jit
def record(
    net: Circuit,
    weights: Weights,
    x: Float[Array, "steps inputs"],
    target: Float[Array, "steps outputs"] | None,
    key: PRNGKey,
) -> Trace:
    """The circuit from rest under an input that may change at every step of dt_ms, without a teacher or towards
    `target` potentials."""

    def step(cells: Cells, now: tuple[Array, Array, Array | None]) -> tuple[Cells, Activity]:
        i, shown, taught = now
        nudge = None if taught is None else net.nudge(taught[None])
        cells, seen = euler_step(net, weights, cells, shown[None], nudge, jr.fold_in(key, i))
        return cells, jax.tree.map(lambda a: a[0], seen)

    steps = jnp.arange(len(x))
    _, seen = jax.lax.scan(step, at_rest(net, 1), (steps, x, target))
    return Trace((steps + 1).astype(float) * net.dt_ms, seen)
