"""Ways of learning that differ in what carries errors down and in which layers learn; plain gradient descent in all."""

from collections.abc import Sequence
from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from apical.core import Weights
from apical.networks.feedforward import AbstractFeedforward, Blocks, Trace
from apical.report.figure import Dash
from apical.report.theme import RULE_STYLES
from apical.rules.alignment import carry_down
from apical.rules.feedback_alignment import FeedbackAlignment
from apical.rules.optimisers import descend


@dataclass(frozen=True)
class Way:
    """A way of learning: `tied` carries errors by the forward weights themselves; `deep` has hidden layers learn."""

    name: str
    label: str
    tied: bool
    deep: bool
    style: str
    dash: Dash = "solid"

    @property
    def colour(self) -> str:
        """The colour of the rule whose style it has."""
        return RULE_STYLES[self.style].colour


FEEDBACK_ALIGNMENT = Way("feedback-alignment", "Feedback alignment", False, True, "feedback-alignment")
BACKPROP = Way("backprop", "Backprop", True, True, "backprop", "dash")
OUTPUT_ALONE = Way("output-alone", "Output layer alone", True, False, "segregated-dendrites", "dot")
WAYS = (FEEDBACK_ALIGNMENT, BACKPROP, OUTPUT_ALONE)


def rule_of(network: AbstractFeedforward) -> FeedbackAlignment:
    """Feedback alignment over a network, for its route of errors alone: it has no optimiser."""
    return FeedbackAlignment(network=network, optimisers={})


def carriers(weights: Weights, tied: Bool[Array, ""]) -> tuple[Array, ...]:
    """What carries errors down: the forward kernels where `tied`, else the random ones."""
    pairs = zip(weights.forward[1:], weights.feedback, strict=True)
    return tuple(jnp.where(tied, block.kernel, random) for block, random in pairs)


def step(
    rule: FeedbackAlignment,
    weights: Weights,
    trace: Trace,
    error: Array,
    tied: Bool[Array, ""],
    rates: Float[Array, " layers"],
) -> Weights:
    """The weights after one step, given dLoss/d scores; a synapse whose weight is zero does not exist and stays so."""
    carried = Weights(weights.forward, carriers(weights, tied))
    direction = carry_down(weights.forward, trace, error, rule.route(carried, trace, error))
    return Weights(descend(weights.forward, existing(direction, weights.forward), rates), weights.feedback)


def existing(direction: Blocks, forward: Blocks) -> Blocks:
    """The direction of the synapses that exist."""
    kept = [jnp.where(w.kernel == 0, 0.0, d.kernel) for d, w in zip(direction, forward, strict=True)]
    return with_kernels(direction, kept)


def with_kernels(blocks: Blocks, kernels: Sequence[Array]) -> Blocks:
    """The blocks with other kernels."""
    pairs = zip(blocks, kernels, strict=True)
    return tuple(eqx.tree_at(lambda b: b.layer.kernel, block, kernel) for block, kernel in pairs)
