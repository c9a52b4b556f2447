"""Linear stabilisation: do hidden layers rest where no error is made, however bad the learnt feedback is?"""

import jax.numpy as jnp
import numpy as np

from apical.audit.base import NOT_APPLICABLE, Cell, Property, number, verdict
from apical.audit.perfect import without_error
from apical.audit.separate_weights import directed
from apical.audit.subject import Subject, flat
from apical.core import Batch, Weights

RESTS = 1e-3


def errorless(subject: Subject) -> tuple[Weights, Batch, Batch] | None:
    """Weights without any error on class 0, a batch of that class, and one of another class."""
    weights = without_error(subject.rule.network, subject.weights)
    if weights is None:
        return None
    right, wrong = (Batch(subject.batch.x, jnp.asarray(np.full(subject.batch.y.shape, label))) for label in (0, 1))
    return weights, right, wrong


def rest(subject: Subject) -> float | None:
    """Size of the hidden updates without any error, relative to those with a wrong label."""
    found = errorless(subject)
    if found is None:
        return None
    weights, *batches = found
    sizes = [np.linalg.norm(flat(subject.updated(weights, batch)[1].direction.forward[:-1])) for batch in batches]
    return float(sizes[0] / sizes[1])


def measure(subject: Subject) -> Cell:
    """Hidden updates of a network that makes no error."""
    if not any(directed(subject, group) for group in ("feedback", "lateral")):
        return Cell(NOT_APPLICABLE, "no feedback weights learn, so there is no learnt inverse to be wrong")
    ratio = rest(subject)
    if ratio is None:
        return Cell(NOT_APPLICABLE, "nobody has said which weights of this network make no error")
    said = f"size of hidden updates without any output error, relative to those with a wrong label: {number(ratio)}"
    return Cell(verdict(ratio < RESTS), f"{said} (rest below {RESTS:g})")


STABILISATION = Property(
    "linear_stabilization",
    "Linear stabilisation",
    "Do errors of learnt feedback leave the forward weights alone?",
    "The output is made to predict class 0 without any error, the feedback stays as it is. Hidden updates must vanish. "
    "It does not apply where no feedback learns.",
    measure,
)
