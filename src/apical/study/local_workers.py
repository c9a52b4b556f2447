"""Trials in processes of this machine, each pinned to one thread, replaced when it dies."""

import contextlib
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, cast

from apical.study.evaluation import Outcome
from apical.study.execution import Executor, Result
from apical.study.plan import Plan
from apical.study.space import Point

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"


class LocalWorkers(Executor):
    """So many processes, which speak JSON lines. A trial whose process dies is reported as lost."""

    def __init__(self, n: int, plan: Plan, environment: dict[str, str]) -> None:
        self.capacity, self.plan = n, plan
        flags = f"{os.environ.get('XLA_FLAGS', '')} {XLA_ONE_THREAD}".strip()
        self.environment = {**os.environ, **environment, **ONE_THREAD, "XLA_FLAGS": flags}
        self.selector = selectors.DefaultSelector()
        self.workers: dict[int, subprocess.Popen[str]] = {}
        self.busy: dict[int, int] = {}  # place of a worker -> number of its trial

    def submit(self, number: int, point: Point) -> None:
        place = next(i for i in range(self.capacity) if i not in self.busy)
        self.busy[place] = number
        if place not in self.workers:
            self._start(place)
        self._say(place, point)

    def _start(self, place: int) -> None:
        command = [sys.executable, "-m", "apical.study.worker"]
        with pinned(place):
            worker = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.environment,
                start_new_session=True,  # Ctrl-C is for the coordinator
            )  # fmt: skip
        self.workers[place] = worker
        self.selector.register(cast(IO[str], worker.stdout), selectors.EVENT_READ, place)
        self._say(place, self.plan.as_json())

    def _say(self, place: int, words: object) -> None:
        stream = cast(IO[str], self.workers[place].stdin)
        with contextlib.suppress(BrokenPipeError):  # it is dead, which `wait` will see
            stream.write(json.dumps(words) + "\n")
            stream.flush()

    def wait(self, seconds: float) -> list[Result]:
        found = []
        for key, _ in self.selector.select(seconds):
            line = cast(IO[str], key.fileobj).readline()
            number = self.busy.pop(key.data, None)
            outcome = _read(line) if line.endswith("\n") else None
            if outcome is None:
                self._end(key.data)
            if number is not None:
                found.append((number, outcome))
        return found

    def _end(self, place: int) -> None:
        worker = self.workers.pop(place)
        self.selector.unregister(cast(IO[str], worker.stdout))
        worker.kill()
        worker.wait()
        for stream in (worker.stdin, worker.stdout):
            with contextlib.suppress(BrokenPipeError):
                cast(IO[str], stream).close()

    def close(self) -> None:
        for place in list(self.workers):
            self._end(place)
        self.selector.close()


@contextlib.contextmanager
def pinned(place: int) -> Iterator[None]:
    """While entered, new processes inherit one processor, by turns; where the system has no such thing, all of them."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[place % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _read(line: str) -> Outcome:
    told = json.loads(line)
    return Outcome(**{**told, "fold_values": tuple(told["fold_values"])})
