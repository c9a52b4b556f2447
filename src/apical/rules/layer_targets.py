"""Rules that give each hidden layer a target, an activity to have, by way of learnt inverses of the layers above."""

import abc
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Int

from apical.core import Batch, Info, Neurons, PRNGKey, Scalar, Scores, State, Targets, Weights, labelled
from apical.hyperparameters import choice, real
from apical.networks.feedforward import FEEDFORWARD, AbstractFeedforward, Blocks, Trace
from apical.networks.initialisers import INITIALISERS
from apical.networks.inverses import Inverse, init_inverse, inverse_direction
from apical.neurons.transfer import ACTIVATIONS
from apical.rules.alignment import AbstractAlignment, Route
from apical.rules.base import Preset
from apical.rules.optimisers import AbstractOptimiser, InverseOptimiser, Optimiser
from apical.rules.reconstruction import RECONSTRUCTIONS, Shaken

BARTUNOV = "Bartunov 2018"
PARALLEL, ALTERNATING = "parallel", "alternating"
AS_FORWARD = "as-forward"
SETTINGS: Mapping[str, Any] = {"activation": "tanh", "initialiser": "glorot", "feedback_rate": 2e-3}
TARGETS_DEFAULT = Preset(
    "tanh units, Adam in batches of 50, the rate falling", settings={**SETTINGS, "rate_decay": 5e-4}, batch_size=50
)
TARGETS_BARTUNOV = Preset(
    "five layers of 256 tanh units with Adam, the best setting found (it lies outside the ranges printed)",
    BARTUNOV,
    settings={
        **SETTINGS,
        "rate": 7.6e-4,
        "feedback_rate": 9.6e-3,
        "momentum": 0.99,
        "feedback_momentum": 0.99,
        "label_smoothing": 0.23,
        "noise": 0.36,
    },
    hidden=(256,) * 5,
    epochs=500,
    batch_size=64,
)
PRESETS: Mapping[str, Preset] = {"default": TARGETS_DEFAULT, "bartunov-2018": TARGETS_BARTUNOV}


class AbstractLayerTargets(AbstractAlignment):
    """Each hidden layer descends 1/2 |h_l - hhat_l|^2, the distance to its target, by its own weights alone.

    Targets come down through inverses g_l, one for each layer that has a learnt inverse; they descend the noisy
    reconstruction 1/2 |g_l(f_l(h + noise)) - (h + noise)|^2 of the activity h below, or another `reconstruction_loss`
    (see `reconstruction`). The output layer descends its own loss. `epoch`, where it is told, decides whose turn it is
    in alternating training: that of the inverses in even epochs, that of the forward weights in odd ones.
    """

    plasticity: ClassVar = {"forward": Optimiser, "feedback": InverseOptimiser}
    networks: ClassVar = FEEDFORWARD
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
    network: AbstractFeedforward
    optimisers: dict[str, AbstractOptimiser]
    noise: Array = real(
        0.1,
        "deviation of the noise on the activity that inverses learn to give back",
        low=0,
        source=BARTUNOV,
        search={"own": (0.0, 0.5)},
    )
    inverse_training: str = choice(
        PARALLEL, (PARALLEL, ALTERNATING), "inverses learn in the same step, or in epochs of their own", source=BARTUNOV
    )
    label_smoothing: Array = real(
        0.0,
        "share of the label's distribution that is spread over all classes",
        low=0,
        high=0.99,
        source=BARTUNOV,
        search={"own": (0.0, 0.3)},
    )
    reconstruction_loss: str = choice(
        "activity",
        tuple(RECONSTRUCTIONS),
        "what inverses learn to give back: activity, its changes (difference), or changes as the transpose does",
        source="Lee 2015, Meulemans 2020, Ernoult 2022",
    )
    inverse_activation: str = choice(
        AS_FORWARD, (AS_FORWARD, *ACTIVATIONS), "transfer function of the inverses", source=BARTUNOV
    )
    epoch: Int[Array, ""] | None = None

    @abc.abstractmethod
    def top_target(self, weights: Weights, trace: Trace, error: Array) -> Array:
        """The target of the last hidden layer, given dLoss/d scores of the batch's mean loss."""

    def target_below(self, weights: Weights, trace: Trace, l: int, target: Array) -> Array:
        """The target of hidden layer l - 1, given that of hidden layer l: its activity and the inverse's difference."""
        return trace.inputs[l] + self.difference(weights, l, target, trace.inputs[l + 1], trace.inputs[l])

    def inverted(self, weights: Weights) -> Blocks:
        """The blocks above the first one that have an inverse: the hidden ones."""
        return weights.forward[1:-1]

    def heard(self, weights: Weights, l: int, drive: Array) -> Array:
        """What the inverse of layer l hears of a drive of that layer."""
        return weights.forward[l].respond(drive)

    def above(self, weights: Weights, l: int, h: Array) -> Array:
        """What the inverse of layer l hears when the activity below that layer is `h`."""
        return self.heard(weights, l, self.inverted(weights)[l - 1].layer(h))

    def invert(self, weights: Weights, l: int, heard: Array, below: Array) -> Array:
        """g_l: the activity, of the shape of `below`, that the inverse of layer l makes of what it hears."""
        drive = weights.feedback[l - 1](self.inverted(weights)[l - 1], heard, below.shape[1:])
        return ACTIVATIONS[self.reconstruction](drive)

    @property
    def reconstruction(self) -> str:
        """The transfer function of the inverses, by name."""
        return self.network.activation if self.inverse_activation == AS_FORWARD else self.inverse_activation

    def difference(self, weights: Weights, l: int, target: Array, heard: Array, below: Array) -> Array:
        """g_l(target) - g_l(heard), both in one pass."""
        both = self.invert(weights, l, jnp.concatenate([target, heard]), jnp.concatenate([below, below]))
        return both[: len(below)] - both[len(below) :]

    def targets(self, weights: Weights, trace: Trace, error: Array) -> tuple[Array, ...]:
        """hhat_l of every hidden layer, from the first one up, given dLoss/d scores."""
        if len(trace.inputs) == 1:
            return ()
        found = [self.top_target(weights, trace, error)]
        for l in range(len(trace.inputs) - 2, 0, -1):
            found.insert(0, self.target_below(weights, trace, l, found[0]))
        return tuple(found)

    def route(self, weights: Weights, trace: Trace, error: Array) -> Route:
        targets = self.targets(weights, trace, error)
        return lambda l, delta: (trace.inputs[l + 1] - targets[l]) / len(error)

    def output_loss(self, scores: Scores, y: Targets) -> Scalar:
        if not labelled(y):
            return super().output_loss(scores, y)
        labels = optax.smooth_labels(jax.nn.one_hot(y, self.network.classes), self.label_smoothing)  # type: ignore[arg-type]
        return optax.softmax_cross_entropy(scores, labels).mean()

    def init_weights(self, key: PRNGKey) -> Weights:
        key_forward, key_lateral, key_feedback = jr.split(key, 3)
        weights = Weights(self.network.init(key_forward), (), self.init_lateral(key_lateral))
        draw, layers = INITIALISERS[self.network.initialiser], zip(self.inverted(weights), self.network.shapes())  # noqa: B905
        inverses = [init_inverse(jr.fold_in(key_feedback, l), draw, *layer) for l, layer in enumerate(layers)]
        return dataclasses.replace(weights, feedback=tuple(inverses))

    def init_lateral(self, key: PRNGKey) -> tuple[Array, ...]:
        """Weights that are neither forward nor feedback."""
        return ()

    def reconstruct(self, weights: Weights, trace: Trace, key: PRNGKey) -> tuple[Inverse, ...]:
        """The direction of every inverse: that of its noisy reconstruction."""
        directions = []
        for l, block in enumerate(self.inverted(weights), 1):
            shaken = self.shaken(weights, trace, l, jr.fold_in(key, l))
            heard, errors = RECONSTRUCTIONS[self.reconstruction_loss](shaken)
            n, below = len(shaken.h), shaken.h.shape[1:]
            mean = lambda found, errors=errors, n=n: errors(found) / n  # noqa: E731
            inverse, s = weights.feedback[l - 1], self.reconstruction
            directions.append(inverse_direction(inverse, block, s, heard, below, mean))
        return tuple(directions)

    def shaken(self, weights: Weights, trace: Trace, l: int, key: PRNGKey) -> Shaken:
        """The activity below layer l under noise, and what the inverse of the layer hears of it."""
        h = trace.inputs[l]
        heard, shift = self.above(weights, l, h), self.noise * jr.normal(key, h.shape)
        jolt = self.noise * jr.normal(jr.fold_in(key, 0), heard.shape)
        return Shaken(h, shift, heard, self.above(weights, l, h + shift), jolt)

    def assign_credit(self, state: State, batch: Batch, key: PRNGKey) -> tuple[Info, Neurons]:
        net, weights = self.network, state.weights
        trace = net.trace(weights.forward, batch.x)
        still = jax.tree.map(jnp.zeros_like, weights)
        direction = Weights(
            self.forward_direction(weights, trace, batch.y) if "forward" in self.optimisers else still.forward,
            self.reconstruct(weights, trace, key) if "feedback" in self.optimisers else still.feedback,
        )
        return Info(net.loss(trace.scores, batch.y), trace.scores, direction), net.remember(state.neurons, trace)

    def in_epoch(self, epoch: Int[Array, ""]) -> "AbstractLayerTargets":
        return cast(AbstractLayerTargets, dataclasses.replace(super().in_epoch(epoch), epoch=epoch))

    def update(self, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Info]:
        if self.inverse_training == PARALLEL or self.epoch is None:
            return super().update(state, batch, key)
        return jax.lax.cond(self.epoch % 2 == 0, self._alone("feedback"), self._alone("forward"), state, batch, key)

    def _alone(self, group: str) -> Callable[[State, Batch, PRNGKey], tuple[State, Info]]:
        """The update of one group of weights alone."""
        learning = {name: optimiser for name, optimiser in self.optimisers.items() if name == group}
        alone = dataclasses.replace(self, optimisers=learning, epoch=None)
        return lambda *arguments: alone.update(*arguments)  # a bound method would have the rule hashed
