"""Learning to recognise images by plain gradient descent, by units that may spike or lack half of their synapses."""

from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from apical.core import Batch, PRNGKey, Scalar, Weights
from apical.data.dataset import Dataset
from apical.networks.feedforward import MLP, AbstractFeedforward, Trace
from apical.report.figure import Dash
from apical.reproduce.lillicrap.ways import Way, rule_of, step, with_kernels
from apical.rules.alignment import thin
from apical.training.lane import batch_of
from apical.training.loop import pick, shuffle

CHUNK = 500
DRAWS = ("forward", "feedback", "thin", "epochs")

Pass = Callable[[AbstractFeedforward, Weights, Array, PRNGKey], Trace]


def rates_pass(network: AbstractFeedforward, weights: Weights, x: Array, key: PRNGKey) -> Trace:
    """One pass of units whose activity is their rate."""
    return network.trace(weights.forward, x)


def spikes_pass(network: AbstractFeedforward, weights: Weights, x: Array, key: PRNGKey) -> Trace:
    """One pass of hidden units that spike once or not at all, with their activity for a probability."""
    inputs, drives = [x], []
    for l, block in enumerate(weights.forward):
        drives.append(block.layer(inputs[-1]))
        drawn = jr.bernoulli(jr.fold_in(key, l), jnp.clip(block.respond(drives[-1]), 0, 1))
        inputs.append(drawn.astype(x.dtype))
    return Trace(tuple(inputs[:-1]), tuple(drives))


@dataclass(frozen=True)
class Learner:
    """A way of learning in a network of one hidden layer, at a rate, and what is special about its units and synapses.

    `sparsity` is the share of missing synapses; the scores of `passes` are added up to recognise an image.
    """

    way: Way
    label: str
    rate: float
    activation: str = "tanh"
    forward: Pass = rates_pass
    sparsity: float = 0.0
    passes: int = 1
    colour: str = ""
    dash: Dash = "solid"

    def network(self, dataset: Dataset, hidden: int) -> MLP:
        """The network over these images."""
        shape, classes = dataset.shape, dataset.n_classes
        return MLP(shape, classes, (hidden,), activation=self.activation, initialiser="xavier")

    def rates(self) -> Float[Array, "2"]:
        """Learning rates of the two layers."""
        return jnp.array([self.rate if self.way.deep else 0.0, self.rate])


def first_weights(network: MLP, key: PRNGKey, sparsity: float) -> Weights:
    """Weights before learning; of forward and feedback synapses alike a share `sparsity` is missing."""
    forward, other = (network.init(jr.fold_in(key, DRAWS.index(name))) for name in ("forward", "feedback"))
    kernels = [*(block.kernel for block in forward), other[-1].kernel]
    keys = jr.split(jr.fold_in(key, DRAWS.index("thin")), len(kernels))
    share = jnp.asarray(sparsity, jnp.float32)
    *kernels, feedback = (thin(k, kernel, jnp.ones(()), share) for k, kernel in zip(keys, kernels, strict=True))
    return Weights(with_kernels(forward, kernels), (feedback,))


def errors_by_epoch(learner: Learner, dataset: Dataset, hidden: int, epochs: int, batch: int, seed: int) -> list[float]:
    """Share of the test images taken for another class, before learning and after every epoch."""
    network, key = learner.network(dataset, hidden), jr.key(seed)
    train, test = (batch_of(part, np.arange(len(part))) for part in (dataset.train, dataset.test))
    weights = first_weights(network, key, learner.sparsity)
    rates, tied = learner.rates(), jnp.asarray(learner.way.tied)
    found = []
    for epoch in range(epochs + 1):
        key_order, key_steps, key_test = jr.split(jr.fold_in(jr.fold_in(key, DRAWS.index("epochs")), epoch), 3)
        if epoch:
            order = shuffle(len(train.y), batch, key_order)
            weights = _epoch(network, learner.forward, weights, train, order, tied, rates, key_steps)
        found.append(1 - float(accuracy(network, learner.forward, weights, test, key_test, learner.passes)))
    return found


@eqx.filter_jit
def _epoch(
    network: MLP,
    forward: Pass,
    weights: Weights,
    data: Batch,
    order: Int[Array, "steps batch"],
    tied: Bool[Array, ""],
    rates: Float[Array, "2"],
    key: PRNGKey,
) -> Weights:
    rule = rule_of(network)

    def one(weights: Weights, xs: tuple[Array, PRNGKey]) -> tuple[Weights, None]:
        index, key = xs
        batch = pick(data, index)
        trace = forward(network, weights, batch.x, key)
        error = jax.grad(network.loss)(trace.scores, batch.y)
        return step(rule, weights, trace, error, tied, rates), None

    return jax.lax.scan(one, weights, (order, jr.split(key, len(order))))[0]


@eqx.filter_jit
def accuracy(network: MLP, forward: Pass, weights: Weights, data: Batch, key: PRNGKey, passes: int) -> Scalar:
    """Share of the images recognised by the sum of the scores of so many passes."""
    scores = jnp.stack([forward(network, weights, data.x, k).scores for k in jr.split(key, passes)])
    return (scores.sum(0).argmax(1) == data.y).mean()
