"""Initial weights of cells with segregated dendrites, aimed at basal potentials of mean 3 and standard deviation 3."""

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from apical.core import PRNGKey
from apical.networks.layers import Dense

MEAN_POTENTIAL = 3.0
SECOND_MOMENT = 3.0**2 + 3.0**2
MEAN_BIAS = 0.8
BIAS_SPREAD = 0.003465
NOISE = 0.05
ABSENT = 0.8


def optimised_moments(fan_in: int, max_rate: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of the weights onto a dendrite with `fan_in` synapses (Guerguiev 2017, methods).

    Presynaptic rates are taken to be max_rate / 4, potentials to have mean V and second moment S.
    """
    n, nu = float(fan_in), max_rate / 4
    mean = (MEAN_POTENTIAL - MEAN_BIAS) / (nu * n * MEAN_POTENTIAL)
    known = nu**2 * (n - n**2) * mean**2 * MEAN_POTENTIAL**2 - 2 * n * nu * MEAN_BIAS * MEAN_POTENTIAL * mean
    second = (SECOND_MOMENT + known - MEAN_BIAS**2) / (n * nu**2 * SECOND_MOMENT)
    return mean, jnp.sqrt(second - mean**2)


def optimised_layer(
    key: PRNGKey, below: int, above: int, fan_in: int, max_rate: Array, spread: Array, centre: Array | float = 1.0
) -> Dense:
    """Uniform weights with `centre` times the optimised mean and `spread` times the optimised standard deviation.

    Biases lie near 0.8.
    """
    key_kernel, key_bias = jr.split(key)
    mean, deviation = optimised_moments(fan_in, max_rate)
    kernel = centre * mean + jnp.sqrt(3.0) * spread * deviation * jr.uniform(key_kernel, (above, below), minval=-1.0)
    return Dense(kernel, MEAN_BIAS + BIAS_SPREAD * jr.uniform(key_bias, (above,), minval=-1.0))


def plain_layer(key: PRNGKey, below: int, above: int, spread: float) -> Dense:
    """Uniform weights within `spread`, biases within 1."""
    key_kernel, key_bias = jr.split(key)
    kernel = spread * jr.uniform(key_kernel, (above, below), minval=-1.0)
    return Dense(kernel, jr.uniform(key_bias, (above,), minval=-1.0))


def sparse(key: PRNGKey, kernel: Array) -> Array:
    """A kernel of which 80 % of the synapses are missing; the others are five times as strong."""
    return jnp.where(jr.uniform(key, kernel.shape) < ABSENT, 0.0, kernel / (1 - ABSENT))
