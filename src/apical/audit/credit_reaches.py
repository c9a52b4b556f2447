"""All layers taught: does the label reach the update of every layer?"""

from apical.audit.base import NOTHING, Cell, Property, numbers, verdict
from apical.audit.subject import Subject


def measure(subject: Subject) -> Cell:
    """Other labels, and the direction of each layer."""
    found = subject.heard_by_labels
    return Cell(
        verdict(min(found) > NOTHING),
        f"other labels change the updates of the layers by {numbers(found)} (above {NOTHING:g})",
    )


CREDIT_REACHES = Property(
    "every_layer_taught",
    "Every layer taught",
    "Does the label reach the update of every layer?",
    "Labels are exchanged; the direction of every layer changes.",
    measure,
)
