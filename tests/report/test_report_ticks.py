"""Axes: ticks that are few, round and inside, and whole where the numbers are."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apical.report import Axis, Figure, Interval, IntervalPanel, Panel, Reference, Series
from apical.report.interactive import plot
from apical.report.static import _draw_panels
from apical.report.ticks import log_range, log_ticks, tick_text, x_range, x_ticks, y_range


@given(st.floats(1e-8, 1e12), st.floats(1.0, 1e9))
def test_ticks_are_few_and_inside(low: float, ratio: float) -> None:
    limits = log_range([low, low * ratio])
    assert limits[0] < low <= low * ratio < limits[1] or math.isclose(ratio, 1.0)
    ticks = log_ticks(*limits)
    assert 2 <= len(ticks) <= 7
    assert ticks == sorted(set(ticks)) and limits[0] * 0.999 <= ticks[0] and ticks[-1] <= limits[1] * 1.001
    assert len({tick_text(tick) for tick in ticks}) == len(ticks)


def test_ticks_are_round() -> None:
    assert log_ticks(0.5, 2000.0) == [1.0, 10.0, 100.0, 1000.0]
    assert log_ticks(0.9, 60.0) == [1, 3, 10, 30]
    assert log_ticks(4.0, 60.0) == [5, 10, 20, 50]
    assert log_ticks(186e3, 245e3) == [200e3, 220e3, 240e3]


def test_what_is_not_positive_does_not_count() -> None:
    assert log_range([0.0, -3.0]) == (0.1, 10.0)
    assert log_range([-1.0, 2.0]) == (2 / 1.5, 3.0)


def test_texts() -> None:
    assert [tick_text(value) for value in (0.05, 1.0, 20.0, 5e4, 3e6, 2e9)] == ["0.05", "1", "20", "50k", "3M", "2G"]
    assert [tick_text(value) for value in (1e-4, 5e-6)] == ["10\u207b\u2074", "5\u00d710\u207b\u2076"]


def panel(x: list[float], axis: Axis, *references: Reference) -> Panel:
    y = np.array(x, float)
    return Panel("Title", axis, Axis("y", log=True), (Series("One", "#0072b2", y, 10 + y),), references)


def test_whole_numbers_have_whole_ticks() -> None:
    assert x_ticks(panel([1, 2], Axis("epochs", log=True))) == [1, 2]
    assert x_ticks(panel([1, 2, 5], Axis("epochs", log=True))) == [1, 2, 5]
    assert x_ticks(panel([0, 1, 2], Axis("epoch"))) == [0, 1, 2]
    assert x_ticks(panel([2, 3, 4], Axis("layers"))) == [2, 3, 4]
    assert x_ticks(panel([0, 25, 100], Axis("epoch"))) == [0, 20, 40, 60, 80, 100]
    assert x_ticks(panel([0, 13], Axis("epoch", limits=(0.0, 12.0)))) == [0, 5, 10]
    assert x_ticks(panel([0, 0.5], Axis("thousands"))) is None
    assert x_ticks(panel([1, 1.5, 2], Axis("ms", log=True))) == [1, 1.5, 2]


def test_ticks_that_are_given_are_kept() -> None:
    assert x_ticks(panel([64, 256, 1024], Axis("units", log=True, ticks=(64.0, 256.0)))) == (64.0, 256.0)
    assert [tick_text(value) for value in (1024.0, 1500.0, 20_480.0)] == ["1024", "1.5k", "20480"]


def test_lines_across_lie_inside() -> None:
    drawn = panel([1, 2], Axis("ms", log=True), Reference(5.0, along="x"), Reference(2.0))
    assert x_range(drawn)[1] > 5 and y_range(drawn)[0] < 2


def test_rows_may_have_a_logarithmic_axis() -> None:
    rows = (Interval("One", "#0072b2", 0.1, 0.01, 1.0, (0.001,)),)
    drawn = IntervalPanel("Rows", Axis("error", log=True), rows, (Reference(10.0),))
    low, high = x_range(drawn)
    assert low < 0.001 and high > 10 and x_ticks(drawn) == log_ticks(low, high)
    layout = plot(drawn)["layout"]["xaxis"]
    assert layout["type"] == "log" and layout["range"][0] < -3
    (axes,) = _draw_panels(Figure("rows", "Rows", "Rows.", (drawn,), 1)).axes
    assert axes.get_xscale() == "log" and axes.get_xlim() == (low, high)
