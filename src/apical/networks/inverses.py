"""Learnt inverses of the blocks of a feedforward network: from the activity of a block to that below it.

An inverse has a kernel of the shape of its block's and carries activity down by the transposed layer, so that dense,
convolutional and locally connected blocks have one alike. A pool is undone by giving each unit of its field its value.
"""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apical.core import PRNGKey
from apical.networks.blocks import Block
from apical.networks.initialisers import Initialiser
from apical.networks.layers import Conv, Dense, pull, send_back
from apical.neurons.transfer import ACTIVATIONS


class Inverse(eqx.Module):
    """g(h) = s(V^T h + c): `kernel` V has the shape of its layer's kernel, `bias` c one entry for each unit (of
    a convolution: channel) below."""

    kernel: Array
    bias: Array

    def __call__(self, block: Block, h: Float[Array, "batch ..."], below: tuple[int, ...]) -> Array:
        """The drive (batch, *below) that activity `h` of a block gives to the units below it, before s."""
        like = jnp.zeros((len(h), *below), h.dtype)
        back = send_back(block.layer, self.kernel, like, spread(block, h, like))
        return back + self.bias


def spread(block: Block, h: Float[Array, "batch ..."], like: Array) -> Array:
    """Activity of a block given to all units of its drive: where it pools, to each of the field, zero outside."""
    if block.pool == 1:
        return h
    shape = jax.eval_shape(block.layer, like).shape
    for axis in (1, 2):
        h = jnp.repeat(h, block.pool, axis)
    return jnp.pad(h, [(0, whole - part) for whole, part in zip(shape, h.shape, strict=True)])


def init_inverse(key: PRNGKey, initialise: Initialiser, block: Block, below: tuple[int, ...]) -> Inverse:
    """A fresh inverse of a block above activity of shape `below`, drawn from a law of weights; biases are zero."""
    layer, shape = block.layer, block.layer.kernel.shape
    if isinstance(layer, Dense):
        above, patch = shape
        return Inverse(initialise(key, shape, above, patch), jnp.zeros(below))
    patch = math.prod(shape[:-1]) if isinstance(layer, Conv) else shape[2]
    sent = patch // below[-1] * shape[-1]
    return Inverse(initialise(key, shape, sent, patch), jnp.zeros(below[-1:] if isinstance(layer, Conv) else below))


def inverse_direction(
    inverse: Inverse,
    block: Block,
    activation: str,
    heard: Array,
    below: tuple[int, ...],
    errors: Callable[[Array], Array],
) -> Inverse:
    """The gradient of a loss for the inverse's weights, summed over what it hears.

    `errors` gives the loss's derivative with respect to s(g(heard)), of shape (batch, *below). The plasticity is local
    as that of any layer: the error of the units below times the activity that came down to them.
    """
    drive = inverse(block, heard, below)
    found, back = jax.vjp(ACTIVATIONS[activation], drive)
    (error,) = back(errors(found))
    kernel = pull(block.layer, error, spread(block, heard, error)).kernel
    axes = tuple(range(error.ndim - 1)) if isinstance(block.layer, Conv) else (0,)
    return Inverse(kernel, error.sum(axes))
