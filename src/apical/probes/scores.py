"""How good scores are, the same for every rule whatever its own loss: accuracy on labels, R2 on values, mean losses."""

import abc

import equinox as eqx
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float

from apical.core import Labels, Scalar, Scores, Targets, labelled

PerExample = Float[Array, " batch"]


class Scored(eqx.Module):
    """Over a set of examples: the mean loss as the protocol has it, and what the task is judged by; else none.

    Labels have an accuracy. Values have R2 = 1 - sum (scores - y)^2 / sum (y - mean y)^2, over all examples and
    outputs, each output with a mean of its own; not a number where the values do not vary.
    """

    loss: Scalar
    accuracy: Scalar | None = None
    r2: Scalar | None = None

    def named(self) -> dict[str, float]:
        """What there is, by name."""
        return {name: float(value) for name, value in vars(self).items() if value is not None}


class Tally(eqx.Module):
    """Sums over examples, of which `Scored` is made; the tallies of parts add up to that of the whole."""

    n: Scalar
    loss: Scalar

    @abc.abstractmethod
    def scored(self) -> Scored:
        """The scores of all that was counted."""


class LabelTally(Tally):
    """Of labels: how many were hit."""

    n_correct: Scalar

    def scored(self) -> Scored:
        return Scored(self.loss / self.n, accuracy=self.n_correct / self.n)


class ValueTally(Tally):
    """Of values: their squared errors, each output's sum, and their squares."""

    error: Scalar
    sums: Float[Array, " outputs"]
    squares: Scalar

    def scored(self) -> Scored:
        spread = self.squares - (self.sums**2).sum() / self.n
        return Scored(self.loss / self.n, r2=jnp.where(spread > 0, 1 - self.error / spread, jnp.nan))


def tally(scores: Scores, y: Targets, losses: PerExample, counts: Bool[Array, " batch"] | None = None) -> Tally:
    """The tally of a batch, given the loss of each example; where `counts` is false the place is padding."""
    counted = jnp.ones(len(y), bool) if counts is None else counts
    n, loss = counted.sum().astype(float), _sum(losses, counted)
    if labelled(y):
        return LabelTally(n, loss, _sum(hits(scores, y).astype(float), counted))
    y = jnp.where(counted[:, None], y, 0.0)
    return ValueTally(n, loss, _sum(((scores - y) ** 2).sum(-1), counted), y.sum(0), (y**2).sum())


def _sum(each: PerExample, counted: Bool[Array, " batch"]) -> Scalar:
    return jnp.where(counted, each, 0.0).sum()


def hits(scores: Scores, y: Labels) -> Bool[Array, " batch"]:
    """Which examples have their largest score at the label."""
    return scores.argmax(-1) == y


def cross_entropy(scores: Scores, y: Labels) -> PerExample:
    """-log softmax(scores) at the label, for each example."""
    return optax.softmax_cross_entropy_with_integer_labels(scores, jnp.asarray(y))


def squared_error(scores: Scores, y: Float[Array, "batch outputs"]) -> PerExample:
    """The squared distance of scores to values, averaged over the outputs, for each example."""
    return ((scores - y) ** 2).mean(-1)
