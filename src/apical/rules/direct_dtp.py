"""Direct difference target propagation: every hidden layer has its target straight from the output's."""

from collections.abc import Mapping
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from apical.core import Weights
from apical.networks.blocks import Block
from apical.networks.feedforward import Blocks, Trace
from apical.networks.layers import Dense
from apical.rules.base import Preset
from apical.rules.layer_targets import SETTINGS
from apical.rules.target_propagation import AbstractSteppedTargets


class DirectDTP(AbstractSteppedTargets):
    """Direct difference target propagation: learnt weights Q_l lead from the output to each hidden layer at once.

    hhat_L = scores - target_step dLoss/dscores and hhat_l = h_l + g_l(hhat_L) - g_l(scores), with g_l(a) = Q_l a + c_l
    (Meulemans 2020, DDTP-linear). Trained by the difference loss under a decay of its weights, Q_l becomes the damped
    pseudo-inverse of the Jacobian of the scores with respect to h_l: targets are a Gauss-Newton step away.

    @inproceedings{meulemans2020,
      title = {A theoretical framework for target propagation},
      author = {Meulemans, Alexander and Carzaniga, Francesco and Suykens, Johan and Sacramento, Jo{\\~a}o and
                Grewe, Benjamin F.},
      booktitle = {Advances in Neural Information Processing Systems}, volume = {33}, year = {2020}
    }
    """

    name: ClassVar = "direct-dtp"
    presets: ClassVar[Mapping[str, Preset]] = {
        "default": Preset(
            "tanh units, Adam in batches of 50, linear feedback that learns to give changes back",
            settings={
                **SETTINGS,
                "rate_decay": 5e-4,
                "inverse_activation": "identity",
                "reconstruction_loss": "difference",
                "feedback_weight_decay": 1e-2,
                "target_step": 0.1,
            },
            batch_size=50,
        )
    }

    def inverted(self, weights: Weights) -> Blocks:
        """All that lies above each hidden layer, as one dense block of which the shape alone is used."""
        n = self.network.classes
        return tuple(Block(Dense(jnp.zeros((n, width)), jnp.zeros(n))) for width in self.network.widths())

    def above(self, weights: Weights, l: int, h: Array) -> Array:
        """The scores for an activity of hidden layer l - 1."""
        for block in weights.forward[l:]:
            h = block.respond(block.layer(h))
        return h

    def top_target(self, weights: Weights, trace: Trace, error: Array) -> Array:
        return self.targets(weights, trace, error)[-1]

    def targets(self, weights: Weights, trace: Trace, error: Array) -> tuple[Array, ...]:
        goal = trace.scores - self.target_step * len(error) * error
        hidden = enumerate(trace.inputs[1:], 1)
        return tuple(h + self.difference(weights, l, goal, trace.scores, h) for l, h in hidden)
