"""Spikes: do cells send all-or-none events?"""

from apical.audit.base import Cell, Property, number, verdict
from apical.audit.subject import LARGE, TINY, Subject

UNHEARD = (
    "cells spike in this setting: what they send in all steps spans every direction, so that no change of a weight "
    "goes unheard"
)


def measure(subject: Subject) -> Cell:
    """Scores of the rule as trained without options, for inputs hardly changed and clearly changed."""
    own = subject.own
    small, large = own.felt
    return Cell(
        verdict(own.spikes),
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
