"""Interneurons learn to predict the cells above, and apical dendrites fall silent, while forward weights rest."""

import numpy as np
from jaxtyping import Array

from apical.core import Batch, PRNGKey, State
from apical.probes.microcircuit import AnyMicrocircuit, prediction_probes
from apical.report import Axis, Figure, Panel, Series
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, curve, experiment, spread
from apical.reproduce.microcircuit.lanes import History, dataset_for, made, train_lanes
from apical.reproduce.microcircuit.measures import mean_over_layers

PRESET = "self-prediction"
PER_EPOCH = 1000
SEEDS, EPOCHS = 9, (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)
QUICK_SEEDS, QUICK_EPOCHS = 2, (1, 2)
QUANTITIES = {
    "feedback_error": ("Synapses of interneurons", "mean of (W_pi + W_down)\u00b2"),
    "feedforward_error": ("Synapses onto interneurons", "mean of (W_ip \u2212 W_up)\u00b2"),
    "apical_error": ("Apical dendrites", "mean |potential|"),
    "interneuron_error": ("Interneurons", "mean squared error"),
}
PUBLISHED = {
    "feedback_error": "1.6e-4 (rate networks 2.5e-3, spikes 0.149)",
    "feedforward_error": "0.041 (0.070, 0.051)",
    "apical_error": "9.5e-4, a norm (mean |potential| 1.1e-4, 4.0e-3)",
    "interneuron_error": "2.1e-6 (3.2e-6, 3.1e-6)",
}
START = {"feedback_error": "0.62", "feedforward_error": "0.852"}
KINDS = {False: "no teacher", True: "output cells pulled to 0"}

CAPTION = (
    "5-8-3 from random weights, random inputs, only synapses of and onto interneurons learn. What is left of the "
    "error after so many presentations; activity is measured on inputs that were never learnt, with what pulls while "
    "learning. Means over seeds of the logarithm, with the range from the lowest to the highest."
)
DIFFERENCE = (
    "The published task has a target of 0, which pulls output cells down while everything learns; numbers are of one "
    "seed. Weights are not all that tells: eight cells that hear five inputs hardly vary in some directions, and what "
    "synapses do in a direction that is never seen is neither learnt nor felt. So W_ip keeps a distance to W_up, and a "
    "seed may keep one of W_pi, while the errors of interneurons and the potentials of apical dendrites vanish."
)
PUBLISHED_FEEDBACK = 1.6e-4


def run(request: Request) -> Findings:
    """Both tasks from every seed."""
    n_seeds, epochs = (QUICK_SEEDS, QUICK_EPOCHS) if request.quick else (SEEDS, EPOCHS)
    dataset = dataset_for("self-prediction", PRESET, {"n_examples": PER_EPOCH})
    found = {
        taught: train_lanes(
            [made(dataset, PRESET, settings={"taught": taught})], range(n_seeds), dataset, 1, epochs, as_taught
        )
        for taught in KINDS
    }
    return Findings(
        _headline(found[False], epochs[-1] * PER_EPOCH),
        (_figure(found),),
        ("teacher", "seed", "presentations", *QUANTITIES),
        _rows(found),
        tuple(_beside(found)),
        (
            f"{n_seeds} seeds, {epochs[-1] * PER_EPOCH:,} presentations of 50 ms, one at a time, preset {PRESET}: "
            "steady state of latent equilibrium, 10 steps of plasticity in a presentation. Published: 5,000 epochs of "
            "10.",
            DIFFERENCE,
        ),
    )


def _headline(free: History, n: int) -> str:
    last, first = free.last("feedback_error"), free.measured["feedback_error"][0]
    below = int((last <= PUBLISHED_FEEDBACK).sum())
    return (
        f"After {n:,} presentations without a teacher the feedback error is {np.median(last):.2g} (median of "
        f"{len(last)} seeds; {last.min():.1g} to {last.max():.1g}), from {np.median(first):.2g}; {below} seeds are "
        f"below the published {PUBLISHED_FEEDBACK:g}."
    )


def as_taught(rule: AnyMicrocircuit, state: State, test: Batch, key: PRNGKey) -> dict[str, Array]:
    """How well cells predict each other under the pull under which they learn."""
    nudge = rule.network.nudge(rule.network.target(test.y)) if rule.taught else None
    return mean_over_layers(prediction_probes(rule, state, test, key, nudge))


def _figure(found: dict[bool, History]) -> Figure:
    panels = tuple(
        Panel(title, Axis("presentations", log=True), Axis(label, log=True), tuple(_curves(found, name)))
        for name, (title, label) in QUANTITIES.items()
    )
    return Figure("self-prediction", "Do interneurons learn to predict?", CAPTION, panels)


def _curves(found: dict[bool, History], name: str) -> list[Series]:
    return [
        curve(KINDS[taught], colour, PER_EPOCH * h.epochs[1:], h.measured[name][1:], geometric=True)
        for (taught, h), colour in zip(found.items(), COLOURS, strict=False)
    ]


def _rows(found: dict[bool, History]) -> list[tuple]:
    return [
        (KINDS[taught], seed, epoch * PER_EPOCH, *values)
        for taught, h in found.items()
        for seed, epoch, *values in h.rows(*QUANTITIES)
    ]


def _beside(found: dict[bool, History]) -> list[Beside]:
    rows = []
    for name, (_, label) in QUANTITIES.items():
        rows.append(Beside(f"start: {label}", START.get(name, "not stored"), spread(found[False].measured[name][0])))
        rows += [
            Beside(f"{KINDS[taught]}: {label}", PUBLISHED[name], spread(h.last(name))) for taught, h in found.items()
        ]
    return rows


SELF_PREDICTION = experiment(
    "microcircuit-self-prediction",
    "Interneurons learn to predict the layer above",
    "Sacramento 2018, Figure S1; Gille 2023",
    run,
)
