"""The single-neuron example of Urbanczik and Senn: a dendrite learns to predict what a teacher does to the soma.

A pattern of spikes in 200 inputs is repeated while somatic conductances follow a time course of their own; then the
teacher is taken away.
"""

import csv
import io
from dataclasses import dataclass
from html import escape
from pathlib import Path

import jax.random as jr
import numpy as np

from apical.files import write_atomically
from apical.neurons.dendritic_prediction import Neurons
from apical.neurons.plasticity import Dense
from apical.neurons.urbanczik_senn import UrbanczikSenn
from apical.report import Axis, Figure, Panel, Series, markup, render_static, write_page
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.urbanczik_senn_example import N_INPUTS, PATTERN_MS, Example, repeated, shown

NAME = "urbanczik-senn"
REPETITIONS, QUICK_REPETITIONS = 100, 40
SOMA, PREDICTED, TAUGHT, INK = "#009e73", "#0072b2", "#d55e00", "#1d2530"

CAPTION = (
    "One neuron of two compartments hears a pattern of spikes in 200 inputs again and again. A teacher opens somatic "
    "conductances that pull the soma to the orange line, where they balance. Blue: where the dendrite alone would take "
    "the soma, V*. At first the dendrite knows nothing of the teacher. After learning it says what the teacher would "
    "do, and with the teacher gone the soma goes the same way by itself. Below: the mean squared distance of the "
    "prediction from the orange line in each repetition, and the weights before and after."
)
DIFFERENCE = (
    "How it differs from the published example: the constants are those of NEST's implementation (C = 300 pF), and the "
    "pattern and the spikes are drawn anew."
)


@dataclass(frozen=True)
class Shown:
    """A repetition at some stage of learning, in mV over time; without a teacher there is nothing taught."""

    title: str
    soma: np.ndarray
    predicted: np.ndarray
    taught: np.ndarray | None


def make(request: Request) -> Path:
    """Simulates, and writes figure, table and page."""
    repetitions = QUICK_REPETITIONS if request.quick else REPETITIONS
    key_pattern, key_spikes = jr.split(jr.key(0))
    example = Example.drawn(UrbanczikSenn(), key_pattern)
    before = example.begin()
    after, errors = repeated(example, before, jr.split(key_spikes, repetitions))
    stages = (
        _stage(example, before, "First repetition", 1.0),
        _stage(example, after, f"After {repetitions} repetitions", 1.0),
        _stage(example, after, "The teacher gone", 0.0),
    )
    weights = tuple(
        np.sort(np.asarray(neuron[1].weights[0]) / example.neuron.capacitance) for neuron in (before, after)
    )
    figure = Figure(
        NAME, "A dendrite learns to predict its soma", CAPTION, _panels(stages, np.asarray(errors), weights), 3
    )
    render_static(figure, request.out / "figures" / NAME)
    write_atomically(request.out / f"{NAME}.csv", _table(stages))
    said = [_seen(stages, np.asarray(errors)), f"Made with {repetitions} repetitions of {PATTERN_MS:g} ms.", DIFFERENCE]
    words = markup.paragraph(said[0], "headline"), *map(markup.paragraph, said[1:])
    blocks = [words[0], figure, *words[1:], f"<pre>{escape(request.command)}</pre>"]
    return write_page("The neuron of Urbanczik and Senn", blocks, request.out / f"{NAME}.html")


def _stage(example: Example, start: tuple[Neurons, Dense], title: str, teacher: float) -> Shown:
    """The second of two repetitions from here without learning, when what was before has faded."""
    seen = shown(example, start, teacher, jr.key(1))
    n = len(seen.soma) // 2
    predicted = example.neuron.prediction(seen.dendrite)
    taught = np.asarray(example.taught()) if teacher else None
    return Shown(title, np.asarray(seen.soma[n:, 0]), np.asarray(predicted[n:, 0]), taught)


def _panels(stages: tuple[Shown, ...], errors: np.ndarray, weights: tuple[np.ndarray, ...]) -> tuple[Panel, ...]:
    lines = [line for s in stages for line in (s.soma, s.predicted, s.taught) if line is not None]
    room = 2.0
    y = Axis("potential, mV", limits=(float(min(map(np.min, lines))) - room, float(max(map(np.max, lines))) + room))
    drawn = [Panel(s.title, Axis("time, ms"), y, _series(s)) for s in stages]
    learning = Series("Distance of V* from the teacher", INK, np.arange(1.0, len(errors) + 1), errors)
    drawn.append(Panel("Learning", Axis("repetition"), Axis("mean square, mV²", log=True), (learning,)))
    order = np.arange(1.0, N_INPUTS + 1)
    curves = zip(("Weights before", "Weights after"), ("#7a8796", PREDICTED), ("dash", "solid"), weights, strict=True)
    sorted_weights = tuple(Series(label, colour, order, w, dash=dash) for label, colour, dash, w in curves)
    drawn.append(Panel("Weights, sorted", Axis("synapse"), Axis("weight / C, mV/ms"), sorted_weights))
    return tuple(drawn)


def _series(stage: Shown) -> tuple[Series, ...]:
    times = PATTERN_MS * np.arange(1, len(stage.soma) + 1) / len(stage.soma)
    taught = (
        () if stage.taught is None else (Series("Where the teacher pulls", TAUGHT, times, stage.taught, dash="dash"),)
    )
    return (
        *taught,
        Series("Soma U", SOMA, times, stage.soma),
        Series("Prediction V*", PREDICTED, times, stage.predicted, dash="dot"),
    )


def _seen(stages: tuple[Shown, ...], errors: np.ndarray) -> str:
    """What one sees, in numbers."""
    gone, goal = stages[-1].soma, stages[1].taught
    assert goal is not None
    likeness = np.corrcoef(gone, goal)[0, 1]
    return (
        f"The mean squared distance of the prediction from the teacher falls from {errors[0]:.0f} to {errors[-1]:.0f} "
        f"mV². Without the teacher the soma still goes where it was pulled: the correlation over the pattern is "
        f"{likeness:.2f} "
        f"({np.corrcoef(stages[0].predicted, goal)[0, 1]:.2f} for the prediction before learning)."
    )


def _table(stages: tuple[Shown, ...]) -> str:
    """Every line drawn over time, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("stage", "time_ms", "potential", "value_mV"))
    for stage in stages:
        for series in _series(stage):
            rows = zip(series.x, series.mean, strict=True)
            writer.writerows((stage.title, f"{t:.6g}", series.label, f"{v:.6g}") for t, v in rows)
    return text.getvalue()


URBANCZIK_SENN = Reproduction(
    NAME, "A dendrite learns to predict the spikes of its soma", "Urbanczik and Senn 2014, Figure 1", make
)
