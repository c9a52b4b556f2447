"""What is logged as the loss, by the name a protocol gives it; no rule learns from it."""

from collections.abc import Callable

import jax.numpy as jnp

from apical.core import Labels, Scores, Targets
from apical.probes.scores import PerExample, cross_entropy, hits, squared_error
from apical.tasks import REGRESSION

LOWEST = 1e-12

Loss = Callable[[Scores, Targets], PerExample]


def clipped_score(scores: Scores, y: Labels) -> PerExample:
    """-log of the score at the label clipped to [1e-12, 1], at most 27.6; 0 where the largest score is at the label."""
    at_label = jnp.take_along_axis(scores, y[:, None], axis=-1)[:, 0]
    return jnp.where(hits(scores, y), 0.0, -jnp.log(jnp.clip(at_label, LOWEST, 1.0)))


LOSSES: dict[str, Loss] = {"cross-entropy": cross_entropy, "clipped-score": clipped_score}


def logged(task: str, name: str) -> Loss:
    """What is logged for a task: on labels the loss of that name, on values always their squared error."""
    return squared_error if task == REGRESSION else LOSSES[name]
