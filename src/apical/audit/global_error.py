"""No global error: does the signal come from the next layer, or from the output to all layers at once?"""

import equinox as eqx
import jax

from apical.audit.base import NOTHING, Cell, Property, number, numbers, verdict
from apical.audit.dependence import respond, unheard
from apical.audit.subject import Subject, responses, stronger


def measure(subject: Subject) -> Cell:
    """Does the first layer's update depend on the ways of feedback that end in layers above it?"""
    told = subject.heard_by_labels[0]
    ways = list(_by_feedback(subject) or _by_weights(subject))
    return Cell(
        verdict(told > NOTHING and max(ways, default=0.0) > NOTHING),
        f"other labels change the first layer's update by {number(told)}; changes of the ways of feedback into "
        f"higher hidden layers: by {numbers(ways) or 'none'} (it comes through them above {NOTHING:g})",
    )


def _by_feedback(subject: Subject) -> list[float]:
    """How the first layer's update follows the synapses from above onto each higher hidden layer."""
    feedback = subject.weights.feedback
    if not jax.tree.leaves(eqx.filter(feedback, eqx.is_array)):
        return []
    found = []
    for k in range(1, len(feedback)):
        moved = stronger(feedback[k])
        weights = eqx.tree_at(lambda w, k=k: w.feedback[k], subject.weights, moved)
        found.append(_first(subject, weights))
    return found


def _by_weights(subject: Subject) -> list[float]:
    """The same where there are no other synapses: how it follows the forward weights above the second layer."""
    return [respond(subject, m, unheard(subject, m)).below for m in range(2, subject.layers)]


def _first(subject: Subject, weights: object) -> float:
    direction = subject.updated(weights)[1].direction  # type: ignore[arg-type]
    return responses(subject.direction.forward[:1], direction.forward[:1])[0]


GLOBAL_ERROR = Property(
    "no_global_error",
    "No global error",
    "Do layers learn from the next layer, not from the output over the heads of others?",
    "The synapses that carry feedback into higher hidden layers are changed; the update of the first layer must change "
    "with them, for what reaches it has come through those layers.",
    measure,
)
