"""How weights and directions move while learning (the review's Figure 6), for each layer."""

import jax.numpy as jnp
from jaxtyping import Array

from apical.probes.credit import PerLayer

Kernels = tuple[Array, ...]


def weight_norm(kernels: Kernels) -> PerLayer:
    """Frobenius norm of each layer's kernel."""
    return {str(l): jnp.linalg.norm(w.ravel()) for l, w in enumerate(kernels)}


def relative_change(now: Kernels, before: Kernels) -> PerLayer:
    """|now - before| / |before| of each layer; not finite where there was nothing before."""
    pairs = zip(now, before, strict=True)
    return {str(l): jnp.linalg.norm((a - b).ravel()) / jnp.linalg.norm(b.ravel()) for l, (a, b) in enumerate(pairs)}
