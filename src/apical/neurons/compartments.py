"""Compartments of a pyramidal cell: potentials without unit, rest 0; conductances and rates per ms.

A soma obeys dC/dt = drive - pull C, where `drive` sums conductance times potential over all that acts on it and `pull`
sums the conductances alone. It is stepped by forward Euler, or taken at its steady state, drive / pull.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Potential = Float[Array, "batch units"]


def fire(soma: Float[Array, "..."], max_rate: Array) -> Float[Array, "..."]:
    """The rate of a soma, in spikes per ms: max_rate * logistic(soma)."""
    return max_rate * jax.nn.sigmoid(soma)


def fire_slope(soma: Float[Array, "..."], max_rate: Array) -> Float[Array, "..."]:
    """The derivative of `fire` with respect to the soma."""
    return max_rate * jax.nn.sigmoid(soma) * jax.nn.sigmoid(-soma)


def plateau(apical: Potential) -> Potential:
    """The plateau potential of an apical dendrite, in [0, 1], from its mean potential over a phase."""
    return jax.nn.sigmoid(apical)


def plateau_slope(apical: Potential) -> Potential:
    """The derivative of `plateau` with respect to the mean potential."""
    return jax.nn.sigmoid(apical) * jax.nn.sigmoid(-apical)


def teach(target: Potential, e_exc: Array, e_inh: Array) -> Potential:
    """What the teacher drives an output soma with: conductance 1 towards `e_exc` where `target` is 1, else `e_inh`."""
    return target * e_exc + (1 - target) * e_inh


def soma_over_time(
    soma: Potential, drive: Float[Array, "steps batch units"], pull: Array, dt_ms: float
) -> Float[Array, "steps batch units"]:
    """The soma after each of many Euler steps, as one linear map over time."""
    n_steps = len(drive)
    powers = jnp.concatenate([jnp.ones(1), jnp.cumprod(jnp.full(n_steps, 1 - dt_ms * pull))])
    steps = jnp.arange(n_steps)
    since = steps[:, None] - steps[None]
    response = jnp.where(since >= 0, powers[jnp.maximum(since, 0)], 0.0)
    return dt_ms * jnp.einsum("tu,ubn->tbn", response, drive) + powers[1:, None, None] * soma
