"""The trials of a study in Optuna's storage: asked for, told, given back when whoever ran them died."""

import dataclasses
import datetime
import json
import secrets
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState

from apical.errors import InputError
from apical.study.dimension import Dimension
from apical.study.evaluation import LOST, Outcome
from apical.study.plan import Plan
from apical.study.proposers import History, Proposer
from apical.study.space import Point, Space
from apical.study.storage import GRACE_S, HEARTBEAT_S

MOST_ATTEMPTS = 10
SLOT, ATTEMPT, POINT, N_INVALID, OUTCOME, WHY = "slot", "attempt", "point", "invalid", "outcome", "why"
UNUSABLE, SURPLUS = "not valid", "one too many"
LIVE = (TrialState.WAITING, TrialState.RUNNING, TrialState.COMPLETE)


@dataclasses.dataclass(frozen=True)
class Record:
    """A judged trial: its place, its point, how it ended, and how many points before it were not valid."""

    trial: int
    point: Point
    outcome: Outcome
    n_invalid: int
    attempts: int
    began: str


class Journal:
    """A study's trials. `slot` is a trial's place: one that is run again keeps it.

    A trial that cannot count (its process died, its point was not valid, it is one too many) is marked as failed; the
    others are in the end exactly as many as the plan wants, however many coordinators share the storage. `shared`
    coordinators draw points of their own; alone, the plan's seed decides.

    **Raises** `InputError` when the storage holds another study of that name.
    """

    def __init__(
        self,
        storage: BaseStorage,
        name: str,
        plan: Plan,
        space: Space,
        is_valid: Callable[[Point], bool],
        proposer: Proposer | None,
        shared: bool = False,
    ) -> None:
        self.storage, self.plan, self.space, self.is_valid, self.proposer = storage, plan, space, is_valid, proposer
        self.study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
        self.study.sampler = optuna.samplers.RandomSampler()
        # coordinators that look at the same moment must not draw the same point
        self.own = (secrets.randbits(32),) if shared else ()
        self.running: dict[int, int] = {}  # number -> id in the storage, of what this process runs
        there = self.study.user_attrs.get("plan")
        if there is None:
            self.study.set_user_attr("plan", plan.as_json())
        elif _plain(there) != _plain(plan.as_json()):
            raise InputError(f"the storage holds another study named {name}: choose another --out")

    def live(self) -> list[FrozenTrial]:
        """The trials that count, by their place, one for each."""
        found = self.study.get_trials(deepcopy=False, states=LIVE)
        places: dict[int, FrozenTrial] = {}
        for trial in sorted(found, key=lambda trial: (_slot(trial), trial.number)):
            places.setdefault(_slot(trial), trial)
        return list(places.values())

    @property
    def n_done(self) -> int:
        """How many trials have been judged."""
        return sum(trial.state is TrialState.COMPLETE for trial in self.live())

    def ask(self) -> tuple[int, Point] | None:
        """The next trial to run, as its number and its point; none where enough are done or being done."""
        while self._is_wanted():
            trial = self.study.ask()
            point = self._suggested(trial)
            if self.proposer is None and not self.is_valid(point):
                self._fail(trial.number, trial._trial_id, UNUSABLE)
            elif trial.number not in [t.number for t in self.live()[: self.plan.trials]]:
                self._fail(trial.number, trial._trial_id, SURPLUS)
            else:
                trial.set_user_attr(POINT, point)
                self.running[trial.number] = trial._trial_id
                return trial.number, point
        return None

    def _is_wanted(self) -> bool:
        """Whether there is a trial to run; a proposer puts its point into the queue first."""
        live = self.live()
        if any(trial.state is TrialState.WAITING for trial in live[: self.plan.trials]):
            return True
        if len(live) >= self.plan.trials:
            return False
        n_drawn = len(live) if self.proposer else len(self.study.get_trials(deepcopy=False))
        generator = np.random.default_rng([self.plan.request.seed, n_drawn, *self.own])
        if self.proposer is None:
            self.study.sampler = _optuna_sampler(self.plan, generator)
        else:
            point, n_invalid = self.proposer.propose(self.history(live), generator)
            self.study.enqueue_trial(point, user_attrs={N_INVALID: n_invalid, POINT: point})
        return True

    def history(self, live: list[FrozenTrial]) -> History:
        """What is known from the trials that count."""
        done = [trial for trial in live if trial.state is TrialState.COMPLETE]
        others = [_point(trial) for trial in live if trial.state is not TrialState.COMPLETE]
        return History([_point(t) for t in done], [float(t.value or 0.0) for t in done], [p for p in others if p])

    def _suggested(self, trial: optuna.Trial) -> Point:
        """The point Optuna has for a trial, dimension by dimension; those that are not there are not asked for."""
        point: Point = {}
        for d in self.space.dimensions:
            if not d.when or any(c.parent in point and c.holds(point[c.parent]) for c in d.when):
                point[d.name] = _suggest(trial, d)
        return point

    def tell(self, number: int, outcome: Outcome) -> None:
        """Writes down how a trial ended; nothing where it has been given to somebody else meanwhile."""
        trial_id = self.running.pop(number)
        state = self.storage.get_trial(trial_id).state
        if state is TrialState.RUNNING:
            self.storage.set_trial_user_attr(trial_id, OUTCOME, outcome.as_json())
            self.study.tell(number, outcome.value, skip_if_finished=True)

    def lose(self, number: int, chance: float) -> None:
        """The worker of a trial died: it is run again, unless that has happened too often."""
        trial_id = self.running[number]
        attempt = self.storage.get_trial(trial_id).user_attrs.get(ATTEMPT, 1)
        if attempt < MOST_ATTEMPTS:
            self.give_back(number, attempt + 1)
        else:
            values = (chance,) * self.plan.folds
            self.tell(number, Outcome(values, 0.0, LOST, f"its worker died {attempt} times; counts as chance"))

    def give_back(self, number: int, attempt: int | None = None) -> None:
        """A trial of this process is to be run again, by whoever asks next."""
        trial_id = self.running.pop(number)
        if attempt is not None:
            self.storage.set_trial_user_attr(trial_id, ATTEMPT, attempt)
        self._fail(number, trial_id, "")
        self.restore()

    def reclaim(self, alone: bool) -> None:
        """Gives back the trials of processes that died: `alone`, of all but this one; else of those not heard of."""
        if alone:
            for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                if trial.number not in self.running:
                    self._fail(trial.number, trial._trial_id, "")
        elif isinstance(self.storage, RDBStorage):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                optuna.storages.fail_stale_trials(self.study)
        else:
            self._fail_overdue()
        self.restore()

    def _fail_overdue(self) -> None:
        """Where a storage knows no heartbeat: what has been running for much longer than a trial may."""
        limit = datetime.timedelta(seconds=2 * self.plan.time_limit + GRACE_S)
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if trial.datetime_start and datetime.datetime.now() - trial.datetime_start > limit:
                self._fail(trial.number, trial._trial_id, "")

    def restore(self) -> None:
        """Puts back into the queue what failed because its process died, and is not there again already."""
        slots = {_slot(trial) for trial in self.live()}
        failed = self.study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
        for trial in sorted(failed, key=lambda trial: -trial.number):
            if _slot(trial) in slots or trial.user_attrs.get(WHY) or not _point(trial):
                continue
            kept = {k: trial.user_attrs[k] for k in (ATTEMPT, N_INVALID) if k in trial.user_attrs}
            about = kept | {SLOT: _slot(trial), POINT: _point(trial)}
            self.study.enqueue_trial(_point(trial), user_attrs=about)
            slots.add(_slot(trial))

    def _fail(self, number: int, trial_id: int, why: str) -> None:
        if why:
            self.storage.set_trial_user_attr(trial_id, WHY, why)
        self.study.tell(number, state=TrialState.FAIL, skip_if_finished=True)

    def records(self) -> list[Record]:
        """The judged trials, by their place."""
        live = self.live()[: self.plan.trials]
        return [_record(i, trial) for i, trial in enumerate(live) if trial.state is TrialState.COMPLETE]

    @property
    def n_invalid(self) -> int:
        """How many points were proposed that could not be tried."""
        trials = self.study.get_trials(deepcopy=False)
        return sum(t.user_attrs.get(N_INVALID, 0) for t in self.live()) + sum(
            t.user_attrs.get(WHY) == UNUSABLE for t in trials
        )


class Heartbeat:
    """While entered, a storage that can hears every few seconds that this process's trials are alive."""

    def __init__(self, journal: Journal) -> None:
        self.journal, self._over = journal, threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Heartbeat":
        if isinstance(self.journal.storage, RDBStorage):
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(HEARTBEAT_S / 5):
            for trial_id in list(self.journal.running.values()):
                self.journal.storage.record_heartbeat(trial_id)  # type: ignore[attr-defined]


def _plain(plan: dict[str, Any]) -> str:
    return json.dumps(plan | {"trials": 0}, sort_keys=True)


def _slot(trial: FrozenTrial) -> int:
    return trial.user_attrs.get(SLOT, trial.number)


def _point(trial: FrozenTrial) -> Point:
    return trial.user_attrs.get(POINT) or trial.params


def _record(place: int, trial: FrozenTrial) -> Record:
    about = trial.user_attrs
    told = about[OUTCOME]
    outcome = Outcome(**{**told, "fold_values": tuple(told["fold_values"])})
    began = trial.datetime_start.isoformat(timespec="seconds") if trial.datetime_start else ""
    return Record(place, _point(trial), outcome, about.get(N_INVALID, 0), about.get(ATTEMPT, 1), began)


def _suggest(trial: optuna.Trial, d: Dimension) -> Any:
    if d.levels:
        return trial.suggest_categorical(d.name, d.levels)
    if d.kind == "integer":
        return trial.suggest_int(d.name, int(d.low), int(d.high), log=d.log)
    return d.value(d.place(trial.suggest_float(d.name, d.low, d.high, log=d.log)))


def _optuna_sampler(plan: Plan, generator: np.random.Generator) -> optuna.samplers.BaseSampler:
    """Optuna's sampler of that name; new for every trial, so that a study gone on with draws as if it never stopped."""
    seed = int(generator.integers(2**31))
    if plan.sampler == "tpe":
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True, n_startup_trials=5)
    if plan.sampler == "nsga2":
        return optuna.samplers.NSGAIISampler(seed=seed)
    return optuna.samplers.QMCSampler(seed=plan.request.seed, scramble=True)
