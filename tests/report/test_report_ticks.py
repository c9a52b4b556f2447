"""Logarithmic axes: ticks that are few, round and inside."""

import math

from hypothesis import given
from hypothesis import strategies as st

from apical.report.ticks import log_range, log_ticks, tick_text


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
