"""Any combination of the switches of segregated dendrites, with values inside their ranges, runs or says why not."""

import itertools
import math
import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch, State
from apical.errors import InputError
from apical.rules.assembly import assemble, schema
from apical.rules.base import AbstractRule
from apical.rules.registry import RULES

RULE = RULES["segregated-dendrites"]
SCHEMA = schema(RULE, "mlp")
SWITCHES = [name for name, declared in SCHEMA.items() if declared.kind == "switch" and "lange-2019" in declared.search]
COMBINATIONS = list(itertools.product((False, True), repeat=len(SWITCHES)))
N_SAMPLED, N_EXAMPLES = 200, 50
STEPS = (0.1, 0.125, 0.2, 0.25, 0.5, 1.0)
MOST_STEPS = 120  # of a phase: a shorter step in a shorter phase


def settings(i: int) -> dict[str, object]:
    """The i-th sample: a combination of switches, and a value for every other hyperparameter."""
    generator = np.random.default_rng([11, i])
    combination = COMBINATIONS[generator.permutation(len(COMBINATIONS))[0]]
    values: dict[str, object] = dict(zip(SWITCHES, combination, strict=True))
    for name, declared in SCHEMA.items():
        space = declared.search.get("lange-2019", declared.search.get("own"))
        if space is None or declared.kind == "switch" or declared.static:
            continue
        low, high = space
        if declared.kind == "integer":
            values[name] = int(generator.integers(low, high + 1))
        else:
            values[name] = float(generator.uniform(low, high))
    values["dt_ms"] = float(generator.choice(STEPS))
    longest = int(MOST_STEPS * values["dt_ms"])
    for name in ("forward_steps", "target_steps"):
        values[name] = min(int(values[name]), longest)
    window = max(1, round(0.4 * int(values["forward_steps"])))
    values["settling_steps"] = int(values["forward_steps"]) - window
    values["random_phase_lengths"] = bool(generator.integers(2))
    return values


def hidden(i: int) -> tuple[int, ...]:
    """One to three hidden layers."""
    generator = np.random.default_rng([12, i])
    return tuple(map(int, generator.integers(4, 12, generator.integers(1, 4))))


def data() -> Batch:
    return Batch(jr.uniform(jr.key(0), (N_EXAMPLES, 9)), jr.randint(jr.key(1), (N_EXAMPLES,), 0, 3))


@eqx.filter_jit
def learnt(rule: AbstractRule, state: State, examples: Batch) -> tuple[State, jax.Array]:
    """The state after all examples, one by one, and their losses."""

    def one(state: State, xs: tuple[Batch, jax.Array]) -> tuple[State, jax.Array]:
        example, key = xs
        state, info = rule.update(state, jax.tree.map(lambda a: a[None], example), key)
        return state, info.loss

    return jax.lax.scan(one, state, (examples, jr.split(jr.key(2), N_EXAMPLES)))


def outcome(i: int) -> str:
    """What becomes of the i-th sample: refused, finite or diverged."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "broadcast=false")
        try:
            rule = assemble(RULE, "mlp", (9,), 3, hidden(i), settings(i))
        except InputError as refusal:
            assert "\n" not in str(refusal) and len(str(refusal)) > 30
            return "refused"
        examples = data()
        state = rule.init(jr.key(3), jax.tree.map(lambda a: a[:1], examples))
        state, losses = learnt(rule, state, examples)
    finite = all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves((state.weights, losses)))
    return "finite" if finite else "diverged"


def test_there_are_eleven_switches() -> None:
    assert len(SWITCHES) == 11 and len(COMBINATIONS) == 2**11
    assert all(math.isfinite(value) for value in settings(0).values() if isinstance(value, float))


@pytest.mark.long
@pytest.mark.parametrize("i", [0, 1])
def test_a_few_combinations(i: int) -> None:
    assert outcome(i) in ("finite", "refused")


@pytest.mark.long
def test_two_hundred_combinations() -> None:
    outcomes = [outcome(i) for i in range(N_SAMPLED)]
    counts = {kind: outcomes.count(kind) for kind in ("finite", "refused", "diverged")}
    print(counts)
    assert counts["diverged"] == 0 and counts["finite"] >= 60
