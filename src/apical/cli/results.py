"""The results of a comparison as a table on the terminal."""

from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table

from apical.report.comparison import compare_runs
from apical.report.runs import find_run_folders, read_run
from apical.report.statistics import Summary
from apical.report.tables import Row, result_rows

COLUMNS = ("rule", "test %", "vs BP", "angle", "flops", "bytes", "time")
CAPTION = (
    "test: mean and half of the 95 % interval over seeds (none: one seed). flops, bytes, time: of one training "
    "example, times backprop's"
)


def results_table(out: Path) -> Table:
    """One row for each rule: mean over seeds and interval, difference to backprop paired by seed, angle, cost."""
    rows = [row for c in compare_runs(map(read_run, find_run_folders([out]))) for row in result_rows(c)]
    columns = (*COLUMNS, "") if any(row.status for row in rows) else COLUMNS
    caption = CAPTION if any(row.ratios["flops_ratio"] for row in rows) else None
    table = Table(
        caption=caption,
        caption_justify="left",
        header_style="bold",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
        collapse_padding=True,
    )
    for column in columns:
        table.add_column(column, justify="left" if column in ("rule", "") else "right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row)[: len(columns)])
    return table


def _cells(row: Row) -> list[str]:
    difference = row.difference
    return [
        row.entry.label,
        _number(row.mean("test_accuracy"), 2, 100.0) + _interval(row.summaries["test_accuracy"]),
        "" if difference is None else f"{100 * difference.mean:+.2f}",
        _number(row.mean("angle_to_backprop_mean"), 1),
        *(_number(row.ratios[name], 1) for name in ("flops_ratio", "bytes_ratio", "time_ratio")),
        row.status,
    ]


def _number(value: float | None, digits: int, scale: float = 1.0) -> str:
    return "" if value is None else f"{scale * value:,.{digits}f}"


def _interval(summary: Summary | None) -> str:
    if summary is None or summary.low is None or summary.high is None:
        return ""
    return f" \u00b1 {50 * (summary.high - summary.low):.2f}"
