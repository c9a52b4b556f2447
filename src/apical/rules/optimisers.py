"""From a direction to a change of weights: one optimiser for each group of weights."""

import abc
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, PyTree

from apical.hyperparameters import Declared, choice, real, stretch

Layers = tuple[PyTree, ...]

METHODS: dict[str, Callable[[], optax.GradientTransformation]] = {
    "sgd": optax.identity,
    "momentum": lambda: optax.trace(0.9),
    "nesterov": lambda: optax.trace(0.9, nesterov=True),
    "adam": optax.scale_by_adam,
    "rmsprop": optax.scale_by_rms,
}


class AbstractOptimiser(Declared):
    """Moves one group of weights, given the direction in which a rule would have it descend."""

    @property
    def frozen(self) -> bool:
        """Whether it moves nothing at all, so that the group is left without an optimiser."""
        return False

    @abc.abstractmethod
    def init(self, weights: Layers) -> PyTree:
        """The optimiser's memory before the first step."""

    @abc.abstractmethod
    def update(self, direction: Layers, memory: PyTree, weights: Layers) -> tuple[Layers, PyTree]:
        """(weights, memory) after one step along `direction`."""


class Optimiser(AbstractOptimiser):
    """An optimiser of the field, with one rate for all layers or one each. `weight_decay` is added to the direction."""

    rate: Array = real(
        1e-3,
        "learning rate",
        low=0,
        scale="log",
        per_layer=True,
        search={"own": (1e-4, 1e-2), "lange-2019": (1e-4, 0.05)},
        source="Lange 2019",
    )
    optimiser: str = choice("adam", tuple(METHODS), "how a direction becomes a step; momentum is 0.9")
    rate_decay: Array = real(0.0, "the rate falls as 1 / (1 + rate_decay * updates)", low=0, unit="1/update")
    weight_decay: Array = real(0.0, "share of each weight added to its direction", low=0, high=1)

    def init(self, weights: Layers) -> PyTree:
        return jnp.zeros((), dtype=int), METHODS[self.optimiser]().init(weights)

    def update(self, direction: Layers, memory: PyTree, weights: Layers) -> tuple[Layers, PyTree]:
        n_updates, past = memory
        decayed = jax.tree.map(lambda d, w: d + self.weight_decay * w, direction, weights)
        with jax.numpy_dtype_promotion("standard"):  # optax relies on it
            steps, past = METHODS[self.optimiser]().update(decayed, past, weights)
        rate = self.rate / (1 + self.rate_decay * n_updates.astype(self.rate.dtype))
        return descend(weights, tuple(steps), rate), (n_updates + 1, past)  # type: ignore[arg-type]


def descend(weights: Layers, steps: Layers, rate: Array) -> Layers:
    """weights - rate * steps, layer by layer, where `rate` is one number or one for each layer (see `stretch`)."""
    rates = stretch(rate, len(weights))
    moved = (jax.tree.map(lambda w, s, r=r: w - r * s, *pair) for *pair, r in zip(weights, steps, rates, strict=True))
    return tuple(moved)
