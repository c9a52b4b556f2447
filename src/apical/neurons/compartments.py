"""Compartments of a pyramidal cell in their steady state: potentials without unit, rest 0, conductances per ms."""

import jax
from jaxtyping import Array, Float

Potential = Float[Array, "batch units"]


def fire(soma: Potential, max_rate: Array) -> Float[Array, "batch units"]:
    """The rate of a soma, in spikes per ms: max_rate * logistic(soma)."""
    return max_rate * jax.nn.sigmoid(soma)


def fire_slope(soma: Potential, max_rate: Array) -> Float[Array, "batch units"]:
    """The derivative of `fire` with respect to the soma."""
    return max_rate * jax.nn.sigmoid(soma) * jax.nn.sigmoid(-soma)


def coupling(g_dendrite: Array, g_leak: Array, g_other: Array) -> Array:
    """The share of a dendrite's potential that the soma settles at: g_dendrite over the sum of all conductances."""
    return g_dendrite / (g_leak + g_dendrite + g_other)


def taught_soma(
    basal: Potential, target: Float[Array, "batch units"], g_basal: Array, g_leak: Array, e_exc: Array, e_inh: Array
) -> Potential:
    """The output soma under the teacher, whose conductance is excitatory where `target` is 1 and inhibitory where 0.

    C = (g_D B + g_E E_E + g_I E_I) / (g_L + g_D + g_E + g_I), with g_E = target and g_I = 1 - target.
    """
    current = g_basal * basal + target * e_exc + (1 - target) * e_inh
    return current / (g_leak + g_basal + 1)


def plateau(apical: Potential) -> Float[Array, "batch units"]:
    """The plateau potential of an apical dendrite, in [0, 1], from its mean potential over a phase."""
    return jax.nn.sigmoid(apical)
