"""Examples on their way to the device: all at once from memory, or a segment at a time from files."""

import abc

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from apical.core import Batch
from apical.data.dataset import Examples

CHUNK = 500

Window = tuple[Batch, Int[Array, "... _ batch"], int, int]


class Feed(abc.ABC):
    """Gives the loop the data of a segment, and scores their chunks."""

    examples: Examples

    @abc.abstractmethod
    def window(self, order: Int[Array, "... steps batch"], start: int, stop: int) -> Window:
        """Data, order and bounds with which the loop learns from rows `start` to `stop` of `order`."""

    @abc.abstractmethod
    def blank(self, order: Int[Array, "... steps batch"], start: int, stop: int) -> Window:
        """Of the shapes of that window, without a step to learn from: what the loop is compiled with."""

    @abc.abstractmethod
    def chunks(self, indices: Int[np.ndarray, " n"]) -> list[np.ndarray]:
        """The indices in parts that are scored by one call each."""

    @abc.abstractmethod
    def data(self, indices: Int[np.ndarray, " n"]) -> tuple[Batch, Int[np.ndarray, " n"]]:
        """Data on the device that hold these examples, and where in them the examples are."""


class Resident(Feed):
    """All examples on the device, once for every run that uses them."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        everything = np.arange(len(examples))
        self.batch = Batch(jnp.asarray(examples.take(everything)), jnp.asarray(examples.labels))

    def window(self, order: Int[Array, "... steps batch"], start: int, stop: int) -> Window:
        return self.batch, order, start, stop

    def blank(self, order: Int[Array, "... steps batch"], start: int, stop: int) -> Window:
        return self.batch, order, start, start

    def chunks(self, indices: Int[np.ndarray, " n"]) -> list[np.ndarray]:
        return [indices]

    def data(self, indices: Int[np.ndarray, " n"]) -> tuple[Batch, Int[np.ndarray, " n"]]:
        return self.batch, indices


class Streamed(Feed):
    """Examples read from files for each segment; no more than a segment of them is in memory."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples

    def window(self, order: Int[Array, "... steps batch"], start: int, stop: int) -> Window:
        rows = np.asarray(order[start:stop])
        batch, places = self.data(rows.ravel())
        return batch, jnp.asarray(places.reshape(rows.shape)), 0, stop - start

    def blank(self, order: Int[Array, "... steps batch"], start: int, stop: int) -> Window:
        rows = np.zeros_like(order[start:stop])
        x, labels = jnp.zeros((rows.size, *self.examples.shape), jnp.float32), self.examples.labels
        return Batch(x, jnp.zeros((rows.size, *labels.shape[1:]), labels.dtype)), jnp.asarray(rows), 0, 0

    def chunks(self, indices: Int[np.ndarray, " n"]) -> list[np.ndarray]:
        return [indices[i : i + CHUNK] for i in range(0, len(indices), CHUNK)]

    def data(self, indices: Int[np.ndarray, " n"]) -> tuple[Batch, Int[np.ndarray, " n"]]:
        x = jnp.asarray(self.examples.take(indices))
        return Batch(x, jnp.asarray(self.examples.labels[indices])), np.arange(len(indices), dtype=np.int32)


def feed(examples: Examples) -> Feed:
    """The feed that suits these examples."""
    return Resident(examples) if examples.resident else Streamed(examples)
