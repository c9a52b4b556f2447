"""Figure 6 of the review: norm, relative change, and change of direction of the first layer's weights."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from apical.files import write_atomically
from apical.report import Axis, Figure, Series, markup, render_static, write_page
from apical.report.theme import dataset_name
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.learning_runs import COLUMNS, Learnt, both, conditions, learnt, panel, rows
from apical.reproduce.page import Claim, as_csv, beside, how

HIDDEN = 500
MEASURES = {
    "weight_norm": "weight norm",
    "relative_weight_change": "relative weight change",
    "gradient_change": "relative direction change",
}
# of segregated dendrites: norm at the start, after 10,000 examples, at the end; relative change first and last
THEIRS = {
    "mnist": (632.5, 650, 717, 0.064, 0.013),
    "fashion-mnist": (632.5, 648, 725, 0.068, 0.019),
    "cifar10": (632.5, 644, 788, 0.082, 0.027),
}
CAPTION = (
    "The first layer while learning: the Frobenius norm of its weights, how far they moved since the measurement "
    "before relative to that norm, and how much the direction of learning changed since then, relative to itself. "
    "500 hidden units; measured every 5,000 examples, in a hurry every 500."
)
DIFFERENCE = (
    "His first relative change is that of the second interval. The direction here is measured on one fixed batch of "
    "training examples. Changes between measurements depend on how far these lie apart."
)


def make(request: Request) -> Path:
    """Trains both rules, and writes figure, table and page."""
    found = learnt(both(HIDDEN), request)
    names = list(dict.fromkeys(one.dataset for one in found))
    drawn = tuple(
        panel(
            dataset_name(name), Axis(label, log=True), [_series(one, measure) for one in found if one.dataset == name]
        )
        for measure, label in MEASURES.items()
        for name in names
    )
    figure = Figure("figure-6", "How the first layer moves", CAPTION, drawn, len(MEASURES))
    render_static(figure, request.out / "figures" / figure.name)
    write_atomically(request.out / "figure-6.csv", as_csv(COLUMNS, rows(found)))
    lead = markup.paragraph(seen(found), "headline")
    text = how((conditions(found, request.quick), DIFFERENCE), request.command)
    blocks = [lead, figure, beside(claims(found)), text]
    return write_page("Figure 6 of the review, made again", blocks, request.out / "figure-6.html")


def _series(one: Learnt, measure: str) -> Series:
    x, y = one.values("train", measure, "0")
    return Series(one.learner.label, one.learner.colour, x, y)


def pairs(found: Sequence[Learnt]) -> dict[str, tuple[Learnt, Learnt]]:
    """Backprop and segregated dendrites, by data set."""
    rules = {(one.dataset, one.learner.rule): one for one in found}
    names = dict.fromkeys(one.dataset for one in found)
    return {name: (rules[name, "backprop"], rules[name, "segregated-dendrites"]) for name in names}


def claims(found: Sequence[Learnt]) -> list[Claim]:
    """His numbers and claims beside ours."""
    said: list[Claim] = []
    for name, (backprop, dendrites) in pairs(found).items():
        start, early, end, first, last = THEIRS[name]
        norms, moves = (dendrites.values("train", m, "0")[1] for m in ("weight_norm", "relative_weight_change"))
        title = dataset_name(name)
        said += [
            (
                f"{title}: norm {start:g} at first, {early:g} after 10,000 examples, {end:g} at the end",
                f"{norms[0]:.0f} at first, {norms[min(2, len(norms) - 1)]:.0f} at the third measurement, "
                f"{norms[-1]:.0f} at the end",
            ),
            (
                f"{title}: relative change {first:g} at first, {last:g} at the end",
                f"{moves[1]:.3g}, then {moves[-1]:.3g}",
            ),
            (
                f"{title}: weights are magnitudes larger than backprop's",
                f"{ratio(backprop, dendrites):.0f} times as large",
            ),
            (f"{title}: weights seem to converge faster", settling(backprop, dendrites)),
            (f"{title}: gradients do not seem to change as much", turning(backprop, dendrites)),
        ]
    return said


def ratio(backprop: Learnt, dendrites: Learnt) -> float:
    """The norm of segregated dendrites over backprop's, at the end."""
    sizes = [one.values("train", "weight_norm", "0")[1][-1] for one in (dendrites, backprop)]
    return float(sizes[0] / sizes[1])


def settling(backprop: Learnt, dendrites: Learnt) -> str:
    """The last relative changes of both."""
    last = [one.values("train", "relative_weight_change", "0")[1][-1] for one in (dendrites, backprop)]
    return f"the last relative change is {last[0]:.3g}, backprop's {last[1]:.3g}"


def turning(backprop: Learnt, dendrites: Learnt) -> str:
    """The mean relative changes of direction of both."""
    means = [np.nanmean(one.values("train", "gradient_change", "0")[1]) for one in (dendrites, backprop)]
    return f"the mean relative change of direction is {means[0]:.3g}, backprop's {means[1]:.3g}"


def seen(found: Sequence[Learnt]) -> str:
    """What one sees, in numbers."""
    parts = [f"{dataset_name(name)} {ratio(*pair):.0f} times" for name, pair in pairs(found).items()]
    return f"The first layer's weights of segregated dendrites end larger than backprop's: {', '.join(parts)}."


FIGURE_6 = Reproduction("figure-6", "Norm and changes of the first layer's weights", "Lange 2019, Figure 6", make)
