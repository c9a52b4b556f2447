"""Simplified difference target propagation: not even the output layer carries an error down by its own weights."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array

from apical.core import PRNGKey, Weights
from apical.hyperparameters import integer
from apical.networks.feedforward import Blocks, Trace
from apical.networks.initialisers import INITIALISERS
from apical.networks.layers import Dense
from apical.neurons.transfer import ACTIVATIONS
from apical.rules.layer_targets import AbstractLayerTargets
from apical.tasks import CLASSIFICATION


class SimplifiedDTP(AbstractLayerTargets):
    """Simplified difference target propagation: the last hidden layer, too, has its target from a learnt inverse.

    hhat_L is the label's distribution and h_L = softmax(scores); for every hidden layer, the last one included, hhat_l
    = h_l + g_{l+1}(hhat_{l+1}) - g_{l+1}(h_{l+1}) (Bartunov 2018, section 3.1). No synapse needs the weight of another.

    @inproceedings{bartunov2018,
      title = {Assessing the scalability of biologically-motivated deep learning algorithms and architectures},
      author = {Bartunov, Sergey and Santoro, Adam and Richards, Blake A. and Marris, Luke and Hinton, Geoffrey E. and
                Lillicrap, Timothy P.},
      booktitle = {Advances in Neural Information Processing Systems}, volume = {31}, year = {2018}
    }
    """

    name: ClassVar = "simplified-dtp"
    tasks: ClassVar = (CLASSIFICATION,)

    def inverted(self, weights: Weights) -> Blocks:
        return weights.forward[1:]

    def heard(self, weights: Weights, l: int, drive: Array) -> Array:
        last = l == len(weights.forward) - 1
        return self.output_code(drive) if last else super().heard(weights, l, drive)

    def output_code(self, drive: Array) -> Array:
        """What the inverse of the output layer hears of its drive: the classes' probabilities come first."""
        return jax.nn.softmax(drive)

    def top_target(self, weights: Weights, trace: Trace, error: Array) -> Array:
        # the gradient of cross-entropy is softmax(scores) - label: a step of length 1 ends at the label's distribution
        last, h = len(trace.inputs) - 1, trace.inputs[-1]
        heard = self.output_code(self.inverted(weights)[-1].layer(h))
        classes = error.shape[1]
        return h + self.difference(weights, last, heard.at[:, :classes].add(-len(h) * error), heard, h)


class AuxiliaryOutputSDTP(SimplifiedDTP):
    """Simplified difference target propagation with auxiliary outputs, which tell the inverse more than the class does.

    The output is [softmax(scores), z], with z = s(A h_{L-1}) by fixed random weights A; its target is [label, z], so
    that targets of the last hidden layer keep the diversity of its activity (Bartunov 2018, section 3.2).

    @inproceedings{bartunov2018,
      title = {Assessing the scalability of biologically-motivated deep learning algorithms and architectures},
      author = {Bartunov, Sergey and Santoro, Adam and Richards, Blake A. and Marris, Luke and Hinton, Geoffrey E. and
                Lillicrap, Timothy P.},
      booktitle = {Advances in Neural Information Processing Systems}, volume = {31}, year = {2018}
    }
    """

    name: ClassVar = "ao-sdtp"
    auxiliary_width: int = integer(256, "how many auxiliary outputs", low=0, high=100_000, search={"own": (16, 1024)})

    def init_lateral(self, key: PRNGKey) -> tuple[Array, ...]:
        n, draw = self.auxiliary_width, INITIALISERS[self.network.initialiser]
        return tuple(draw(key, (n, below), below, n) for below in self.network.widths()[-1:])

    def inverted(self, weights: Weights) -> Blocks:
        if not weights.lateral:
            return super().inverted(weights)
        *inner, last = super().inverted(weights)
        kernel = jnp.concatenate([last.kernel, weights.lateral[0]])
        bias = jnp.concatenate([last.layer.bias, jnp.zeros(self.auxiliary_width)])
        return (*inner, dataclasses.replace(last, layer=Dense(kernel, bias)))

    def output_code(self, drive: Array) -> Array:
        scores, features = jnp.split(drive, [self.network.classes], axis=1)
        return jnp.concatenate([jax.nn.softmax(scores), ACTIVATIONS[self.network.activation](features)], axis=1)
