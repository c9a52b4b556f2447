"""Continuous time: do cells carry on from one example to the next?"""

import equinox as eqx
import jax

from apical.audit.base import NOTHING, Cell, Property, number, verdict
from apical.audit.subject import Subject, change
from apical.core import Batch


def measure(subject: Subject) -> Cell:
    """The same example with the same draws, from rest and after another example."""
    own = subject.own
    if not jax.tree.leaves(eqx.filter(own.after.neurons, eqx.is_array)):
        return Cell(verdict(False), f"nothing is carried over from example to example (preset {own.setting})")
    before = Batch(1 - own.batch.x, own.batch.y)
    neurons = own.updated(batch=before)[0].neurons
    moved = change(own.direction.forward, own.updated(neurons=neurons)[1].direction.forward)
    return Cell(
        verdict(moved > NOTHING),
        f"after another example the same update differs by {number(moved)} from that at rest (preset {own.setting}; "
        f"above {NOTHING:g})",
    )


CONTINUOUS_TIME = Property(
    "continuous_time",
    "Continuous time",
    "Does time go on from one example to the next?",
    "In the rule's own preset, the update on an example depends on the example before it by way of the cells, with "
    "weights and draws held fixed.",
    measure,
)
