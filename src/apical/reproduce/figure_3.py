"""Figure 3 of the review: compartments of a hidden unit through both phases of an example, before and after learning.

Everything but data and length is the rule's preset "paper"; phases have their nominal length, so that every example
can be drawn on one axis.
"""

import math
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from apical.core import State
from apical.data.dataset import Dataset
from apical.data.registry import load
from apical.files import write_atomically
from apical.networks.dendritic import Dendritic
from apical.probes.recording import Recording, record_example
from apical.report import Figure, markup, render_static, write_page
from apical.report.theme import TIMES
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.figure_3_panels import COLUMNS, Shown, Stage, panels, rows
from apical.reproduce.page import as_csv, how
from apical.rules.assembly import assemble
from apical.rules.base import AbstractRule
from apical.rules.registry import find
from apical.training.feed import feed
from apical.training.lane import batch_of
from apical.training.loop import Segment
from apical.training.programs import advanced, initialise, ordered

RULE, PRESET, DATASET = "segregated-dendrites", "paper", "digits"
HIDDEN = 100
EPOCHS, QUICK_EPOCHS = 12, 6
EXAMPLE = 0
INIT, ORDER, SHOW = range(3)

CAPTION = (
    "One test image is shown twice: freely (forward phase, grey), then with the output units driven to the right "
    "answer (target phase, orange). The start of each phase is left to settle; the darker window at its end is "
    "averaged. Top: the apical dendrite hears the spikes of the output units. At the end of each phase the logistic of "
    "its mean over the window becomes a plateau potential between 0 and 1. The difference of the two plateaus is the "
    "error that the unit learns from. Middle: its basal dendrite hears the image and drives the soma, which fires the "
    "spikes drawn as strokes. Bottom: the output unit of the right class has no apical dendrite. In the target phase "
    "the teacher takes hold of its soma; where that is far from its goal it overshoots and settles within some ms, as "
    "steps of 1 ms are long for so strong a pull. Potentials have no unit, and rest is 0."
)
DIFFERENCE = (
    "How it differs from the review's figure: that one is taken from the paper of Guerguiev and others. This one is "
    f"simulated anew, so its traces cannot be the same. It is of scikit-learn's digits (8 {TIMES} 8 pixels) where the "
    "paper learns MNIST, and shows the same units on the same image before and after learning. Both recordings start "
    "from rest, whereas in training each example goes on from where the last one ended; and the phases have their "
    "nominal length, whereas the paper makes them last some milliseconds longer, at random."
)


def make(request: Request) -> Path:
    """Trains a small network, and writes figure, table and page."""
    dataset = load(DATASET, data_dir=request.data_dir, trust=request.trust_data)
    epochs = QUICK_EPOCHS if request.quick else EPOCHS
    rule = made(dataset, HIDDEN)
    stages, accuracy = recorded(rule, dataset, epochs)
    shown = Shown(most_moved(stages[0].recording), int(dataset.test.labels[EXAMPLE]))
    drawn = panels(stages, shown, dataset.classes[shown.output])
    figure = Figure("figure-3", "A hidden unit through both phases of an example", CAPTION, drawn)
    render_static(figure, request.out / "figures" / figure.name)
    write_atomically(request.out / "figure-3.csv", _table(stages, shown))
    lead = markup.paragraph(seen(stages, shown, dataset.classes), "headline")
    texts = (_conditions(rule, dataset, epochs, accuracy, shown), DIFFERENCE)
    blocks = [lead, figure, how(texts, request.command)]
    return write_page("Figure 3 of the review, made again", blocks, request.out / "figure-3.html")


def made(dataset: Dataset, hidden: int) -> AbstractRule:
    """The rule with so many hidden units, phases at their nominal length."""
    rule = find(RULE)
    settings = {**rule.presets[PRESET].settings, "random_phase_lengths": False}
    return assemble(rule, "mlp", dataset.shape, dataset.n_classes, (hidden,), settings)


def recorded(rule: AbstractRule, dataset: Dataset, epochs: int) -> tuple[tuple[Stage, Stage], float]:
    """The first test image through both phases, before and after learning, and the accuracy in the last epoch."""
    key = jr.key(0)
    examples, training = feed(dataset.train), jnp.arange(len(dataset.train))
    state = initialise(rule, jr.fold_in(key, INIT), batch_of(dataset.train, np.zeros(1, np.int32)))
    before, scored = _record("before learning", rule, state, dataset), None
    for epoch in range(epochs):
        order, key_steps = ordered(training, 1, jr.fold_in(jr.fold_in(key, ORDER), epoch))
        data, order, start, stop = examples.window(order, 0, len(order))
        segment = Segment(rule, data, order, jnp.asarray(start), jnp.asarray(stop), key_steps)
        state, scored = advanced(segment, state)
    accuracy = scored.named()["accuracy"] if scored else math.nan
    return (before, _record("after learning", rule, state, dataset)), accuracy


_recorded = eqx.filter_jit(record_example)


def _record(name: str, rule: AbstractRule, state: State, dataset: Dataset) -> Stage:
    """The recording of the image, from rest and always with the same draws."""
    net = rule.network
    assert isinstance(net, Dendritic)
    x, y = jnp.asarray(dataset.test.take(np.array([EXAMPLE])))[0], jnp.asarray(dataset.test.labels[EXAMPLE])
    recording = _recorded(net, state.weights, None, x, y, jr.fold_in(jr.key(0), SHOW))
    window = recording.forward.times_ms > recording.forward.window_ms
    scores = net.scores(recording.forward.somas[-1][window].mean(0)[None])
    return Stage(name, recording, int(scores.argmax()))


def changes(recording: Recording) -> np.ndarray:
    """By how much the plateau potential of every hidden unit changes from the forward to the target phase, (units,)."""
    return np.abs(np.asarray(recording.target.plateaus[0]) - np.asarray(recording.forward.plateaus[0]))


def most_moved(recording: Recording) -> int:
    """The hidden unit whose plateau potential changes most."""
    return int(changes(recording).argmax())


def seen(stages: tuple[Stage, Stage], shown: Shown, classes: tuple[str, ...]) -> str:
    """What one sees, in numbers; the average over all units is not biased by which unit is shown."""
    said = []
    for stage in stages:
        free, taught = (float(p.plateaus[0][shown.hidden]) for p in (stage.recording.forward, stage.recording.target))
        said.append(
            f"{stage.name.capitalize()} the network takes the {classes[shown.output]} for a "
            f"{classes[stage.predicted]}, and the plateau of the hidden unit goes from {free:.2f} to {taught:.2f} when "
            "the right answer is given."
        )
    before, after = (changes(stage.recording).mean() for stage in stages)
    last = f"Over all hidden units it is {before:.2f} on average before learning, {after:.2f} after."
    return " ".join([*said, "That change is the unit's teaching signal.", last])


def _conditions(rule: AbstractRule, dataset: Dataset, epochs: int, accuracy: float, shown: Shown) -> str:
    (hidden,) = rule.network.hidden  # type: ignore[attr-defined]
    return (
        f"Segregated dendrites with spikes, preset {PRESET}, {hidden} hidden units, {epochs} epochs of the "
        f"{len(dataset.train):,} training images of {dataset.name}, one at a time. In the last epoch "
        f"{100 * accuracy:.0f} % of the images were recognised before anything was learnt from them. The image shown "
        f"is the first one of the test part. The hidden unit shown, number {shown.hidden} counted from 0, is the one "
        "whose plateau potential changes most on this image before learning, so it shows the signal at its clearest. "
        "figure-3.csv holds every number drawn."
    )


def _table(stages: tuple[Stage, Stage], shown: Shown) -> str:
    """Everything recorded of the units shown, as CSV."""
    return as_csv(COLUMNS, (row for stage in stages for row in rows(stage, shown)))


FIGURE_3 = Reproduction(
    "figure-3", "A hidden unit's compartments through both phases of an example", "Lange 2019, Figure 3", make
)
