"""Figure 4 of the review: what the classes of the three data sets look like."""

from pathlib import Path

from apical.data.dataset import Dataset
from apical.data.registry import load
from apical.data.samples import class_samples
from apical.files import write_atomically
from apical.report import ImageGrid, Tile, TileRow, render_static, write_page
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.page import as_csv, how

DATASETS = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "cifar10": "CIFAR-10"}
PER_CLASS = 3
CAPTION = (
    "Three training images of each of the ten classes: handwritten digits, articles of clothing, colour photographs. "
    "From top to bottom images of one class have less and less in common, so more has to be learnt. Pixels lie in "
    "[0, 1]; dense layers see them as one long vector."
)
DIFFERENCE = (
    "The review shows one image of each class and does not say which; here they are the first ones of each class in "
    "the training part, so the figure is the same every time."
)


def make(request: Request) -> Path:
    """Writes the figure, the counts of each class, and the page."""
    sets = {name: load(name, data_dir=request.data_dir, trust=request.trust_data) for name in DATASETS}
    figure = ImageGrid("figure-4", "The ten classes of three data sets", CAPTION, tuple(map(_row, sets.values())))
    render_static(figure, request.out / "figures" / figure.name)
    write_atomically(request.out / "figure-4.csv", _counts(sets))
    notes = [warning for dataset in sets.values() for warning in dataset.warnings]
    blocks = [figure, how((DIFFERENCE, *notes), request.command)]
    return write_page("Figure 4 of the review, made again", blocks, request.out / "figure-4.html")


def _row(dataset: Dataset) -> TileRow:
    stacks = class_samples(dataset, PER_CLASS)
    tiles = tuple(Tile(name, tuple(stack)) for name, stack in zip(dataset.classes, stacks, strict=True))
    return TileRow(DATASETS[dataset.name], tiles)


def _counts(sets: dict[str, Dataset]) -> str:
    """How many images each class has, as CSV."""
    rows = [
        (name, label, int((dataset.train.labels == c).sum()), int((dataset.test.labels == c).sum()))
        for name, dataset in sets.items()
        for c, label in enumerate(dataset.classes)
    ]
    return as_csv(("dataset", "class", "training_images", "test_images"), rows)


FIGURE_4 = Reproduction("figure-4", "What the classes of the three data sets look like", "Lange 2019, Figure 4", make)
