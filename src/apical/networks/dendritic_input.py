"""An example gone through without the input cells that are silent and of which nothing is felt any more.

Most pixels of a handwritten digit are dark. A dark pixel sends no spike, so that where the spikes of earlier examples
have faded too, it adds nothing to any potential: the others are enough. They are chosen for each example, and their
number is bounded, as shapes are fixed when a program is compiled; where more are felt, all are gone through.
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from apical.core import Weights
from apical.networks.dendritic_blocks import Felt
from apical.networks.dendritic_state import Cells, Means
from apical.networks.layers import Dense
from apical.neurons.kernels import Trace

ROOM, FEWEST = 0.4, 256
Shown = tuple[Means, Means, Cells]


def pays(n_inputs: int, batch: int) -> bool:
    """Whether to look for silent cells: with few inputs, or several examples at once, there is little to be left out.

    On an accelerator steps cost their launch, whatever their size.
    """
    return n_inputs >= FEWEST and batch == 1 and jax.default_backend() == "cpu"


def shown_to_felt(
    show: Callable[[Weights, Cells, Array, Felt], Shown],
    weights: Weights,
    cells: Cells,
    x: Float[Array, "batch inputs"],
) -> Shown:
    """What `show` gives for an example, gone through with the cells that are felt alone, if there is room for them."""
    felt = is_felt(cells.input, x)
    n_cells = len(felt)
    room = round(ROOM * n_cells)

    def few() -> Shown:
        where = jnp.flatnonzero(felt, size=room, fill_value=n_cells)
        free, taught, after = show(*_fewer(weights, cells, where), _take(x, where), where)
        trace = jax.tree.map(lambda a: _put(a, where, n_cells), after.input)
        return _all(free, where, n_cells), _all(taught, where, n_cells), Cells(trace, after.layers)

    return jax.lax.cond(felt.sum() <= room, few, lambda: show(weights, cells, x, None))


def is_felt(trace: Trace | None, x: Float[Array, "batch inputs"]) -> Bool[Array, " inputs"]:
    """Which input cells fire, or did so lately."""
    felt = (x != 0).any(0)
    return felt if trace is None else felt | (trace.psp != 0).any(0) | (trace.past != 0).any((0, 1))


def _fewer(weights: Weights, cells: Cells, where: Int[Array, " room"]) -> tuple[Weights, Cells]:
    """Weights and cells without the other input cells."""
    first = weights.forward[0]
    rows, columns = first.kernel.shape
    flat = columns * jnp.arange(rows)[:, None] + jnp.minimum(where, columns - 1)
    kernel = first.kernel.reshape(-1).at[flat].get(mode="promise_in_bounds")
    forward = (Dense(kernel, first.bias), *weights.forward[1:])
    trace = jax.tree.map(lambda a: _take(a, where), cells.input)
    return dataclasses.replace(weights, forward=forward), Cells(trace, cells.layers)


def _all(means: Means, where: Int[Array, " room"], n_cells: int) -> Means:
    """Means with the cells that were left out, silent."""
    return dataclasses.replace(means, psps=(_put(means.psps[0], where, n_cells), *means.psps[1:]))


def _take(a: Array, where: Int[Array, " room"]) -> Array:
    return a.at[..., where].get(mode="fill", fill_value=0.0)


def _put(a: Array, where: Int[Array, " room"], n_cells: int) -> Array:
    return jnp.zeros((*a.shape[:-1], n_cells), a.dtype).at[..., where].set(a, mode="drop")
