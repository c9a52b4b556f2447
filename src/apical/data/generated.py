"""Data sets that follow from a formula, each a declaration of its options: bars, teacher, self-prediction."""

import abc
import itertools
from typing import ClassVar

import numpy as np
from jaxtyping import Array, Float32

from apical.data.dataset import ArrayExamples, Dataset, digested
from apical.hyperparameters import Declared, choice, integer, integers, real, stretch, switch

N_TEST = 2000
HAIDER, GILLE, SACRAMENTO = "Haider 2021", "Gille 2023", "Sacramento 2018"


class Generated(Declared):
    """A data set that follows from its options alone."""

    @abc.abstractmethod
    def dataset(self) -> Dataset:
        """The data set of these options."""


class Bars(Generated):
    """The eight bars of a 3x3 image: rows, columns and diagonals. Each is trained on and tested, so none is left out.

    A bar is 1, the rest `low`. An epoch shows bar after bar, `presentations` in all.
    """

    low: Array = real(0.0, "input outside the bar", low=-1, high=1, source=HAIDER)
    presentations: int = integer(8, "how many bars an epoch shows, each in turn", low=8, source=HAIDER)
    classes: ClassVar = ("row", "column", "diagonal")

    def dataset(self) -> Dataset:
        lit = np.stack(self.patterns())
        images = np.where(lit, np.float32(1), np.float32(self.low))[..., None]
        bars = ArrayExamples(images, np.array([0, 0, 0, 1, 1, 1, 2, 2], np.int32))
        train = bars.subset(np.arange(self.presentations) % len(bars))
        return Dataset("bars", train, bars, self.classes, digested(train, bars), epochs=200, exhaustive=True)

    @staticmethod
    def patterns() -> list[np.ndarray]:
        """Where each bar is: three rows, three columns, two diagonals."""
        rows = [np.eye(3, dtype=bool)[[i]].T.repeat(3, axis=1) for i in range(3)]
        diagonal = np.eye(3, dtype=bool)
        return [*rows, *(row.T for row in rows), diagonal, diagonal[::-1]]


class Teacher(Generated):
    """What a random network answers to random inputs, to be learnt by a student that sees inputs and answers alone.

    h_0 = x, uniform in [-1, 1]; h_l = f(W_l h_{l-1}) with W_l uniform in [-s_l, s_l]; the answers are W_N h_{N-1}, or f
    of it where `teacher_output` is a rate. The teacher is drawn once for all seeds of an experiment.
    """

    n_inputs: int = integer(15, "how many inputs", low=1, high=10_000, source=GILLE)
    n_outputs: int = integer(5, "how many values are asked for", low=1, high=10_000, source=GILLE)
    n_examples: int = integer(10_000, "how many examples there are to train on", low=2, high=10_000_000)
    teacher_hidden: tuple[int, ...] = integers((15,), "units of the teacher's hidden layers", low=1, source=GILLE)
    teacher_range: Array = real(
        1.0, "size s of the teacher's weights", low=0, open_low=True, per_layer=True, source=GILLE
    )
    teacher_transfer: str = choice("soft-relu", ("soft-relu", "tanh", "identity"), "the teacher's transfer function f")
    teacher_output: str = choice("potential", ("potential", "rate"), "whether f acts on the answers, too")
    teacher_gamma: Array = real(0.8, "slope of soft-relu: gamma log(1 + exp(beta (u - theta)))", low=0, source=GILLE)
    teacher_beta: Array = real(1.0, "steepness of soft-relu", low=0, open_low=True, source=GILLE)
    teacher_theta: Array = real(0.0, "threshold of soft-relu", source=GILLE)
    teacher_seed: int = integer(0, "which teacher", low=0)
    paired: bool = switch(False, "an input is two cells that cannot be negative: what is above 0, and what is below")

    def dataset(self) -> Dataset:
        generator = np.random.default_rng(self.teacher_seed)
        weights = self.weights(generator)
        x = generator.uniform(-1, 1, (self.n_examples + N_TEST, self.n_inputs)).astype(np.float32)
        seen = np.maximum(np.concatenate([x, -x], axis=1), 0) if self.paired else x
        return _regression("teacher", seen, self.answer(weights, x))

    def weights(self, generator: np.random.Generator) -> list[np.ndarray]:
        """The teacher's weights, the first that a generator of `teacher_seed` draws."""
        sizes = (self.n_inputs, *self.teacher_hidden, self.n_outputs)
        shapes = zip(self.ranges(), itertools.pairwise(sizes), strict=True)
        return [s * generator.uniform(-1, 1, (above, below)) for s, (below, above) in shapes]

    def ranges(self) -> np.ndarray:
        """The size of the weights of each layer."""
        return np.asarray(stretch(self.teacher_range, len(self.teacher_hidden) + 1), float)

    def answer(self, weights: list[np.ndarray], x: Float32[np.ndarray, "n inputs"]) -> Float32[np.ndarray, "n outputs"]:
        """The teacher's answers."""
        h = x.astype(float)
        for w in weights[:-1]:
            h = self.transfer(h @ w.T)
        drive = h @ weights[-1].T
        return (self.transfer(drive) if self.teacher_output == "rate" else drive).astype(np.float32)

    def transfer(self, u: np.ndarray) -> np.ndarray:
        """f."""
        if self.teacher_transfer == "soft-relu":
            beta, gamma, theta = (float(v) for v in (self.teacher_beta, self.teacher_gamma, self.teacher_theta))
            return gamma * np.logaddexp(0, beta * (u - theta))
        return np.tanh(u) if self.teacher_transfer == "tanh" else u


class SelfPrediction(Generated):
    """Random inputs, uniform in [0, 1], and the value 0 for every output: nothing to learn but what one does oneself.

    Whether the target pulls on the output at all is a matter of the rule.
    """

    n_inputs: int = integer(5, "how many inputs", low=1, high=10_000, source=GILLE)
    n_outputs: int = integer(3, "how many outputs", low=1, high=10_000, source=GILLE)
    n_examples: int = integer(1000, "how many examples there are to train on", low=2, high=10_000_000)

    def dataset(self) -> Dataset:
        n = self.n_examples + N_TEST
        x = np.random.default_rng(0).uniform(0, 1, (n, self.n_inputs)).astype(np.float32)
        return _regression("self-prediction", x, np.zeros((n, self.n_outputs), np.float32))


def _regression(name: str, x: Float32[np.ndarray, "n inputs"], y: Float32[np.ndarray, "n outputs"]) -> Dataset:
    train, test = ArrayExamples(x[:-N_TEST], y[:-N_TEST]), ArrayExamples(x[-N_TEST:], y[-N_TEST:])
    return Dataset(name, train, test, (), digested(train, test), epochs=40)
