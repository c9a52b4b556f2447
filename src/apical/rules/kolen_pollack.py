"""Kolen-Pollack learning: feedback weights that make the same changes as the forward ones and forget with them."""

from collections.abc import Mapping
from typing import ClassVar

import equinox as eqx
import jax
from jaxtyping import Array

from apical.core import Batch, Info, Neurons, PRNGKey, State, Weights
from apical.hyperparameters import real
from apical.networks.feedforward import FEEDFORWARD
from apical.rules.alignment import AbstractRandomLayerwise
from apical.rules.base import DEFAULT, Preset
from apical.rules.optimisers import Optimiser


class KolenPollack(AbstractRandomLayerwise):
    """Kolen-Pollack: feedback weights B learn as the forward ones do, and both decay until they are the same.

    Errors descend as in feedback alignment. Both synapses of a pair see the same two cells, so both make the change
    that is made of their product, delta_{l+1} h_l^T, and lose the share `feedback_decay` of their weight each time:
    B - W^T shrinks by 1 - feedback_decay in every update, whatever is learnt (Kolen 1994; Akrout 2019, eqs. 16-18), as
    long as `weight_decay` is 0. B has the shape and the law of W^T at first.

    @inproceedings{kolen1994,
      title = {Backpropagation without weight transport},
      author = {Kolen, John F. and Pollack, Jordan B.},
      booktitle = {IEEE International Conference on Neural Networks}, volume = {3}, pages = {1375--1380}, year = {1994}
    }

    @inproceedings{akrout2019,
      title = {Deep learning without weight transport},
      author = {Akrout, Mohamed and Wilson, Collin and Humphreys, Peter C. and Lillicrap, Timothy and
                Tweed, Douglas B.},
      booktitle = {Advances in Neural Information Processing Systems}, volume = {32}, year = {2019}
    }
    """

    name: ClassVar = "kolen-pollack"
    networks: ClassVar = FEEDFORWARD
    plasticity: ClassVar = {"forward": Optimiser, "feedback": Optimiser}
    presets: ClassVar[Mapping[str, Preset]] = {"default": DEFAULT}
    limit: ClassVar = {"feedback_decay": 3e-3}
    feedback_decay: Array = real(
        1e-3,
        "share of W and B lost in each update, the same in both",
        low=0,
        high=1,
        scale="log",
        unit="1/update",
        source="ours; Akrout 2019 has 1e-4 with momentum",
        search={"own": (1e-5, 1e-2)},
    )

    def assign_credit(self, state: State, batch: Batch, key: PRNGKey) -> tuple[Info, Neurons]:
        info, neurons = super().assign_credit(state, batch, key)
        forward = info.direction.forward
        return Info(info.loss, info.scores, Weights(forward, tuple(block.kernel for block in forward[1:]))), neurons

    def renewed(self, weights: Weights, key: PRNGKey) -> Weights:
        if "feedback" not in self.optimisers:
            return weights
        kept = 1 - self.feedback_decay
        faded = jax.tree.map(lambda b: kept * b, weights.feedback)
        return Weights(fade(weights.forward, kept), faded)


def fade(forward: tuple, kept: Array) -> tuple:
    """Forward weights with every kernel but the first one times `kept`."""
    layers = [eqx.tree_at(lambda b: b.layer.kernel, block, kept * block.kernel) for block in forward[1:]]
    return (*forward[:1], *layers)
