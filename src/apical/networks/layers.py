"""Layers with weights: dense, convolutional, locally connected. A layer is linear in its input and in its kernel.

Every layer maps activity (batch, ...) to the drive of its units. A rule needs two things of it: its own plasticity,
presynaptic activity times postsynaptic error, and the way of an error back through its kernel or through another
matrix of the kernel's shape. Both are the layer's vector-Jacobian product, taken by `pull` and `send_back`.
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apical.networks.convolution import convolve, patches


class AbstractLayer(eqx.Module):
    """A linear layer: `kernel` acts on the activity below, `bias` has one entry for each unit or channel."""

    kernel: eqx.AbstractVar[Array]
    bias: eqx.AbstractVar[Array]

    def __call__(self, h: Float[Array, "batch ..."]) -> Float[Array, "batch ..."]:
        """The drive of the layer's units."""
        raise NotImplementedError


class Dense(AbstractLayer):
    """All-to-all: drive = W h + b, with h flattened to (batch, below)."""

    kernel: Float[Array, "above below"]
    bias: Float[Array, " above"]

    def __call__(self, h: Float[Array, "batch ..."]) -> Float[Array, "batch above"]:
        # not h @ kernel.T: XLA would write the transposed kernel to memory at every step of a loop
        return jnp.einsum("nb,ab->na", h.reshape(len(h), -1), self.kernel) + self.bias


class Conv(AbstractLayer):
    """A convolution, channels last."""

    kernel: Float[Array, "height width below above"]
    bias: Float[Array, " above"]
    stride: int = eqx.field(static=True, default=1)
    padding: int = eqx.field(static=True, default=0)

    def __call__(self, h: Float[Array, "batch rows columns below"]) -> Float[Array, "batch rows2 columns2 above"]:
        return convolve(h, self.kernel, self.stride, self.padding) + self.bias


class Local(AbstractLayer):
    """Locally connected: a convolution without weight sharing, so that every position has a kernel of its own.

    The kernel's third axis runs over the patch (row, column, channel below); `size` is its height and width.
    """

    kernel: Float[Array, "rows2 columns2 patch above"]
    bias: Float[Array, "rows2 columns2 above"]
    size: tuple[int, int] = eqx.field(static=True)
    stride: int = eqx.field(static=True, default=1)
    padding: int = eqx.field(static=True, default=0)

    def __call__(self, h: Float[Array, "batch rows columns below"]) -> Float[Array, "batch rows2 columns2 above"]:
        seen = patches(h, self.size, self.stride, self.padding)
        return jnp.einsum("nijp,ijpa->nija", seen, self.kernel) + self.bias


def as_matrix(layer: AbstractLayer, kernel: Array) -> Float[Array, "above below"]:
    """A kernel of this layer as one matrix, a row for each unit or channel above."""
    return kernel if isinstance(layer, Dense) else jnp.moveaxis(kernel, -1, 0).reshape(kernel.shape[-1], -1)


def pull(layer: AbstractLayer, h: Array, error: Array) -> AbstractLayer:
    """The layer's own plasticity: dLoss/d(kernel, bias) where `error` is dLoss/d(drive), summed over the batch."""
    return jax.vjp(lambda f: f(h), layer)[1](error)[0]


def send_back(layer: AbstractLayer, kernel: Array, h: Array, error: Array) -> Array:
    """The error (shape of the drive) carried down through `kernel` in the layer's place, to the shape of `h`."""
    carrier = dataclasses.replace(layer, kernel=kernel)
    return jax.vjp(carrier, h)[1](error)[0]
