"""Pure steps of rate neurons: somas that follow their dendrites, potentials that look ahead, filters in time.

A soma obeys du/dt = drive - pull u (capacitance 1): `drive` sums conductance times potential over all that acts on it,
`pull` the conductances alone. Its time constant is 1 / pull.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

Potential = Float[Array, "..."]


def change(soma: Potential, drive: Potential, pull: Array) -> Potential:
    """du/dt, per ms."""
    return drive - pull * soma


def prospective(soma: Potential, change: Potential, pull: Array) -> Potential:
    """The potential that a soma is on its way to: u + tau du/dt (Haider 2021, eq. 1)."""
    return soma + change / pull


def filtered(value: Potential, towards: Potential, dt_ms: float, tau_ms: Array) -> Potential:
    """A low-pass filter after one step towards a constant: exact."""
    return towards + jnp.exp(-dt_ms / tau_ms) * (value - towards)


def filtered_mean(value: Potential, towards: Potential, dt_ms: float, tau_ms: Array) -> Potential:
    """The mean of the same filter over that step."""
    rise = -tau_ms / dt_ms * jnp.expm1(-dt_ms / tau_ms)
    return towards + rise * (value - towards)
