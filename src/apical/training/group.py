"""Runs that differ in their seed alone, trained together: as lanes of one program, or a single run."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from apical.core import Batch, State
from apical.data.dataset import Dataset
from apical.probes.scores import Scored
from apical.rules.base import AbstractRule
from apical.tasks import JUDGED_BY
from apical.training import programs
from apical.training.checkpoint import load_tree, save_tree
from apical.training.config import Config
from apical.training.feed import Feed, Window, feed
from apical.training.lane import INIT, PROBE, RUN, SCORE, Lane
from apical.training.losses import logged
from apical.training.measure import first_snapshot
from apical.training.protocols import Protocol, find
from apical.training.run_folder import Row

UNDEFINED_AT_FIRST = ("relative_weight_change", "gradient_change")


@dataclasses.dataclass(frozen=True)
class Feeds:
    """A data set on its way to the device; made once for all runs on it."""

    dataset: Dataset
    train: Feed
    test: Feed

    @classmethod
    def of(cls, dataset: Dataset) -> "Feeds":
        """The feeds of a data set; one feed where its training and test examples are one pool."""
        train = feed(dataset.train)
        return cls(dataset, train, train if dataset.test is dataset.train else feed(dataset.test))

    def under(self, protocol: Protocol) -> "Feeds":
        """The feeds of the data set as a protocol arranges it: these, if it is arranged so already."""
        arranged = protocol.arranged(self.dataset)
        return self if arranged is self.dataset else Feeds.of(arranged)


class Group:
    """The states of all lanes and how far they are: `done` segments, `seconds` of training.

    `kept` are the states at the best measurement so far, where the protocol keeps them.
    """

    def __init__(self, rule: AbstractRule, lanes: list[Lane], feeds: Feeds, checkpoint: Path) -> None:
        self.rule, self.lanes, self.feeds, self.checkpoint = rule, lanes, feeds, checkpoint
        self.config = lanes[0].config
        self.protocol = find(self.config.protocol)
        self.loss = logged(feeds.dataset.task, self.protocol.loss)
        self.done, self.seconds = 0, 0.0
        self.steps_per_epoch = len(lanes[0].split.training) // self.config.batch_size
        self.segments = segments(self.config, self.steps_per_epoch)
        self.states = [programs.initialise(rule, lane.key(INIT), self.example_batch(lane)) for lane in lanes]
        self.snapshots = [first_snapshot(rule, state) for state in self.states]
        self.kept = [_copy(state) for state in self.states] if self.protocol.best_kept else []
        self._epoch: tuple[int, Array, programs.Keys] | None = None

    @property
    def n_lanes(self) -> int:
        """How many seeds are trained together."""
        return len(self.lanes)

    @property
    def step(self) -> int:
        """How many updates every lane has made."""
        if self.done == 0:
            return 0
        epoch, _, stop = self.segments[self.done - 1]
        return epoch * self.steps_per_epoch + stop

    def compile(self) -> None:
        """Compiles the loop by running it over no step at all, so that `seconds` measures training alone."""
        for segment in {stop - start: (epoch, start, stop) for epoch, start, stop in self.segments}.values():
            self._run(self.feeds.train.blank, segment)

    def advance(self) -> list[Scored]:
        """Trains through the next segment; the training scores of each lane."""
        began = time.perf_counter()
        scored = jax.block_until_ready(self._run(self.feeds.train.window, self.segments[self.done]))
        self.seconds += time.perf_counter() - began
        self.done += 1
        return scored

    def _run(self, window: Callable[[Array, int, int], Window], segment: tuple[int, int, int]) -> list[Scored]:
        orders = self._orders(segment[0])
        after, scored = programs.through(self.rule, window, segment, orders, self.states, self.loss)
        lanes = zip(self.lanes, self.states, after, strict=True)
        self.states = [before if lane.diverged and self.n_lanes > 1 else now for lane, before, now in lanes]
        return scored

    def _orders(self, epoch: int) -> tuple[Array, programs.Keys]:
        if self._epoch is None or self._epoch[0] != epoch:
            made = [
                programs.ordered(jnp.asarray(lane.split.training), self.config.batch_size, lane.key(RUN, epoch))
                for lane in self.lanes
            ]
            self._epoch = (epoch, *programs.stack(made))
        return self._epoch[1:]

    @property
    def going(self) -> bool:
        """Whether there are segments left for a lane that has not diverged."""
        return self.done < len(self.segments) and not all(lane.diverged for lane in self.lanes)

    def measure(self, training: list[Scored] | None) -> None:
        """Adds a row for each measurement to each lane that has not diverged."""
        for i, lane in enumerate(self.lanes):
            if not lane.diverged:
                self._measure_lane(i, training[i] if training else None)

    def _measure_lane(self, i: int, training: Scored | None) -> None:
        lane, key = self.lanes[i], self.lanes[i].key(PROBE, self.done)
        measured, self.snapshots[i] = programs.measured(self.rule, self.states[i], self.snapshots[i], lane.probe, key)
        scored = {"train": training} if training else {}
        watched = self.score(i, self.protocol.watched)
        scored |= {self.protocol.watched: watched} if watched else {}
        rows = [(split, "", name, value) for split, s in scored.items() for name, value in s.named().items()]
        rows += [("train", layer, name, float(v)) for name, at in measured.items() for layer, v in at.items()]
        lane.rows += [self._row(*row) for row in rows if self.done or row[2] not in UNDEFINED_AT_FIRST]
        if self.kept and lane.improved(self.protocol.watched, JUDGED_BY[self.feeds.dataset.task]):
            self.kept[i] = _copy(self.states[i])

    def score(self, i: int, part: str) -> Scored | None:
        """Scores of lane i on its train, validation or test part; none where it has no such part."""
        source, indices = self._part(i, part)
        if not len(indices):
            return None
        key = self.lanes[i].key(SCORE, self.done)
        return programs.score(self.rule, self.states[i], source, indices, key, self.loss)

    def _part(self, i: int, part: str) -> tuple[Feed, Int[np.ndarray, " n"]]:
        feeds, split = self.feeds, self.lanes[i].split
        return {
            "train": (feeds.train, split.training),
            "validation": (feeds.train, split.validation),
            "test": (feeds.test, split.test),
        }[part]

    def _row(self, split: str, layer: str, name: str, value: float) -> Row:
        examples = self.step * self.config.batch_size
        n = len(self.lanes[0].split.training)
        return Row(self.step, examples, round(examples / n, 6), split, layer, name, value)

    def example_batch(self, lane: Lane) -> Batch:
        """A batch of the shape this group learns from, all zeros."""
        return jax.tree.map(lambda a: jnp.zeros((self.config.batch_size, *a.shape[1:]), a.dtype), lane.probe)

    def conclude(self) -> None:
        """Ends training: from here on the states are those that the protocol judges."""
        self.states = self.kept or self.states

    def save(self) -> None:
        """Metrics first, then the state: whatever moment the process dies at, the two can be brought together."""
        for lane in self.lanes:
            lane.folder.write_metrics(lane.rows)
        notes = {"done": self.done, "seconds": self.seconds}
        save_tree(self.checkpoint, (self.states, self.snapshots, self.kept), notes)

    def restore(self) -> bool:
        """Goes back to the last checkpoint; false where there is none.

        **Raises** `InputError` when it cannot be read.
        """
        if not self.checkpoint.exists():
            return False
        saved, notes = load_tree(self.checkpoint, (self.states, self.snapshots, self.kept))
        self.states, self.snapshots, self.kept = saved
        self.done, self.seconds = notes["done"], notes["seconds"]
        for lane in self.lanes:
            lane.rows = lane.folder.read_metrics(self.step)
        return True


def _copy(state: State) -> State:
    """A state of its own, which a donated one is not."""
    return jax.tree.map(jnp.copy, state)


def segments(config: Config, steps: int) -> list[tuple[int, int, int]]:
    """(epoch, start, stop) of every segment of a run with so many steps an epoch, in order."""
    length = min(steps, max(1, config.log_every // config.batch_size))
    starts = range(0, steps, length) if steps else ()
    return [(epoch, start, min(start + length, steps)) for epoch in range(config.epochs) for start in starts]
