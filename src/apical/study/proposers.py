"""Where to look next: what proposes points that Optuna's own samplers do not."""

import abc
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from apical.errors import InputError
from apical.study.space import Point, Space

MOST_TRIES = 20_000


class History(NamedTuple):
    """What is known when a point is proposed: points judged with their values, and points being judged."""

    points: list[Point]
    values: list[float]
    running: list[Point]


class Proposal(NamedTuple):
    """A valid point, and how many proposed ones were not valid."""

    point: Point
    n_invalid: int


class Proposer(abc.ABC):
    """Proposes valid points of a space. It has no memory: all it knows is the history and the generator it is given."""

    def __init__(self, space: Space, is_valid: Callable[[Point], bool]) -> None:
        self.space, self.is_valid = space, is_valid

    @abc.abstractmethod
    def propose(self, history: History, generator: np.random.Generator) -> Proposal:
        """The next point to judge."""

    def first_valid(self, rows: Iterator[Float[np.ndarray, " dimensions"]]) -> Proposal:
        """The first of some rows that is a valid point.

        **Raises** `InputError` when none of many is.
        """
        for n_invalid, row in enumerate(rows):
            point = self.space.point(row)
            if self.is_valid(point):
                return Proposal(point, n_invalid)
            if n_invalid >= MOST_TRIES:
                break
        raise InputError("no valid point was found in the space: fix something with --set, or choose another")


class Uniform(Proposer):
    """Points drawn evenly; invalid ones are drawn again."""

    def propose(self, history: History, generator: np.random.Generator) -> Proposal:
        return self.first_valid(evenly(self.space, generator))


def evenly(space: Space, generator: np.random.Generator) -> Iterator[Float[np.ndarray, " dimensions"]]:
    """Rows drawn evenly, one after another, without end."""
    while True:
        yield space.uniform(generator, 1)[0]
