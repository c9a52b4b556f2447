"""The result at a glance: the score of each rule, and its difference to backprop."""

from apical.report.comparison import Comparison, Entry, Score
from apical.report.figure import Axis, Figure, Interval, IntervalPanel, Reference
from apical.report.statistics import Summary


def results(comparison: Comparison) -> Figure | None:
    """Rows of rules from best to worst: score with interval and single seeds, and the paired difference to backprop."""
    score, reference = comparison.score, comparison.reference
    scored = [(entry, entry.summary(score.key, score.scale)) for entry in comparison.ranked()]
    rows = tuple(_row(entry, summary, _values(entry, score)) for entry, summary in scored if summary is not None)
    if not rows:
        return None
    unit = f" ({score.unit})" if score.unit else ""
    ends = [end for row in rows for end in (row.low, row.mean, row.high) if end is not None]
    panels = [IntervalPanel(score.title, Axis(f"{score.name}{unit}", limits=score.limits(ends)), rows)]
    if reference is not None and len(rows) > 1 and len(differences := _differences(comparison, reference)) > 1:
        axis = Axis(f"difference{' (points)' if score.unit else ''}")
        panels.append(IntervalPanel("Difference to backprop", axis, differences, (Reference(0.0),)))
    title = "Which rule classifies best?" if score.unit else "Which rule fits best?"
    caption = _caption(comparison, len(panels) > 1)
    return Figure("results", title if len(rows) > 1 else "How good is it?", caption, tuple(panels), len(panels))


def _caption(comparison: Comparison, compared: bool) -> str:
    better = "Further right" if comparison.score.higher_is_better else "Further left"
    if len(comparison.seeds) == 1:
        return f"{better} is better. One seed: no interval, so small differences may be chance."
    marks = "Large dots are means over seeds, small dots single seeds, bars 95% intervals of the mean (Student's t)."
    paired = (
        " Differences are paired by seed; where the bar leaves out zero, the difference is clear." if compared else ""
    )
    return f"{better} is better. {marks}{paired}"


def _differences(comparison: Comparison, reference: Entry) -> tuple[Interval, ...]:
    score, rows = comparison.score, []
    baseline = reference.by_seed(score.key)
    for entry in comparison.ranked():
        summary = entry.difference(reference, score.key, score.scale)
        if summary is None:
            continue
        if entry is reference:
            rows.append(Interval(entry.label, entry.style.colour, 0.0))
            continue
        pairs = ((value, baseline.get(seed)) for seed, value in entry.by_seed(score.key).items())
        dots = tuple(score.scale * (a - b) for a, b in pairs if a is not None and b is not None)
        rows.append(_row(entry, summary, dots))
    return tuple(rows)


def _row(entry: Entry, summary: Summary, dots: tuple[float, ...]) -> Interval:
    dots = dots if summary.n > 1 else ()
    return Interval(entry.label, entry.style.colour, summary.mean, summary.low, summary.high, dots)


def _values(entry: Entry, score: Score) -> tuple[float, ...]:
    return tuple(score.scale * value for value in entry.by_seed(score.key).values() if value is not None)
