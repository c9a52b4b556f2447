"""Does a rule that learns a toy learn photographs? From a binary task to CIFAR-10, every rule beside backprop."""

from pathlib import Path

import numpy as np

from apical.data.dataset import Dataset
from apical.data.registry import load
from apical.files import write_atomically
from apical.report import Axis, Figure, IntervalPanel, Reference, render_static, write_page
from apical.report.markup import paragraph
from apical.report.theme import dataset_name, rule_name
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.page import Claim, as_csv, beside, how
from apical.reproduce.representations.learners import HIDDEN, Size, first, intervals, trained

NAME = "scalability"
TITLE = "Does a rule that learns a toy learn photographs?"
SETS = ("two-moons", "digits", "mnist", "fashion-mnist", "cifar10")
QUICK_SETS = SETS[:2]
LONGER = {"two-moons": 10}  # times as many epochs, as it has few examples
REVIEWED = "segregated-dendrites"
CLAIMS = {
    "mnist": "strong performance",
    "fashion-mnist": "strong performance",
    "cifar10": "falls drastically short",
}
CAPTION = (
    "Test accuracy of rules on data sets that ask for more and more, from two classes in the plane to colour "
    "photographs; mean over seeds with its 95 % interval, points are seeds. Dashed: chance."
)
DIFFERENCE = (
    "The proposal names a binary task, MNIST, Fashion-MNIST, CIFAR-10 and ImageNet without numbers; the review judges "
    "three of them by their curves (Figure 5). Photographs of ImageNet are not among what can be downloaded: `apical "
    "train RULE --dataset imagenet-folder` learns from a folder of them."
)
COLUMNS = ("dataset", "rule", "seed", "test_accuracy")

Found = dict[str, list[float]]


def make(request: Request) -> Path:
    """Trains all rules on all data sets, and writes figure, table and page."""
    names = QUICK_SETS if request.quick else SETS
    sets = {name: load(name, data_dir=request.data_dir, trust=request.trust_data) for name in names}
    size = Size.of(request.quick)
    found = {name: accuracies(dataset, size) for name, dataset in sets.items()}
    figure = Figure(NAME, TITLE, CAPTION, tuple(_panel(sets[name], of) for name, of in found.items()), len(found))
    render_static(figure, request.out / "figures" / NAME)
    rows = [(name, rule, s, v) for name, of in found.items() for rule, vs in of.items() for s, v in enumerate(vs)]
    write_atomically(request.out / f"{NAME}.csv", as_csv(COLUMNS, rows))
    notes = (_conditions(size), DIFFERENCE, *(w for dataset in sets.values() for w in dataset.warnings))
    blocks = [paragraph(seen(found), "headline"), figure, beside(claims(found)), how(notes, request.command)]
    return write_page(TITLE, blocks, request.out / f"{NAME}.html")


def accuracies(dataset: Dataset, size: Size) -> Found:
    """Test accuracy of every rule, a value for each seed."""
    images, labels = first(dataset, "test", 10 * size.n_seen)
    flat, epochs = images.reshape(len(images), -1), size.epochs * LONGER.get(dataset.name, 1)
    return {
        rule: [float(trained(rule, dataset, size, seed, epochs).score(flat, labels)) for seed in range(size.seeds)]
        for rule in size.rules
    }


def _panel(dataset: Dataset, found: Found) -> IntervalPanel:
    percent = {rule: [100 * value for value in values] for rule, values in found.items()}
    chance = Reference(100 / dataset.n_classes)
    axis = Axis("test accuracy (%)", limits=(0.0, 101.0))
    return IntervalPanel(dataset_name(dataset.name), axis, intervals(percent), (chance,))


def behind(found: Found) -> float:
    """By how many points the review's rule stays behind backprop."""
    return 100 * float(np.mean(found["backprop"]) - np.mean(found[REVIEWED]))


def claims(found: dict[str, Found]) -> list[Claim]:
    """What the review says of its rule on each data set, and how far it stays behind backprop here."""
    return [
        (f"{dataset_name(name)}: {CLAIMS.get(name, 'not tried')}", f"{behind(of):.1f} points behind backprop")
        for name, of in found.items()
    ]


def seen(found: dict[str, Found]) -> str:
    """What one sees, in numbers."""
    parts = [
        f"{dataset_name(name)} {100 * np.mean(of[REVIEWED]):.1f} % (backprop {100 * np.mean(of['backprop']):.1f} %)"
        for name, of in found.items()
    ]
    return f"{rule_name(REVIEWED)} reach {', '.join(parts)}."


def _conditions(size: Size) -> str:
    return (
        f"{HIDDEN[0]} hidden units, {size.epochs} epochs of {size.n_train:,} training images (two moons: ten times as "
        f"many epochs of its 1,000 points), judged on at most {10 * size.n_seen:,} test images; seeds: {size.seeds}. "
        "Each rule in its setting of comparisons."
    )


SCALABILITY = Reproduction(NAME, TITLE, "Lange 2018, proposal, question 4", make)
