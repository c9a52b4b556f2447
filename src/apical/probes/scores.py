"""Accuracy and cross-entropy: the same for every rule, whatever its own loss."""

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from apical.core import Labels, Scalar, Scores


def n_correct(scores: Scores, y: Labels) -> Scalar:
    """How many examples have their largest score at the label."""
    return (scores.argmax(-1) == y).sum().astype(scores.dtype)


def accuracy(scores: Scores, y: Labels) -> Scalar:
    """The share of examples with their largest score at the label."""
    return n_correct(scores, y) / len(y)


def cross_entropy(scores: Scores, y: Labels) -> Float[Array, " batch"]:
    """-log softmax(scores) at the label, for each example."""
    return optax.softmax_cross_entropy_with_integer_labels(scores, jnp.asarray(y))
