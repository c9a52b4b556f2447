"""What is logged as the loss, by the name a protocol gives it; no rule learns from it."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from apical.core import Labels, Scores
from apical.probes.scores import cross_entropy

LOWEST = 1e-12

Loss = Callable[[Scores, Labels], Float[Array, " batch"]]


def clipped_score(scores: Scores, y: Labels) -> Float[Array, " batch"]:
    """-log of the score at the label clipped to [1e-12, 1], at most 27.6; 0 where the largest score is at the label."""
    at_label = jnp.take_along_axis(scores, y[:, None], axis=-1)[:, 0]
    return jnp.where(scores.argmax(-1) == y, 0.0, -jnp.log(jnp.clip(at_label, LOWEST, 1.0)))


LOSSES: dict[str, Loss] = {"cross-entropy": cross_entropy, "clipped-score": clipped_score}
