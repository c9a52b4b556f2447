"""The table of results on the page: what its columns are, and its HTML."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from apical.report.comparison import Comparison
from apical.report.markup import definitions, details
from apical.report.swatch import line_swatch
from apical.report.tables import Row, interval, number, result_rows, short, spread

_NONE = '<span class="none">\u2014</span>'
Text = Callable[[Row], str]


def _nothing(row: Row) -> str:
    return ""


@dataclass(frozen=True)
class Column:
    """A column: its group, heading and meaning; of a row the value to sort by, its text, and a second line below."""

    group: str
    heading: str
    meaning: str
    value: Callable[[Row], float | None]
    text: Text
    second: Text = _nothing


def results_table(comparison: Comparison) -> str:
    """The table of results, with an explanation of every column below it; columns without any number are left out."""
    rows = result_rows(comparison)
    columns = [column for column in _columns(comparison) if any(column.text(row) for row in rows)]
    groups: dict[str, int] = {}
    for column in columns:
        groups[column.group] = groups.get(column.group, 0) + 1
    spans = "".join(f'<th colspan="{n}" scope="colgroup"><span>{name}</span></th>' for name, n in groups.items())
    heads = "".join(
        f'<th scope="col" title="{escape(column.meaning)}"><button type="button">{escape(column.heading)}</button></th>'
        for column in columns
    )
    body = "".join(_row(row, columns) for row in rows)
    table = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table of results"><table class="results"><thead>'
        f'<tr class="groups"><td></td>{spans}</tr><tr><th scope="col" class="rule">Rule</th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
    meanings = definitions(((column.heading, column.meaning) for column in columns), long=True)
    return table + details("What the columns mean", meanings)


def _row(row: Row, columns: Sequence[Column]) -> str:
    status = f'<small class="status">{escape(row.status)}</small>' if row.status else ""
    swatch = line_swatch(row.entry.style.colour, row.entry.style.dash)
    cells = "".join(_cell(row, column) for column in columns)
    return f'<tr><th scope="row" class="rule">{swatch}<span>{escape(row.entry.label)}{status}</span></th>{cells}</tr>'


def _cell(row: Row, column: Column) -> str:
    value, second = column.value(row), column.second(row)
    order = "" if value is None else f' data-value="{value!r}"'
    below = f"<small>{escape(second)}</small>" if second else ""
    return f"<td{order}>{escape(column.text(row)) or _NONE}{below}</td>"


def _columns(comparison: Comparison) -> list[Column]:
    return [*_result_columns(comparison), *_fit_columns(comparison), *_cost_columns()]


def _result_columns(comparison: Comparison) -> list[Column]:
    score = comparison.score
    unit, points = (" (%)", " (points)") if score.unit else ("", "")
    spread_means = "mean \u00b1 standard deviation over seeds, below it the 95% interval of the mean (Student's t)"
    meaning = spread_means if len(comparison.seeds) > 1 else "one seed: no interval"
    return [
        Column(
            "Result", "Seeds", "runs with a test result, each from its own random seed", lambda r: r.n_scored, _seeds
        ),
        Column(
            "Result",
            f"{score.title}{unit}",
            f"on examples held out to the end: {meaning}",
            lambda row: row.mean(score.key),
            lambda row: spread(row.summaries[score.key], score.scale, score.digits),
            lambda row: interval(row.summaries[score.key], score.scale, score.digits),
        ),
        Column(
            "Result",
            f"vs backprop{points}",
            "difference to backprop with the same seed, mean over seeds, below it the 95% interval "
            "(of this rule alone: not corrected for the number of rules)",
            lambda row: row.difference and row.difference.mean,
            lambda row: number(row.difference and row.difference.mean, score.scale, score.digits, signed=True),
            lambda row: interval(row.difference, score.scale, score.digits, signed=True),
        ),
    ]


def _fit_columns(comparison: Comparison) -> list[Column]:
    percent = comparison.score.unit == "%"
    loss = "cross-entropy" if percent else "squared error"
    columns = [
        _mean("Result", f"Test {loss}", f"{loss} on the test examples, lower is better", "test_loss", digits=3),
        _mean("Result", "Train (%)", "accuracy on the training examples", "train_accuracy", 100.0),
        _mean("Result", "Valid. (%)", "accuracy on the validation examples", "validation_accuracy", 100.0),
    ]
    return [column for column in columns if comparison.score.key != "test_loss" or column is not columns[0]]


def _cost_columns() -> list[Column]:
    angle = "angle between the rule's direction and backprop's, mean over training: 0 is backprop, 90 is unrelated"
    flops = "arithmetic of one update per training example, as the compiler counts it"
    moved = "bytes that one update reads and writes per training example, as the compiler counts them"
    return [
        _mean("Credit", "Angle (\u00b0)", angle, "angle_to_backprop_mean"),
        _short("Cost", "Time (s)", "seconds of training alone, without compilation and tests", "seconds"),
        _short("Cost", "Examples per\u00a0s", "training examples per second", "examples_per_second"),
        _short("Cost", "FLOPs per example", flops, "flops_per_example"),
        _ratio("FLOPs \u00d7", "FLOPs per example relative to backprop", "flops_ratio"),
        _short("Cost", "Bytes per example", moved, "bytes_per_example"),
        _ratio("Bytes \u00d7", "bytes per example relative to backprop", "bytes_ratio"),
        _ratio("Time \u00d7", "seconds per example relative to backprop, as measured", "time_ratio"),
        Column("Cost", "Para\u00admeters", "weights and biases", lambda row: row.mean("parameters"), _parameters),
    ]


def _mean(group: str, heading: str, meaning: str, key: str, scale: float = 1.0, digits: int = 1) -> Column:
    return Column(group, heading, meaning, lambda row: row.mean(key), lambda row: number(row.mean(key), scale, digits))


def _ratio(heading: str, meaning: str, key: str) -> Column:
    return Column("Cost", heading, meaning, lambda row: row.ratios[key], lambda row: number(row.ratios[key]))


def _short(group: str, heading: str, meaning: str, key: str) -> Column:
    return Column(group, heading, meaning, lambda row: row.mean(key), lambda row: short(row.mean(key)))


def _parameters(row: Row) -> str:
    mean = row.mean("parameters")
    return "" if mean is None else f"{mean:,.0f}"


def _seeds(row: Row) -> str:
    return str(row.seeds) if row.n_scored == row.seeds else f"{row.n_scored} of {row.seeds}"
