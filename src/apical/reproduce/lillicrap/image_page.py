"""The page of an experiment on images: test errors over epochs, a table, the paper's claims beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from apical.data.dataset import Dataset
from apical.data.registry import load
from apical.files import write_atomically
from apical.report import Axis, Figure, Panel, Series, render_static, write_page
from apical.report.markup import paragraph
from apical.report.statistics import Summary, summarise
from apical.reproduce.base import Request
from apical.reproduce.lillicrap.images import Learner, errors_by_epoch
from apical.reproduce.page import Claim, as_csv, beside, how

DATASET = "mnist"
BATCH = 50
HIDDEN = 500
EPOCHS, QUICK_EPOCHS = 10, 2
SEEDS, QUICK_SEEDS = 3, 1
QUICK_EXAMPLES = 6_000
COLUMNS = ("learner", "seed", "epoch", "test_error_percent")
BAND = "lines are means over seeds, bands their 95 % t intervals"

Errors = dict[str, Float[np.ndarray, "seeds points"]]


@dataclass(frozen=True)
class Experiment:
    """What is compared and shown: panels of learners by title, what one sees, the paper's claims, the conditions."""

    name: str
    title: str
    caption: str
    panels: dict[str, tuple[Learner, ...]]
    seen: Callable[[Errors], str]
    claims: Callable[[Errors], Sequence[Claim]]
    conditions: str

    @property
    def learners(self) -> tuple[Learner, ...]:
        """Every learner, once."""
        return tuple(learner for panel in self.panels.values() for learner in panel)


def make(experiment: Experiment, request: Request) -> Path:
    """Runs the experiment, and writes figure, table and page."""
    dataset = shortened(load(DATASET, data_dir=request.data_dir, trust=request.trust_data), request.quick)
    epochs, seeds = (QUICK_EPOCHS, QUICK_SEEDS) if request.quick else (EPOCHS, SEEDS)
    errors = {learner.label: _errors(learner, dataset, epochs, seeds) for learner in experiment.learners}
    drawn = tuple(_panel(title, learners, errors) for title, learners in experiment.panels.items())
    figure = Figure(experiment.name, experiment.title, f"{experiment.caption} {BAND.capitalize()}.", drawn, len(drawn))
    render_static(figure, request.out / "figures" / figure.name)
    write_atomically(request.out / f"{figure.name}.csv", as_csv(COLUMNS, _rows(errors)))
    texts = (experiment.conditions, _conditions(dataset, epochs, seeds), *dataset.warnings)
    lead = paragraph(experiment.seen(errors), "headline")
    blocks = [lead, figure, beside(experiment.claims(errors)), how(texts, request.command)]
    return write_page(experiment.title, blocks, request.out / f"{figure.name}.html")


def shortened(dataset: Dataset, quick: bool) -> Dataset:
    """The data set, in a hurry the first of its training images alone."""
    if not quick:
        return dataset
    train = dataset.train.subset(np.arange(min(QUICK_EXAMPLES, len(dataset.train))))
    return replace(dataset, train=train)


def last(errors: Errors, label: str) -> str:
    """The error at the end, in percent, with its interval where it is known."""
    summary = summarise(errors[label][:, -1])
    assert summary is not None
    known = summary.low is not None and summary.high is not None
    return f"{summary.mean:.2f} %" + (f" [{summary.low:.2f}, {summary.high:.2f}]" if known else "")


def _errors(learner: Learner, dataset: Dataset, epochs: int, seeds: int) -> Float[np.ndarray, "seeds points"]:
    """Test errors in percent."""
    return 100 * np.array([errors_by_epoch(learner, dataset, HIDDEN, epochs, BATCH, seed) for seed in range(seeds)])


def _panel(title: str, learners: Sequence[Learner], errors: Errors) -> Panel:
    series = tuple(_series(learner, errors[learner.label]) for learner in learners)
    return Panel(title, Axis("epoch"), Axis("test error, %", log=True), series)


def _series(learner: Learner, errors: Float[np.ndarray, "seeds points"]) -> Series:
    found = [summarise(column) or Summary(0, np.nan) for column in errors.T]
    low, mean, high = (np.array([getattr(s, part) for s in found], float) for part in ("low", "mean", "high"))
    x, way = np.arange(len(mean), dtype=float), learner.way
    band = (low, high) if len(errors) > 1 else (None, None)
    return Series(learner.label, learner.colour or way.colour, x, mean, *band, dash=learner.dash)


def _conditions(dataset: Dataset, epochs: int, seeds: int) -> str:
    return (
        f"{HIDDEN} hidden units, {epochs} epochs of {len(dataset.train):,} training images of {dataset.name} in "
        f"batches of {BATCH}, plain gradient descent, {seeds} seed{'s' if seeds > 1 else ''}. Errors are of the "
        f"{len(dataset.test):,} test images after every epoch; nothing was chosen by them."
    )


def _rows(errors: Errors) -> list[tuple[str, int, int, float]]:
    return [
        (label, seed, epoch, float(value))
        for label, seeds in errors.items()
        for seed, values in enumerate(seeds)
        for epoch, value in enumerate(values)
    ]
