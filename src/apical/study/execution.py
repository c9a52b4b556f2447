"""Who runs trials: this process, or others; the coordinator only submits points and waits for outcomes."""

import abc
from collections.abc import Callable
from types import TracebackType

from apical.study.evaluation import Evaluator, Outcome
from apical.study.space import Point

Result = tuple[int, Outcome | None]


class Executor(abc.ABC):
    """Runs trials by their number. A result without an outcome says that whoever ran the trial is gone."""

    capacity: int

    @abc.abstractmethod
    def submit(self, number: int, point: Point) -> None:
        """Starts a trial; no more than `capacity` may be under way."""

    @abc.abstractmethod
    def wait(self, seconds: float) -> list[Result]:
        """What ended; waits for something for so many seconds."""

    def __enter__(self) -> "Executor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abc.abstractmethod
    def close(self) -> None:
        """Ends whatever still runs."""


class InProcess(Executor):
    """One trial after another in this process."""

    capacity = 1

    def __init__(self, evaluator: Evaluator, stop: Callable[[], bool]) -> None:
        self.evaluator, self.stop = evaluator, stop
        self._next: list[tuple[int, Point]] = []

    def submit(self, number: int, point: Point) -> None:
        self._next.append((number, point))

    def wait(self, seconds: float) -> list[Result]:
        number, point = self._next.pop()
        return [(number, self.evaluator(point, self.stop))]

    def close(self) -> None:
        pass
