"""Phases: under how many conditions must an example be shown?"""

from apical.audit.base import NOTHING, Cell, Property, number
from apical.audit.subject import Subject, responses

OTHER_KEY = 1_000


def measure(subject: Subject) -> Cell:
    """Recorded phases, and a further one where feedback alone depends on the draw of some noise."""
    redrawn = subject.updated(key=OTHER_KEY)[1].direction
    forward = max(responses(subject.direction.forward, redrawn.forward))
    feedback = max(
        responses((subject.direction.feedback,), (redrawn.feedback,)) if subject.direction.feedback else [0.0]
    )
    noisy = feedback > NOTHING >= forward
    n_phases = max(len(subject.recordings), 1) + noisy
    return Cell(
        str(n_phases),
        f"{len(subject.recordings)} recorded; other noise changes forward updates by {number(forward)}, feedback "
        f"updates by {number(feedback)} (a phase with noise where the latter alone is above {NOTHING:g})",
    )


PHASES = Property(
    "phases",
    "Phases needed",
    "Under how many conditions must an example be shown?",
    "Phases that the network records (with and without a teacher), and one more where the feedback weights learn from "
    "noise that the forward weights do not hear of.",
    measure,
)
