"""Spikes: do cells send all-or-none events?"""

import jax.numpy as jnp
import jax.random as jr

from apical.audit.base import Cell, Property, number, verdict
from apical.audit.subject import Subject, change, predicted

TINY, LARGE = 1e-9, 0.2


UNHEARD = (
    "cells spike in this setting: what they send in all steps spans every direction, so that no change of a weight "
    "goes unheard"
)


def felt(subject: Subject) -> tuple[float, float]:
    """How much scores change with a tiny and with a larger change of the inputs."""
    state, x = subject.state, subject.batch.x
    base, *others = (predicted(subject.rule, state, x + step, jr.key(0)) for step in (jnp.zeros(()), TINY, LARGE))
    small, large = (change(base, other) for other in others)
    return small, large


def spikes(subject: Subject) -> bool:
    """Whether cells send events in the setting under audit."""
    small, large = felt(subject)
    return small == 0 and large > 0


def measure(subject: Subject) -> Cell:
    """Scores of the rule as trained without options, for inputs hardly changed and clearly changed."""
    own = subject.own
    small, large = felt(own)
    return Cell(
        verdict(spikes(own)),
        f"inputs changed by {TINY:g} change the scores by {number(small)}, by {LARGE:g} by {number(large)} "
        f"(preset {own.setting}; events where the first is exactly 0)",
    )


SPIKES = Property(
    "spikes",
    "Spikes",
    "Do cells send all-or-none events?",
    "In the rule's own preset, with all draws fixed: scores do not change at all with a tiny change of the input, as "
    "counts of events do not, though they change with a larger one.",
    measure,
)
