"""Small microcircuits, examples for them, and compiled steps that oracles share."""

import equinox as eqx
import jax
import jax.random as jr

from apical.core import Batch, State
from apical.rules.assembly import assemble
from apical.rules.microcircuit import Microcircuit
from apical.rules.registry import find

INPUTS, OUTPUTS, N = 5, 3, 4
EVERY = {"rate_ip": 0.02, "rate_pi": 0.02, "rate_down": 0.01, "tolerance": 1e-13}


def made(hidden: tuple[int, ...] = (6,), **settings: object) -> Microcircuit:
    """A microcircuit in which every family learns."""
    rule = assemble(find("microcircuit"), "mlp", (INPUTS,), OUTPUTS, hidden, {**EVERY, **settings})
    assert isinstance(rule, Microcircuit)
    return rule


def examples(n: int = N, seed: int = 0) -> Batch:
    """Inputs and target potentials within [0, 1]."""
    keys = jr.split(jr.key(seed), 2)
    return Batch(jr.uniform(keys[0], (n, INPUTS)), jr.uniform(keys[1], (n, OUTPUTS)))


@eqx.filter_jit
def begun(rule: Microcircuit, batch: Batch, seed: int = 3) -> State:
    """The state before learning."""
    return rule.init(jr.key(seed), batch)


@eqx.filter_jit
def shown(rule: Microcircuit, state: State, batches: Batch) -> State:
    """The state after many presentations, one after the other; `batches` has a leading axis for them."""
    step = lambda s, b: (rule.update(s, b, jr.key(0))[0], None)  # noqa: E731
    return jax.lax.scan(step, state, batches)[0]
