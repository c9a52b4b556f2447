"""Convolution, channels last, in the forms that XLA runs fast on a CPU inside a compiled loop.

There XLA's convolution is fast in one layout alone: (batch, rows, columns, below) with kernels (height, width, below,
above). In any other, such as automatic differentiation makes of its transposes, it takes ten to twenty times as long.
So those are written out here, with operands brought into that layout beforehand. And where the kernel is larger than
the image XLA changes the layout itself: there, and for images of few channels, a product over patches is best.
"""

import functools

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Image = Float[Array, "_batch _rows _columns _channels"]
Kernel = Float[Array, "_height _width _below _above"]
Margins = tuple[tuple[int, int], tuple[int, int]]
FEW_CHANNELS = 8


def extent(length: int, kernel: int, stride: int, padding: int) -> int:
    """How many positions a kernel takes along an axis of `length`; below 1 it does not fit."""
    return (length + 2 * padding - kernel) // stride + 1


def patches(h: Image, size: tuple[int, int], stride: int, padding: int) -> Float[Array, "batch rows2 columns2 patch"]:
    """What each position sees: its patch of `size` (height, width), flattened as (row, column, channel)."""
    h = jnp.pad(h, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    rows, columns = (extent(n, k, stride, 0) for n, k in zip(h.shape[1:3], size, strict=True))
    across = [h[:, :, j : j + stride * (columns - 1) + 1 : stride] for j in range(size[1])]
    h = jnp.concatenate(across, axis=-1)
    down = [h[:, i : i + stride * (rows - 1) + 1 : stride] for i in range(size[0])]
    return jnp.concatenate(down, axis=-1)


def convolve(h: Image, kernel: Kernel, stride: int, padding: int) -> Image:
    """The drive of every position: the sum over its patch of `h` (zeros around it) times the kernel."""
    height, width, below, above = kernel.shape
    if below >= FEW_CHANNELS and height * width <= h.shape[1] * h.shape[2]:
        return _convolve(h, kernel, stride, padding)
    seen = patches(h, (height, width), stride, padding)
    return (seen.reshape(-1, seen.shape[-1]) @ kernel.reshape(-1, above)).reshape(*seen.shape[:3], above)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _convolve(h: Image, kernel: Kernel, stride: int, padding: int) -> Image:
    margin = (padding, padding)
    return _slide(h, kernel, (margin, margin), stride=stride)


def _forward(h: Image, kernel: Kernel, stride: int, padding: int) -> tuple[Image, tuple[Image, Kernel]]:
    return _convolve(h, kernel, stride, padding), (h, kernel)


def _backward(stride: int, padding: int, seen: tuple[Image, Kernel], error: Image) -> tuple[Image, Kernel]:
    h, kernel = seen
    sizes = list(zip(h.shape[1:3], kernel.shape[:2], strict=True))
    unseen = [(n + 2 * padding - k) % stride for n, k in sizes]
    around = [(k - 1 - padding, k - 1 - padding + rest) for (_, k), rest in zip(sizes, unseen, strict=True)]
    down = _slide(error, kernel[::-1, ::-1].swapaxes(2, 3), (around[0], around[1]), spread=stride)
    within = [(padding, padding - rest) for rest in unseen]
    by_channel = _slide(h.transpose(3, 1, 2, 0), error.transpose(1, 2, 0, 3), (within[0], within[1]), gaps=stride)
    return down, by_channel.transpose(1, 2, 0, 3)


_convolve.defvjp(_forward, _backward)


def _slide(h: Image, kernel: Kernel, margins: Margins, stride: int = 1, spread: int = 1, gaps: int = 1) -> Image:
    """XLA's convolution; zeros set the pixels `spread` apart, and the places of the kernel `gaps`."""
    layout = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(
        h, kernel, (stride, stride), margins, (spread, spread), (gaps, gaps), dimension_numbers=layout
    )
