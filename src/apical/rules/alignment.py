"""Rules in which errors descend layer by layer as in backprop, but along a way of each rule's own."""

import abc
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from apical.core import Batch, Info, Neurons, Pathway, PRNGKey, Scalar, Scores, State, Targets, Weights
from apical.hyperparameters import real
from apical.networks.blocks import Block
from apical.networks.feedforward import AbstractFeedforward, Blocks, Trace
from apical.networks.layers import pull, send_back
from apical.rules.base import AbstractDescentRule
from apical.rules.optimisers import AbstractOptimiser
from apical.rules.pathways import layer_pathways

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
    """Every layer's plasticity is presynaptic activity times an error of its own units, which comes by `route`."""

    network: eqx.AbstractVar[AbstractFeedforward]

    @abc.abstractmethod
    def route(self, weights: Weights, trace: Trace, error: Array) -> Route:
        """How errors reach hidden activity (see `carry_down`), given dLoss/d scores."""

    def output_loss(self, scores: Scores, y: Targets) -> Scalar:
        """What the output layer descends: the network's own loss, unless a rule has it otherwise."""
        return self.network.loss(scores, y)

    def forward_direction(self, weights: Weights, trace: Trace, y: Targets) -> Blocks:
        """The direction of the forward weights after one pass."""
        error = jax.grad(self.output_loss)(trace.scores, y)
        return carry_down(weights.forward, trace, error, self.route(weights, trace, error))

    def assign_credit(self, state: State, batch: Batch, key: PRNGKey) -> tuple[Info, Neurons]:
        net, weights = self.network, state.weights
        trace = net.trace(weights.forward, batch.x)
        direction = Weights(self.forward_direction(weights, trace, batch.y))
        return Info(net.loss(trace.scores, batch.y), trace.scores, direction), net.remember(state.neurons, trace)


class AbstractLayerwise(AbstractAlignment):
    """Errors descend through kernels of the shape of the forward ones, which stand in their place."""

    @abc.abstractmethod
    def carriers(self, weights: Weights) -> tuple[Array, ...]:
        """The kernel that carries errors down through each layer but the first."""

    def route(self, weights: Weights, trace: Trace, error: Array) -> Route:
        carriers = self.carriers(weights)

        def carried(l: int, delta: Array) -> Array:
            return send_back(weights.forward[l + 1].layer, carriers[l], trace.inputs[l + 1], delta)

        return carried

    def pathways(self, weights: Weights) -> tuple[Pathway, ...]:
        return layer_pathways(weights.forward, self.carriers(weights))


class AbstractRandomFeedback(AbstractAlignment):
    """Errors come by random weights, which may be sparse."""

    network: AbstractFeedforward
    optimisers: dict[str, AbstractOptimiser]
    feedback_scale: Array = real(
        1.0, "factor on the law of the initial feedback weights", low=0, open_low=True, scale="log"
    )
    feedback_sparsity: Array = real(0.0, "share of feedback weights that are zero at first", low=0, high=0.99)
    forward_scale: Array = real(
        1.0, "factor on the law of the initial forward weights; 0 starts without any", low=0, source="Noekland 2016"
    )

    def init_forward(self, key: PRNGKey) -> Blocks:
        """The network's initial blocks, their kernels scaled."""
        blocks = self.network.init(key)
        return tuple(eqx.tree_at(lambda b: b.layer.kernel, b, b.kernel * self.forward_scale) for b in blocks)

    def thinned(self, keys: Sequence[PRNGKey], matrices: Sequence[Array]) -> tuple[Array, ...]:
        """Random feedback weights, scaled and thinned."""
        pairs = zip(keys, matrices, strict=True)
        return tuple(thin(key, b, self.feedback_scale, self.feedback_sparsity) for key, b in pairs)


class AbstractRandomLayerwise(AbstractRandomFeedback, AbstractLayerwise):
    """Feedback kernels are drawn from the law of the forward ones."""

    def init_weights(self, key: PRNGKey) -> Weights:
        key_forward, key_feedback, key_thin = jr.split(key, 3)
        kernels = [block.kernel for block in self.network.init(key_feedback)[1:]]
        return Weights(self.init_forward(key_forward), self.thinned([*jr.split(key_thin, len(kernels))], kernels))

    def carriers(self, weights: Weights) -> tuple[Array, ...]:
        return weights.feedback
