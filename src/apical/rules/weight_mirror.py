"""Weight mirrors: feedback weights learnt from the echo of noise."""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from apical.core import Batch, Info, Neurons, PRNGKey, State, Weights
from apical.hyperparameters import real
from apical.networks.blocks import Block
from apical.networks.feedforward import FEEDFORWARD
from apical.networks.layers import pull
from apical.neurons.transfer import ACTIVATIONS
from apical.rules.alignment import AbstractRandomLayerwise
from apical.rules.base import DEFAULT, Preset
from apical.rules.optimisers import AbstractOptimiser, Layers, Optimiser, descend


class MirrorPlasticity(AbstractOptimiser):
    """Hebbian growth and decay of the feedback weights, at one rate for all layers or one each."""

    feedback_rate: Array = real(
        0.02,
        "share of the distance to their goal that feedback weights go in each update",
        low=0,
        high=1,
        scale="log",
        unit="1/update",
        per_layer=True,
        search={"own": (1e-3, 0.2)},
    )

    def init(self, weights: Layers) -> tuple:
        return ()

    def update(self, direction: Layers, memory: tuple, weights: Layers) -> tuple[Layers, tuple]:
        return descend(weights, direction, self.feedback_rate), memory


class WeightMirror(AbstractRandomLayerwise):
    """Weight mirrors: layers take turns to be noisy, and feedback weights learn what comes of it above.

    Errors descend as in feedback alignment, B in the place of W^T. In the mirror's turn each hidden layer fires noise
    xi of mean 0 and deviation `mirror_noise`, and the layer above answers y = s(W xi): then E[y xi^T] / mirror_noise^2
    = E[s'] W, and B descends to it, B += feedback_rate (y xi^T / mirror_noise^2 - B), by activity of its own two cells
    alone (Akrout 2019, eqs. 12-15, with decay and rate such that B has the size of W below linear units; below
    rectified ones E[s'] is 1/2).

    @inproceedings{akrout2019,
      title = {Deep learning without weight transport},
      author = {Akrout, Mohamed and Wilson, Collin and Humphreys, Peter C. and Lillicrap, Timothy and
                Tweed, Douglas B.},
      booktitle = {Advances in Neural Information Processing Systems}, volume = {32}, year = {2019}
    }
    """

    name: ClassVar = "weight-mirror"
    networks: ClassVar = FEEDFORWARD
    plasticity: ClassVar = {"forward": Optimiser, "feedback": MirrorPlasticity}
    presets: ClassVar[Mapping[str, Preset]] = {"default": DEFAULT}
    limit: ClassVar = {"feedback_rate": 1e-3}
    mirror_noise: Array = real(
        0.5, "deviation of the noise that layers fire in the mirror's turn", low=0, open_low=True, scale="log"
    )

    def assign_credit(self, state: State, batch: Batch, key: PRNGKey) -> tuple[Info, Neurons]:
        info, neurons = super().assign_credit(state, batch, key)
        shapes = [h.shape for h in jax.eval_shape(self.network.trace, state.weights.forward, batch.x).inputs[1:]]
        layers = zip(jr.split(key, len(shapes)), state.weights.forward[1:], shapes, state.weights.feedback, strict=True)
        distance = tuple(b - self.mirrored(k, block, shape) for k, block, shape, b in layers)
        return Info(info.loss, info.scores, Weights(info.direction.forward, distance)), neurons

    def mirrored(self, key: PRNGKey, block: Block, shape: tuple[int, ...]) -> Array:
        """What noise of this shape (batch, ...) below a block says of its kernel, averaged over batch and image."""
        noise = jr.normal(key, shape)
        layer = dataclasses.replace(block.layer, bias=jnp.zeros_like(block.layer.bias))
        answer = ACTIVATIONS[block.activation](layer(self.mirror_noise * noise))
        together = pull(layer, noise, answer).kernel / self.mirror_noise
        seen = pull(layer, jnp.ones_like(noise), jnp.ones_like(answer)).kernel
        return together / jnp.maximum(seen, 1)
