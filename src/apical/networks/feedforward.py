"""Ordinary feedforward networks: multilayer perceptron, convolutional and locally connected, all made of blocks."""

import abc
import math
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array

from apical.core import Batch, Inputs, PRNGKey, Scalar, Scores, Targets, Weights, labelled
from apical.hyperparameters import choice, integer, integers, real, switch
from apical.networks.base import AbstractNetwork, Recording
from apical.networks.blocks import Block, Statistics, remember
from apical.networks.construction import Maker, image_blocks
from apical.networks.initialisers import INITIALISERS
from apical.networks.noisy_inputs import NoisyInputs
from apical.neurons.transfer import ACTIVATIONS

Blocks = tuple[Block, ...]
Running = tuple[Statistics | None, ...]


def transfer(default: str) -> Any:
    """What hidden units make of their drive."""
    return choice(default, tuple(ACTIVATIONS), "transfer function of the hidden units")


def law(default: str) -> Any:
    """How weights start."""
    return choice(default, tuple(INITIALISERS), "law of the initial forward weights")


def normalised(default: bool) -> Any:
    """Whether drives are normalised."""
    return switch(
        default, "normalise the drive of each unit or channel over the batch (and image)", source="Ioffe 2015"
    )


class Trace(eqx.Module):
    """One pass through the network: `inputs[l]` enters layer l, `drives[l]` leaves it; the last drive is the scores."""

    inputs: tuple[Array, ...]
    drives: tuple[Array, ...]

    @property
    def scores(self) -> Scores:
        """The output layer's drive."""
        return self.drives[-1]


class AbstractFeedforward(NoisyInputs):
    """h_0 = (x - input_mean) input_scale; a_l = W_l h_{l-1} + b_l; h_l = s(a_l); scores = a_L; loss: see `loss`."""

    activation: str = transfer("relu")
    initialiser: str = law("kaiming")
    batch_norm: bool = normalised(False)
    input_mean: Array = real(0.0, "subtracted from every input (images are between 0 and 1)", low=-1000, high=1000)
    input_scale: Array = real(
        1.0,
        "factor on every input behind its mean (4 gives images of CIFAR-10 a variance of about 1)",
        low=0,
        high=1000,
        open_low=True,
    )

    @abc.abstractmethod
    def init(self, key: PRNGKey) -> Blocks:
        """Fresh blocks, from the input up."""

    def maker(self, key: PRNGKey) -> Maker:
        """Makes blocks with this network's activation, law of weights and normalisation."""
        return Maker(key, self.activation, self.initialiser, self.batch_norm)

    def scaled(self, x: Inputs) -> Inputs:
        """Inputs as the first layer sees them."""
        return (x - self.input_mean) * self.input_scale

    def trace(self, forward: Blocks, x: Inputs) -> Trace:
        """One pass, normalised by the batch's own statistics as in training."""
        inputs, drives = [self.scaled(x)], []
        for block in forward:
            drives.append(block.layer(inputs[-1]))
            inputs.append(block.respond(drives[-1]))
        return Trace(tuple(inputs[:-1]), tuple(drives))

    def apply(self, forward: Blocks, x: Inputs) -> Scores:
        return self.trace(forward, x).scores

    def loss(self, scores: Scores, y: Targets) -> Scalar:
        """Cross-entropy of softmaxed scores with labels; half the squared distance of scores to values."""
        if not labelled(y):
            return 0.5 * ((scores - y) ** 2).sum(-1).mean()
        return optax.softmax_cross_entropy_with_integer_labels(scores, y).mean()

    def rest(self, x: Inputs) -> Running:
        """Running statistics of each layer's drive before the first batch; none where the layer is not normalised."""
        blocks = jax.eval_shape(self.init, jr.key(0))
        return tuple(None if b.norm is None else _fresh(len(b.norm.scale)) for b in blocks)

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of one example's activity in each hidden layer, behind its pool."""
        one = jnp.zeros((1, *self.shape))
        trace = jax.eval_shape(lambda key: self.trace(self.init(key), one), jr.key(0))
        return tuple(h.shape[1:] for h in trace.inputs[1:])

    def widths(self) -> tuple[int, ...]:
        """How many units each hidden layer has, behind its pool."""
        return tuple(math.prod(shape) for shape in self.shapes())

    def remember(self, neurons: Running, trace: Trace) -> Running:
        """The running statistics after this pass."""
        return tuple(
            None if running is None else remember(running, drive)
            for running, drive in zip(neurons, trace.drives, strict=True)
        )

    def predict(self, weights: Weights, neurons: Running, x: Inputs, key: PRNGKey) -> Scores:
        h = self.scaled(x)
        for block, running in zip(weights.forward, neurons, strict=True):
            h = block.respond(block.layer(h), running)
        return h

    def hidden_activity(self, weights: Weights, x: Inputs) -> tuple[Array, ...]:
        return self.trace(weights.forward, x).inputs[1:]

    def record(self, weights: Weights, neurons: Running, batch: Batch, key: PRNGKey) -> tuple[Recording, ...]:
        trace = self.trace(weights.forward, batch.x)
        return (Recording((*trace.inputs[1:], trace.scores)),)


def _fresh(channels: int) -> Statistics:
    return Statistics(jnp.zeros(channels), jnp.ones(channels))


class MLP(AbstractFeedforward):
    """A multilayer perceptron: every layer dense, images flattened."""

    default_hidden: ClassVar[tuple[int, ...]] = (500,)

    def init(self, key: PRNGKey) -> Blocks:
        return self.maker(key).dense_blocks(self.shape, self.hidden, self.classes)


class CNN(AbstractFeedforward):
    """A convolutional network: blocks of convolution, batch norm, activation and max pool, then dense layers.

    Without options it is Lange's (2019): 16 and 32 channels, 5x5 kernels, padding 2, 2x2 max pool, one linear layer.
    """

    default_hidden: ClassVar[tuple[int, ...]] = ()
    batch_norm: bool = normalised(True)
    channels: tuple[int, ...] = integers((16, 32), "channels of each convolution", low=1, source="Lange 2019")
    kernels: tuple[int, ...] = integers((5,), "side of the kernel, one or one each", low=1, source="Lange 2019")
    strides: tuple[int, ...] = integers((1,), "stride, one or one each", low=1, source="Lange 2019")
    padding: tuple[int, ...] = integers((2,), "padding, one or one each", low=0, source="Lange 2019")
    pool: int = integer(2, "side of the max pool behind each convolution (1: none)", low=1, source="Lange 2019")

    def init(self, key: PRNGKey) -> Blocks:
        return image_blocks(self, self.maker(key), local=False, pool=self.pool)


class LocallyConnected(AbstractFeedforward):
    """Locally connected layers (a convolution without weight sharing), then dense ones (Bartunov 2018, for MNIST)."""

    default_hidden: ClassVar[tuple[int, ...]] = (1024,)
    activation: str = transfer("tanh")
    initialiser: str = law("glorot")
    channels: tuple[int, ...] = integers((32, 64), "channels of each local layer", low=1, source="Bartunov 2018")
    kernels: tuple[int, ...] = integers((3,), "side of the field, one or one each", low=1, source="Bartunov 2018")
    strides: tuple[int, ...] = integers((2,), "stride, one or one each", low=1, source="Bartunov 2018")
    padding: tuple[int, ...] = integers((0,), "padding, one or one each", low=0, source="Bartunov 2018")

    def init(self, key: PRNGKey) -> Blocks:
        return image_blocks(self, self.maker(key), local=True, pool=1)


FEEDFORWARD: dict[str, type[AbstractNetwork]] = {"mlp": MLP, "cnn": CNN, "lc": LocallyConnected}
