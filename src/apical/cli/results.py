"""The results of a comparison as a table on the terminal."""

from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table

from apical.report.comparison import Score, compare_runs
from apical.report.runs import find_run_folders, read_run
from apical.report.statistics import Summary
from apical.report.tables import Row, result_rows
from apical.tasks import MEASURES

COLUMNS = ("vs BP", "angle", "flops", "bytes", "time")
CAPTION = (
    "test: mean and half of the 95 % interval over seeds (none: one seed). flops, bytes, time: of one training "
    "example, times backprop's"
)


def results_table(out: Path) -> Table:
    """One row for each rule: mean over seeds and interval, difference to backprop paired by seed, angle, cost."""
    compared = compare_runs(map(read_run, find_run_folders([out])))
    rows, score = [row for c in compared for row in result_rows(c)], compared[0].score
    columns = ("rule", f"test {score.unit or MEASURES[score.key.removeprefix('test_')]}", *COLUMNS)
    columns = (*columns, "") if any(row.status for row in rows) else columns
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
        table.add_row(*_cells(row, score)[: len(columns)])
    return table


def _cells(row: Row, score: Score) -> list[str]:
    difference = row.difference
    return [
        row.entry.label,
        _number(row.mean(score.key), score.digits, score.scale) + _interval(row.summaries[score.key], score),
        "" if difference is None else f"{score.scale * difference.mean:+.{score.digits}f}",
        _number(row.mean("angle_to_backprop_mean"), 1),
        *(_number(row.ratios[name], 1) for name in ("flops_ratio", "bytes_ratio", "time_ratio")),
        row.status,
    ]


def _number(value: float | None, digits: int, scale: float = 1.0) -> str:
    return "" if value is None else f"{scale * value:,.{digits}f}"


def _interval(summary: Summary | None, score: Score) -> str:
    if summary is None or summary.low is None or summary.high is None:
        return ""
    return f" \u00b1 {score.scale * (summary.high - summary.low) / 2:.{score.digits}f}"
