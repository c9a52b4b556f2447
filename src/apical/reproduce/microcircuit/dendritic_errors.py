"""What apical dendrites feel while the input changes, with and without latent equilibrium."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from apical.core import Weights
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_steady import steady_state
from apical.probes.microcircuit_recording import Trace, record
from apical.report import Axis, Figure, Panel, Series, Span
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, DT_MS, LATENT, Beside, Findings, ends, experiment
from apical.reproduce.microcircuit.lanes import dataset_for, every, made

PRESET = "gille-2023"
SHOWN_MS, N_CELLS = 30.0, 6
BARS = (0, 3, 6, 1)
CAPTION = (
    "Apical potentials of six cells in the first hidden layer of 9-30-10-3 in the self-predicting state, while the bar "
    "and with it the target change every 30 ms. Top: without a teacher there is no error, and apical dendrites should "
    "be silent. Without latent equilibrium they are not while the input changes, as interneurons and the cells that "
    "they predict have other time constants and are late in different measure. Bottom: with a teacher for the right "
    "class. Without latent equilibrium the error of a bar arrives so late that cells learn from that of the bar before."
)
Taught = tuple[bool, str]  # whether there is a teacher, and which cells


def bars(latent: bool) -> tuple[Circuit, Weights, Float[Array, "bars inputs"], Float[Array, "bars outputs"]]:
    """The circuit at its start, the bars that are shown and their targets."""
    dataset = dataset_for("bars", PRESET)
    net = made(dataset, PRESET, (30, 10), {"latent_equilibrium": latent}).network
    test = every(dataset.test)
    chosen = jnp.asarray(BARS)
    return net, net.init_weights(jr.key(0)), test.x[chosen].reshape(len(BARS), -1), net.target(test.y[chosen])


def bars_shown(latent: bool, taught: bool) -> Trace:
    """Bars one after the other in the self-predicting state."""
    net, weights, x, target = bars(latent)
    steps = round(SHOWN_MS / DT_MS)
    targets = jnp.repeat(target, steps, 0) if taught else None
    return record(net, weights, jnp.repeat(x, steps, 0), targets, jr.key(0))


def run(request: Request) -> Findings:
    """Both kinds of cells, without a teacher and with one."""
    found = {(taught, name): bars_shown(latent, taught) for taught in (False, True) for name, latent in LATENT.items()}
    false = {name: float(np.abs(np.asarray(found[False, name].activity.apical[0])).mean()) for name in LATENT}
    late = {name: lateness(found[True, name]) for name in LATENT}
    title = "What do apical dendrites feel while the input changes?"
    return Findings(
        _said(false, late),
        (Figure("dendritic-errors", title, CAPTION, panels(found)),),
        ("teacher", "cells", "time_ms", "cell", "apical_potential"),
        rows(found),
        (
            *(
                Beside(f"no teacher, {n}: mean |potential|", "a figure, no number", f"{v:.2g}")
                for n, v in false.items()
            ),
            *(
                Beside(f"teacher, {n}: off the settled error", "a figure, no number", f"{100 * v:.0f} %")
                for n, v in late.items()
            ),
        ),
        (
            f"Preset {PRESET}, 9-30-10-3, self-predicting start of seed 0, no plasticity, steps of {DT_MS} ms. Off: "
            "root mean squared distance over all cells and steps to the steady state for bar and target of the moment, "
            "over its own root mean square.",
        ),
    )


def apical_potentials(trace: Trace) -> Float[np.ndarray, "steps cells"]:
    """Those of the first cells of the first hidden layer."""
    return np.asarray(trace.activity.apical[0])[:, :N_CELLS]


def panels(found: dict[Taught, Trace]) -> tuple[Panel, ...]:
    """A panel for each case: its apical potentials, every other bar shaded."""
    changes = tuple(SHOWN_MS * i for i in range(len(BARS) + 1))
    shades = tuple(Span(start, start + SHOWN_MS) for start in changes[:-1:2])
    x = Axis("time (ms)", limits=(0.0, changes[-1]), ticks=changes)

    def panel(taught: bool, name: str) -> Panel:
        low_high = ends([apical_potentials(trace) for (t, _), trace in found.items() if t == taught])
        times, cells = np.asarray(found[taught, name].times_ms), apical_potentials(found[taught, name]).T
        lines = tuple(Series(f"cell {i + 1}", COLOURS[i], times, values) for i, values in enumerate(cells))
        title = f"{'Teacher' if taught else 'No teacher'}, {name}"
        return Panel(title, x, Axis("apical potential", limits=low_high), lines, spans=shades)

    return tuple(panel(*case) for case in found)


def rows(found: dict[Taught, Trace]) -> list[tuple[str | float, ...]]:
    """What the panels show, as a table."""
    return [
        (str(taught), name, float(t), i, float(v))
        for (taught, name), trace in found.items()
        for t, row in zip(trace.times_ms, apical_potentials(trace), strict=True)
        for i, v in enumerate(row)
    ]


def _said(false: dict[str, float], late: dict[str, float]) -> str:
    (slow, fast), (behind, ahead) = false.values(), late.values()
    return (
        f"Without a teacher apical dendrites of the first layer are at {slow:.2g} on average without latent "
        f"equilibrium, at {fast:.2g} with it. With a teacher what they feel is {100 * behind:.0f} % off the error of "
        f"the bar that is shown without latent equilibrium, {100 * ahead:.0f} % with it."
    )


def lateness(trace: Trace) -> float:
    """How far apical potentials are from those that belong to the bar of the moment, relative to them."""
    net, weights, x, target = bars(latent=True)
    settled = steady_state(net, weights, x, net.nudge(target)).apical[0]
    shown = np.repeat(np.asarray(settled), round(SHOWN_MS / DT_MS), 0)
    return float(np.sqrt(((np.asarray(trace.activity.apical[0]) - shown) ** 2).mean() / (shown**2).mean()))


DENDRITIC_ERRORS = experiment(
    "microcircuit-dendritic-errors", "Apical potentials while the input changes", "Haider 2021; Gille 2023", run
)
