"""From a direction to a change of weights: one optimiser for each group of weights."""

import abc
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from apical.hyperparameters import Declared, choice, integers, real, stretch

Layers = tuple[PyTree, ...]

METHODS: dict[str, Callable[[Array], optax.GradientTransformation]] = {
    "sgd": lambda momentum: optax.identity(),
    "momentum": lambda momentum: optax.trace(momentum),  # type: ignore[arg-type]
    "nesterov": lambda momentum: optax.trace(momentum, nesterov=True),  # type: ignore[arg-type]
    "adam": lambda momentum: optax.scale_by_adam(b1=momentum),  # type: ignore[arg-type]
    "rmsprop": lambda momentum: optax.scale_by_rms(),
}
METHOD_WORDS = "how a direction becomes a step"
MOMENTUM_WORDS = "share of past directions kept (momentum, nesterov), beta 1 (adam)"
WEIGHT_DECAY_WORDS = "share of each weight added to its direction"
RATE_DECAY_WORDS = "the rate falls as 1 / (1 + {} * updates)"
RATE_DROPS_WORDS = "after each of so many epochs the rate falls to a tenth"


class AbstractOptimiser(Declared):
    """Moves one group of weights, given the direction in which a rule would have it descend."""

    @property
    def frozen(self) -> bool:
        """Whether it moves nothing at all, so that the group is left without an optimiser."""
        return False

    def in_epoch(self, epoch: Int[Array, ""]) -> "AbstractOptimiser":
        """The optimiser as it moves weights in an epoch of this number: itself, unless its rate depends on it."""
        return self

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
    optimiser: str = choice("adam", tuple(METHODS), METHOD_WORDS)
    rate_decay: Array = real(0.0, RATE_DECAY_WORDS.format("rate_decay"), low=0, unit="1/update")
    weight_decay: Array = real(0.0, WEIGHT_DECAY_WORDS, low=0, high=1)
    momentum: Array = real(0.9, MOMENTUM_WORDS, low=0, high=0.9999)
    rate_drops: tuple[int, ...] | None = integers(None, RATE_DROPS_WORDS, low=1, optional=True)

    def in_epoch(self, epoch: Int[Array, ""]) -> "Optimiser":
        if not self.rate_drops:
            return self
        return eqx.tree_at(lambda o: o.rate, self, self.rate * dropped(self.rate_drops, epoch))

    def init(self, weights: Layers) -> PyTree:
        return jnp.zeros((), dtype=int), METHODS[self.optimiser](self.momentum).init(weights)

    def update(self, direction: Layers, memory: PyTree, weights: Layers) -> tuple[Layers, PyTree]:
        decayed = decay(direction, weights, self.weight_decay)
        return take_step(METHODS[self.optimiser](self.momentum), self.rate, self.rate_decay, decayed, memory, weights)


class InverseOptimiser(AbstractOptimiser):
    """An optimiser of the field for feedback weights, apart from that of the forward ones."""

    feedback_rate: Array = real(
        1e-3, "learning rate of the feedback weights", low=0, scale="log", per_layer=True, search={"own": (1e-4, 1e-2)}
    )
    feedback_optimiser: str = choice("adam", tuple(METHODS), METHOD_WORDS + ", for feedback weights")
    feedback_rate_decay: Array = real(0.0, RATE_DECAY_WORDS.format("feedback_rate_decay"), low=0, unit="1/update")
    feedback_weight_decay: Array = real(
        0.0, "share of each feedback weight added to its direction: it damps an inverse", low=0, source="Meulemans 2020"
    )
    feedback_momentum: Array = real(0.9, MOMENTUM_WORDS + ", for feedback weights", low=0, high=0.9999)

    def init(self, weights: Layers) -> PyTree:
        return jnp.zeros((), dtype=int), METHODS[self.feedback_optimiser](self.feedback_momentum).init(weights)

    def update(self, direction: Layers, memory: PyTree, weights: Layers) -> tuple[Layers, PyTree]:
        method = METHODS[self.feedback_optimiser](self.feedback_momentum)
        decayed = decay(direction, weights, self.feedback_weight_decay)
        return take_step(method, self.feedback_rate, self.feedback_rate_decay, decayed, memory, weights)


def dropped(rate_drops: tuple[int, ...], epoch: Int[Array, ""]) -> Float[Array, ""]:
    """What is left of a rate in an epoch of this number, which after each of the given ones falls to a tenth."""
    return 10.0 ** -jnp.sum(jnp.where(epoch >= jnp.asarray(rate_drops), 1.0, 0.0))


def decay(direction: Layers, weights: Layers, share: Array) -> Layers:
    """The direction with a share of each weight added to it, so that weights that nothing holds shrink."""
    return jax.tree.map(lambda d, w: d + share * w, direction, weights)


def take_step(
    method: optax.GradientTransformation,
    rate: Array,
    rate_decay: Array,
    direction: Layers,
    memory: PyTree,
    weights: Layers,
) -> tuple[Layers, PyTree]:
    """(weights, memory) after one step of a method, at a rate that falls with the number of updates."""
    n_updates, past = memory
    with jax.numpy_dtype_promotion("standard"):  # optax relies on it
        steps, past = method.update(direction, past, weights)
    now = rate / (1 + rate_decay * n_updates.astype(rate.dtype))
    return descend(weights, tuple(steps), now), (n_updates + 1, past)  # type: ignore[arg-type]


def descend(weights: Layers, steps: Layers, rate: Array) -> Layers:
    """weights - rate * steps, layer by layer, where `rate` is one number or one for each layer (see `stretch`)."""
    rates = stretch(rate, len(weights))
    moved = (jax.tree.map(lambda w, s, r=r: w - r * s, *pair) for *pair, r in zip(weights, steps, rates, strict=True))
    return tuple(moved)
