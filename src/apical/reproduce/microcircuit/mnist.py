"""MNIST, as Sacramento has it: two hidden layers, one that rests, feedback that learns, and time in full."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from apical.data.dataset import Dataset
from apical.data.registry import load
from apical.report import Axis, Figure, Panel, Reference
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, curve, experiment, spread
from apical.reproduce.microcircuit.lanes import train_lanes
from apical.reproduce.microcircuit.learners import Learner
from apical.reproduce.microcircuit.measures import error_probe

SEEDS, EPOCHS = 3, (1, 2, 3, 5, 7, 10, 14, 20, 28, 36, 44, 50, 56)
QUICK_SEEDS, QUICK_EPOCHS, QUICK_EXAMPLES, QUICK_TESTS = 1, (1, 2), 3_000, 2_000

CAPTION = (
    "Test error while learning, the teacher's pull removed. Means over seeds, with the range from the lowest to the "
    "highest. The dashed line is the error to be reached."
)


@dataclass(frozen=True)
class OnImages:
    """Learners on MNIST, each from every seed; `published` is the test error in % to be reached."""

    name: str
    title: str
    source: str
    question: str
    learners: tuple[Learner, ...]
    preset: str
    published: float
    about: str
    batch: int
    goal: str = "published"
    epochs: tuple[int, ...] = EPOCHS

    def reproduction(self) -> Reproduction:
        """The comparison as `apical reproduce` has it."""
        return experiment(self.name, self.title, self.source, self.run)

    def run(self, request: Request) -> Findings:
        """All learners from every seed, one after the other."""
        dataset = load("mnist", data_dir=request.data_dir, trust=request.trust_data)
        if request.quick:
            train, test = dataset.train.subset(np.arange(QUICK_EXAMPLES)), dataset.test.subset(np.arange(QUICK_TESTS))
            dataset = replace(dataset, train=train, test=test)
        n_seeds, epochs = (QUICK_SEEDS, QUICK_EPOCHS) if request.quick else (SEEDS, self.epochs)
        found = {learner: self.learnt(learner, dataset, n_seeds, epochs) for learner in self.learners}
        rows = [
            (learner.label, seed, int(epoch), float(error))
            for learner, errors in found.items()
            for epoch, of_seeds in zip(epochs, errors, strict=True)
            for seed, error in enumerate(of_seeds)
        ]
        first = self.learners[0]
        return Findings(
            f"Test error after {epochs[-1]} epochs {spread(found[first][-1])} %, published {first.published}.",
            (self.figure(np.array(epochs), found),),
            ("learner", "seed", "epoch", "test_error_percent"),
            rows,
            tuple(
                Beside(f"{learner.label}: test error, %", learner.published, spread(errors[-1]))
                for learner, errors in found.items()
            ),
            (
                f"{n_seeds} seeds, {epochs[-1]} epochs of {len(dataset.train):,} images in batches of "
                f"{self.batch_sizes()}, tested on {len(dataset.test):,}; preset {self.preset}. No validation data are "
                "held out: nothing is chosen here.",
                self.about,
            ),
        )

    def batch_sizes(self) -> str:
        """How many examples are in a batch, and for whom it is another number."""
        others = ", ".join(f"{learner.label}: {learner.batch}" for learner in self.learners if learner.batch)
        return f"{self.batch} ({others})" if others else str(self.batch)

    def learnt(
        self, learner: Learner, dataset: Dataset, n_seeds: int, epochs: tuple[int, ...]
    ) -> Float[np.ndarray, "points seeds"]:
        """Test errors after these epochs."""
        rule, batch = learner.rule(dataset, self.preset), learner.batch or self.batch
        runs = [train_lanes([rule], [seed], dataset, batch, epochs, error_probe) for seed in range(n_seeds)]
        return np.concatenate([run.measured["error"][1:] for run in runs], axis=1)

    def figure(
        self, epochs: Int[np.ndarray, " points"], found: Mapping[Learner, Float[np.ndarray, "points seeds"]]
    ) -> Figure:
        """Test error over epochs, a line for each learner."""
        pairs = zip(found.items(), COLOURS, strict=False)
        series = tuple(curve(learner.label, colour, epochs, errors) for (learner, errors), colour in pairs)
        goal = (Reference(self.published, self.goal),)
        panel = Panel("Test error", Axis("epochs", log=True), Axis("test error, %", log=True), series, goal)
        return Figure(self.name, self.question, CAPTION, (panel,), 1)


FEEDBACK_LEARNS = {
    "input_noise": 0.15,
    "rate_input": 6e-3,
    "rate_up": (3e-4, 2e-4),
    "rate_ip": 2e-4,
    "rate_down": 1e-7,
    "rate_pi": 1e-7,
    "rate_decay": 2e-4,
    "rate_drops": (38, 44),
}
HARD = {
    "transfer": "hard-sigmoid",
    "initialiser": "orthogonal",
    "init_range": 1.0,
    "feedback_range": 20.0,
    "input_noise": 0.2,
    "rate_input": 3e-3,
    "rate_up": (3e-4, 2e-4),
    "rate_ip": (2.05e-4, 2e-4),
    "rate_decay": 2e-4,
    "rate_drops": (18, 22),
}
RESTS = {**HARD, "rate_input": None, "rate_up": (3e-3, 0.0, 1e-3), "rate_ip": (0.0, 1e-3)}
TRANSPOSED = {"initialiser": "glorot", "feedback_range": 9.0, "feedback_start": "transposed"}
SETTLED = {"engine": "steady-state", "sweeps": 2, "tolerance": 1e-4}
LEARNERS = (
    Learner("microcircuit", "1.96"),
    Learner("hard sigmoids, orthogonal start", "1.96", HARD, batch=50),
    Learner("backprop in the same network", "1.53", {"rate_input": None, "rate_up": 1e-3}, backprop=True),
    Learner("second layer rests", "2.11", RESTS, batch=50),
    Learner("second layer rests, feedback starts transposed", "none", {**RESTS, **TRANSPOSED}, batch=50),
    Learner("784-1000-10, feedback learns", "2.48", FEEDBACK_LEARNS, (1000,), batch=50),
    Learner("hard sigmoids, settled under the teacher", "none", {**HARD, **SETTLED}, batch=50),
)
MNIST = OnImages(
    "microcircuit-mnist",
    "Microcircuits of two hidden layers on MNIST",
    "Sacramento 2018, Figure 4",
    "How far do microcircuits come on MNIST?",
    LEARNERS,
    "sacramento-2018-mnist",
    1.96,
    "The paper has logistic cells and plain averaged updates, and does not say how long it trained. Here cells are "
    "tanh or hard sigmoids, steps are Adam's, inputs are noisy while it learns, and synapses from the input have a "
    "rate of their own, as no interneuron has to keep up with them.",
    10,
).reproduction()
