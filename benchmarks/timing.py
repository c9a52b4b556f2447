"""Times two programs in turn, A B A B ..., so that a drift of the machine's speed touches both alike."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timed:
    """Seconds for one example (or one unit of work) of a program: the median of its runs, and their range."""

    median: float
    low: float
    high: float

    def shown(self) -> str:
        """In microseconds."""
        return f"{1e6 * self.median:.1f} us ({1e6 * self.low:.1f}-{1e6 * self.high:.1f})"


def in_turn(programs: dict[str, Callable[[], int]], n_runs: int) -> dict[str, Timed]:
    """Runs each program once to warm up, then all of them in turn; a program returns how many units of work it did."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for program in programs.values():
        program()
    for _ in range(n_runs):
        for name, program in programs.items():
            began = time.perf_counter()
            n_units = program()
            seconds[name].append((time.perf_counter() - began) / n_units)
    return {name: Timed(statistics.median(s), min(s), max(s)) for name, s in seconds.items()}
