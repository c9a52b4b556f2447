"""What spiking cells do while bars are shown: rasters of their spikes, and the potentials of their compartments."""

from dataclasses import dataclass

import jax
import jax.random as jr
import numpy as np

from apical.probes.spiking_recording import SpikeTrace, record
from apical.report import Axis, Figure, Panel, Series
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, experiment
from apical.reproduce.microcircuit.lanes import dataset_for, every, made_as, train_lanes
from apical.reproduce.microcircuit.measures import bars_probe
from apical.rules.spiking_microcircuit import SpikingMicrocircuit

EPOCHS, QUICK_EPOCHS = 50, 5
BARS, SHOWN_MS, DT_MS = (0, 3, 6, 1), 30.0, 0.1
PSI = 1.0
STAGES = ("random weights", "self-predicting", "trained")
SHOWN_HIDDEN = 10

CAPTION = (
    "9-30-3 with at most a few spikes per ms and cell (psi = 1, dendrites of 5 ms), four bars for 30 ms each, towards "
    "their targets. Top: spikes of the inputs, the first ten hidden cells, the output cells and the interneurons, from "
    "random weights, from the self-predicting start and after learning. Bottom: soma of the output cell of the first "
    "class and of its interneuron, and the basal and apical dendrites of one hidden cell."
)
DIFFERENCE = (
    "Published are counts of spikes in 2 s at 100 spikes per ms and more: 1.0e7 with random weights, 0.87e7 in the "
    "self-predicting state, 1.33e7 after learning."
)


@dataclass(frozen=True)
class Stage:
    """The cells at a stage of learning."""

    name: str
    trace: SpikeTrace

    @property
    def rates_hz(self) -> np.ndarray:
        """The rate of every pyramidal cell and interneuron over the time shown."""
        counts = np.concatenate([np.asarray(s) for s in self.trace.spikes[1:]], axis=1)
        return 1000 * counts.mean(0) / DT_MS

    @property
    def rate_hz(self) -> float:
        """The mean of these rates."""
        return float(self.rates_hz.mean())


def run(request: Request) -> Findings:
    """Trains once, and records all stages under the same bars."""
    epochs = QUICK_EPOCHS if request.quick else EPOCHS
    stages = recorded(epochs)
    rates = ", ".join(f"{s.rate_hz:.0f} Hz {s.name}" for s in stages)
    return Findings(
        f"Mean rate of pyramidal cells and interneurons: {rates}; the most active cell of the trained network fires at "
        f"{stages[-1].rates_hz.max():.0f} Hz.",
        (Figure("spikes-rasters", "What do spiking cells do?", CAPTION, _panels(stages), 3),),
        ("stage", "population", "cell", "time_ms"),
        [(s.name, *row) for s in stages for row in _events(s.trace)],
        tuple(
            Beside(f"spikes per cell and s, {s.name}", text, f"{s.rate_hz:.0f}")
            for s, text in zip(stages, ("1.0e7 in 2 s, all cells", "0.87e7", "1.33e7"), strict=True)
        ),
        (f"Seed 0, {epochs} epochs of 24 bars with preset bars, then shown with psi = 1.", DIFFERENCE),
    )


def recorded(epochs: int) -> tuple[Stage, ...]:
    """Every stage, under the same input."""
    dataset = dataset_for("bars", "bars", kind=SpikingMicrocircuit)
    bars = every(dataset.test)
    slow = {"psi": PSI, "dt_ms": DT_MS, "basal_capacitance": 5.0, "apical_capacitance": 5.0, "start": "random"}
    made = lambda settings: made_as(SpikingMicrocircuit, dataset, "bars", settings=settings)  # noqa: E731
    rule = made({})
    history = train_lanes([rule], (0,), dataset, 1, (epochs,), bars_probe)
    trained = jax.tree.map(lambda w: w[0], history.states.weights)
    shown = made(slow)
    weights = (shown.init(jr.key(0), bars).weights, rule.init(jr.key(0), bars).weights, trained)
    order = np.repeat(BARS, round(SHOWN_MS / DT_MS))
    x, target = bars.x.reshape(len(bars.x), -1)[order], shown.network.target(bars.y)[order]
    return tuple(
        Stage(name, record(shown.network, w, x, target, jr.key(1))) for name, w in zip(STAGES, weights, strict=True)
    )


def populations(trace: SpikeTrace) -> dict[str, np.ndarray]:
    """The counts of those that are shown, steps by cells."""
    inputs, hidden, output, inter = (np.asarray(s) for s in trace.spikes)
    return {"inputs": inputs, "hidden cells": hidden[:, :SHOWN_HIDDEN], "output cells": output, "interneurons": inter}


def _events(trace: SpikeTrace) -> list[tuple[str, int, float]]:
    """Population, cell and time of every step with a spike."""
    times = np.asarray(trace.times_ms)
    return [
        (name, int(cell), float(times[step]))
        for name, counts in populations(trace).items()
        for step, cell in zip(*np.nonzero(counts), strict=True)
    ]


def _panels(stages: tuple[Stage, ...]) -> tuple[Panel, ...]:
    changes = tuple(SHOWN_MS * i for i in range(len(BARS) + 1))
    time = Axis("time (ms)", limits=(0.0, changes[-1]), ticks=changes)
    rasters = [Panel(s.name.capitalize(), time, Axis("cell"), _raster(s.trace)) for s in stages]
    potentials = [_potentials(s.trace) for s in stages]
    voltages = [
        Panel(f"Potentials, {s.name}", time, Axis("potential"), series)
        for s, series in zip(stages, potentials, strict=True)
    ]
    return (*rasters, *voltages)


def _raster(trace: SpikeTrace) -> tuple[Series, ...]:
    """Every population in rows above the one before it."""
    times, row, drawn = np.asarray(trace.times_ms), 1, []
    for (name, counts), colour in zip(populations(trace).items(), COLOURS, strict=False):
        step, cell = np.nonzero(counts)
        drawn.append(Series(name, colour, times[step], (cell + row).astype(float), marker="bar", kind="point"))
        row += counts.shape[1] + 1
    return tuple(drawn)


def _potentials(trace: SpikeTrace) -> tuple[Series, ...]:
    seen, somas = trace.activity, trace.somas
    lines = {
        "output, soma": somas[1][:, 0],
        "its interneuron, soma": somas[2][:, 0],
        "hidden cell, basal": seen.basal[0][:, 0],
        "hidden cell, apical": seen.apical[0][:, 0],
    }
    times = np.asarray(trace.times_ms)
    return tuple(Series(n, c, times, np.asarray(v, float)) for (n, v), c in zip(lines.items(), COLOURS, strict=False))


RASTERS = experiment("spikes-rasters", "Spikes and potentials while bars are shown", "Gille 2023", run)
