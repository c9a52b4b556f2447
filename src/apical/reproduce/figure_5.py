"""Figure 5 of the review: learning curves of backprop, a convolutional network and segregated dendrites.

The caption says 100 hidden units, the logs behind the figure say 500: both are made.
"""

from collections.abc import Sequence
from pathlib import Path

from apical.files import write_atomically
from apical.report import Axis, Figure, Panel, Series, markup, render_static, write_page
from apical.report.figure import Dash
from apical.report.theme import dataset_name
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.learning_runs import COLUMNS, Learner, Learnt, both, conditions, learnt, n_last, panel, rows
from apical.reproduce.page import Claim, as_csv, beside, how

HIDDEN = (100, 500)
CNN = Learner("Backprop, convolutional", "backprop", "cnn")
# validation and test accuracy in percent of segregated dendrites with 500 hidden units, in his logs and notebook
THEIRS = {"mnist": (97.1, 97.1), "fashion-mnist": (85.6, 84.8), "cifar10": (33.6, 34.0)}
CEILING = 35.0
JUDGED = {
    "mnist": "strong performance",
    "fashion-mnist": "strong performance",
    "cifar10": "falls drastically short of the others",
}
CAPTION = (
    "Accuracy and loss on validation data (solid) and training data (dashed) while learning, with 100 hidden units, as "
    "the review's caption has it, and with 500, as the logs behind its figure have it. The convolutional network is "
    "the same in both."
)
DIFFERENCE = (
    "The review's figure shows one run each. Its caption says 100 hidden units; its logs are of 500. The convolutional "
    "network there stays in evaluation mode after the first measurement of an epoch, here it does not."
)


def make(request: Request) -> Path:
    """Trains all, and writes figure, table and page."""
    found = learnt([CNN, *(learner for hidden in HIDDEN for learner in both(hidden))], request)
    names = list(dict.fromkeys(one.dataset for one in found))
    drawn = [
        _panel([one for one in found if one.dataset == name and one.learner.hidden in (None, hidden)], hidden, measure)
        for hidden in HIDDEN
        for measure in ("accuracy", "loss")
        for name in names
    ]
    figure = Figure("figure-5", "Learning curves", CAPTION, tuple(drawn), max(len(names), 2))
    render_static(figure, request.out / "figures" / figure.name)
    write_atomically(request.out / "figure-5.csv", as_csv(COLUMNS, rows(found)))
    lead = markup.paragraph(seen(found), "headline")
    text = how((conditions(found, request.quick), DIFFERENCE), request.command)
    blocks = [lead, figure, beside(claims(found)), text]
    return write_page("Figure 5 of the review, made again", blocks, request.out / "figure-5.html")


def _panel(found: Sequence[Learnt], hidden: int, measure: str) -> Panel:
    scale, y = (100, Axis("accuracy (%)", limits=(0.0, 100.0))) if measure == "accuracy" else (1, Axis("loss"))
    series = []
    dashes: dict[str, Dash] = {"validation": "solid", "train": "dash"}
    for one in found:
        for split, dash in dashes.items():
            x, value = one.values(split, measure)
            series.append(Series(f"{one.learner.label}, {split}", one.learner.colour, x, scale * value, dash=dash))
    return panel(f"{dataset_name(found[0].dataset)}, {hidden} hidden units", y, series)


def segregated(found: Sequence[Learnt], dataset: str, hidden: int) -> Learnt:
    """The run of segregated dendrites of that size."""
    wanted = ("segregated-dendrites", dataset, hidden)
    return next(one for one in found if (one.learner.rule, one.dataset, one.learner.hidden) == wanted)


def claims(found: Sequence[Learnt]) -> list[Claim]:
    """His numbers and claims beside ours."""
    said: list[Claim] = []
    for dataset in dict.fromkeys(one.dataset for one in found):
        validation, test = THEIRS[dataset]
        ours = {h: 100 * segregated(found, dataset, h).last("validation", "accuracy") for h in HIDDEN}
        tested = 100 * (segregated(found, dataset, HIDDEN[1]).run.number("test_accuracy") or float("nan"))
        said.append(
            (
                f"{dataset_name(dataset)}, segregated dendrites: validation {validation} %, test {test} % (500 units)",
                f"validation {ours[500]:.1f} % with 500 units, {ours[100]:.1f} % with 100; test "
                f"{tested:.1f} % with 500",
            )
        )
        said.append((f"{dataset_name(dataset)}: {JUDGED[dataset]}", short(found, dataset)))
        if dataset == "cifar10":
            within = "so it is here" if max(ours.values()) <= CEILING else "not so here"
            said.append((f"on CIFAR-10 validation accuracy does not exceed {CEILING:g} %", within))
    return said


def short(found: Sequence[Learnt], dataset: str) -> str:
    """How far below each network trained by backprop segregated dendrites stay, with 500 units."""
    ours = segregated(found, dataset, HIDDEN[1]).last("validation", "accuracy")
    others = [one for one in found if one.dataset == dataset and one.learner.rule == "backprop"]
    below = {
        one.learner.label: 100 * (one.last("validation", "accuracy") - ours)
        for one in others
        if one.learner.hidden in (None, HIDDEN[1])
    }
    return "points of validation accuracy below " + ", ".join(f"{name}: {gap:.1f}" for name, gap in below.items())


def seen(found: Sequence[Learnt]) -> str:
    """What one sees, in numbers."""
    parts = []
    for dataset in dict.fromkeys(one.dataset for one in found):
        of = {
            one.learner.label: 100 * one.last("validation", "accuracy")
            for one in found
            if one.dataset == dataset and one.learner.hidden in (None, 500)
        }
        parts.append(f"{dataset_name(dataset)}: " + ", ".join(f"{name} {value:.1f} %" for name, value in of.items()))
    n = n_last(len(found[0].values("validation", "accuracy")[1]))
    return f"Validation accuracy, mean of the last {n} measurements, 500 hidden units. {'; '.join(parts)}."


FIGURE_5 = Reproduction("figure-5", "Learning curves with 100 and 500 hidden units", "Lange 2019, Figure 5", make)
