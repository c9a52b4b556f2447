"""What one update costs."""

import equinox as eqx
import jax
from jaxtyping import PyTree

from apical.core import Batch, PRNGKey, State
from apical.rules.base import AbstractRule


def flops_per_example(rule: AbstractRule, state: State, batch: Batch, key: PRNGKey) -> float | None:
    """Floating-point operations of the compiled update, divided by the batch; none where the compiler does not say.

    The compiler counts the body of a loop once, so a rule that simulates time needs its steps multiplied in.
    """
    dynamic, static = eqx.partition((rule, state, batch, key), eqx.is_array)

    def update(dynamic: PyTree) -> PyTree:
        rule, state, batch, key = eqx.combine(dynamic, static)
        return eqx.filter(rule.update(state, batch, key), eqx.is_array)

    analysis = jax.jit(update).lower(dynamic).compile().cost_analysis()
    flops = (analysis or {}).get("flops")
    return None if flops is None else float(flops) / len(batch.y)


def n_parameters(state: State) -> int:
    """How many numbers the forward weights hold."""
    return sum(leaf.size for leaf in jax.tree.leaves(state.weights.forward))
