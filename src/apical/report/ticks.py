"""Ranges and ticks of logarithmic axes, the same on the page and in print."""

from collections.abc import Iterable

import numpy as np

from apical.report.figure import Panel, visible_points

_SUPERSCRIPTS = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
_MANTISSAS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
_STEPS = np.array([mantissa * 10.0**power for power in range(6) for mantissa in (1.0, 2.0, 2.5, 5.0)])
_ENOUGH, _TOO_MANY = 3, 7


def log_range(values: Iterable[float]) -> tuple[float, float]:
    """Limits around positive values with some room; a factor of 1.5 on both sides where there is one value only."""
    positive = np.array([value for value in values if value > 0])
    if positive.size == 0:
        return 0.1, 10.0
    low, high = float(positive.min()), float(positive.max())
    room = max((high / low) ** 0.06, 1.0)
    return (low / 1.5, high * 1.5) if high < 1.2 * low else (low / room, high * room)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between `low` and `high`: powers of ten where there are enough, else steps between them."""
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
            return f"{value / size:g}{unit}"
    if 1e-3 <= value < 1e3:
        return f"{value:g}"
    power = int(np.floor(np.log10(value) + 1e-9))
    mantissa = f"{value / 10.0**power:.3g}"
    prefix = "" if mantissa == "1" else f"{mantissa}\u00d7"
    return f"{prefix}10{str(power).translate(_SUPERSCRIPTS)}"


def x_range(panel: Panel) -> tuple[float, float]:
    """Limits of a logarithmic x axis."""
    shown = [visible_points(series, True, panel.y.log) for series in panel.series]
    return panel.x.limits or log_range(float(x) for series in shown for x in series.x)


def y_range(panel: Panel) -> tuple[float, float]:
    """Limits of a logarithmic y axis, bands and error bars included."""
    if panel.y.limits:
        return panel.y.limits
    shown = [visible_points(series, panel.x.log, True) for series in panel.series]
    drawn = [values for series in shown for values in (series.mean, series.low, series.high) if values is not None]
    return log_range(float(value) for values in drawn for value in values)
