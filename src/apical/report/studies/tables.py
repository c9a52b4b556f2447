"""Studies as numbers: a row for each study, a row for each difference, as CSV and LaTeX and on the page."""

import csv
import io
from collections.abc import Sequence
from html import escape

import numpy as np

from apical.report.studies.figures import by_dataset
from apical.report.studies.read import Study
from apical.report.studies.statistics import Estimate, best_by_fold, difference, estimate, statistics

Row = dict[str, object]


def rows(studies: Sequence[Study]) -> list[Row]:
    """The statistics of every study, each with its bootstrap interval."""
    return [_row(study) for study in studies]


def _row(study: Study) -> Row:
    row: Row = {"dataset": study.dataset, "study": study.label, "trials": len(study.values)}
    for name, statistic in statistics(study.chance).items():
        row |= _cells(name, estimate(study.values, statistic))
    odd = {f"n_{state}": study.states.count(state) for state in ("diverged", "stopped", "lost")}
    seconds = {"seconds_median": float(np.median(study.seconds)), "seconds_total": float(study.seconds.sum())}
    return row | odd | {"invalid_points": study.about.get("invalid_points", 0)} | seconds


def differences(studies: Sequence[Study]) -> list[Row]:
    """Every study minus the first of its data set, at equal budgets: over trials, and the best one paired by fold."""
    found = []
    for group in by_dataset(studies).values():
        first = _reference(group)
        found += [_difference(study, first) for study in group if study is not first]
    return found


def _reference(group: Sequence[Study]) -> Study:
    return next((s for s in group if s.about["rule"] == "backprop"), group[0])


def _difference(study: Study, first: Study) -> Row:
    n = min(len(study.values), len(first.values))
    row: Row = {"dataset": study.dataset, "study": study.label, "minus": first.label, "trials": n}
    for name, statistic in statistics(study.chance).items():
        if name != "best":
            row |= _cells(name, difference(study.values, first.values, statistic))
    best = best_by_fold(study, first)
    known = best is not None
    return (
        row
        | {"best": best.mean if known else None}
        | {
            "best_low": best.low if known else None,
            "best_high": best.high if known else None,
        }
    )


def _cells(name: str, found: Estimate) -> Row:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def as_csv(table: Sequence[Row]) -> str:
    """A table at full precision."""
    text = io.StringIO()
    if table:
        writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    return text.getvalue()


HEADS = {
    "median": "median",
    "best": "best",
    "area_best_so_far": "area under best so far",
    "share_below_2_chance": "share below 2 x chance",
    "share_below_1.2_chance": "share below 1.2 x chance",
}


def shown(row: Row, name: str) -> str:
    """A statistic of a row with its interval."""
    value, low, high = (row[f"{name}{part}"] for part in ("", "_low", "_high"))
    if value is None:
        return ""
    spread = "" if low is None else f" [{low:.3f}, {high:.3f}]"
    return f"{value:.3f}{spread}"


def _cells_of(table: Sequence[Row], lead: Sequence[str]) -> list[list[str]]:
    return [[*(str(row[key]) for key in lead), *(shown(row, name) for name in HEADS)] for row in table]


def as_tex(table: Sequence[Row], lead: Sequence[str]) -> str:
    """A table for a paper that loads booktabs."""
    lines = [f"\\begin{{tabular}}{{{'l' * len(lead)}{'r' * len(HEADS)}}}", "\\toprule"]
    lines += [" & ".join([*lead, *HEADS.values()]).replace("_", "\\_") + " \\\\", "\\midrule"]
    lines += [" & ".join(cells).replace("_", "\\_").replace("%", "\\%") + " \\\\" for cells in _cells_of(table, lead)]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""])


def as_html(table: Sequence[Row], lead: Sequence[str]) -> str:
    """A table for the page."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in [*lead, *HEADS.values()])
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for cells in _cells_of(table, lead)
    )
    return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
