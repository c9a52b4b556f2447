"""Separate weights learned: are there synapses that carry signals down, and do they learn?"""

import equinox as eqx
import jax

from apical.audit.base import NO, NOT_APPLICABLE, PARTLY, YES, Cell, Property, number
from apical.audit.subject import Subject, change

GROUPS = ("feedback", "lateral")


def measure(subject: Subject) -> Cell:
    """Which of the groups beside the forward weights move in one update, and along a direction of their own."""
    there = {g: getattr(subject.weights, g) for g in GROUPS}
    there = {g: w for g, w in there.items() if jax.tree.leaves(eqx.filter(w, eqx.is_array))}
    if not there:
        return Cell(NOT_APPLICABLE, "no weights but the forward ones")
    moved = {g: change(w, getattr(subject.after.weights, g)) for g, w in there.items()}
    learnt = {g: moved[g] > 0 and directed(subject, g) for g in there}
    said = ", ".join(f"{g} {number(moved[g])}" for g in there)
    value = YES if learnt.get("feedback", True) and any(learnt.values()) else PARTLY if any(learnt.values()) else NO
    return Cell(value, f"relative change in one update: {said}; with a direction: {_list(learnt)}")


def directed(subject: Subject, group: str) -> bool:
    """Whether the rule gives a group a direction that is not zero."""
    leaves = jax.tree.leaves(eqx.filter(getattr(subject.direction, group), eqx.is_array))
    return any(bool((leaf != 0).any()) for leaf in leaves)


def _list(learnt: dict[str, bool]) -> str:
    return ", ".join(group for group, does in learnt.items() if does) or "none"


SEPARATE_WEIGHTS = Property(
    "separate_weights_learned",
    "Separate weights learned",
    "Do weights that are not forward ones learn?",
    "A group of weights beside the forward ones changes in one update, along a direction that the rule gives it; fresh "
    "copies and fresh draws do not count. Partly: others learn, but those from above do not.",
    measure,
)
