"""Builds the blocks of feedforward networks: fans, initial weights, and the sizes that images shrink to."""

import itertools
import math
from typing import Protocol, runtime_checkable

import jax.numpy as jnp
import jax.random as jr

from apical.core import PRNGKey
from apical.errors import InputError
from apical.networks.blocks import BatchNorm, Block
from apical.networks.convolution import extent
from apical.networks.initialisers import INITIALISERS
from apical.networks.layers import AbstractLayer, Conv, Dense, Local


@runtime_checkable
class ImageNetwork(Protocol):
    """What `image_blocks` reads of a network."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def classes(self) -> int: ...
    @property
    def hidden(self) -> tuple[int, ...]: ...
    @property
    def channels(self) -> tuple[int, ...]: ...
    @property
    def kernels(self) -> tuple[int, ...]: ...
    @property
    def strides(self) -> tuple[int, ...]: ...
    @property
    def padding(self) -> tuple[int, ...]: ...


class Maker:
    """Makes one block after another; each takes a key of its own. Biases start at zero."""

    def __init__(self, key: PRNGKey, activation: str, initialiser: str, batch_norm: bool) -> None:
        self.key, self.activation, self.batch_norm = key, activation, batch_norm
        self.initialise = INITIALISERS[initialiser]

    def block(self, layer: AbstractLayer, channels: int, pool: int = 1) -> Block:
        """A hidden block around a layer."""
        norm = BatchNorm(jnp.ones(channels), jnp.zeros(channels)) if self.batch_norm else None
        return Block(layer, norm, self.activation, pool)

    def dense(self, below: int, above: int) -> Dense:
        """A dense layer."""
        self.key, key = jr.split(self.key)
        return Dense(self.initialise(key, (above, below), below, above), jnp.zeros(above))

    def image(
        self, local: bool, shape: tuple[int, ...], above: int, size: int, stride: int, padding: int
    ) -> AbstractLayer:
        """A convolutional or locally connected layer for images of `shape` (rows, columns, channels)."""
        self.key, key = jr.split(self.key)
        patch = size * size * shape[-1]
        if not local:
            kernel = self.initialise(key, (size, size, shape[-1], above), patch, size * size * above)
            return Conv(kernel, jnp.zeros(above), stride, padding)
        rows, columns = (extent(n, size, stride, padding) for n in shape[:2])
        kernel = self.initialise(key, (rows, columns, patch, above), patch, size * size * above)
        return Local(kernel, jnp.zeros((rows, columns, above)), (size, size), stride, padding)

    def dense_blocks(self, shape: tuple[int, ...], hidden: tuple[int, ...], classes: int) -> tuple[Block, ...]:
        """Dense hidden blocks of the widths given and the output block, which has no activation."""
        sizes = (math.prod(shape), *hidden, classes)
        *inner, last = [self.dense(below, above) for below, above in itertools.pairwise(sizes)]
        return (*(self.block(layer, len(layer.bias)) for layer in inner), Block(last))


def image_blocks(network: ImageNetwork, maker: Maker, local: bool, pool: int) -> tuple[Block, ...]:
    """The blocks of a network that looks at images: convolutional or local ones, then dense ones.

    **Raises** `InputError` when the input is no image, the lists of sizes do not fit, or the image shrinks to nothing.
    """
    shape = network.shape
    if len(shape) != 3:
        raise InputError(f"this network needs images and the input has shape {shape}: use --network mlp")
    blocks = []
    for above, size, stride, padding in _rows(network):
        after = tuple(extent(n, size, stride, padding) // pool for n in shape[:2])
        if min(after) < 1:
            raise InputError(
                f"kernel {size}, stride {stride} and pool {pool} leave nothing of a {shape[0]}x{shape[1]} "
                "image: use fewer or smaller layers, or more padding"
            )
        blocks.append(maker.block(maker.image(local, shape, above, size, stride, padding), above, pool))
        shape = (*after, above)
    return (*blocks, *maker.dense_blocks(shape, network.hidden, network.classes))


def _rows(network: ImageNetwork) -> list[tuple[int, int, int, int]]:
    """(channels, kernel, stride, padding) of each image layer; a single value serves all layers."""
    n = len(network.channels)
    columns = [network.channels]
    for name, values in (("kernels", network.kernels), ("strides", network.strides), ("padding", network.padding)):
        if len(values) not in (1, n):
            raise InputError(f"{name} has {len(values)} values for {n} layers of channels: give one, or {n}")
        columns.append(values * n if len(values) == 1 else values)
    return list(zip(*columns, strict=True))
