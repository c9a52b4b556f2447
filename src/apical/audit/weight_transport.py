"""No weight transport: does the update of a layer know the weights of the layers above it?"""

from apical.audit.base import FINAL, NO, NOT_APPLICABLE, NOTHING, SIGNS, YES, Cell, Property, numbers
from apical.audit.dependence import Response, respond, steps
from apical.audit.spikes import UNHEARD
from apical.audit.subject import Subject

COPY = 0.5


def measure(subject: Subject) -> Cell:
    """Each kernel above the first one is changed unheard, once keeping all signs and once not."""
    if subject.spikes:
        return Cell(NOT_APPLICABLE, UNHEARD)
    above = range(1, subject.layers)
    pairs = [[respond(subject, m, step) for step in steps(subject, m)] for m in above]
    large, small = ([pair[i] for pair in pairs] for i in range(2))
    return Cell(_value(large, small), _evidence(large, small))


def _value(large: list[Response], small: list[Response]) -> str:
    if any(r.copied > COPY for r in large):
        return NO
    known = [max(a.below, b.below) > NOTHING for a, b in zip(large, small, strict=True)]
    if not any(known):
        return YES
    if all(r.below < NOTHING for r in small):
        return SIGNS
    return FINAL if known[-1] and not any(known[:-1]) else NO


def _evidence(large: list[Response], small: list[Response]) -> str:
    return (
        f"relative change of the updates below per change of W2 to W{len(large) + 1} that no cell hears: "
        f"{numbers([r.below for r in large])}; with all signs kept: {numbers([r.below for r in small])}; scores: "
        f"{max(r.scores for r in large):.0e} (known above {NOTHING:g}); feedback weights follow by "
        f"{max(r.copied for r in large):.2f} (a copy above {COPY})"
    )


WEIGHT_TRANSPORT = Property(
    "no_weight_transport",
    "No weight transport",
    "Do synapses get by without knowing the weights of other cells?",
    "Weights above are changed such that no activity and no score changes. The updates below must stay as they are, "
    "and the feedback weights must not take over the change.",
    measure,
)
