"""One seed of a run: its examples, its keys, and what was measured of it so far."""

import dataclasses
import itertools
import math

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Int

from apical.core import Batch, PRNGKey
from apical.data.dataset import Dataset, Examples
from apical.errors import InputError
from apical.training.config import Config
from apical.training.protocols import find
from apical.training.run_folder import Row, RunFolder

INIT, RUN, PROBE, SCORE = range(4)
PROBE_SIZE = 100
FINITE = ("loss", "weight_norm")


@dataclasses.dataclass(frozen=True)
class Split:
    """Which training examples a seed trains and validates on, and which test examples it is tested on."""

    training: Int[np.ndarray, " n"]
    validation: Int[np.ndarray, " m"]
    test: Int[np.ndarray, " k"]


def split_for(config: Config, dataset: Dataset) -> Split:
    """The split of a configuration's seed under its protocol, for the data set as the protocol arranges it.

    **Raises** `InputError` when the training part has fewer examples than asked for, or than a batch.
    """
    protocol = find(config.protocol)
    training, validation, test = protocol.parts(protocol.arranged(dataset), config.seed)
    if config.examples is not None and config.examples > len(training):
        raise InputError(f"--examples {config.examples}: the training part has {len(training)}")
    training = training[: config.examples]
    if config.batch_size > len(training):
        raise InputError(f"--batch-size {config.batch_size} is more than the {len(training)} training examples")
    return Split(training, validation, test)


@dataclasses.dataclass
class Lane:
    """One seed: `probe` is the fixed batch of training examples on which credit is measured."""

    config: Config
    folder: RunFolder
    split: Split
    probe: Batch
    rows: list[Row] = dataclasses.field(default_factory=list)

    @classmethod
    def of(cls, config: Config, folder: RunFolder, dataset: Dataset) -> "Lane":
        """The lane of a configuration, with nothing measured yet."""
        parts = split_for(config, dataset)
        return cls(config, folder, parts, batch_of(dataset.train, parts.training[:PROBE_SIZE]))

    @property
    def diverged(self) -> bool:
        """Whether loss or weights were not finite at the last measurement: from there on this lane stands still."""
        last = itertools.takewhile(lambda row: row.step == self.rows[-1].step, reversed(self.rows))
        return any(row.name in FINITE and not math.isfinite(row.value) for row in last)

    def best(self, part: str, judged_by: str) -> dict[str, float]:
        """What was measured of a part where `judged_by` was highest, by name: at the first step of equal ones."""
        return max(self._measured(part).values(), key=lambda measured: measured[judged_by])

    def improved(self, part: str, judged_by: str) -> bool:
        """Whether the last measurement of a part is better than every one before; true where none was made."""
        *before, last = [measured[judged_by] for measured in self._measured(part).values()] or [0.0]
        return all(last > earlier for earlier in before)

    def _measured(self, part: str) -> dict[int, dict[str, float]]:
        """All that was measured of a part as a whole, by step and name."""
        found: dict[int, dict[str, float]] = {}
        for row in self.rows:
            if (row.split, row.layer) == (part, ""):
                found.setdefault(row.step, {})[row.name] = row.value
        return found

    def key(self, purpose: int, step: int = 0) -> PRNGKey:
        """A key for one purpose and step; everything random in a run descends from its seed."""
        return jr.fold_in(jr.fold_in(jr.key(self.config.seed), purpose), step)


def batch_of(examples: Examples, indices: Int[np.ndarray, " n"]) -> Batch:
    """Examples as a batch on the device."""
    return Batch(jnp.asarray(examples.take(indices)), jnp.asarray(examples.labels[indices]))
