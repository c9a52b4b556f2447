"""Data sets that need no files: scikit-learn's digits, and two interleaved half moons."""

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from apical.data.dataset import ArrayExamples, Dataset, digested
from apical.data.splits import split

SPLIT_SEED = 0  # the same test part for every seed of an experiment
N_TEST_DIGITS = 360
DIGITS_WHITE = 16.0
N_TRAIN_MOONS, N_TEST_MOONS = 1000, 400
MOONS_NOISE = 0.1
MOONS_LOW, MOONS_HIGH = (-1.5, -1.0), (2.5, 1.5)  # a box around both moons, whatever part a point is in


def digits() -> Dataset:
    """The 1,797 handwritten digits of 8x8 pixels that come with scikit-learn, 360 of them for the test.

    Data: E. Alpaydin, C. Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository, 1998.
    """
    from sklearn.datasets import load_digits  # takes a second to import

    pixels, labels = load_digits(return_X_y=True)
    images = np.asarray(pixels).astype(np.uint8).reshape(-1, 8, 8, 1)
    return _dataset("digits", images, np.asarray(labels, np.int32), N_TEST_DIGITS, tuple("0123456789"), DIGITS_WHITE)


def two_moons() -> Dataset:
    """Two interleaved half moons in the unit square: 2 features, 2 classes, 1,000 examples and 400 for the test."""
    from sklearn.datasets import make_moons

    points, labels = make_moons(N_TRAIN_MOONS + N_TEST_MOONS, noise=MOONS_NOISE, random_state=SPLIT_SEED)
    low, high = np.asarray(MOONS_LOW), np.asarray(MOONS_HIGH)
    inputs = ((np.asarray(points) - low) / (high - low)).astype(np.float32)
    return _dataset("two-moons", inputs, np.asarray(labels, np.int32), N_TEST_MOONS, ("upper", "lower"), 1.0)


def _dataset(
    name: str,
    inputs: UInt8[np.ndarray, "n ..."] | Float32[np.ndarray, "n ..."],
    labels: Int32[np.ndarray, " n"],
    n_test: int,
    classes: tuple[str, ...],
    scale: float,
) -> Dataset:
    train, test = split(labels, n_test / len(labels), SPLIT_SEED)
    examples = ArrayExamples(inputs, labels, scale)
    parts = examples.subset(train), examples.subset(test)
    return Dataset(name, *parts, classes, digested(*parts), epochs=40)
