"""Are features learnt on one data set of use on another? The proposal's "across domains"."""

from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from apical.data.dataset import Dataset
from apical.data.registry import load
from apical.files import write_atomically
from apical.report import Axis, Figure, IntervalPanel, render_static, write_page
from apical.report.markup import paragraph
from apical.report.theme import dataset_name, rule_name
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.page import as_csv, how
from apical.reproduce.representations.learners import HIDDEN, UNTRAINED, Features, Size, features, first, learners, rows

NAME = "transfer"
TITLE = "Are features of one world of use in another?"
PAIRS = (("mnist", "fashion-mnist"), ("fashion-mnist", "mnist"))
PIXELS = "pixels"
CAPTION = (
    "A hidden layer is learnt on one data set and then left as it is; a linear classifier reads another data set out "
    "of it. Beside the rules: a hidden layer that has learnt nothing, and the pixels themselves."
)
DIFFERENCE = "The proposal asks whether rules generalise across domains and has no numbers to set these beside."
COLUMNS = ("learnt_on", "read_out_on", "rule", "seed", "test_accuracy")

Found = dict[str, list[float]]


def read_out(train: Features, labels: np.ndarray, test: Features, test_labels: np.ndarray) -> float:
    """Test accuracy of a logistic regression on features, each scaled to variance 1."""
    reader = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    return float(reader.fit(train, labels).score(test, test_labels))


def make(request: Request) -> Path:
    """Trains the rules on one data set, reads the other, both ways, and writes figure, table and page."""
    sets = {name: load(name, data_dir=request.data_dir, trust=request.trust_data) for name, _ in PAIRS}
    size = Size.of(request.quick)
    found = {pair: transferred(sets[pair[0]], sets[pair[1]], size) for pair in PAIRS}
    panels = tuple(
        IntervalPanel(f"{dataset_name(a)} to {dataset_name(b)}", Axis("test accuracy (%)"), rows(_percent(values)))
        for (a, b), values in found.items()
    )
    figure = Figure(NAME, TITLE, CAPTION, panels)
    render_static(figure, request.out / "figures" / NAME)
    table = [
        (*pair, rule, seed, v)
        for pair, values in found.items()
        for rule, vs in values.items()
        for seed, v in enumerate(vs)
    ]
    write_atomically(request.out / f"{NAME}.csv", as_csv(COLUMNS, table))
    notes = (_conditions(size), DIFFERENCE, *(w for dataset in sets.values() for w in dataset.warnings))
    blocks = [paragraph(_seen(found), "headline"), figure, how(notes, request.command)]
    return write_page(TITLE, blocks, request.out / f"{NAME}.html")


def transferred(source: Dataset, target: Dataset, size: Size) -> Found:
    """Test accuracy on `target` by what was learnt on `source`, for every learner a value for each seed."""
    (x, y), (test_x, test_y) = first(target, "train", size.n_train), first(target, "test", 2 * size.n_seen)
    found: Found = {PIXELS: [read_out(_flat(x), y, _flat(test_x), test_y)]}
    for rule, _, model in learners(size, source):
        score = read_out(features(model, x), y, features(model, test_x), test_y)
        found.setdefault(rule, []).append(score)
    return found


def _flat(images: np.ndarray) -> Features:
    return images.reshape(len(images), -1)


def _percent(found: Found) -> Found:
    return {rule: [100 * value for value in values] for rule, values in found.items()}


def _seen(found: dict[tuple[str, str], Found]) -> str:
    """Which rules beat a layer that has learnt nothing, one way and the other."""
    sentences = []
    for (source, target), values in found.items():
        means = {rule: float(np.mean(v)) for rule, v in values.items()}
        rules = [rule for rule in means if rule not in (PIXELS, UNTRAINED)]
        best, n = max(rules, key=lambda rule: means[rule]), sum(means[r] > means[UNTRAINED] for r in rules)
        sentences.append(
            f"From {dataset_name(source)} to {dataset_name(target)}, {n} of {len(rules)} rules beat an untrained layer "
            f"({100 * means[UNTRAINED]:.1f} %); the best is {rule_name(best)} ({100 * means[best]:.1f} %)."
        )
    return " ".join(sentences)


def _conditions(size: Size) -> str:
    return (
        f"{HIDDEN[0]} hidden units, {size.epochs} epochs of {size.n_train:,} training images; the classifier (logistic "
        f"regression, C = 0.1, features scaled) sees {size.n_train:,} images of the other set and is judged on "
        f"{2 * size.n_seen:,} of its test images; seeds: {size.seeds}. Each rule in its setting of comparisons."
    )


TRANSFER = Reproduction(NAME, TITLE, "Lange 2018, proposal: generalisation across domains", make)
