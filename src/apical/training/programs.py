"""The compiled programs of a run, for one seed or for several as lanes of one program."""

from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Key, PyTree

from apical.core import Batch, PRNGKey, State
from apical.networks.layers import AbstractLayer, Dense
from apical.probes.scores import Scored, Tally, cross_entropy
from apical.rules.base import AbstractRule
from apical.training.feed import CHUNK, Feed, Window
from apical.training.loop import Segment, advance, evaluate, shuffle
from apical.training.losses import Loss
from apical.training.measure import measure

Keys = Key[Array, "*lanes"]
SMALL = 100_000
MAPS, MOST_MAPS = Path("/proc/self/maps"), 20_000

initialise = eqx.filter_jit(lambda rule, key, batch: rule.init(key, batch))
measured = eqx.filter_jit(measure)
evaluated = eqx.filter_jit(evaluate)
advanced = eqx.filter_jit(advance, donate="all-except-first")


@eqx.filter_jit
def ordered(training: Int[Array, " n"], batch_size: int, key: PRNGKey) -> tuple[Int[Array, "steps batch"], PRNGKey]:
    """The order of an epoch's examples, and the key of its steps."""
    key_order, key_steps = jax.random.split(key)
    return training[shuffle(len(training), batch_size, key_order)], key_steps


@eqx.filter_jit(donate="all-except-first")
def _advanced_lanes(fixed: tuple, states: State) -> tuple[State, Scored]:
    rule, data, orders, start, stop, keys, loss = fixed

    def lane(order: Array, key: PRNGKey, state: State) -> tuple[State, Scored]:
        return advance(Segment(rule, data, order, start, stop, key, loss), state)

    first = jax.tree.map(lambda a: a[0], states.weights.forward)
    if lanes_pay(first, orders.shape[-1]):
        return eqx.filter_vmap(lane)(orders, keys, states)
    return jax.lax.map(lambda each: lane(*each), (orders, keys, states))


def advanced_lanes(segment: Segment, states: State) -> tuple[State, Scored]:
    """`advance` for several seeds: `order`, `key` and the states have a leading axis of lanes.

    Side by side where that pays, else in turn.
    """
    parts = (segment.rule, segment.data, segment.order, segment.start, segment.stop, segment.key, segment.loss)
    return _advanced_lanes(parts, states)


def through(
    rule: AbstractRule,
    window: Callable[[Array, int, int], Window],
    segment: tuple[int, int, int],
    orders: tuple[Array, Keys],
    states: list[State],
    loss: Loss,
) -> tuple[list[State], list[Scored]]:
    """The states of all lanes after a segment (epoch, first step, stop), and their scores in it.

    `orders` are the batches of the epoch and the key of its steps, stacked over lanes as by `stack`.
    """
    epoch, start, stop = segment
    data, order, start, stop = window(orders[0], start, stop)
    limits = jnp.asarray(start), jnp.asarray(stop)
    made = Segment(rule.in_epoch(jnp.asarray(epoch)), data, order, *limits, orders[1], loss)
    run = advanced if len(states) == 1 else advanced_lanes
    after, scored = run(made, stack(states))
    return unstack(after, len(states)), unstack(scored, len(states))


def lanes_pay(layers: PyTree, batch_size: int) -> bool:
    """Whether seeds run faster as lanes of one program than one after the other.

    On an accelerator they do. On a CPU (2 cores, measured by the benchmarks) they do for small networks learning in
    batches. Large networks leave nothing to share, nor do cells that learn one example at a time; and convolutions with
    a kernel for each lane take several times as long.
    """
    found = jax.tree.leaves(layers, is_leaf=lambda node: isinstance(node, AbstractLayer))
    dense = all(isinstance(node, Dense) for node in found if isinstance(node, AbstractLayer))
    n_weights = sum(leaf.size for leaf in jax.tree.leaves(layers))
    return jax.default_backend() != "cpu" or (dense and n_weights <= SMALL and batch_size > 1)


def stack(trees: list[PyTree]) -> PyTree:
    """Trees as lanes of one tree: a leading axis on every array. A single tree stays as it is."""
    if len(trees) == 1:
        return trees[0]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def unstack(tree: PyTree, n: int) -> list[PyTree]:
    """The lanes of a tree, the inverse of `stack`."""
    return [tree] if n == 1 else [jax.tree.map(lambda a, i=i: a[i], tree) for i in range(n)]


def score(
    rule: AbstractRule,
    state: State,
    source: Feed,
    indices: Int[np.ndarray, " n"],
    key: PRNGKey,
    loss: Loss = cross_entropy,
    room: int = 0,
) -> Scored:
    """How good the scores are on the examples of these indices, without learning.

    With `room` for so many, sets of indices that differ in size share one program.
    """
    parts = [
        _tally_part(rule, state, *source.data(part), jax.random.fold_in(key, i), loss, room)
        for i, part in enumerate(source.chunks(indices))
    ]
    return jax.tree.map(lambda *sums: sum(sums), *parts).scored()


def _tally_part(
    rule: AbstractRule, state: State, data: Batch, places: np.ndarray, key: PRNGKey, loss: Loss, room: int
) -> Tally:
    n_chunks = -(-max(len(places), room) // CHUNK)
    padded = np.zeros(n_chunks * CHUNK, dtype=np.int32)
    padded[: len(places)] = places
    real = np.arange(len(padded)) < len(places)
    shape = (n_chunks, CHUNK)
    padded, real = padded.reshape(shape), real.reshape(shape)
    return evaluated(rule, state, data, jnp.asarray(padded), jnp.asarray(real), key, loss)


def let_go() -> None:
    """Forgets compiled programs before they use up the maps of memory that Linux grants a process (65,530)."""
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
