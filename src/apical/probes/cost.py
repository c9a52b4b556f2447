"""What one update costs."""

import equinox as eqx
import jax
from jaxtyping import PyTree

from apical.core import Batch, PRNGKey, State
from apical.rules.base import AbstractRule


def cost_per_example(rule: AbstractRule, state: State, batch: Batch, key: PRNGKey) -> dict[str, float | None]:
    """`flops_per_example` and `bytes_per_example` of the compiled update; none where the compiler does not say.

    Bytes are those that each of its operations reads and writes, whether from memory or from a cache. The compiler
    counts the body of a loop once, so a rule that simulates time needs its steps multiplied in
    (`operations.count` does it).
    """
    dynamic, static = eqx.partition((rule, state, batch, key), eqx.is_array)

    def update(dynamic: PyTree) -> PyTree:
        rule, state, batch, key = eqx.combine(dynamic, static)
        return eqx.filter(rule.update(state, batch, key), eqx.is_array)

    analysis = jax.jit(update).lower(dynamic).compile().cost_analysis()
    counted = {"flops_per_example": "flops", "bytes_per_example": "bytes accessed"}
    found = {name: (analysis or {}).get(key) for name, key in counted.items()}
    return {name: None if total is None else float(total) / len(batch.y) for name, total in found.items()}


def n_parameters(state: State) -> int:
    """How many numbers the forward weights hold."""
    return sum(leaf.size for leaf in jax.tree.leaves(state.weights.forward))
