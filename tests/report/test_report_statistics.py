"""Means, intervals and paired differences against scipy's own tests and against numbers worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from apical.report.statistics import excludes_zero, paired_difference, summarise


def test_hand_numbers() -> None:
    """Of 1, 2, 3: mean 2, standard deviation 1, half width t(2) / sqrt(3) with t(2) = 4.30265."""
    summary = summarise([1.0, 2.0, 3.0])
    assert summary is not None and summary.n == 3
    assert (summary.mean, summary.sd) == (2.0, 1.0)
    assert summary.high == pytest.approx(2 + 4.302653 / math.sqrt(3), abs=1e-6)
    assert summary.low == pytest.approx(2 - 4.302653 / math.sqrt(3), abs=1e-6)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_interval_is_that_of_the_t_test(values: list[float], level: float) -> None:
    summary = summarise(values, level)
    assert summary is not None
    if np.ptp(values) < 1e-6:  # scipy has no interval where nothing varies
        return
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(level)
    assert (summary.low, summary.high) == pytest.approx((expected.low, expected.high), rel=1e-6, abs=1e-9)


def test_paired_difference_is_that_of_the_paired_t_test() -> None:
    generator = np.random.default_rng(3)
    ours, theirs = generator.normal(0.9, 0.01, 6), generator.normal(0.92, 0.05, 6)
    difference = paired_difference(dict(enumerate(ours.tolist())), dict(enumerate(theirs.tolist())))
    expected = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    assert difference is not None
    assert (difference.low, difference.high) == pytest.approx((expected.low, expected.high))


def test_pairs_are_made_by_seed_not_by_place() -> None:
    """Seeds 1 and 2 are shared: differences 0.1 and 0.3. By place they would be 0.7, -0.2 and so on."""
    difference = paired_difference({0: 9.0, 1: 0.6, 2: 0.9}, {2: 0.6, 1: 0.5, 7: 0.1})
    assert difference is not None
    assert (difference.n, difference.mean) == (2, pytest.approx(0.2))


def test_what_is_missing_or_not_finite_makes_no_pair() -> None:
    difference = paired_difference({0: 1.0, 1: math.nan, 2: None}, {0: 0.5, 1: 0.5, 2: 0.5})
    assert difference is not None and (difference.n, difference.mean, difference.low) == (1, 0.5, None)
    assert paired_difference({0: 1.0}, {1: 1.0}) is None


def test_one_value_has_no_interval_and_none_no_summary() -> None:
    single = summarise([math.nan, 0.4, None])
    assert single is not None and (single.n, single.mean, single.sd, single.low, single.high) == (
        1,
        0.4,
        None,
        None,
        None,
    )
    assert summarise([None, math.nan, math.inf]) is None


def test_clear_differences_leave_zero_out() -> None:
    assert excludes_zero(summarise([1.0, 1.1, 0.9]))
    assert excludes_zero(summarise([-1.0, -1.1, -0.9]))
    assert not excludes_zero(summarise([1.0, -1.0, 0.1]))
    assert not excludes_zero(summarise([1.0]))
    assert not excludes_zero(None)
