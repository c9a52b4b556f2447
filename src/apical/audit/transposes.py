"""No transposes: is a forward matrix used backwards?"""

from apical.audit.base import FINAL, NO, NOT_APPLICABLE, NOTHING, YES, Cell, Property, numbers
from apical.audit.dependence import respond, split_by_error, unheard
from apical.audit.spikes import UNHEARD
from apical.audit.subject import Subject


def measure(subject: Subject) -> Cell:
    """W_m is changed unheard, in the part that its transpose shows to the errors above, and in the part it does not."""
    if subject.spikes:
        return Cell(NOT_APPLICABLE, UNHEARD)
    shown, hidden = [], []
    for m in range(1, subject.layers):
        parts = split_by_error(subject, m, unheard(subject, m))
        for found, part in zip((shown, hidden), parts, strict=True):
            found.append(respond(subject, m, part).below if part.any() else 0.0)
    used = [a > NOTHING > b for a, b in zip(shown, hidden, strict=True)]
    value = YES if not any(used) else FINAL if used[-1] and not any(used[:-1]) else NO
    return Cell(
        value,
        f"relative change of the updates below when W2 to W{subject.layers} change in what W^T shows to the errors: "
        f"{numbers(shown)}; in the rest: {numbers(hidden)} (a transpose: above {NOTHING:g} and below it)",
    )


TRANSPOSES = Property(
    "no_transposes",
    "No transposes",
    "Does no signal travel backwards through a forward matrix?",
    "Weights above are changed such that no activity changes. A transpose is found where the updates below change "
    "with that part of the weights that W^T shows to the errors of the layer, and with no other part.",
    measure,
)
