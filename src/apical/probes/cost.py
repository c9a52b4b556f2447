"""What one update costs."""

import jax

from apical.core import Batch, PRNGKey, State
from apical.probes.operations import count
from apical.rules.base import AbstractRule


def cost_per_example(rule: AbstractRule, state: State, batch: Batch, key: PRNGKey) -> dict[str, float]:
    """`flops_per_example` and `bytes_per_example` of an update, counted from its program with every step of its loops.

    Bytes are those that products, reductions, gathers and scatters read and write, from memory or from a cache.
    """
    found = count(rule.update, state, batch, key)
    return {"flops_per_example": found.flops / len(batch.y), "bytes_per_example": found.bytes / len(batch.y)}


def n_parameters(state: State) -> int:
    """How many numbers the forward weights hold."""
    return sum(leaf.size for leaf in jax.tree.leaves(state.weights.forward))
