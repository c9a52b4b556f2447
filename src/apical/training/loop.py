"""The one loop, for every rule: a segment of an epoch as one compiled program, and scores on a set of examples.

Data stay on the device. Nothing but shapes and branches is static, so a changed number, seed or length of a segment
never compiles again.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Int, Key

from apical.core import Batch, PRNGKey, Scalar, State
from apical.probes.scores import cross_entropy, n_correct
from apical.rules.base import AbstractRule
from apical.training.losses import Loss


class Scored(eqx.Module):
    """Accuracy and mean loss, as the protocol has it (cross-entropy), over a set of examples."""

    accuracy: Scalar
    loss: Scalar


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
    """The examples of these indices: image and label by the same index, always."""
    return jax.tree.map(lambda a: a.at[index].get(mode="promise_in_bounds"), data)


def shuffle(n: int, batch_size: int, key: PRNGKey) -> Int[Array, "steps batch"]:
    """A fresh order of all examples in batches; what does not fill the last batch is left out this time."""
    order = jr.permutation(key, n)
    return order[: n // batch_size * batch_size].reshape(-1, batch_size)


def advance(segment: Segment, state: State) -> tuple[State, Scored]:
    """Learns through a segment; also the scores before each update, averaged over its examples."""

    def step(i: Array, carry: tuple[State, Scored]) -> tuple[State, Scored]:
        state, sums = carry
        batch = pick(segment.data, segment.order[i])
        state, info = segment.rule.update(state, batch, jr.fold_in(segment.key, i))
        return state, Scored(
            sums.accuracy + n_correct(info.scores, batch.y), sums.loss + segment.loss(info.scores, batch.y).sum()
        )

    zero = jnp.zeros((), dtype=float)
    state, sums = jax.lax.fori_loop(segment.start, segment.stop, step, (state, Scored(zero, zero)))
    n = ((segment.stop - segment.start) * segment.order.shape[1]).astype(float)
    return state, jax.tree.map(lambda total: total / n, sums)


def evaluate(
    rule: AbstractRule,
    state: State,
    data: Batch,
    order: Int[Array, "chunks size"],
    real: Bool[Array, "chunks size"],
    key: PRNGKey,
    loss: Loss = cross_entropy,
) -> Scored:
    """Scores on the examples of `order`, a chunk at a time; where `real` is false the place is padding."""

    def chunk(sums: Scored, xs: tuple[Array, Array, Array]) -> tuple[Scored, None]:
        index, counts, key = xs
        batch = pick(data, index)
        scores = rule.predict(state, batch.x, key)
        hits = jnp.where(counts, scores.argmax(-1) == batch.y, False).sum().astype(float)
        losses = jnp.where(counts, loss(scores, batch.y), 0.0).sum()
        return Scored(sums.accuracy + hits, sums.loss + losses), None

    zero = jnp.zeros((), dtype=float)
    sums, _ = jax.lax.scan(chunk, Scored(zero, zero), (order, real, jr.split(key, len(order))))
    n = real.sum().astype(float)
    return jax.tree.map(lambda total: total / n, sums)
