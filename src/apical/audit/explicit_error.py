"""Explicit error representation: is there a signal that is zero exactly where no error is made?"""

from apical.audit.base import NOT_APPLICABLE, NOTHING, Cell, Property, number, verdict
from apical.audit.separate_pathways import carried
from apical.audit.stabilisation import RESTS, errorless
from apical.audit.subject import Subject, flat


def measure(subject: Subject) -> Cell:
    """Where dendrites are recorded, their potential without any error; else whether anything but activity teaches."""
    if not any(recording.apical for recording in subject.recordings):
        fired = carried(subject)
        return Cell(
            verdict(max(subject.heard_by_labels[:-1]) > NOTHING >= fired),
            f"hidden cells are taught, but other labels change the activity of output cells by {number(fired)}: so a "
            "variable beside activity holds what is wrong (by exclusion)",
        )
    found = errorless(subject)
    if found is None:
        return Cell(NOT_APPLICABLE, "nobody has said which weights of this network make no error")
    weights, *batches = found
    sizes = [abs(flat(subject.record(weights, batch)[-1].apical)).mean() for batch in batches]
    ratio = float(sizes[0] / sizes[1])
    return Cell(
        verdict(ratio < RESTS),
        f"mean apical potential in the taught phase without any output error, relative to that with a wrong label: "
        f"{number(ratio)} (an error below {RESTS:g})",
    )


EXPLICIT_ERROR = Property(
    "explicit_error_representation",
    "Explicit error",
    "Is there, at one moment, a signal that is the error?",
    "Where apical potentials are recorded, they must vanish where no error is made. Where none are recorded and labels "
    "reach hidden updates though not activity, a separate variable holds the error.",
    measure,
)
