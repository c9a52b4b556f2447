"""Runs a study from where it stands to its end: ask, submit, wait, tell."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from apical.data.dataset import Dataset
from apical.errors import InputError
from apical.study.evaluation import Evaluator, Outcome
from apical.study.execution import Executor, InProcess, Result
from apical.study.journal import Heartbeat, Journal
from apical.study.plan import Plan
from apical.study.proposers import Proposer, Uniform
from apical.study.record import check_folder, write_study
from apical.study.storage import GRACE_S, open_storage, own_url
from apical.training.interrupt import Interrupt
from apical.training.progress import Progress

POLL_S = 1.0
LOCK = ".lock"
MakeExecutor = Callable[[Evaluator, Callable[[], bool]], Executor]


def prepare(plan: Plan, dataset: Dataset, out: Path) -> Evaluator:
    """What judges the points of a study that can be run.

    **Raises** `InputError` when it cannot: nothing has been written then.
    """
    evaluator = Evaluator(plan, dataset)
    evaluator.rule({})  # without any point: what the user fixed must fit by itself
    check_folder(out, plan)
    return evaluator


def run_study(
    evaluator: Evaluator,
    out: Path,
    storage: str | None,
    environment: dict[str, Any],
    interrupt: Interrupt,
    progress: Progress,
    make: MakeExecutor = InProcess,
) -> dict[str, Any]:
    """Runs what is left of a study, and gives back what study.json holds in the end.

    `storage` is a URL that other coordinators of the study share, which is known there by the name of `out`; none: a
    file in `out`, which this process has for itself.

    **Raises** `InputError` when storage or executor cannot be had, or the storage holds another study of that name.
    """
    shared = open_storage(storage) if storage else None
    with make(evaluator, lambda: interrupt.requested) as executor, contextlib.ExitStack() as stack:
        if shared is None:
            stack.enter_context(alone(out))
        kept = shared or open_storage(own_url(out), shared=False)
        space, proposer = evaluator.space, _proposer(evaluator)
        journal = Journal(kept, out.resolve().name, evaluator.plan, space, evaluator.is_valid, proposer, bool(storage))
        coordinator = Coordinator(journal, executor, evaluator.chance, shared is not None)
        write = lambda: write_study(out, evaluator, journal, environment)  # noqa: E731
        if shared is not None:
            stack.enter_context(Heartbeat(journal))
        coordinator.run(interrupt, progress, write)
        return write()


class Coordinator:
    """Keeps an executor busy with a journal's trials. Several may share a journal."""

    def __init__(self, journal: Journal, executor: Executor, chance: float, shared: bool) -> None:
        self.journal, self.executor, self.chance, self.shared = journal, executor, chance, shared
        self._looked = float("-inf")

    def run(self, interrupt: Interrupt, progress: Progress, write: Callable[[], Any]) -> None:
        """Goes on until as many trials are judged as are wanted, by this coordinator and others."""
        self._reclaim()
        write()
        progress.done = self.journal.n_done
        while not interrupt.requested and self.journal.n_done < self.journal.plan.trials:
            self._fill(interrupt)
            for number, outcome in self._results():
                self._settle(number, outcome, interrupt)
                write()
                if outcome is not None:
                    progress.advance(self._line(outcome))
            self._reclaim()
        for number in list(self.journal.running):
            self.journal.give_back(number)

    def _reclaim(self) -> None:
        """Looks after trials whose process died: alone once, at first; else every now and then."""
        if self._looked == float("-inf") or (self.shared and time.monotonic() - self._looked > GRACE_S / 2):
            self.journal.reclaim(alone=not self.shared)
            self._looked = time.monotonic()

    def _fill(self, interrupt: Interrupt) -> None:
        while len(self.journal.running) < self.executor.capacity and not interrupt.requested:
            asked = self.journal.ask()
            if asked is None:
                return
            self.executor.submit(*asked)

    def _results(self) -> list[Result]:
        if self.journal.running:
            return self.executor.wait(POLL_S)
        time.sleep(POLL_S)  # what is left is run by others
        return []

    def _settle(self, number: int, outcome: Outcome | None, interrupt: Interrupt) -> None:
        if outcome is not None:
            self.journal.tell(number, outcome)
        elif interrupt.requested:
            self.journal.give_back(number)
        else:
            self.journal.lose(number, self.chance)

    def _line(self, outcome: Outcome) -> str:
        best = max(record.outcome.value for record in self.journal.records())
        plan = self.journal.plan
        return f"{plan.request.rule}  {plan.space}  accuracy {outcome.value:.3f}  best {best:.3f}"


def _proposer(evaluator: Evaluator) -> Proposer | None:
    """What proposes points; none where a sampler of Optuna does."""
    plan = evaluator.plan
    if plan.sampler.startswith("gp-"):
        from apical.study.gaussian_process import GaussianProcess

        return GaussianProcess(evaluator.space, evaluator.is_valid, plan.sampler, plan.kernel, plan.kappa)
    return Uniform(evaluator.space, evaluator.is_valid) if plan.sampler == "random" else None


@contextlib.contextmanager
def alone(out: Path) -> Iterator[None]:
    """A study's folder for this process alone, as long as it lives.

    **Raises** `InputError` when another process has it.
    """
    import fcntl

    out.mkdir(parents=True, exist_ok=True)
    with open(out / LOCK, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(
                f"another process works on {out}: wait for it, or share a --storage between coordinators"
            ) from None
        yield
