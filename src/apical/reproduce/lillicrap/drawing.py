"""How measurements of many seeds are drawn and written: medians with bands, angles, rows of a table."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Array, Float

from apical.report import Axis, Panel, Series, Span
from apical.report.figure import Dash
from apical.report.theme import DEGREE
from apical.reproduce.angles import ANGLE, RIGHT_ANGLE
from apical.reproduce.lillicrap.linear_task import Measured

Points = Float[np.ndarray, " points"]
Values = Float[np.ndarray, "seeds points"] | Float[Array, "seeds points"]
Row = tuple[str, int, float, str, float]

LOW, HIGH = 10, 90
BAND = f"lines are medians, bands reach from the {LOW}th to the {HIGH}th percentile"
COLUMNS = ("way", "seed", "examples", "measure", "value")


def curve(label: str, colour: str, dash: Dash, x: Points, values: Values) -> Series:
    """One curve from the values of every seed; a single seed has no band."""
    low, middle, high = np.percentile(np.asarray(values), (LOW, 50, HIGH), axis=0)
    if len(values) == 1:
        return Series(label, colour, x, middle, dash=dash)
    return Series(label, colour, x, middle, low, high, dash)


def panel(title: str, y: Axis, series: Sequence[Series], spans: tuple[Span, ...] = ()) -> Panel:
    """A panel over the examples learnt from."""
    return Panel(title, Axis("examples learnt from"), y, tuple(series), spans=spans)


def angles(title: str, series: Sequence[Series], spans: tuple[Span, ...] = ()) -> Panel:
    """A panel of angles over the examples learnt from, up to a little more than 90 degrees."""
    return Panel(title, Axis("examples learnt from"), ANGLE, tuple(series), (RIGHT_ANGLE,), spans)


def median(values: Values, point: int = -1) -> float:
    """The median over seeds at one point, the last one unless said."""
    return float(np.median(np.asarray(values)[:, point]))


def degrees(values: Values, point: int = -1) -> str:
    """The median angle at one point, as text."""
    return f"{median(values, point):.0f}{DEGREE}"


def rows(names: Sequence[str], measured: Measured, examples: Points) -> list[Row]:
    """Every measurement (ways, seeds, points) as a row."""
    return [
        (name, seed, float(n), measure, float(value))
        for measure, values in vars(measured).items()
        for name, of_way in zip(names, np.asarray(values), strict=True)
        for seed, of_seed in enumerate(of_way)
        for n, value in zip(examples, of_seed, strict=True)
    ]
