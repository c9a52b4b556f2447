"""No signed error signal: can what teaches hidden cells be carried by firing rates, which are never negative?"""

from apical.audit.base import NOTHING, Cell, Property, number, verdict
from apical.audit.separate_pathways import carried
from apical.audit.subject import Subject


def measure(subject: Subject) -> Cell:
    """The lowest activity, where activity carries the label."""
    fired = carried(subject)
    lowest = min((float(rates.min()) for r in subject.recordings for rates in r.rates), default=0.0)
    positive = fired > NOTHING and lowest >= 0
    said = f"other labels change the activity of output cells by {number(fired)}"
    if fired > NOTHING:
        return Cell(verdict(positive), f"{said}; the lowest activity recorded is {number(lowest)}")
    return Cell(verdict(False), f"{said}: something else teaches hidden cells, in both directions")


SIGNED_ERROR = Property(
    "no_signed_error_signal",
    "No signed error",
    "Can firing rates, which are never negative, carry what teaches?",
    "Labels change the recorded activity of output cells, and no recorded activity is below zero.",
    measure,
)
