"""Ranges and ticks of axes, the same on the page and in print."""

from collections.abc import Iterable, Sequence

import numpy as np

from apical.report.figure import IntervalPanel, Panel, visible_points

_SUPERSCRIPTS = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
_MANTISSAS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
_STEPS = np.array([mantissa * 10.0**power for power in range(6) for mantissa in (1.0, 2.0, 2.5, 5.0)])
_WHOLE_STEPS = np.array([mantissa * 10.0**power for power in range(16) for mantissa in (1.0, 2.0, 5.0)])
_ENOUGH, _TOO_MANY, _LONG = 3, 7, 6


def log_range(values: Iterable[float]) -> tuple[float, float]:
    """Limits around positive values with some room; a factor of 1.5 on both sides where there is one value only."""
    positive = np.array([value for value in values if value > 0])
    if positive.size == 0:
        return 0.1, 10.0
    low, high = float(positive.min()), float(positive.max())
    room = max((high / low) ** 0.06, 1.0)
    return (low / 1.5, high * 1.5) if high < 1.2 * low else (low / room, high * room)


def log_ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """Round numbers between `low` and `high`: powers of ten where there are enough, else steps between them.

    With `whole` only whole numbers.
    """
    ticks = _round_numbers(low, high)
    return [tick for tick in ticks if tick == round(tick)] if whole else ticks


def _round_numbers(low: float, high: float) -> list[float]:
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    for mantissas in _MANTISSAS:
        ticks = [
            m * 10.0**power for power in range(first, last + 1) for m in mantissas if low <= m * 10.0**power <= high
        ]
        if len(ticks) >= _ENOUGH:
            return ticks[:: -(-len(ticks) // _TOO_MANY)]
    step = next(step for step in _STEPS * 10.0 ** (first - 2) if (high - low) / step <= _TOO_MANY - 2)
    return [float(f"{tick:.6g}") for tick in np.arange(np.ceil(low / step), high / step + 1e-9) * step]


def tick_text(value: float) -> str:
    """A tick of a logarithmic axis in few letters: 0.05, 20, 50k, 3M, 10 to a power where that is shorter."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size <= value < 1e15:
            short = f"{value / size:g}{unit}"
            return short if len(short) < _LONG else f"{value:g}"
    if 1e-3 <= value < 1e3:
        return f"{value:g}"
    power = int(np.floor(np.log10(value) + 1e-9))
    mantissa = f"{value / 10.0**power:.3g}"
    prefix = "" if mantissa == "1" else f"{mantissa}\u00d7"
    return f"{prefix}10{str(power).translate(_SUPERSCRIPTS)}"


def x_ticks(panel: Panel | IntervalPanel) -> Sequence[float] | None:
    """Places of the ticks of the x axis, whole numbers where all values are; None where any round numbers will do."""
    whole = _is_whole(panel)
    if panel.x.ticks or not (panel.x.log or whole):
        return panel.x.ticks
    return log_ticks(*x_range(panel), whole) if panel.x.log else whole_ticks(*(panel.x.limits or _ends(panel)))


def y_ticks(panel: Panel) -> Sequence[float] | None:
    """Places of the ticks of the y axis; None where any round numbers will do."""
    return log_ticks(*y_range(panel)) if panel.y.log and not panel.y.ticks else panel.y.ticks


def whole_ticks(low: float, high: float) -> list[float]:
    """Whole numbers from `low` to `high`, few and evenly spaced."""
    step = next(step for step in _WHOLE_STEPS if (high - low) / step < _TOO_MANY - 1)
    return [float(tick) for tick in np.arange(np.ceil(low / step), high / step + 1e-9) * step]


def x_range(panel: Panel | IntervalPanel) -> tuple[float, float]:
    """Limits of a logarithmic x axis, lines across it included."""
    upright = [line.value for line in panel.references if line.along == "x" or isinstance(panel, IntervalPanel)]
    return panel.x.limits or log_range([*_xs(panel), *upright])


def _xs(panel: Panel | IntervalPanel) -> list[float]:
    """All places along x at which something is drawn."""
    if isinstance(panel, Panel):
        shown = [visible_points(series, panel.x.log, panel.y.log) for series in panel.series]
        return [float(x) for series in shown for x in series.x]
    rows = [(row.mean, row.low, row.high, *row.dots, *(row.box or ())) for row in panel.intervals]
    return [value for row in rows for value in row if value is not None]


def _ends(panel: Panel | IntervalPanel) -> tuple[float, float]:
    xs = _xs(panel)
    return min(xs), max(xs)


def _is_whole(panel: Panel | IntervalPanel) -> bool:
    xs = _xs(panel) if isinstance(panel, Panel) else []
    return bool(xs) and all(x == round(x) for x in xs)


def y_range(panel: Panel) -> tuple[float, float]:
    """Limits of a logarithmic y axis, bands, error bars and lines across it included."""
    if panel.y.limits:
        return panel.y.limits
    shown = [visible_points(series, panel.x.log, True) for series in panel.series]
    drawn = [values for series in shown for values in (series.mean, series.low, series.high) if values is not None]
    level = [line.value for line in panel.references if line.along == "y"]
    return log_range([*(float(value) for values in drawn for value in values), *level])
