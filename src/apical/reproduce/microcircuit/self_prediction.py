"""Interneurons learn to predict the cells above, and apical dendrites fall silent, while forward weights rest."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Array

from apical.core import Batch, PRNGKey, State
from apical.hyperparameters import Value
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
FREE, NOISY, PULLED = "no teacher", "no teacher, noise on inputs", "output cells pulled to 0"
KINDS: Mapping[str, Mapping[str, Value]] = {
    FREE: {"taught": False},
    NOISY: {"taught": False, "input_noise": 0.7, "rate_ip": 0.006, "rate_pi": 0.0125},
    PULLED: {"taught": True},
}

CAPTION = (
    "5-8-3 from random weights, random inputs, only synapses of and onto interneurons learn. What is left of the "
    "error after so many presentations; activity is measured on inputs that were never learnt, with what pulls while "
    "learning. Means over seeds of the logarithm, with the range from the lowest to the highest."
)
DIFFERENCE = (
    "The published task has a target of 0, which pulls output cells down while everything learns; numbers are of one "
    "seed. Weights are not all that tells: eight cells that hear five inputs hardly vary in some directions, and what "
    "synapses do in a direction that is never seen is neither learnt nor felt. So W_ip keeps a distance to W_up, and a "
    "seed may keep one of W_pi, while the errors of interneurons and the potentials of apical dendrites vanish. Noise "
    "on the inputs (standard deviation 0.7, a quarter of the rates of learning) reaches all directions of W_pi."
)
PUBLISHED_FEEDBACK = 1.6e-4


def run(request: Request) -> Findings:
    """All kinds from every seed."""
    n_seeds, epochs = (QUICK_SEEDS, QUICK_EPOCHS) if request.quick else (SEEDS, EPOCHS)
    dataset = dataset_for("self-prediction", PRESET, {"n_examples": PER_EPOCH})
    found = {
        kind: train_lanes([made(dataset, PRESET, settings=settings)], range(n_seeds), dataset, 1, epochs, as_taught)
        for kind, settings in KINDS.items()
    }
    return Findings(
        _headline(found, epochs[-1] * PER_EPOCH),
        (_figure(found),),
        ("kind", "seed", "presentations", *QUANTITIES),
        _rows(found),
        tuple(_beside(found)),
        (
            f"{n_seeds} seeds, {epochs[-1] * PER_EPOCH:,} presentations of 50 ms, one at a time, preset {PRESET}: "
            "steady state of latent equilibrium, 10 steps of plasticity in a presentation. Published: 5,000 epochs of "
            "10.",
            DIFFERENCE,
        ),
    )


def _headline(found: Mapping[str, History], n: int) -> str:
    first = np.median(found[FREE].measured["feedback_error"][0])
    return (
        f"After {n:,} presentations the feedback error, {first:.2g} at first, is {_reached(found[FREE])} without a "
        f"teacher and {_reached(found[NOISY])} with noise on the inputs; published is {PUBLISHED_FEEDBACK:g}."
    )


def _reached(history: History) -> str:
    last = history.last("feedback_error")
    below = int((last <= PUBLISHED_FEEDBACK).sum())
    return f"{np.median(last):.2g} (median; {last.min():.1g} to {last.max():.1g}; {below} of {len(last)} seeds below)"


def as_taught(rule: AnyMicrocircuit, state: State, test: Batch, key: PRNGKey) -> dict[str, Array]:
    """How well cells predict each other under the pull under which they learn."""
    nudge = rule.network.nudge(rule.network.target(test.y)) if rule.taught else None
    return mean_over_layers(prediction_probes(rule, state, test, key, nudge))


def _figure(found: Mapping[str, History]) -> Figure:
    panels = tuple(
        Panel(title, Axis("presentations", log=True), Axis(label, log=True), tuple(_curves(found, name)))
        for name, (title, label) in QUANTITIES.items()
    )
    return Figure("self-prediction", "Do interneurons learn to predict?", CAPTION, panels)


def _curves(found: Mapping[str, History], name: str) -> list[Series]:
    return [
        curve(kind, colour, PER_EPOCH * h.epochs[1:], h.measured[name][1:], geometric=True)
        for (kind, h), colour in zip(found.items(), COLOURS, strict=False)
    ]


def _rows(found: Mapping[str, History]) -> list[tuple]:
    return [
        (kind, seed, epoch * PER_EPOCH, *values)
        for kind, h in found.items()
        for seed, epoch, *values in h.rows(*QUANTITIES)
    ]


def _beside(found: Mapping[str, History]) -> list[Beside]:
    rows = []
    for name, (_, label) in QUANTITIES.items():
        rows.append(Beside(f"start: {label}", START.get(name, "not stored"), spread(found[FREE].measured[name][0])))
        rows += [Beside(f"{kind}: {label}", PUBLISHED[name], spread(h.last(name))) for kind, h in found.items()]
    return rows


SELF_PREDICTION = experiment(
    "microcircuit-self-prediction",
    "Interneurons learn to predict the layer above",
    "Sacramento 2018, Figure S1; Gille 2023",
    run,
)
