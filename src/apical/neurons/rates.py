"""Transfer functions of rate neurons: phi(u) = gamma f(beta (u - theta)), with what belongs to each f.

A loss whose derivative in the potential u is -phi'(u) (target - u) is the Bregman divergence of the integral of phi, so
each function comes with its integral; a target given as a rate needs its inverse.
"""

from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.scipy.special as special
from jaxtyping import Array, Float

Function = Callable[[Array], Array]
EDGE = 1e-6  # rates that no potential gives are taken this far within the range


@dataclass(frozen=True)
class Shape:
    """A function f, its integral up to a constant, its inverse, and the ends of its range."""

    f: Function
    integral: Function
    inverse: Function
    low: float
    high: float


def softplus_integral(y: Array) -> Array:
    """-Li2(-e^y), from the side on which e^y is small: the other follows by inversion of the dilogarithm."""
    small = special.spence(1 + jnp.exp(-jnp.abs(y)))
    return jnp.where(y > 0, jnp.pi**2 / 6 + y**2 / 2 + small, -small)


def log_cosh(y: Array) -> Array:
    """log cosh y without overflow."""
    return jnp.abs(y) + jnp.log1p(jnp.exp(-2 * jnp.abs(y))) - jnp.log(2.0).astype(y.dtype)


SHAPES: dict[str, Shape] = {
    "soft-relu": Shape(
        jax.nn.softplus, softplus_integral, lambda r: r + jnp.log(-jnp.expm1(-r)), 0.0, jnp.finfo("float32").max.item()
    ),
    "logistic": Shape(jax.nn.sigmoid, jax.nn.softplus, special.logit, 0.0, 1.0),
    "tanh": Shape(jnp.tanh, log_cosh, jnp.arctanh, -1.0, 1.0),
    "hard-sigmoid": Shape(
        lambda y: jnp.clip(y, 0, 1),
        lambda y: jnp.clip(y, 0, 1) ** 2 / 2 + jnp.maximum(y - 1, 0),
        lambda r: r,
        0.0,
        1.0,
    ),
}


class Transfer(eqx.Module):
    """A transfer function by name (see `SHAPES`), with its gain `gamma`, steepness `beta` and threshold `theta`."""

    name: str = eqx.field(static=True)
    gamma: Array
    beta: Array
    theta: Array

    def rate(self, u: Float[Array, "..."]) -> Float[Array, "..."]:
        """The rate at a potential."""
        return self.gamma * SHAPES[self.name].f(self.beta * (u - self.theta))

    def slope(self, u: Float[Array, "..."]) -> Float[Array, "..."]:
        """The derivative of the rate with respect to the potential."""
        return jax.jvp(self.rate, (u,), (jnp.ones_like(u),))[1]

    def log_slope(self, u: Float[Array, "..."]) -> Float[Array, "..."]:
        """The derivative of the rate over the rate, h(u) of Urbanczik and Senn (2014); 0 where there is no rate."""
        rate = self.rate(u)
        return jnp.where(rate > 0, self.slope(u) / jnp.where(rate > 0, rate, 1.0), 0.0)

    def integral(self, u: Float[Array, "..."]) -> Float[Array, "..."]:
        """The integral of the rate over the potential, up to a constant."""
        return self.gamma / self.beta * SHAPES[self.name].integral(self.beta * (u - self.theta))

    def potential(self, rate: Float[Array, "..."]) -> Float[Array, "..."]:
        """The potential that gives a rate; a rate out of range counts as one just within it."""
        shape = SHAPES[self.name]
        share = jnp.clip(rate / self.gamma, shape.low + EDGE, shape.high - EDGE)
        return self.theta + shape.inverse(share) / self.beta


@jax.custom_jvp
def divergence(transfer: Transfer, u: Float[Array, "..."], target: Float[Array, "..."]) -> Float[Array, "..."]:
    """The loss of each cell whose derivative in its potential u is -phi'(u) (target - u); 0 where u is the target.

    Only u is differentiated.
    """
    lost = transfer.integral(target) - transfer.integral(u) - (target - u) * transfer.rate(u)
    return jnp.maximum(lost, 0.0)


@divergence.defjvp
def _change(primals: tuple[Transfer, Array, Array], tangents: tuple) -> tuple[Array, Array]:
    transfer, u, target = primals
    return divergence(*primals), transfer.slope(u) * (u - target) * tangents[1]
