"""Where potentials and weights go while a microcircuit learns the bars, from a self-predicting and a random start."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from apical.core import Batch, PRNGKey, State
from apical.networks.microcircuit_state import families
from apical.probes.microcircuit import prediction_probes
from apical.report import Axis, Figure, Panel, Series
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, curve, experiment, spread
from apical.reproduce.microcircuit.lanes import History, dataset_for, made, train_lanes
from apical.reproduce.microcircuit.measures import mean_over_layers
from apical.reproduce.microcircuit.study_list import SETTLED
from apical.rules.microcircuit import Microcircuit

NAME, PRESET = "microcircuit-drift", "gille-2023"
SEEDS, EPOCHS = 5, (1, 2, 5, 10, 20, 50, 100)
QUICK_SEEDS, QUICK_EPOCHS = 2, (1, 5)
STARTS = ("self-predicting", "random")
NEAR = 0.95  # of the limit
MEASURES = {
    "apical_error": ("Apical dendrites", "mean |potential|"),
    "interneuron_error": ("Interneurons", "mean squared error"),
    "inhibition": ("Synapses of interneurons", "size over that from above"),
    "forward": ("Forward synapses", "mean |weight|"),
}
CAPTION = (
    "9-30-3 on the bars, all families plastic but those from above, steady state of latent equilibrium. Potentials are "
    "measured without a teacher. Means over seeds, with the range from the lowest to the highest."
)
DIFFERENCE = (
    "The draft's program, of which these are observations, had interneurons with other time constants and a rule of "
    "plasticity that was still being debugged."
)


def drift_probe(rule: Microcircuit, state: State, test: Batch, key: PRNGKey) -> dict[str, Array]:
    """How well cells predict each other, and how large weights are."""
    found = families(state.weights)
    forward = jnp.concatenate([w.kernel.ravel() for w in found["up"]])
    inhibition, down = (jnp.linalg.norm(found[name][0].kernel) for name in ("pi", "down"))
    return {
        **mean_over_layers(prediction_probes(rule, state, test, key)),
        "inhibition": inhibition / down,
        "forward": jnp.abs(forward).mean(),
        "near_limit": (jnp.abs(forward) > NEAR * rule.weight_clip).astype(float).mean(),
    }


def run(request: Request) -> Findings:
    """Both starts from every seed."""
    n_seeds, epochs = (QUICK_SEEDS, QUICK_EPOCHS) if request.quick else (SEEDS, EPOCHS)
    dataset = dataset_for("bars", PRESET)
    found = {
        start: train_lanes(
            [made(dataset, PRESET, settings={**SETTLED, "start": start})],
            range(n_seeds),
            dataset,
            1,
            epochs,
            drift_probe,
        )
        for start in STARTS
    }
    names = (*MEASURES, "near_limit", "feedforward_error", "feedback_error")
    return Findings(
        f"After {epochs[-1]} epochs apical potentials without a teacher are at "
        + " and ".join(f"{spread(h.last('apical_error'))} from a {start} start" for start, h in found.items())
        + ".",
        (_figure(found),),
        ("start", "seed", "epoch", *names),
        [(start, *row) for start, h in found.items() for row in h.rows(*names)],
        tuple(_beside(found)),
        (
            f"{n_seeds} seeds, {epochs[-1]} epochs of 24 bars, preset {PRESET} with "
            + ", ".join(f"{key}={value}" for key, value in SETTLED.items())
            + ".",
            DIFFERENCE,
        ),
    )


def _figure(found: dict[str, History]) -> Figure:
    def curves(name: str, log: bool) -> tuple[Series, ...]:
        pairs = zip(found.items(), COLOURS, strict=False)
        return tuple(
            curve(f"{start} start", c, h.epochs[1:], h.measured[name][1:], geometric=log) for (start, h), c in pairs
        )

    panels = []
    for name, (title, label) in MEASURES.items():
        log = name.endswith("error")
        panels.append(Panel(title, Axis("epochs", log=True), Axis(label, log=log), curves(name, log)))
    return Figure(NAME, "Where do potentials and weights go?", CAPTION, tuple(panels))


def _beside(found: dict[str, History]) -> list[Beside]:
    rows = []
    for start, h in found.items():
        for name, what in (
            ("apical_error", "mean |apical potential|"),
            ("interneuron_error", "squared error of interneurons"),
            ("inhibition", "size of W_pi over that of W_down"),
            ("forward", "mean |forward weight|"),
            ("near_limit", f"share of forward weights above {NEAR:g} of the limit"),
        ):
            first, last = h.measured[name][0], np.asarray(h.last(name))
            rows.append(Beside(f"{start} start: {what}", "words", f"{spread(first)} to {spread(last)}"))
    return rows


DRIFT = experiment(NAME, "Where potentials and weights go while it learns", "Gille 2023, draft, observations", run)
