"""How far forward weights have come to suit the feedback weights that stand for them."""

import jax.numpy as jnp

from apical.core import Pathway
from apical.probes.credit import PerLayer, angle


def feedback_alignment(pathways: tuple[Pathway, ...]) -> PerLayer:
    """Angle in degrees between a forward matrix and its feedback matrix, both as (above, below)."""
    return {str(p.layer): angle(p.forward, p.feedback) for p in pathways}


def pseudo_inverse_alignment(pathways: tuple[Pathway, ...]) -> PerLayer:
    """Angle in degrees between a forward matrix and the Moore-Penrose inverse of the feedback (Lillicrap 2016)."""
    return {str(p.layer): angle(p.forward, jnp.linalg.pinv(p.feedback.T)) for p in pathways}
