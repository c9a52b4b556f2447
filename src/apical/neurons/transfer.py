"""Transfer functions, by name: from the drive of a unit to its activity."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array


def identity(drive: Array) -> Array:
    """The drive itself."""
    return drive


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "elu": jax.nn.elu,
    "logistic": jax.nn.sigmoid,
    "identity": identity,
}
