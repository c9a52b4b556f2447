"""No separate pathways: is what teaches hidden cells carried by the activity of the cells above?"""

from apical.audit.base import NOTHING, Cell, Property, number, verdict
from apical.audit.subject import Subject, change


def carried(subject: Subject) -> float:
    """By how much other labels change the recorded activity of the output cells while they learn."""
    recordings = zip(subject.recordings, subject.record(batch=subject.relabelled), strict=True)
    return max((change(a.rates[-1], b.rates[-1]) for a, b in recordings), default=0.0)


def measure(subject: Subject) -> Cell:
    """Other labels change hidden updates; do they change what output cells fire?"""
    told, fired = max(subject.heard_by_labels[:-1]), carried(subject)
    return Cell(
        verdict(told > NOTHING and fired > NOTHING),
        f"other labels change hidden updates by {number(told)} and the activity of output cells while they learn by "
        f"{number(fired)} (above {NOTHING:g}: the label is in the activity)",
    )


SEPARATE_PATHWAYS = Property(
    "no_separate_pathways",
    "No separate pathways",
    "Does the ordinary activity of the cells above carry what hidden cells are taught?",
    "Labels are exchanged. Where hidden updates change though the recorded activity of the output cells does not, "
    "what teaches them must travel apart from activity.",
    measure,
)
