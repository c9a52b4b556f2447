"""A block of a feedforward network: a layer with weights, then what its units do with the drive.

The drive is normalised (optional), passed through the activation and max-pooled (optional). Everything behind the
drive has no crossing of units but the pool, so every rule treats it alike: it passes errors through its own Jacobian.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apical.networks.layers import AbstractLayer
from apical.neurons.transfer import ACTIVATIONS

EPSILON = 1e-5
MEMORY = 0.9


class Statistics(eqx.Module):
    """Running mean and variance of a drive, one for each channel: what batch normalisation uses at test."""

    mean: Float[Array, " channels"]
    variance: Float[Array, " channels"]


class BatchNorm(eqx.Module):
    """Batch normalisation (Ioffe & Szegedy 2015): per channel, over the batch and the image, then scale and offset."""

    scale: Float[Array, " channels"]
    offset: Float[Array, " channels"]

    def __call__(self, drive: Float[Array, "batch ... channels"], statistics: Statistics) -> Array:
        """The drive, normalised by the statistics given."""
        spread = jnp.sqrt(statistics.variance + EPSILON)
        return (drive - statistics.mean) / spread * self.scale + self.offset


def statistics_of(drive: Float[Array, "batch ... channels"]) -> Statistics:
    """Mean and (biased) variance of each channel over this batch."""
    axes = tuple(range(drive.ndim - 1))
    return Statistics(drive.mean(axes), drive.var(axes))


def remember(running: Statistics, drive: Float[Array, "batch ... channels"]) -> Statistics:
    """The running statistics after one more batch: 9/10 of the old, 1/10 of the new, the variance unbiased."""
    now, n = statistics_of(drive), drive.size // drive.shape[-1]
    unbiased = now.variance * (n / max(n - 1, 1))
    return Statistics(
        MEMORY * running.mean + (1 - MEMORY) * now.mean,
        MEMORY * running.variance + (1 - MEMORY) * unbiased,
    )


class Block(eqx.Module):
    """The weights of one block; `activation` by name, `pool` the side of the max pool behind it (1: none)."""

    layer: AbstractLayer
    norm: BatchNorm | None = None
    activation: str = eqx.field(static=True, default="identity")
    pool: int = eqx.field(static=True, default=1)

    @property
    def kernel(self) -> Array:
        """The layer's synapses, without biases and normalisation."""
        return self.layer.kernel

    def respond(self, drive: Float[Array, "batch ..."], statistics: Statistics | None = None) -> Array:
        """The activity for this drive; normalised by this batch's own statistics where none are given."""
        if self.norm is not None:
            drive = self.norm(drive, statistics_of(drive) if statistics is None else statistics)
        h = ACTIVATIONS[self.activation](drive)
        return max_pool(h, self.pool) if self.pool > 1 else h


def max_pool(
    h: Float[Array, "batch rows columns channels"], side: int
) -> Float[Array, "batch rows2 columns2 channels"]:
    """The maximum of each `side` x `side` field; rows and columns that fill no field are left out.

    The error goes to the first of the largest units. (By selection, not by `max`: its derivative asks which unit equals
    the maximum, and where the compiler computes the two apart by a rounding, no unit does. And by one mask for all: the
    derivative of picking unit by unit is as many padded images, which takes five times as long.)
    """
    n, rows, columns, channels = h.shape
    h = h[:, : rows // side * side, : columns // side * side]
    fields = h.reshape(n, rows // side, side, columns // side, side, channels)
    units = [jax.lax.stop_gradient(fields)[:, :, i, :, j] for i in range(side) for j in range(side)]
    best, winner = units[0], jnp.zeros(units[0].shape, jnp.int16)
    for place, unit in enumerate(units[1:], 1):
        best, winner = jnp.where(unit > best, unit, best), jnp.where(unit > best, place, winner)
    places = jnp.arange(side * side, dtype=winner.dtype).reshape(side, 1, side, 1)
    return jnp.where(winner[:, :, None, :, None] == places, fields, 0).sum((2, 4))
