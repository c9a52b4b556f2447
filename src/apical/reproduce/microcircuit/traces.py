"""Microcircuits in time: how fast a chain of cells answers, and what apical dendrites feel while an input changes."""

from dataclasses import dataclass

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from apical.core import Weights
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_steady import steady_state
from apical.networks.synapses import Synapses
from apical.probes.microcircuit_recording import Trace, record
from apical.report import Axis, Figure, Panel, Series, Span
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, experiment
from apical.reproduce.microcircuit.lanes import dataset_for, every, made

PRESET = "gille-2023"
LATENT = {"without latent equilibrium": False, "with latent equilibrium": True}
DT_MS = 0.1

CHAIN_MS = 200.0
PULSES_MS = (25.0, 75.0)
PULSE_MS = 25.0
SINE_FROM_MS, PERIOD_MS = 110.0, 30.0
CHAIN_CAPTION = (
    "A chain of one input, one hidden and one output cell, all forward weights 1, no teacher, apical dendrite silent. "
    "Two pulses of 25 ms and a sine wave come in. Black: what the output cell would settle at for the input of the "
    "moment. Without latent equilibrium (left) every cell is a low-pass filter of the one before it. With it (right) "
    "cells send the potential that they are on their way to, and the chain follows a step of 0.1 ms later for each hop."
)

SHOWN_MS, N_CELLS = 30.0, 6
BARS = (0, 3, 6, 1)
ERRORS_CAPTION = (
    "Apical potentials of six cells in the first hidden layer of 9-30-10-3 in the self-predicting state, while the bar "
    "and with it the target change every 30 ms. Top: without a teacher there is no error, and apical dendrites should "
    "be silent. Without latent equilibrium they are not while the input changes, as interneurons and the cells that "
    "they predict have other time constants and are late in different measure. Bottom: with a teacher for the right "
    "class. Without latent equilibrium the error of a bar arrives so late that cells learn from that of the bar before."
)


@dataclass(frozen=True)
class Chain:
    """The chain's answer: the input, where the output would settle, and the potentials that cells act by."""

    times_ms: Float[np.ndarray, " steps"]
    settled: Float[np.ndarray, " steps"]
    hidden: Float[np.ndarray, " steps"]
    output: Float[np.ndarray, " steps"]

    @property
    def lag(self) -> float:
        """Root mean squared distance of the output to where it would settle, over that of its variation."""
        return float(np.sqrt(((self.output - self.settled) ** 2).mean()) / self.settled.std())


def stimulus() -> Float[np.ndarray, " steps"]:
    """Two pulses and a sine wave."""
    t = np.arange(round(CHAIN_MS / DT_MS)) * DT_MS
    pulses = sum(((t >= at) & (t < at + PULSE_MS)).astype(float) for at in PULSES_MS)
    return pulses + np.where(t >= SINE_FROM_MS, 0.5 - 0.5 * np.cos(2 * np.pi * (t - SINE_FROM_MS) / PERIOD_MS), 0.0)


def chain(latent: bool) -> Chain:
    """A chain under the stimulus."""
    dataset = dataset_for("self-prediction", options={"n_inputs": 1, "n_outputs": 1, "n_examples": 2})
    net = made(dataset, PRESET, (1,), {"latent_equilibrium": latent}).network
    one, none = Synapses(jnp.ones((1, 1))), Synapses(jnp.zeros((1, 1)))
    weights = Weights((one, one), (none,), ((one,), (none,)))
    x = stimulus()[:, None]
    seen = record(net, weights, jnp.asarray(x, float), None, jr.key(0))
    settled = np.asarray(net.apply(weights.forward, jnp.asarray(x, float)))[:, 0]
    somas = [np.asarray(u)[:, 0] for u in seen.activity.somas]
    return Chain(np.asarray(seen.times_ms), settled, *somas)


def run_chain(request: Request) -> Findings:
    """Both chains."""
    found = {name: chain(latent) for name, latent in LATENT.items()}
    x = Axis("time (ms)", limits=(0.0, CHAIN_MS))
    low, high = ends([c.output for c in found.values()] + [c.settled for c in found.values()])
    panels = tuple(
        Panel(
            name.capitalize(),
            x,
            Axis("output cell, potential", limits=(low, high)),
            (
                Series("output cell", COLOURS[0], c.times_ms, c.output),
                Series("settled at once", "#111111", c.times_ms, c.settled, dash="dash"),
            ),
        )
        for name, c in found.items()
    )
    slow, fast = (c.lag for c in found.values())
    columns = ("cells", "time_ms", "settled", "hidden", "output")
    return Findings(
        f"Without latent equilibrium the output is off by {100 * slow:.0f} % of its variation, with it by "
        f"{100 * fast:.1f} %, as a change takes a step of {DT_MS} ms to pass from one cell to the next.",
        (Figure("step-response", "How fast does a chain answer?", CHAIN_CAPTION, panels),),
        columns,
        [
            (n, *map(float, row))
            for n, c in found.items()
            for row in zip(c.times_ms, c.settled, c.hidden, c.output, strict=True)
        ],
        (
            Beside(
                "a step of the input",
                "a figure, no number",
                f"off by {100 * slow:.0f} % without, {100 * fast:.1f} % with",
            ),
        ),
        (f"Preset {PRESET}, 1-1-1, steps of {DT_MS} ms, somas of 5.3 ms (hidden) and 7.7 ms (output).",),
    )


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


def run_errors(request: Request) -> Findings:
    """Both kinds of cells, without a teacher and with one."""
    found = {(taught, name): bars_shown(latent, taught) for taught in (False, True) for name, latent in LATENT.items()}
    changes = tuple(SHOWN_MS * i for i in range(len(BARS) + 1))
    apical = {key: np.asarray(trace.activity.apical[0])[:, :N_CELLS] for key, trace in found.items()}
    panels = tuple(
        Panel(
            f"{'Teacher' if taught else 'No teacher'}, {name}",
            Axis("time (ms)", limits=(0.0, changes[-1]), ticks=changes),
            Axis("apical potential", limits=ends([v for (t, _), v in apical.items() if t == taught])),
            tuple(
                Series(f"cell {i + 1}", COLOURS[i], np.asarray(found[taught, name].times_ms), values[:, i])
                for i in range(N_CELLS)
            ),
            spans=tuple(Span(i * SHOWN_MS, (i + 1) * SHOWN_MS) for i in range(0, len(BARS), 2)),
        )
        for (taught, name), values in apical.items()
    )
    false = {name: float(np.abs(np.asarray(found[False, name].activity.apical[0])).mean()) for name in LATENT}
    late = {name: lateness(found[True, name]) for name in LATENT}
    return Findings(
        _said(false, late),
        (Figure("dendritic-errors", "What do apical dendrites feel while the input changes?", ERRORS_CAPTION, panels),),
        ("teacher", "cells", "time_ms", "cell", "apical_potential"),
        [
            (str(taught), name, float(t), i, float(v))
            for (taught, name), values in apical.items()
            for t, row in zip(found[taught, name].times_ms, values, strict=True)
            for i, v in enumerate(row)
        ],
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


def ends(values: list[np.ndarray]) -> tuple[float, float]:
    """Limits of an axis that shows all of these values, with room on either side."""
    low, high = min(v.min() for v in values), max(v.max() for v in values)
    return float(low - 0.05 * (high - low)), float(high + 0.05 * (high - low))


STEP_RESPONSE = experiment(
    "microcircuit-step-response",
    "A chain of cells with and without latent equilibrium",
    "Haider 2021; Gille 2023",
    run_chain,
)
DENDRITIC_ERRORS = experiment(
    "microcircuit-dendritic-errors", "Apical potentials while the input changes", "Haider 2021; Gille 2023", run_errors
)
