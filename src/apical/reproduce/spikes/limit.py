"""From spikes to rates: what a presentation changes, beside what it changes in the rate network."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.random as jr
import numpy as np

from apical.core import State, Weights
from apical.report import Axis, Figure, Panel, Series
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, curve, experiment
from apical.reproduce.microcircuit.lanes import dataset_for, every, made, made_as
from apical.rules.spiking_microcircuit import SpikingMicrocircuit

PSIS, QUICK_PSIS = (1.0, 10.0, 100.0, 1000.0, 10_000.0), (10.0, 1000.0)
CAPACITANCES = (1.0, 4.0, 16.0)
SEEDS, QUICK_SEEDS = 9, 3
PRESENTATION_MS, ONSET_MS, DT_MS = 600.0, 400.0, 0.5

CAPTION = (
    "One presentation of the bars to 9-30-3, weights at random and held. The distance of what all synapses descend to "
    "what they descend in the steady state of the rate network, over the length of the latter: mean of its logarithm "
    "over seeds, with the range from the lowest to the highest. Left: over psi, a line for each capacitance of the "
    "dendrites. Right: the same points over psi times the capacitance. The dashed line falls as 1 / sqrt(psi C)."
)
DIFFERENCE = (
    "The thesis leaves the limit open. Spikes enter the potentials with a variance that falls as 1 / (psi C). Where it "
    "is large, the curvature of the transfer function shifts the mean, and the distance falls as the variance itself; "
    "where it is small, what is left is the noise of one presentation, its root. Slow dendrites have fewer independent "
    "moments in a presentation, so that there psi tells, and C does not."
)


@dataclass(frozen=True)
class Distances:
    """The distance for each psi and seed, at one capacitance."""

    capacitance: float
    values: np.ndarray


def distance(a: Weights, b: Weights) -> float:
    """Between two directions, over the length of the second."""
    pairs = list(zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))
    return float(np.sqrt(sum(np.sum((x - y) ** 2) for x, y in pairs) / sum(np.sum(y**2) for _, y in pairs)))


def run(request: Request) -> Findings:
    """All capacitances and psi from every seed."""
    psis, n_seeds = (QUICK_PSIS, QUICK_SEEDS) if request.quick else (PSIS, SEEDS)
    capacitances = CAPACITANCES[:2] if request.quick else CAPACITANCES
    found = [measured(c, psis, n_seeds) for c in capacitances]
    slopes = [np.polyfit(np.log(psis), np.log(d.values).mean(1), 1)[0] for d in found]
    return Findings(
        "The distance to the rate network falls as psi to the power of "
        + ", ".join(f"{s:.2f} (C = {d.capacitance:g})" for s, d in zip(slopes, found, strict=True))
        + "; noise alone would give -0.5, curvature alone -1.",
        (_figure(psis, found),),
        ("capacitance_ms", "psi", "seed", "distance"),
        [
            (d.capacitance, psi, seed, float(d.values[i, seed]))
            for d in found
            for i, psi in enumerate(psis)
            for seed in range(n_seeds)
        ],
        tuple(
            Beside(f"exponent, C = {d.capacitance:g}", "open (noise: -0.5)", f"{s:.3f}")
            for s, d in zip(slopes, found, strict=True)
        ),
        (
            f"{n_seeds} seeds, a presentation of {PRESENTATION_MS:g} ms in steps of {DT_MS:g} ms, nothing counted in "
            f"the first {ONSET_MS:g} ms.",
            DIFFERENCE,
        ),
    )


def measured(capacitance: float, psis: tuple[float, ...], n_seeds: int) -> Distances:
    """The distance at every psi from every seed."""
    dataset = dataset_for("bars", "bars", kind=SpikingMicrocircuit)
    batch = every(dataset.test)
    settings = {
        "presentation_ms": PRESENTATION_MS,
        "plasticity_onset_ms": ONSET_MS,
        "dt_ms": DT_MS,
        "start": "random",
        "rate_pi": 0.1,
        "basal_capacitance": capacitance,
        "apical_capacitance": capacitance,
    }
    rules = [made_as(SpikingMicrocircuit, dataset, "bars", (30,), {**settings, "psi": psi}) for psi in psis]
    exact = made(dataset, "haider-2021-bars", settings={"engine": "steady-state", "rate_pi": 0.1})
    descended = eqx.filter_jit(lambda rule, state, key: rule.update(state, batch, key)[1].direction)

    def one(rule: SpikingMicrocircuit, seed: int) -> float:
        state = rule.init(jr.key(seed), batch)
        alike = exact.init(jr.key(seed), batch)
        settled = descended(exact, State(state.weights, alike.optimiser, alike.neurons), jr.key(seed))
        return distance(descended(rule, state, jr.key(seed)), settled)

    return Distances(capacitance, np.array([[one(rule, seed) for seed in range(n_seeds)] for rule in rules]))


def _figure(psis: tuple[float, ...], found: list[Distances]) -> Figure:
    y = Axis("distance to the rate network", log=True)

    def drawn(scaled: bool) -> tuple[Series, ...]:
        xs = [np.array(psis) * (d.capacitance if scaled else 1.0) for d in found]
        lines = [
            curve(f"C = {d.capacitance:g} ms", colour, x, d.values, geometric=True)
            for d, x, colour in zip(found, xs, COLOURS, strict=False)
        ]
        start = np.exp(np.log(found[0].values[0]).mean())
        return (*lines, Series("as 1 / sqrt(psi C)", "#7a8796", xs[0], start * np.sqrt(xs[0][0] / xs[0]), dash="dash"))

    panels = (
        Panel("Over psi", Axis("psi (1/ms)", log=True), y, drawn(False)),
        Panel("Over psi times capacitance", Axis("psi C", log=True), y, drawn(True)),
    )
    return Figure("spikes-limit", "When are spikes rates?", CAPTION, panels)


LIMIT = experiment(
    "spikes-limit", "From Poisson spikes to rates: what synapses descend", "Gille 2023 (open there)", run
)
