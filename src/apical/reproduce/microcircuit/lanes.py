"""Settings and seeds of one experiment, side by side as lanes of one program."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key

from apical.core import Batch, PRNGKey, Scalar, State
from apical.data.dataset import Dataset, Examples
from apical.data.registry import load
from apical.hyperparameters import Value
from apical.rules.base import AbstractRule
from apical.rules.microcircuit import Microcircuit
from apical.training.config import Request, data_options, resolve
from apical.training.lane import batch_of
from apical.training.loop import pick, shuffle
from apical.training.train import build

INIT, ORDER, LEARN, ASK = range(4)
Rule = TypeVar("Rule", bound=AbstractRule)
Probe = Callable[[Any, State, Batch, PRNGKey], Mapping[str, Scalar]]


@dataclass(frozen=True)
class History:
    """What was measured: the epochs, the measurements (points, lanes) by name, and the states at the end."""

    epochs: Int[np.ndarray, " points"]
    measured: Mapping[str, Float[np.ndarray, "points lanes"]]
    states: State

    def last(self, name: str, n_points: int = 1) -> Float[np.ndarray, " lanes"]:
        """The mean of the last measurements of each lane."""
        return self.measured[name][-n_points:].mean(0)

    def rows(self, *names: str) -> list[tuple[int | float, ...]]:
        """A row for each epoch and lane: lane, epoch and these measurements."""
        n_lanes = self.measured[names[0]].shape[1]
        return [
            (lane, int(epoch), *(float(self.measured[name][i, lane]) for name in names))
            for i, epoch in enumerate(self.epochs)
            for lane in range(n_lanes)
        ]


def dataset_for(
    name: str,
    preset: str | None = None,
    options: Mapping[str, Value] | None = None,
    kind: type[AbstractRule] = Microcircuit,
) -> Dataset:
    """The data set with the options that a preset of the rule sets, and those given before them."""
    return load(name, options=data_options(Request(kind.name, name, preset=preset, settings=options or {})))


def made(
    dataset: Dataset,
    preset: str | None,
    hidden: tuple[int, ...] | None = None,
    settings: Mapping[str, Value] | None = None,
) -> Microcircuit:
    """The microcircuit of a preset on a data set, with other hidden layers and settings where they are given."""
    return made_as(Microcircuit, dataset, preset, hidden, settings)


def made_as(
    kind: type[Rule],
    dataset: Dataset,
    preset: str | None,
    hidden: tuple[int, ...] | None = None,
    settings: Mapping[str, Value] | None = None,
) -> Rule:
    """The same of any rule."""
    request = Request(kind.name, dataset.name, preset=preset, hidden=hidden, settings=settings or {})
    rule = build(resolve(request, dataset), dataset)
    assert isinstance(rule, kind)
    return rule


def recast(kind: type[Rule], rule: AbstractRule, **more: Any) -> Rule:
    """A rule as another `kind` that inherits from its own, with the fields that this one has `more`."""
    return kind(**{one.name: getattr(rule, one.name) for one in fields(rule)}, **more)


def train_lanes(
    rules: Sequence[AbstractRule],
    seeds: Sequence[int],
    dataset: Dataset,
    batch_size: int,
    epochs: Sequence[int],
    probe: Probe,
) -> History:
    """Trains every rule from every seed; measures all on the test examples at first and after these `epochs`.

    The rules have one structure and differ in numbers alone. Lanes are ordered rule by rule, in each seed by seed.
    """
    lanes = stacked([rule for rule in rules for _ in seeds])
    keys = jax.vmap(jr.key)(jnp.asarray([seed for _ in rules for seed in seeds]))
    data, test = every(dataset.train), every(dataset.test)
    states = _initialised(lanes, keys, pick(data, jnp.arange(batch_size)))
    found, reached = [_asked(probe, lanes, states, test, keys)], 0
    for epoch in epochs:
        states = _trained(lanes, states, keys, data, batch_size, jnp.asarray(reached), jnp.asarray(epoch))
        found.append(_asked(probe, lanes, states, test, keys))
        reached = epoch
    measured = {name: np.stack([np.asarray(one[name]) for one in found]) for name in found[0]}
    return History(np.array([0, *epochs]), measured, states)


def every(examples: Examples) -> Batch:
    """All examples of a part, on the device."""
    return batch_of(examples, np.arange(len(examples)))


def stacked(rules: Sequence[AbstractRule]) -> AbstractRule:
    """Rules of one structure as lanes of one: a leading axis on every number."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *rules)


@eqx.filter_jit
def _initialised(rules: AbstractRule, keys: Key[Array, " lanes"], batch: Batch) -> State:
    return eqx.filter_vmap(lambda rule, key: rule.init(jr.fold_in(key, INIT), batch))(rules, keys)


@eqx.filter_jit
def _asked(
    probe: Probe, rules: AbstractRule, states: State, test: Batch, keys: Key[Array, " lanes"]
) -> Mapping[str, Array]:
    return eqx.filter_vmap(lambda rule, state, key: probe(rule, state, test, jr.fold_in(key, ASK)))(rules, states, keys)


@eqx.filter_jit
def _trained(
    rules: AbstractRule,
    states: State,
    keys: Key[Array, " lanes"],
    data: Batch,
    batch_size: int,
    start: Int[Array, ""],
    stop: Int[Array, ""],
) -> State:
    """All lanes through epochs `start` to `stop`, each with its own order of examples."""

    def lane(rule: AbstractRule, state: State, key: PRNGKey) -> State:
        def epoch(e: Array, state: State) -> State:
            order = shuffle(len(data.y), batch_size, jr.fold_in(jr.fold_in(key, ORDER), e))
            key_epoch, now = jr.fold_in(jr.fold_in(key, LEARN), e), rule.in_epoch(e)

            def step(i: Array, state: State) -> State:
                return now.update(state, pick(data, order[i]), jr.fold_in(key_epoch, i))[0]

            return jax.lax.fori_loop(0, len(order), step, state)

        return jax.lax.fori_loop(start, stop, epoch, state)

    return eqx.filter_vmap(lane)(rules, states, keys)
