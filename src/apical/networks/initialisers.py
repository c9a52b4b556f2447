"""Laws of initial weights, by name. `fan_in` and `fan_out` count the synapses a unit receives and sends."""

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


INITIALISERS: dict[str, Initialiser] = {f.__name__: f for f in (xavier, glorot, kaiming, lecun, uniform)}
