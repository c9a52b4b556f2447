"""The results as numbers: one row per rule, written as CSV and LaTeX, and shown by `markup`."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from apical.report.comparison import Comparison, Entry
from apical.report.statistics import Summary
from apical.report.theme import EN_DASH, MINUS

_SUMMARIES = (
    "test_accuracy",
    "test_r2",
    "test_loss",
    "train_accuracy",
    "validation_accuracy",
    "angle_to_backprop_mean",
    "seconds",
    "examples_per_second",
    "flops_per_example",
    "bytes_per_example",
    "parameters",
)


_RATIOS = {
    "flops_ratio": "flops_per_example",
    "bytes_ratio": "bytes_per_example",
    "time_ratio": "examples_per_second",
}


@dataclass(frozen=True, eq=False)
class Row:
    """The statistics of one entry: summaries over its seeds by key, and its difference to backprop in the score.

    `ratios` are what an example costs relative to backprop: flops_ratio, bytes_ratio, time_ratio.
    """

    entry: Entry
    summaries: dict[str, Summary | None]
    difference: Summary | None
    ratios: dict[str, float | None]
    status: str
    n_scored: int

    @property
    def seeds(self) -> int:
        """How many runs there are, finished or not."""
        return len(self.entry.runs)

    def mean(self, key: str) -> float | None:
        """The mean over seeds of a number of the summaries, None where no seed has one."""
        summary = self.summaries[key]
        return None if summary is None else summary.mean


def result_rows(comparison: Comparison) -> list[Row]:
    """One row per entry, backprop first, then from the best to the worst."""
    return [_row(comparison, entry) for entry in comparison.ranked()]


def _row(comparison: Comparison, entry: Entry) -> Row:
    summaries = {key: entry.summary(key) for key in _SUMMARIES}
    scored, reference = summaries[comparison.score.key], comparison.reference
    n_scored = scored.n if scored else 0
    if reference is None:
        return Row(entry, summaries, None, dict.fromkeys(_RATIOS), status_note(entry), n_scored)
    difference = None if entry is reference else entry.difference(reference, comparison.score.key)
    ratios = {name: _ratio(summaries[key], reference.summary(key)) for name, key in _RATIOS.items()}
    faster = ratios["time_ratio"]
    ratios["time_ratio"] = 1 / faster if faster else None  # from examples per second
    return Row(entry, summaries, difference, ratios, status_note(entry), n_scored)


def _ratio(cost: Summary | None, base: Summary | None) -> float | None:
    return cost.mean / base.mean if cost and base and base.mean > 0 else None


def status_note(entry: Entry) -> str:
    """What did not end well: "1 of 3 diverged", "2 of 3 interrupted"; empty where every run finished."""
    total, states = len(entry.runs), [run.status for run in entry.runs]
    odd = sorted(set(states) - {"finished"})
    return ", ".join(f"{states.count(state)} of {total} {state}" for state in odd)


def results_csv(comparisons: Sequence[Comparison]) -> str:
    """All numbers at full precision; fractions stay fractions (0.96, not 96 %), and what is unknown is empty."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, _csv_fields(), lineterminator="\n")
    writer.writeheader()
    for comparison in comparisons:
        for row in result_rows(comparison):
            writer.writerow(_csv_row(comparison, row))
    return buffer.getvalue()


def _csv_fields() -> list[str]:
    parts = [f"{key}{part}" for key in _SUMMARIES for part in ("", "_sd", "_low", "_high", "_n")]
    difference = [f"difference{part}" for part in ("", "_sd", "_low", "_high", "_n")]
    return ["dataset", "network", "rule", "label", "seeds", "status", "score", *parts, *difference, *_RATIOS]


def _csv_row(comparison: Comparison, row: Row) -> dict[str, object]:
    cells: dict[str, object] = {"dataset": comparison.dataset, "network": comparison.network, "rule": row.entry.rule}
    cells |= {"label": row.entry.label, "seeds": row.seeds, "status": row.status, "score": comparison.score.key}
    for key, summary in [*row.summaries.items(), ("difference", row.difference)]:
        if summary is not None:
            cells |= {key: summary.mean, f"{key}_sd": summary.sd, f"{key}_low": summary.low}
            cells |= {f"{key}_high": summary.high, f"{key}_n": summary.n}
    return cells | row.ratios


def results_tex(comparisons: Sequence[Comparison]) -> str:
    """The main columns as a `tabular` per comparison, for a paper that loads booktabs."""
    return "\n".join(_tabular(comparison) for comparison in comparisons)


def _tabular(comparison: Comparison) -> str:
    score = comparison.score
    unit = r" (\%)" if score.unit == "%" else ""
    name = score.title.replace("\u00b2", "$^2$")
    head = f"Rule & Seeds & {name}{unit} & 95\\% interval & Difference to backprop & Angle (degrees) & Seconds"
    lines = [f"% {tex(comparison.dataset)}, {tex(comparison.network)}", r"\begin{tabular}{lrrrrrr}", r"\toprule"]
    lines += [head + r" \\", r"\midrule"]
    lines += [_tex_row(comparison, row) for row in result_rows(comparison)]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _tex_row(comparison: Comparison, row: Row) -> str:
    score = comparison.score
    value = row.summaries[score.key]
    cells = [
        tex(row.entry.label),
        str(row.seeds),
        spread(value, score.scale, score.digits),
        interval(value, score.scale, score.digits),
        f"{number(row.difference and row.difference.mean, score.scale, score.digits, signed=True)} "
        f"{interval(row.difference, score.scale, score.digits)}".strip(),
        number(row.mean("angle_to_backprop_mean"), digits=1),
        number(row.mean("seconds"), digits=1),
    ]
    return " & ".join(_tex_symbols(cell) for cell in cells) + r" \\"


def tex(text: str) -> str:
    """Plain text as LaTeX."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(letter, f"\\{letter}" if letter in "&%$#_{}" else letter) for letter in text)


def _tex_symbols(text: str) -> str:
    symbols = {"\u00b1": r"$\pm$", MINUS: "$-$", EN_DASH: "--", "\u00b7": r"$\cdot$"}
    return "".join(symbols.get(letter, letter) for letter in text)


def number(value: float | None, scale: float = 1.0, digits: int = 2, signed: bool = False) -> str:
    """A number with fixed digits and a true minus sign; empty for None."""
    if value is None:
        return ""
    shown = round(scale * value, digits) + 0.0
    return f"{shown:{'+' if signed and shown else ''}.{digits}f}".replace("-", MINUS)


def spread(summary: Summary | None, scale: float = 1.0, digits: int = 2) -> str:
    """Mean and standard deviation, "96.30 ± 0.41"; the mean alone for one seed."""
    if summary is None or summary.sd is None:
        return number(summary and summary.mean, scale, digits)
    return f"{number(summary.mean, scale, digits)} \u00b1 {number(summary.sd, scale, digits)}"


def interval(summary: Summary | None, scale: float = 1.0, digits: int = 2, signed: bool = False) -> str:
    """The interval, "[95.3, 97.3]"; empty where it is not known."""
    if summary is None or summary.low is None:
        return ""
    return f"[{number(summary.low, scale, digits, signed)}, {number(summary.high, scale, digits, signed)}]"


def short(value: float | None) -> str:
    """A large number in three or four digits: 950, 12.3 k, 1.20 M."""
    if value is None:
        return ""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:#.3g}".rstrip(".") + f" {unit}"
    return f"{value:.3g}"
