"""Noise on inputs while learning: what every network that is shown images or values can have."""

import jax.random as jr
from jaxtyping import Array

from apical.core import Batch, PRNGKey
from apical.hyperparameters import real
from apical.networks.base import AbstractNetwork

BLUR = 1_000_033  # folded into the key of an update, apart from numbers of blocks and steps and from other uses


class NoisyInputs(AbstractNetwork):
    """A network whose inputs may be noisy while it learns."""

    input_noise: Array | None = real(
        None, "standard deviation of noise on inputs while learning; none: not drawn", low=0, optional=True
    )

    def blurred(self, batch: Batch, key: PRNGKey) -> Batch:
        if self.input_noise is None:
            return batch
        return Batch(batch.x + self.input_noise * jr.normal(jr.fold_in(key, BLUR), batch.x.shape), batch.y)
