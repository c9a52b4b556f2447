"""Feedback alignment and direct feedback alignment: errors travel down through fixed random matrices."""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

import jax.random as jr
from jaxtyping import Array

from apical.core import Pathway, PRNGKey, Weights
from apical.networks.feedforward import FEEDFORWARD, Trace
from apical.rules.alignment import AbstractRandomFeedback, AbstractRandomLayerwise, Route
from apical.rules.base import BIOTORCH_LENET, DEFAULT, Preset
from apical.rules.optimisers import Optimiser
from apical.rules.pathways import direct_pathways

# rectified LeNet with momentum learns little under random feedback, and nothing at the rate of backprop
LENET = dataclasses.replace(
    BIOTORCH_LENET,
    meaning="LeNet on images of 28 x 28, tanh, with Adam, the rate a tenth after 50 and after 75 of 100 epochs",
    source="Sanfiz 2021; units, optimiser, rate and weight decay are ours",
    settings={
        **BIOTORCH_LENET.settings,
        "activation": "tanh",
        "initialiser": "glorot",
        "optimiser": "adam",
        "rate": 1e-3,
        "weight_decay": 2e-5,
    },
)


class FeedbackAlignment(AbstractRandomLayerwise):
    """Feedback alignment: backprop with fixed random matrices B in the place of the transposed weights.

    delta_l = (B_{l+1} delta_{l+1}) * s'(a_l) (Lillicrap 2016, eq. 3 of its methods). B_{l+1} has the shape and the law
    of W_{l+1}^T, is drawn once and never learnt; the forward weights come to align with it. In a convolution B is a
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
    presets: ClassVar[Mapping[str, Preset]] = {"default": DEFAULT, "biotorch-lenet": LENET}


class DirectFeedbackAlignment(AbstractRandomFeedback):
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
    presets: ClassVar[Mapping[str, Preset]] = {"default": DEFAULT, "biotorch-lenet": LENET}

    def init_weights(self, key: PRNGKey) -> Weights:
        sizes, classes = self.network.widths(), self.network.classes
        key_forward, *keys = jr.split(key, 2 * len(sizes) + 1)
        drawn = [jr.normal(k, (n, classes)) / classes**0.5 for n, k in zip(sizes, keys[::2], strict=True)]
        return Weights(self.init_forward(key_forward), self.thinned(keys[1::2], drawn))

    def route(self, weights: Weights, trace: Trace, error: Array) -> Route:
        def heard(l: int, delta: Array) -> Array:
            return (error @ weights.feedback[l].T).reshape(trace.inputs[l + 1].shape)

        return heard

    def pathways(self, weights: Weights) -> tuple[Pathway, ...]:
        return direct_pathways(weights.forward, weights.feedback)
