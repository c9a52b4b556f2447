"""Feedback changes activity: does what comes from above change what hidden cells fire?"""

from apical.audit.base import NOTHING, Cell, Property, number, verdict
from apical.audit.subject import Subject, responses


def measure(subject: Subject) -> Cell:
    """Other labels, and the recorded activity of hidden cells."""
    pairs = zip(subject.recordings, subject.record(batch=subject.relabelled), strict=True)
    moved = max((max(responses(a.rates[:-1], b.rates[:-1])) for a, b in pairs), default=0.0)
    said = f"other labels change the activity of hidden cells while they learn by {number(moved)}"
    return Cell(verdict(moved > NOTHING), f"{said} (above {NOTHING:g})")


FEEDBACK_ACTIVITY = Property(
    "feedback_changes_activity",
    "Feedback is felt",
    "Does feedback change the activity of the cells that it teaches, as it does in cortex?",
    "Labels are exchanged, and the recorded activity of hidden cells changes while they learn.",
    measure,
)
