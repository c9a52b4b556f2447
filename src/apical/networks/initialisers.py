"""Laws of initial weights, by name. `fan_in` and `fan_out` count the synapses a unit receives and sends."""

import math
from collections.abc import Callable

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from apical.core import PRNGKey

Shape = tuple[int, ...]
Initialiser = Callable[[PRNGKey, Shape, int, int], Array]


def xavier(key: PRNGKey, shape: Shape, fan_in: int, fan_out: int) -> Float[Array, "..."]:
    """Normal, variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010, eq. 12)."""
    return jr.normal(key, shape) * jnp.sqrt(2.0 / (fan_in + fan_out))


def glorot(key: PRNGKey, shape: Shape, fan_in: int, fan_out: int) -> Float[Array, "..."]:
    """Uniform with the same variance (Glorot & Bengio 2010, eq. 16)."""
    return jr.uniform(key, shape, minval=-1.0) * jnp.sqrt(6.0 / (fan_in + fan_out))


def kaiming(key: PRNGKey, shape: Shape, fan_in: int, fan_out: int) -> Float[Array, "..."]:
    """Normal, variance 2 / fan_in (He et al. 2015, eq. 10)."""
    return jr.normal(key, shape) * jnp.sqrt(2.0 / fan_in)


def lecun(key: PRNGKey, shape: Shape, fan_in: int, fan_out: int) -> Float[Array, "..."]:
    """Normal, variance 1 / fan_in (LeCun et al. 1998, eq. 16)."""
    return jr.normal(key, shape) / jnp.sqrt(float(fan_in))


def uniform(key: PRNGKey, shape: Shape, fan_in: int, fan_out: int) -> Float[Array, "..."]:
    """Uniform within 1 / sqrt(fan_in), variance 1 / (3 fan_in): PyTorch's default, hence Lange's networks."""
    return jr.uniform(key, shape, minval=-1.0) / jnp.sqrt(float(fan_in))


def orthogonal(key: PRNGKey, shape: Shape, fan_in: int, fan_out: int) -> Float[Array, "..."]:
    """All singular values 1, variance 1 / max(fan_in, units); at every place of its own where weights are not shared.

    A layer keeps all that it hears apart, as far as it has units, where normal weights of any variance nearly lose
    some directions (Saxe et al. 2014, section 3).
    """
    shared = math.prod(shape[:-1]) in (fan_in, fan_out)
    rows, places = (math.prod(shape[:-1]), ()) if shared else (shape[-2], shape[:-2])
    return jr.orthogonal(key, rows, places, m=shape[-1]).reshape(shape)


INITIALISERS: dict[str, Initialiser] = {f.__name__: f for f in (xavier, glorot, kaiming, lecun, uniform, orthogonal)}
