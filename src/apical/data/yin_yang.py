"""The yin-yang data set (Kriener 2022): three classes on a disc, small, and out of reach of a shallow learner."""

from typing import ClassVar

import numpy as np
from jaxtyping import Array, Float, Float32, Int

from apical.data.dataset import ArrayExamples, Dataset, digested
from apical.data.generated import Generated
from apical.hyperparameters import integer, real

KRIENER = "Kriener 2022"
RADIUS = 0.5  # of the disc, whose centre is in the middle of the unit square
OUTSIDE, YIN, YANG, DOT = -1, 0, 1, 2
N_TEST = 1000


class YinYang(Generated):
    """Points of a disc and where they are: in its yin, its yang, or one of their two dots; as many of each.

    Inputs are x, y, 1 - x and 1 - y, so that cells without a bias see how far a point is from either side; a fifth is
    always 1, where asked for. The points are drawn once for all seeds of an experiment.
    """

    n_inputs: int = integer(4, "x, y, 1 - x, 1 - y, and the fifth 1", low=4, high=5, source=KRIENER)
    n_examples: int = integer(5000, "how many points there are to train on", low=3, high=10_000_000, source=KRIENER)
    dot_radius: Array = real(0.1, "radius of the dots; that of the disc is 0.5", low=0.01, high=0.2, source=KRIENER)
    points_seed: int = integer(0, "which points", low=0)
    classes: ClassVar = ("yin", "yang", "dot")

    def dataset(self) -> Dataset:
        generator = np.random.default_rng(self.points_seed)
        labels = generator.permutation((np.arange(self.n_examples + N_TEST) % len(self.classes)).astype(np.int32))
        inputs = as_inputs(drawn(generator, labels, float(self.dot_radius)), self.n_inputs)
        train = ArrayExamples(inputs[:-N_TEST], labels[:-N_TEST])
        test = ArrayExamples(inputs[-N_TEST:], labels[-N_TEST:])
        return Dataset("yin-yang", train, test, self.classes, digested(train, test), epochs=100)


def place(points: Float[np.ndarray, "n 2"], dot_radius: float) -> Int[np.ndarray, " n"]:
    """Where each point of the unit square is: yin, yang, dot, or outside the disc.

    Yin is the upper half of the disc without the half-size disc on its right, and with the one on the left; the dots
    are in the middle of both.
    """
    x, y = (points - RADIUS).T
    left, right = np.hypot(x + RADIUS / 2, y), np.hypot(x - RADIUS / 2, y)
    yin = (left <= RADIUS / 2) | ((y > 0) & (right > RADIUS / 2))
    found = np.where(yin, YIN, YANG)
    found[np.minimum(left, right) <= dot_radius] = DOT
    found[np.hypot(x, y) > RADIUS] = OUTSIDE
    return found


def as_inputs(points: Float[np.ndarray, "n 2"], n_inputs: int) -> Float32[np.ndarray, "n inputs"]:
    """Points as a network sees them."""
    seen = np.concatenate([points, 1 - points, np.ones((len(points), 1))], axis=1)
    return seen[:, :n_inputs].astype(np.float32)


def drawn(generator: np.random.Generator, labels: Int[np.ndarray, " n"], dot_radius: float) -> Float[np.ndarray, "n 2"]:
    """A point for every label, uniform over its part of the disc: those elsewhere are drawn again."""
    points, missing = np.empty((len(labels), 2)), np.arange(len(labels))
    while missing.size:
        points[missing] = generator.uniform(0, 1, (missing.size, 2))
        missing = missing[place(points[missing], dot_radius) != labels[missing]]
    return points
