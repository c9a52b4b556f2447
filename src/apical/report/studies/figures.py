"""Figures of studies: best so far, distribution and boxes for each data set; importance; sensitivity."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from apical.report.figure import Axis, Figure, Interval, IntervalPanel, Panel, Reference, Series
from apical.report.studies.importance import curves, importances
from apical.report.studies.read import Study
from apical.report.studies.statistics import best_so_far
from apical.report.theme import dataset_name

BIN = 0.05
N_SHOWN = 6
ACCURACY = Axis("accuracy on held-out folds", limits=(0.0, 1.0))


def by_dataset(studies: Sequence[Study]) -> dict[str, list[Study]]:
    """Studies by their data set."""
    found: dict[str, list[Study]] = {}
    for study in studies:
        found.setdefault(study.dataset, []).append(study)
    return found


def overview(studies: Sequence[Study]) -> Figure:
    """The three rows of a robustness figure, a column for each data set."""
    groups = by_dataset(studies)
    rows = [[make(name, group) for name, group in groups.items()] for make in (_course, _histogram, _boxes)]
    caption = (
        "Top: the best value so far (lines) and every trial (points), in order. Middle: how often each accuracy was "
        "reached, in steps of 5 %. Bottom: median, quartiles (bar), the furthest trial within 1.5 times their distance "
        "(line), and every trial (points). A trial is one setting, judged by the mean accuracy on the folds it was not "
        "trained on. Dashed: chance."
    )
    panels = tuple(panel for row in rows for panel in row)
    return Figure("study", "Every setting that was tried", caption, panels, columns=len(groups))


def _chance(group: Sequence[Study], along: Literal["x", "y"] = "y") -> tuple[Reference, ...]:
    return (Reference(group[0].chance, along=along),)


def _course(dataset: str, group: Sequence[Study]) -> Panel:
    series = [s for study in group for s in _course_of(study)]
    return Panel(dataset_name(dataset), Axis("trial"), ACCURACY, tuple(series), _chance(group))


def _course_of(study: Study) -> tuple[Series, Series]:
    x, look = np.arange(1, len(study.values) + 1, dtype=float), study.style
    best = Series(study.label, look.colour, x, best_so_far(study.values), dash=look.dash)
    return best, Series(study.label, look.colour, x, study.values, marker=look.marker, kind="point")


def _histogram(dataset: str, group: Sequence[Study]) -> Panel:
    edges = np.arange(0, 1 + BIN / 2, BIN)
    series = []
    for study in group:
        counts = 100 * np.histogram(study.values, edges)[0] / len(study.values)
        x, y = np.repeat(edges, 2)[1:-1], np.repeat(counts, 2)
        series.append(Series(study.label, study.style.colour, x, y, dash=study.style.dash))
    y = Axis("% of trials", limits=(0.0, 1.05 * max(float(s.mean.max()) for s in series)))
    return Panel("", ACCURACY, y, tuple(series), _chance(group, "x"))


def _boxes(dataset: str, group: Sequence[Study]) -> IntervalPanel:
    return IntervalPanel("", ACCURACY, tuple(map(box, group)), _chance(group, "x"))


def box(study: Study) -> Interval:
    """A study's values as a box: median, quartiles, whiskers by Tukey's rule, and the trials themselves."""
    low, median, high = map(float, np.quantile(study.values, [0.25, 0.5, 0.75]))
    reach = 1.5 * (high - low)
    inside = study.values[(study.values >= low - reach) & (study.values <= high + reach)]
    whiskers = float(inside.min()), float(inside.max())
    dots = tuple(map(float, study.values))
    return Interval(study.label, study.style.colour, median, *whiskers, dots, (low, high), "whiskers", "one trial")


def importance_figure(studies: Sequence[Study]) -> Figure | None:
    """How much of the variance each hyperparameter explains, a panel for each study; None where nothing is known."""
    panels = []
    for study in studies:
        shares = importances(study)
        rows = tuple(Interval(name, study.style.colour, 100 * share) for name, share in list(shares.items())[:N_SHOWN])
        title = f"{dataset_name(study.dataset)}: {study.label}"
        if rows:
            panels.append(IntervalPanel(title, Axis("% of the variance", limits=(0.0, 100.0)), rows))
    caption = (
        "Share of the variance of the value that a hyperparameter explains by itself (functional ANOVA of a random "
        "forest, Hutter 2014); what a trial did not have counts as the median of those that did. With few trials this "
        "is a hint, no measurement."
    )
    return Figure("importance", "What matters", caption, tuple(panels)) if panels else None


def sensitivity_figure(studies: Sequence[Study]) -> Figure | None:
    """The value along the hyperparameters that matter most in some study; None where nothing is known."""
    names = dict.fromkeys(name for study in studies for name in list(importances(study))[:2])
    found = {name: [(s, c) for s in studies for c in curves(s, [name])] for name in list(names)[: 2 * N_SHOWN]}
    panels = []
    for name, pairs in found.items():
        series = tuple(
            Series(f"{dataset_name(s.dataset)}: {s.label}", s.style.colour, c.x, c.mean, c.low, c.high, s.style.dash)
            for s, c in pairs
        )
        if series:
            panels.append(Panel(name, Axis(name, log=all(c.log for _, c in pairs)), ACCURACY, series))
    caption = (
        "Mean accuracy along one hyperparameter, over the others as the trials have them, from a random forest; band: "
        "80 % of its trees. Switches: 0 off, 1 on."
    )
    return Figure("sensitivity", "One hyperparameter at a time", caption, tuple(panels)) if panels else None
