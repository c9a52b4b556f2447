"""Rules trained on a part of a data set, and what their hidden layers then say of any images."""

from collections.abc import Iterator
from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apical.core import Inputs, Weights
from apical.data.dataset import Dataset
from apical.networks.base import AbstractNetwork
from apical.report.figure import Interval
from apical.report.statistics import summarise
from apical.report.theme import rule_name, styles
from apical.rules.registry import RULES
from apical.sklearn import CreditClassifier

HIDDEN = (100,)
UNTRAINED = "untrained"
QUICK_RULES = ("backprop", "feedback-alignment", "segregated-dendrites")

Features = Float[np.ndarray, "n features"]


@dataclass(frozen=True)
class Size:
    """How much is done: training images, images looked at, epochs, seeds, rules."""

    n_train: int
    n_seen: int
    epochs: int
    seeds: int
    rules: tuple[str, ...]

    @classmethod
    def of(cls, quick: bool) -> "Size":
        """The size of a figure, or one that takes a minute."""
        return cls(1_500, 200, 3, 1, QUICK_RULES) if quick else cls(10_000, 500, 10, 3, tuple(RULES))


@eqx.filter_jit
def _last_hidden(network: AbstractNetwork, weights: Weights, x: Inputs) -> Array:
    return network.hidden_activity(weights, x)[-1].reshape(len(x), -1)


def features(model: CreditClassifier, images: Float[np.ndarray, "n ..."]) -> Features:
    """What the last hidden layer of a trained model says of images."""
    x = jnp.asarray(images.reshape(len(images), *model.rule_.network.shape))
    return np.asarray(_last_hidden(model.rule_.network, model.state_.weights, x))


def first(dataset: Dataset, part: str, n: int) -> tuple[Float[np.ndarray, "n ..."], np.ndarray]:
    """The first images of the training or test part with their labels."""
    examples = getattr(dataset, part)
    index = np.arange(min(n, len(examples)))
    return examples.take(index), examples.labels[index]


def trained(rule: str, dataset: Dataset, size: Size, seed: int, epochs: int | None = None) -> CreditClassifier:
    """A rule with its settings of comparisons, trained on the first training images."""
    images, labels = first(dataset, "train", size.n_train)
    model = CreditClassifier(
        rule,
        hidden=HIDDEN,
        epochs=size.epochs if epochs is None else epochs,
        image_shape=dataset.shape,
        random_state=seed,
    )
    return model.fit(images.reshape(len(images), -1), labels)


def learners(size: Size, dataset: Dataset) -> Iterator[tuple[str, int, CreditClassifier]]:
    """Every rule with every seed, and the network of backprop before it has learnt anything."""
    for seed in range(size.seeds):
        yield UNTRAINED, seed, trained("backprop", dataset, size, seed, epochs=0)
        for rule in size.rules:
            yield rule, seed, trained(rule, dataset, size, seed)


def rows(found: dict[str, list[float]]) -> tuple[Interval, ...]:
    """A row for each learner, from the largest mean to the smallest."""
    return tuple(sorted(intervals(found), key=lambda row: -row.mean))


def intervals(found: dict[str, list[float]]) -> tuple[Interval, ...]:
    """A row for each learner: mean, interval and the single seeds."""
    style = styles(list(found))
    summaries = {name: summary for name, values in found.items() if (summary := summarise(values)) is not None}
    return tuple(
        Interval(rule_name(name), style[name].colour, s.mean, s.low, s.high, tuple(found[name]) if s.n > 1 else ())
        for name, s in summaries.items()
    )
