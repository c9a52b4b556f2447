"""Sign symmetry: feedback weights that share the signs of the forward ones and nothing else."""

from collections.abc import Mapping
from typing import ClassVar

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from apical.core import PRNGKey, Weights
from apical.hyperparameters import choice, real
from apical.networks.feedforward import FEEDFORWARD, AbstractFeedforward
from apical.rules.alignment import AbstractLayerwise
from apical.rules.base import BIOTORCH_LENET, DEFAULT, Preset
from apical.rules.optimisers import AbstractOptimiser, Optimiser

UNIFORM, BATCHWISE, FIXED = "usf", "brsf", "frsf"


class SignSymmetry(AbstractLayerwise):
    """Sign-symmetric feedback: B has the signs of the transposed weights at every moment, and magnitudes of its own.

    B = M * sign(W) with delta_l = (B_{l+1}^T delta_{l+1}) * s'(a_l). Magnitudes M >= 0: `usf` one for all synapses of
    a layer; `frsf` random, drawn once; `brsf` random, drawn again after each batch (Liao 2016, section 3; Moskovitz
    2018). Random ones are those of a draw from the law of W, uniform ones the root mean square of such a draw, all
    times `scale`.

    @inproceedings{liao2016,
      title = {How important is weight symmetry in backpropagation?},
      author = {Liao, Qianli and Leibo, Joel Z. and Poggio, Tomaso},
      booktitle = {AAAI Conference on Artificial Intelligence}, pages = {1837--1844}, year = {2016}
    }

    @misc{moskovitz2018,
      title = {Feedback alignment in deep convolutional networks},
      author = {Moskovitz, Theodore H. and Litwin-Kumar, Ashok and Abbott, L. F.},
      howpublished = {arXiv:1812.06488}, year = {2018}
    }
    """

    name: ClassVar = "sign-symmetry"
    networks: ClassVar = FEEDFORWARD
    plasticity: ClassVar = {"forward": Optimiser}
    presets: ClassVar[Mapping[str, Preset]] = {"default": DEFAULT, "biotorch-lenet": BIOTORCH_LENET}
    network: AbstractFeedforward
    optimisers: dict[str, AbstractOptimiser]
    variant: str = choice(
        FIXED, (UNIFORM, BATCHWISE, FIXED), "magnitudes of the feedback weights: uniform, random by batch, random"
    )
    scale: Array = real(1.0, "factor on the magnitudes", low=0, open_low=True, scale="log")

    def init_weights(self, key: PRNGKey) -> Weights:
        key_forward, key_feedback = jr.split(key)
        return Weights(self.network.init(key_forward), self.magnitudes(key_feedback))

    def magnitudes(self, key: PRNGKey) -> tuple[Array, ...]:
        """Fresh magnitudes of the feedback weights through each layer but the first."""
        drawn = [jnp.abs(block.kernel) for block in self.network.init(key)[1:]]
        if self.variant == UNIFORM:
            drawn = [jnp.full(m.shape, jnp.sqrt((m**2).mean())) for m in drawn]
        return tuple(self.scale * m for m in drawn)

    def carriers(self, weights: Weights) -> tuple[Array, ...]:
        layers = zip(weights.feedback, weights.forward[1:], strict=True)
        return tuple(magnitude * jnp.sign(block.kernel) for magnitude, block in layers)

    def renewed(self, weights: Weights, key: PRNGKey) -> Weights:
        redrawn = self.variant == BATCHWISE and "forward" in self.optimisers
        return Weights(weights.forward, self.magnitudes(key)) if redrawn else weights
