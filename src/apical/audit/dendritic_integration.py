"""Dendritic integration: do hidden cells learn from the potential of a dendrite of their own?"""

import equinox as eqx
import jax

from apical.audit.base import NOT_APPLICABLE, NOTHING, Cell, Property, number, verdict
from apical.audit.subject import STRONGER, Subject, responses, stronger
from apical.core import Weights


def measure(subject: Subject) -> Cell:
    """Is there a potential from above in the cell, do labels move it, and does the update follow its synapses?"""
    weights = subject.weights
    if not jax.tree.leaves(eqx.filter((weights.feedback, weights.lateral), eqx.is_array)):
        return Cell(NOT_APPLICABLE, "no synapses but the forward ones, so nothing to integrate")
    last, other = subject.recordings[-1:], subject.record(batch=subject.relabelled)[-1:]
    if not last or not last[0].apical:
        return Cell(verdict(False), "no compartment but one is recorded in any hidden cell")
    moved = max(responses(last[0].apical, other[0].apical))
    scaled = Weights(weights.forward, stronger(weights.feedback), weights.lateral)
    followed = max(responses(subject.direction.forward, subject.updated(scaled)[1].direction.forward)[:-1])
    return Cell(
        verdict(moved > NOTHING and followed > NOTHING),
        f"other labels change the recorded apical potential by {number(moved)}; apical synapses times {STRONGER} "
        f"change hidden updates by {number(followed)} (above {NOTHING:g})",
    )


DENDRITIC_INTEGRATION = Property(
    "dendritic_integration",
    "Dendritic integration",
    "Does a cell integrate what comes from above in a dendrite of its own?",
    "An apical potential is recorded in hidden cells, labels change it, and the update of the cell follows its "
    "synapses.",
    measure,
)
