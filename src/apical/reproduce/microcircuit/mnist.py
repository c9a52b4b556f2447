"""MNIST, as Sacramento has it: two hidden layers, one that rests, feedback that learns, and time in full."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from apical.data.dataset import Dataset
from apical.data.registry import load
from apical.report import Axis, Figure, Panel, Reference
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, curve, experiment, spread
from apical.reproduce.microcircuit.lanes import train_lanes
from apical.reproduce.microcircuit.learners import Learner
from apical.reproduce.microcircuit.measures import error_probe

PRESET, BATCH = "sacramento-2018-mnist", 10
SEEDS, EPOCHS = 3, (1, 2, 3, 4, 5, 7, 9, 11, 13, 15)
QUICK_SEEDS, QUICK_EPOCHS, QUICK_EXAMPLES = 1, (1, 2), 3_000
NAME = "microcircuit-mnist"

CAPTION = (
    "Test error while learning, the teacher's pull removed. Means over seeds, with the range from the lowest to the "
    "highest. The dashed line is the published error of the microcircuit."
)
DIFFERENCE = (
    "The paper has logistic cells and plain averaged updates, and does not say how long it trained. Here cells are "
    "tanh, steps are Adam's, and synapses from the input have a rate of their own, as no interneuron has to keep up "
    "with them. No validation data are held out: nothing is chosen here."
)

LEARNERS = (
    Learner("microcircuit", "1.96"),
    Learner("backprop in the same network", "1.53", {"rate_input": None, "rate_up": 2e-4}, backprop=True),
    Learner("second layer rests", "2.11", {"rate_input": None, "rate_up": (2e-3, 0.0, 7e-5), "rate_ip": (0.0, 7e-5)}),
    Learner("784-1000-10, feedback learns", "2.48", {"rate_down": 1e-6, "rate_pi": 1e-6}, (1000,)),
    Learner("settled under the teacher, not two steps", "none", {"engine": "steady-state", "sweeps": 3}),
)


def run(request: Request) -> Findings:
    """All learners from every seed, one after the other."""
    dataset = load("mnist", data_dir=request.data_dir, trust=request.trust_data)
    if request.quick:
        dataset = replace(dataset, train=dataset.train.subset(np.arange(QUICK_EXAMPLES)))
    n_seeds, epochs = (QUICK_SEEDS, QUICK_EPOCHS) if request.quick else (SEEDS, EPOCHS)
    found = {learner: learnt(learner, dataset, n_seeds, epochs) for learner in LEARNERS}
    rows = [
        (learner.label, seed, int(epoch), float(error))
        for learner, errors in found.items()
        for epoch, of_seeds in zip(epochs, errors, strict=True)
        for seed, error in enumerate(of_seeds)
    ]
    ours = found[LEARNERS[0]][-1]
    return Findings(
        f"Test error after {epochs[-1]} epochs {spread(ours)} %, published {LEARNERS[0].published} %.",
        (_figure(np.array(epochs), found),),
        ("learner", "seed", "epoch", "test_error_percent"),
        rows,
        tuple(
            Beside(f"{learner.label}: test error, %", learner.published, spread(errors[-1]))
            for learner, errors in found.items()
        ),
        (
            f"{n_seeds} seeds, {epochs[-1]} epochs of {len(dataset.train):,} images in batches of {BATCH}, preset "
            f"{PRESET}.",
            DIFFERENCE,
        ),
    )


def learnt(
    learner: Learner, dataset: Dataset, n_seeds: int, epochs: tuple[int, ...]
) -> Float[np.ndarray, "points seeds"]:
    """Test errors after these epochs."""
    rule = learner.rule(dataset, PRESET)
    runs = [train_lanes([rule], [seed], dataset, BATCH, epochs, error_probe) for seed in range(n_seeds)]
    return np.concatenate([run.measured["error"][1:] for run in runs], axis=1)


def _figure(epochs: Int[np.ndarray, " points"], found: Mapping[Learner, Float[np.ndarray, "points seeds"]]) -> Figure:
    pairs = zip(found.items(), COLOURS, strict=False)
    series = tuple(curve(learner.label, colour, epochs, errors) for (learner, errors), colour in pairs)
    published = Reference(float(LEARNERS[0].published), "published")
    panel = Panel("Test error", Axis("epochs", log=True), Axis("test error, %", log=True), series, (published,))
    return Figure(NAME, "How far do microcircuits come on MNIST?", CAPTION, (panel,), 1)


MNIST = experiment(NAME, "Microcircuits of two hidden layers on MNIST", "Sacramento 2018, Figure 4", run)
