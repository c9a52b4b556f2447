"""The one loop, for every rule: a segment of an epoch as one compiled program, and scores on a set of examples.

Data stay on the device. Nothing but shapes and branches is static, so a changed number, seed or length of a segment
never compiles again.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Int, Key

from apical.core import Batch, PRNGKey, State
from apical.probes.scores import Scored, Tally, cross_entropy, tally
from apical.rules.base import AbstractRule
from apical.training.losses import Loss


class Segment(eqx.Module):
    """Steps `start` to `stop` of an epoch: row i of `order` says which examples are the batch of step i.

    For several lanes at once `order` and `key` have a leading axis of lanes. `loss` is what is logged as the loss.
    """

    rule: AbstractRule
    data: Batch
    order: Int[Array, "*lanes steps batch"]
    start: Int[Array, ""]
    stop: Int[Array, ""]
    key: Key[Array, "*lanes"]
    loss: Loss = eqx.field(static=True, default=cross_entropy)


def pick(data: Batch, index: Int[Array, " n"]) -> Batch:
    """The examples of these indices: image and target by the same index, always."""
    return jax.tree.map(lambda a: a.at[index].get(mode="promise_in_bounds"), data)


def shuffle(n: int, batch_size: int, key: PRNGKey) -> Int[Array, "steps batch"]:
    """A fresh order of all examples in batches; what does not fill the last batch is left out this time."""
    order = jr.permutation(key, n)
    return order[: n // batch_size * batch_size].reshape(-1, batch_size)


def advance(segment: Segment, state: State) -> tuple[State, Scored]:
    """Learns through a segment; also the scores before each update, over all its examples."""

    def update(i: Array, state: State) -> tuple[State, Tally]:
        batch = pick(segment.data, segment.order[i])
        state, info = segment.rule.update(state, batch, jr.fold_in(segment.key, i))
        return state, tally(info.scores, batch.y, segment.loss(info.scores, batch.y))

    def step(i: Array, carry: tuple[State, Tally]) -> tuple[State, Tally]:
        state, seen = update(i, carry[0])
        return state, jax.tree.map(jnp.add, carry[1], seen)

    none = _zeros(jax.eval_shape(update, segment.start, state)[1])
    state, sums = jax.lax.fori_loop(segment.start, segment.stop, step, (state, none))
    return state, sums.scored()


def evaluate(
    rule: AbstractRule,
    state: State,
    data: Batch,
    order: Int[Array, "chunks size"],
    real: Bool[Array, "chunks size"],
    key: PRNGKey,
    loss: Loss = cross_entropy,
) -> Tally:
    """The tally of the examples of `order`, a chunk at a time; where `real` is false the place is padding."""

    def chunk(index: Array, counts: Array, key: PRNGKey) -> Tally:
        batch = pick(data, index)
        scores = rule.predict(state, batch.x, key)
        return tally(scores, batch.y, loss(scores, batch.y), counts)

    def add(sums: Tally, xs: tuple[Array, Array, PRNGKey]) -> tuple[Tally, None]:
        return jax.tree.map(jnp.add, sums, chunk(*xs)), None

    keys = jr.split(key, len(order))
    none = _zeros(jax.eval_shape(chunk, order[0], real[0], keys[0]))
    return jax.lax.scan(add, none, (order, real, keys))[0]


def _zeros(like: Tally) -> Tally:
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), like)
