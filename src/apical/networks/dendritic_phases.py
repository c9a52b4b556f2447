"""Phases of a network of cells with segregated dendrites, as blocks of steps, and what is random in them."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int

from apical.core import PRNGKey, Weights
from apical.networks.dendritic_blocks import Felt, Target, Window, draw, run_block
from apical.networks.dendritic_settings import LATEST_PLATEAU, PLATEAU_SPREAD, DendriticSettings
from apical.networks.dendritic_state import Cells, History, Means, added

BLOCK = 50
LONGEST_BLOCK = 64
EXTRA_MS = 2.0


class Phase(eqx.Module):
    """How a phase goes: its window, the key of its steps, and its target, 1 or 0 for each output cell (none: free).

    `felt` says which input cells it is gone through with (none: all).
    """

    window: Window
    key: PRNGKey
    target: Target = None
    felt: Felt = None


def run_phase(
    net: DendriticSettings,
    weights: Weights,
    cells: Cells,
    x: Float[Array, "batch inputs"],
    phase: Phase,
) -> tuple[Cells, Means]:
    """The cells after a phase, and its means."""

    def block(start: Int[Array, ""], cells: Cells, n_steps: int) -> tuple[Cells, Means]:
        return drawn_block(net, weights, cells, x, phase, start, n_steps)[:2]

    n_first, starts = blocks(phase.window.n_steps)
    first = block(jnp.asarray(0), cells, n_first)
    if not starts:
        return first

    def further(carry: tuple[Cells, Means], start: Int[Array, ""]) -> tuple[tuple[Cells, Means], None]:
        cells, means = block(start, carry[0], BLOCK)
        return (cells, added(carry[1], means)), None

    return jax.lax.scan(further, first, jnp.asarray(starts))[0]


def record_phase(
    net: DendriticSettings,
    weights: Weights,
    cells: Cells,
    x: Float[Array, "batch inputs"],
    phase: Phase,
) -> tuple[Cells, Means, History]:
    """What `run_phase` gives, and the history of the phase: the same blocks with the same draws."""
    n_first, starts = blocks(phase.window.n_steps)
    cells, means, history = drawn_block(net, weights, cells, x, phase, jnp.asarray(0), n_first)
    histories = [history]
    for start in starts:
        cells, more, history = drawn_block(net, weights, cells, x, phase, jnp.asarray(start), BLOCK)
        means = added(means, more)
        histories.append(history)
    return cells, means, jax.tree.map(lambda *parts: jnp.concatenate(parts), *histories)


def blocks(n_steps: int) -> tuple[int, list[int]]:
    """How many steps the first block of a phase has, and where further ones, of `BLOCK` steps each, start."""
    if n_steps <= LONGEST_BLOCK:
        return n_steps, []
    n_first = n_steps % BLOCK or BLOCK
    return n_first, list(range(n_first, n_steps, BLOCK))


def drawn_block(
    net: DendriticSettings,
    weights: Weights,
    cells: Cells,
    x: Float[Array, "batch inputs"],
    phase: Phase,
    start: Int[Array, ""],
    n_steps: int,
) -> tuple[Cells, Means, History]:
    """The block of a phase that begins with step `start`, with draws of its own from the key of the phase."""
    draws = draw(net, phase.key, start, n_steps, len(x), phase.felt)
    return run_block(net, weights, cells, x, start + jnp.arange(n_steps), phase.window, draws, phase.target)


def run_lead(
    net: DendriticSettings,
    weights: Weights,
    cells: Cells,
    x: Float[Array, "batch inputs"],
    key: PRNGKey,
    phase: Phase,
) -> Cells:
    """The cells after the steps by which a phase outlasts its nominal length, in which its target acts already."""
    alone = dataclasses.replace(phase, window=Window(1, 1))

    def step(i: Int[Array, ""], cells: Cells) -> Cells:
        return drawn_block(net, weights, cells, x, alone, -1 - i, 1)[0]

    return jax.lax.fori_loop(0, draw_extra_steps(net, key), step, cells)


def draw_extra_steps(net: DendriticSettings, key: PRNGKey) -> Int[Array, ""]:
    """By how many steps a phase is longer: floor of an inverse Gaussian, mean 2 ms and scale 1 ms, in steps."""
    return jnp.floor(jr.wald(key, EXTRA_MS) / net.dt_ms).astype(int)


def draw_plateau_times(net: DendriticSettings, key: PRNGKey, batch: int) -> tuple[Int[Array, "batch _"], ...]:
    """How many steps before the end of a phase the plateau of each hidden cell comes: |N(0, 3)| cut off, at most 5."""
    keys = jr.split(key, max(len(net.hidden), 1))
    times = (jnp.abs(PLATEAU_SPREAD * jr.normal(k, (batch, n))) for k, n in zip(keys, net.hidden, strict=False))
    return tuple(jnp.minimum(t.astype(int), LATEST_PLATEAU) for t in times)
