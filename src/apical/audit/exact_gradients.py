"""Exact gradients: is the update the gradient of the loss, at once or in a limit?"""

import math

from apical.audit.base import LIMIT, NO, YES, Cell, Property
from apical.audit.subject import N_LIMIT, N_UPDATES, Subject, angles

EXACT, NEAR = 0.1, 10.0


def largest_angle(subject: Subject) -> float:
    """The largest angle of a layer between direction and gradient, in degrees; 90 where a layer is given nothing."""
    measured = angles(subject.direction.forward, subject.gradient)
    found = [float(angle) for name, angle in measured.items() if name != "total"]
    return max(90.0 if math.isnan(angle) else angle for angle in found)


def measure(subject: Subject) -> Cell:
    """The angle before learning, after it, and after it in the limit that the rule declares."""
    first, later = largest_angle(subject), largest_angle(subject.learnt(N_UPDATES))
    said = f"largest angle of a layer to the gradient {first:.2f} degrees, {later:.1f} after {N_UPDATES} updates"
    near = 90.0
    if subject.limit is not None:
        near = largest_angle(subject.limit.learnt(N_LIMIT))
        said += f", {near:.1f} after {N_LIMIT} in the limit declared ({subject.limit.setting})"
    value = YES if first < EXACT else LIMIT if near < NEAR else NO
    return Cell(value, f"{said} (exact below {EXACT}, a limit below {NEAR:g})")


EXACT_GRADIENTS = Property(
    "exact_gradients",
    "Exact gradients",
    "Is the update the gradient of the network's own loss?",
    "The largest angle of any layer's direction to the gradient, before learning; where the rule declares a limit, "
    "also in that limit, after learning.",
    measure,
)
