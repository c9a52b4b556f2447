"""Feedback alignment and direct feedback alignment: errors travel down through fixed random matrices."""

import abc
from collections.abc import Callable, Mapping
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from apical.core import Batch, Info, Neurons, Pathway, PRNGKey, State, Weights
from apical.hyperparameters import real
from apical.networks.blocks import Block
from apical.networks.feedforward import FEEDFORWARD, AbstractFeedforward, Blocks, Trace
from apical.networks.layers import pull, send_back
from apical.rules.base import DEFAULT, AbstractDescentRule, Preset
from apical.rules.optimisers import AbstractOptimiser, Optimiser
from apical.rules.pathways import direct_pathways, layer_pathways

Route = Callable[[int, Array], Array]


def carry_down(forward: Blocks, trace: Trace, error: Array, route: Route) -> Blocks:
    """Each layer's direction, from the output's `error` (dLoss/d scores) down.

    `route(l, delta)` is the error that reaches the activity of hidden layer l, given the error of the drive above it;
    within a layer it passes pool, activation and normalisation through their own Jacobian.
    """
    directions: list[Block] = []
    for l, block in reversed([*enumerate(forward)]):
        if l < len(forward) - 1:
            error = route(l, error)
        own, error = jax.vjp(lambda b, a: b.respond(a), block, trace.drives[l])[1](error)
        directions.insert(0, eqx.tree_at(lambda b: b.layer, own, pull(block.layer, trace.inputs[l], error)))
    return tuple(directions)


def thin(key: PRNGKey, matrix: Array, scale: Array, sparsity: Array) -> Array:
    """A random matrix times `scale`, a share `sparsity` of its entries zero, the others enlarged to keep its power."""
    kept = jr.bernoulli(key, 1 - sparsity, matrix.shape)
    return jnp.where(kept, matrix * scale / jnp.sqrt(1 - sparsity), 0)


class AbstractAlignment(AbstractDescentRule):
    """Errors descend layer by layer as in backprop, but along a way of the rule's own: its `route`."""

    network: eqx.AbstractVar[AbstractFeedforward]

    @abc.abstractmethod
    def route(self, weights: Weights, trace: Trace, error: Array) -> Route:
        """How errors reach hidden activity (see `carry_down`), given dLoss/d scores."""

    def assign_credit(self, state: State, batch: Batch, key: PRNGKey) -> tuple[Info, Neurons]:
        net, weights = self.network, state.weights
        trace = net.trace(weights.forward, batch.x)
        loss, error = jax.value_and_grad(net.loss)(trace.scores, batch.y)
        direction = carry_down(weights.forward, trace, error, self.route(weights, trace, error))
        return Info(loss, trace.scores, Weights(direction)), net.remember(state.neurons, trace)


class FeedbackAlignment(AbstractAlignment):
    """Feedback alignment: backprop with fixed random matrices B in the place of the transposed weights.

    delta_l = (B_{l+1} delta_{l+1}) * s'(a_l) (Lillicrap 2016, eq. 3 of its methods). B_{l+1} has the shape and the law
    of W_{l+1}, is drawn once and never learnt; the forward weights come to align with it. In a convolution B is a
    kernel, carried back as the transposed convolution.

    @article{lillicrap2016,
      title = {Random synaptic feedback weights support error backpropagation for deep learning},
      author = {Lillicrap, Timothy P. and Cownden, Daniel and Tweed, Douglas B. and Akerman, Colin J.},
      journal = {Nature Communications}, volume = {7}, pages = {13276}, year = {2016}
    }
    """

    name: ClassVar = "feedback-alignment"
    networks: ClassVar = FEEDFORWARD
    plasticity: ClassVar = {"forward": Optimiser}
    presets: ClassVar[Mapping[str, Preset]] = {"default": DEFAULT}
    network: AbstractFeedforward
    optimisers: dict[str, AbstractOptimiser]
    feedback_scale: Array = real(1.0, "factor on the law of the feedback weights", low=0, open_low=True, scale="log")
    feedback_sparsity: Array = real(0.0, "share of feedback weights that are zero", low=0, high=0.99)

    def init_weights(self, key: PRNGKey) -> Weights:
        key_forward, key_feedback, key_thin = jr.split(key, 3)
        kernels = [block.kernel for block in self.network.init(key_feedback)[1:]]
        keys = jr.split(key_thin, len(kernels))
        feedback = [thin(k, b, self.feedback_scale, self.feedback_sparsity) for k, b in zip(keys, kernels, strict=True)]
        return Weights(self.network.init(key_forward), tuple(feedback))

    def route(self, weights: Weights, trace: Trace, error: Array) -> Route:
        def carried(l: int, delta: Array) -> Array:
            return send_back(weights.forward[l + 1].layer, weights.feedback[l], trace.inputs[l + 1], delta)

        return carried

    def pathways(self, weights: Weights) -> tuple[Pathway, ...]:
        return layer_pathways(weights.forward, weights.feedback)


class DirectFeedbackAlignment(AbstractAlignment):
    """Direct feedback alignment: every hidden layer hears the output error through its own fixed random matrix.

    delta_l = (B_l e) * s'(a_l) with e = dLoss/da_L (Noekland 2016, eq. 7). B_l is (units of layer l, classes), normal
    with variance feedback_scale^2 / classes, drawn once and never learnt.

    @inproceedings{nokland2016,
      title = {Direct feedback alignment provides learning in deep neural networks},
      author = {N{\\o}kland, Arild},
      booktitle = {Advances in Neural Information Processing Systems}, volume = {29}, year = {2016}
    }
    """

    name: ClassVar = "direct-feedback-alignment"
    networks: ClassVar = FEEDFORWARD
    plasticity: ClassVar = {"forward": Optimiser}
    presets: ClassVar[Mapping[str, Preset]] = {"default": DEFAULT}
    network: AbstractFeedforward
    optimisers: dict[str, AbstractOptimiser]
    feedback_scale: Array = real(1.0, "factor on the law of the feedback weights", low=0, open_low=True, scale="log")
    feedback_sparsity: Array = real(0.0, "share of feedback weights that are zero", low=0, high=0.99)

    def init_weights(self, key: PRNGKey) -> Weights:
        sizes = self.network.widths()
        key_forward, *keys = jr.split(key, 2 * len(sizes) + 1)
        feedback = []
        for n, key_draw, key_thin in zip(sizes, keys[::2], keys[1::2], strict=True):
            drawn = jr.normal(key_draw, (n, self.network.classes)) / self.network.classes**0.5
            feedback.append(thin(key_thin, drawn, self.feedback_scale, self.feedback_sparsity))
        return Weights(self.network.init(key_forward), tuple(feedback))

    def route(self, weights: Weights, trace: Trace, error: Array) -> Route:
        def heard(l: int, delta: Array) -> Array:
            return (error @ weights.feedback[l].T).reshape(trace.inputs[l + 1].shape)

        return heard

    def pathways(self, weights: Weights) -> tuple[Pathway, ...]:
        return direct_pathways(weights.forward, weights.feedback)
