"""What an inverse learns to do when the activity below it is shaken: three losses of the field, by name.

A loss is given as what the inverse hears, in one or more passes stacked along the batch, and as the derivative of the
loss with respect to the activity that it answers in each. So the inverse's own plasticity is the same for all: the
error of the units below times the activity that came down to them.
"""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

Errors = Callable[[Array], Array]


class Shaken(eqx.Module):
    """Activity `h` below an inverse g, moved by `shift`; f(h), which g hears, and f(h + shift); `jolt` moves f(h)."""

    h: Array
    shift: Array
    heard: Array
    heard_shifted: Array
    jolt: Array


def activity(shaken: Shaken) -> tuple[Array, Errors]:
    """1/2 |g(f(h + shift)) - (h + shift)|^2: g gives activity back (Lee 2015)."""
    return shaken.heard_shifted, lambda found: found - (shaken.h + shaken.shift)


def difference(shaken: Shaken) -> tuple[Array, Errors]:
    """1/2 |g(f(h + shift)) - g(f(h)) - shift|^2: g gives changes back, as difference targets use it.

    Under a decay of g's weights its minimum is the damped pseudo-inverse of f's Jacobian, with the decay over the
    variance of the shift for damping (Meulemans 2020): targets are those of Gauss and Newton.
    """

    def errors(found: Array) -> Array:
        shifted, still = jnp.split(found, 2)
        left = shifted - still - shaken.shift
        return jnp.concatenate([left, -left])

    return jnp.concatenate([shaken.heard_shifted, shaken.heard]), errors


def transpose(shaken: Shaken) -> tuple[Array, Errors]:
    """-shift . (g(f(h + shift)) - g(f(h))) + 1/2 |g(f(h) + jolt) - g(f(h))|^2: g's Jacobian becomes f's, transposed.

    With difference targets that is backprop's direction (Ernoult 2022).
    """

    def errors(found: Array) -> Array:
        _, still, jolted = jnp.split(found, 3)
        moved = jolted - still
        return jnp.concatenate([-shaken.shift, shaken.shift - moved, moved])

    heard = shaken.heard
    return jnp.concatenate([shaken.heard_shifted, heard, heard + shaken.jolt]), errors


RECONSTRUCTIONS: dict[str, Callable[[Shaken], tuple[Array, Errors]]] = {
    loss.__name__: loss for loss in (activity, difference, transpose)
}
