"""Backprop: the gradient itself, by automatic differentiation."""

from collections.abc import Mapping
from typing import ClassVar

import jax

from apical.core import Batch, Info, Neurons, PRNGKey, State, Weights
from apical.networks.feedforward import FEEDFORWARD, AbstractFeedforward, Blocks
from apical.rules.base import BIOTORCH_LENET, DEFAULT, AbstractDescentRule, Preset
from apical.rules.optimisers import AbstractOptimiser, Optimiser


class Backprop(AbstractDescentRule):
    """Backpropagation of errors: every layer descends the exact gradient of the network's loss.

    delta_l = (W_{l+1}^T delta_{l+1}) * s'(a_l), with delta_L = dLoss/da_L (Rumelhart 1986, eqs. 6-7); the errors
    travel down through exact copies of the forward weights, which is what a brain cannot easily do.

    @article{rumelhart1986,
      title = {Learning representations by back-propagating errors},
      author = {Rumelhart, David E. and Hinton, Geoffrey E. and Williams, Ronald J.},
      journal = {Nature}, volume = {323}, pages = {533--536}, year = {1986}
    }
    """

    name: ClassVar = "backprop"
    networks: ClassVar = FEEDFORWARD
    plasticity: ClassVar = {"forward": Optimiser}
    presets: ClassVar[Mapping[str, Preset]] = {
        "default": DEFAULT,
        "biotorch-lenet": BIOTORCH_LENET,
        "lange-2019": Preset(
            "Lange's networks: Adam at 1e-3, batches of 100, PyTorch's initial weights, 10 epochs",
            "Lange 2019, logs",
            settings={"rate": 1e-3, "optimiser": "adam", "initialiser": "uniform"},
            batch_size=100,
            epochs=10,
        ),
    }
    network: AbstractFeedforward
    optimisers: dict[str, AbstractOptimiser]

    def init_weights(self, key: PRNGKey) -> Weights:
        return Weights(self.network.init(key))

    def assign_credit(self, state: State, batch: Batch, key: PRNGKey) -> tuple[Info, Neurons]:
        net = self.network

        def loss(forward: Blocks) -> tuple:
            trace = net.trace(forward, batch.x)
            return net.loss(trace.scores, batch.y), trace

        forward = state.weights.forward
        (value, trace), direction = jax.value_and_grad(loss, has_aux=True)(forward)
        return Info(value, trace.scores, Weights(direction)), net.remember(state.neurons, trace)
