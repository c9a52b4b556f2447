"""What travels between networks, rules, probes and the loop: batches, weights, states and the report of one update."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key, PyTree

Scalar = Float[Array, ""]
Scores = Float[Array, "batch classes"]
Inputs = Float[Array, "batch *features"]
Labels = Int[Array, " batch"]
Targets = Labels | Float[Array, "batch outputs"]
PRNGKey = Key[Array, ""]


class Batch(eqx.Module):
    """Examples learnt together: inputs (batch, *features), images channels last in [0, 1], and what is to be told.

    `y` holds labels (batch,), or in regression the values of the outputs (batch, outputs).
    """

    x: Inputs
    y: Targets


def labelled(y: Targets) -> bool:
    """Whether these are labels, and not values."""
    return jnp.issubdtype(y.dtype, jnp.integer)


class Weights(eqx.Module):
    """Synapses grouped by anatomical role; each group holds one entry for each layer."""

    forward: PyTree
    feedback: PyTree = ()
    lateral: PyTree = ()


class State(eqx.Module):
    """All that the next update needs: weights, the optimiser's memory, and what the neurons carry over in time."""

    weights: Weights
    optimiser: PyTree
    neurons: PyTree


class Info(eqx.Module):
    """What one update reports: loss (the network's own), scores before the update, and the direction.

    `direction` has the structure of `Weights` (a frozen group may be left empty) and is what the weights descend
    along, before the optimiser: everything that is measured about credit is a function of it, outside the rule.
    """

    loss: Scalar
    scores: Scores
    direction: Weights


class Pathway(eqx.Module):
    """A feedback matrix and the forward matrix it stands for, both (above, below); `layer` is the lower one's index."""

    layer: int = eqx.field(static=True)
    forward: Float[Array, "above below"]
    feedback: Float[Array, "above below"]


Neurons = Any
