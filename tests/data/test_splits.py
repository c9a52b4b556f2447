"""Splits are disjoint, covering, stratified, shuffled and repeatable."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apical.data.splits import folds, split
from apical.errors import InputError

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def label_arrays(draw: st.DrawFn) -> np.ndarray:
    """Labels of 2 to 5 classes of 10 to 60 examples each, in any order."""
    sizes = draw(st.lists(st.integers(10, 60), min_size=2, max_size=5))
    labels = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    return np.random.default_rng(draw(st.integers(0, 99))).permutation(labels)


@settings(max_examples=40, deadline=None)
@given(label_arrays(), st.floats(0.1, 0.9), SEEDS)
def test_split_covers_and_is_stratified(labels: np.ndarray, share: float, seed: int):
    train, validation = split(labels, share, seed)
    assert sorted([*train, *validation]) == list(range(len(labels)))
    assert train.dtype == validation.dtype == np.int32
    assert len(validation) == round(share * len(labels))
    for label in np.unique(labels):
        expected = len(validation) / len(labels) * np.sum(labels == label)
        assert abs(np.sum(labels[validation] == label) - expected) <= 1


@settings(max_examples=20, deadline=None)
@given(label_arrays(), SEEDS)
def test_split_depends_on_the_seed_alone(labels: np.ndarray, seed: int):
    first, again, other = split(labels, 0.2, seed), split(labels, 0.2, seed), split(labels, 0.2, (seed + 1) % 2**32)
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_the_first_of_the_training_part_are_a_fair_sample(share: float):
    """Labels come sorted: without a shuffle the first hundred would be of one class."""
    labels = np.repeat(np.arange(10, dtype=np.int32), 200)
    train, _ = split(labels, share, 3)
    assert np.bincount(labels[train[:400]], minlength=10).min() > 20


def test_no_validation_part():
    train, validation = split(np.zeros(7, np.int32), 0.0, 0)
    assert sorted(train) == list(range(7)) and len(validation) == 0


@settings(max_examples=20, deadline=None)
@given(label_arrays(), st.integers(2, 5), SEEDS)
def test_folds_validate_every_example_once(labels: np.ndarray, n_folds: int, seed: int):
    parts = folds(labels, n_folds, seed)
    assert sorted(np.concatenate([validation for _, validation in parts])) == list(range(len(labels)))
    for train, validation in parts:
        assert sorted([*train, *validation]) == list(range(len(labels)))
        assert train.dtype == validation.dtype == np.int32
    counts = [np.bincount(labels[validation], minlength=labels.max() + 1) for _, validation in parts]
    assert np.ptp(counts, axis=0).max() <= 1
    again = folds(labels, n_folds, seed)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(parts, again, strict=True))


def test_folds_are_shuffled():
    labels = np.repeat(np.arange(10, dtype=np.int32), 100)
    train, _ = folds(labels, 5, 0)[0]
    assert len(np.unique(labels[train[:80]])) == 10


@pytest.mark.parametrize(
    ("share", "seed", "message"),
    [
        (1.0, 0, "validation share is 1.0"),
        (-0.1, 0, "validation share is -0.1"),
        (float("nan"), 0, "validation share is nan"),
        (0.01, 0, "leaves no room for all 3 classes"),
        (0.99, 0, "leaves no room for all 3 classes"),
        (0.2, -1, "the seed is -1"),
        (0.2, 2**32, "the seed is"),
    ],
)
def test_bad_splits(share: float, seed: int, message: str):
    with pytest.raises(InputError, match=message):
        split(np.repeat(np.arange(3, dtype=np.int32), 10), share, seed)


def test_a_class_of_one_example():
    with pytest.raises(InputError, match="leaves no room"):
        split(np.asarray([0] * 30 + [1], np.int32), 0.5, 0)


@pytest.mark.parametrize("n_folds", [0, 1, 4])
def test_folds_that_do_not_fit(n_folds: int):
    with pytest.raises(InputError, match="choose from 2 to 3"):
        folds(np.asarray([0] * 9 + [1] * 3, np.int32), n_folds, 0)
