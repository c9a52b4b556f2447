"""The runs behind Figures 5 and 6 of the review: backprop and segregated dendrites in Lange's setting and protocol."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from apical.data.dataset import Dataset
from apical.data.registry import load
from apical.report import Axis, Panel, Series
from apical.report.runs import Run, read_run
from apical.report.theme import RULE_STYLES, dataset_name
from apical.reproduce.base import Request
from apical.training.config import Request as Asked
from apical.training.config import resolve
from apical.training.run import run
from apical.training.run_folder import INTERRUPTED

PRESET = "lange-2019"
DATASETS, QUICK_DATASETS = ("mnist", "fashion-mnist", "cifar10"), ("mnist",)
EPOCHS, QUICK_EPOCHS = 10, 2
QUICK_EXAMPLES = 2_000
LOG_EVERY, QUICK_LOG_EVERY = 5_000, 500
COLUMNS = ("dataset", "learner", "hidden", "split", "measure", "examples", "value")


@dataclass(frozen=True)
class Learner:
    """A rule on a network; `hidden` units in one hidden layer, none where the network has its own."""

    label: str
    rule: str
    network: str = "mlp"
    hidden: int | None = None

    @property
    def colour(self) -> str:
        """The rule's colour; of the convolutional network one of its own."""
        return "#009e73" if self.network == "cnn" else RULE_STYLES[self.rule].colour


@dataclass(frozen=True, eq=False)
class Learnt:
    """A learner's run on a data set."""

    dataset: str
    learner: Learner
    run: Run

    def values(self, split: str, name: str, layer: str = "") -> tuple[np.ndarray, np.ndarray]:
        """Thousands of examples learnt from, and what was measured then."""
        trace = self.run.trace(split, layer, name)
        return (np.zeros(0), np.zeros(0)) if trace is None else (trace.examples / 1000, trace.value)

    def last(self, split: str, name: str, layer: str = "") -> float:
        """The mean of the last measurements, as his logs are read."""
        values = self.values(split, name, layer)[1]
        return float(np.nanmean(values[-n_last(len(values)) :])) if len(values) else float("nan")


def n_last(n_measurements: int) -> int:
    """How many measurements count as the last ones: ten, or a third where there are few."""
    return max(1, min(10, n_measurements // 3))


def both(hidden: int) -> tuple[Learner, Learner]:
    """Backprop and segregated dendrites with so many hidden units."""
    return (
        Learner("Backprop", "backprop", hidden=hidden),
        Learner("Segregated dendrites", "segregated-dendrites", hidden=hidden),
    )


def learnt(learners: Sequence[Learner], request: Request) -> list[Learnt]:
    """Trains every learner on every data set; in a hurry on part of the first one.

    **Raises** `InputError` before anything is written when data are missing, and `KeyboardInterrupt` when the user
    ended a run: nothing is drawn of half a run.
    """
    names = QUICK_DATASETS if request.quick else DATASETS
    sets = {name: load(name, data_dir=request.data_dir, trust=request.trust_data) for name in names}
    with TemporaryDirectory() as folder:
        return [
            Learnt(name, learner, _trained(learner, dataset, Path(folder) / name / str(i), request.quick))
            for name, dataset in sets.items()
            for i, learner in enumerate(learners)
        ]


def _trained(learner: Learner, dataset: Dataset, out: Path, quick: bool) -> Run:
    hidden = None if learner.hidden is None else (learner.hidden,)
    asked = Asked(
        learner.rule,
        dataset.name,
        PRESET,
        learner.network,
        hidden,
        examples=QUICK_EXAMPLES if quick else None,
        epochs=QUICK_EPOCHS if quick else EPOCHS,
        log_every=QUICK_LOG_EVERY if quick else LOG_EVERY,
        settings={"protocol": PRESET},
    )
    if run(resolve(asked, dataset), dataset, out)["status"] == INTERRUPTED:
        raise KeyboardInterrupt
    return read_run(out)


def panel(title: str, y: Axis, series: Sequence[Series]) -> Panel:
    """A panel over the examples learnt from."""
    return Panel(title, Axis("examples learnt from, thousands"), y, tuple(series))


def rows(found: Sequence[Learnt]) -> list[tuple[object, ...]]:
    """Everything drawn, a row for each number; layer 0 of what is measured by layer."""
    measures = [(split, name, "") for split in ("train", "validation") for name in ("accuracy", "loss")]
    measures += [("train", name, "0") for name in ("weight_norm", "relative_weight_change", "gradient_change")]
    return [
        (one.dataset, one.learner.label, one.learner.hidden or "", split, name, 1000 * float(x), float(value))
        for one in found
        for split, name, layer in measures
        for x, value in zip(*one.values(split, name, layer), strict=True)
    ]


def conditions(found: Sequence[Learnt], quick: bool) -> str:
    """How the runs were made, in words."""
    size = (
        f"the first {QUICK_EXAMPLES:,} training examples, {QUICK_EPOCHS}" if quick else f"all training data, {EPOCHS}"
    )
    sets = ", ".join(dict.fromkeys(dataset_name(one.dataset) for one in found))
    return (
        f"{sets}; preset and protocol {PRESET}: {size} epochs, one seed. Segregated dendrites in rate mode, one "
        "example at a time, rate 0.21; backprop with Adam at 0.001 in batches of 100. Training and test data are "
        "pooled; 6/7 train, of which a fifth validates. The loss is his: -log of the score of the right class, "
        "clipped, and 0 where the class is right. Curves of training are of examples before they were learnt from."
    )
