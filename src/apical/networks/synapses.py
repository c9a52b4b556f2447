"""All-to-all synapses onto one dendrite of every cell of a layer."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class Synapses(eqx.Module):
    """Synapses onto dendrites: potential = kernel psp + bias; `bias` is none where the dendrite has no bias."""

    kernel: Float[Array, "units sources"]
    bias: Float[Array, " units"] | None = None

    def potential(self, psp: Float[Array, "... sources"], share: Array | float = 1.0) -> Float[Array, "... units"]:
        """The dendrite's potential, or `share` of a mean of it where `psp` is that share of a mean."""
        potential = jnp.einsum("...s,ns->...n", psp, self.kernel)
        return potential if self.bias is None else potential + share * self.bias
