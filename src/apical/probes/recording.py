"""Potentials of every compartment, spikes and plateaus of segregated dendrites through both phases of an example."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from apical.core import PRNGKey, Weights
from apical.errors import InputError
from apical.networks.dendritic import Dendritic
from apical.networks.dendritic_blocks import rest
from apical.networks.dendritic_phases import Phase, record_phase
from apical.networks.dendritic_state import Cells, History, Means
from apical.neurons.compartments import plateau

Layers = tuple[Float[Array, "..."], ...]


class PhaseRecording(eqx.Module):
    """One phase of one example: potentials (steps, units) of every compartment and spikes, first hidden layer first.

    `times_ms` are the ends of the steps, from the start of the example; the phase lasts from `start_ms` to `end_ms` and
    its means are those from `window_ms` on. Each hidden unit's plateau comes at its time in `plateau_ms`, with its
    value in `plateaus`. Spikes are counts; they are drawn also where a network hears rates alone.
    """

    times_ms: Float[Array, " steps"]
    basal: Layers
    apical: Layers
    somas: Layers
    spikes: Layers
    plateau_ms: Layers
    plateaus: Layers
    start_ms: float = eqx.field(static=True)
    window_ms: float = eqx.field(static=True)
    end_ms: float = eqx.field(static=True)


class Recording(eqx.Module):
    """Both phases of one example."""

    forward: PhaseRecording
    target: PhaseRecording


def record_example(
    net: Dendritic,
    weights: Weights,
    cells: Cells | None,
    x: Float[Array, "*features"],
    y: Int[Array, ""],
    key: PRNGKey,
) -> Recording:
    """Both phases of one example, step by step: the very simulation that `net.show` runs with this key.

    `cells` (batch 1) are as the last example left them; none: at rest.

    **Raises** `InputError` for phases of random lengths.
    """
    if net.random_phase_lengths:
        raise InputError("phases are recorded at their nominal lengths: set random_phase_lengths=false")
    pixels, cells = x.reshape(1, -1), rest(net, 1) if cells is None else cells
    recorded, start_ms = [], 0.0
    for phase in net.phases(y[None], key):
        cells, means, history = record_phase(net, weights, cells, pixels, phase)
        recorded.append(_recorded(net, phase, means, history, start_ms))
        start_ms = recorded[-1].end_ms
    return Recording(*recorded)


def _recorded(net: Dendritic, phase: Phase, means: Means, history: History, start_ms: float) -> PhaseRecording:
    window, dt_ms = phase.window, net.dt_ms
    early = window.early or [jnp.zeros((1, n), int) for n in net.hidden]
    single = lambda layers: tuple(a[:, 0] for a in layers)  # noqa: E731
    return PhaseRecording(
        times_ms=start_ms + dt_ms * jnp.arange(1, window.n_steps + 1).astype(float),
        basal=single(history.basal),
        apical=single(history.apical),
        somas=single(history.somas),
        spikes=single(history.spikes),
        plateau_ms=tuple(start_ms + dt_ms * (window.n_steps - steps[0]).astype(float) for steps in early),
        plateaus=tuple(plateau(a)[0] for a in means.apical),
        start_ms=start_ms,
        window_ms=start_ms + dt_ms * (window.n_steps - window.n_window),
        end_ms=start_ms + dt_ms * window.n_steps,
    )
