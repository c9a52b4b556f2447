"""What is known of a microcircuit at a moment, what its cells carry over in time, and its weights by family."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from apical.core import Weights
from apical.networks.synapses import Synapses

Potentials = tuple[Float[Array, "batch _"], ...]
Layers = tuple[Synapses, ...]
Lateral = tuple[Layers, ...]

GROUPS = {"up": "forward", "ip": "lateral", "pi": "lateral", "down": "feedback"}


def families(weights: Weights) -> dict[str, Layers]:
    """The four families of synapses, a layer each from the bottom.

    `up` (k-1 to k, basal), `ip` (k to its interneurons), `pi` (interneurons to k, apical), `down` (k+1 to k, apical);
    where interneurons have inhibitory cells, a fifth, `relay`, onto these.
    """
    ip, pi, *relay = weights.lateral
    found = {"up": weights.forward, "ip": ip, "pi": pi, "down": weights.feedback}
    return {**found, "relay": relay[0]} if relay else found


def assembled(families: dict[str, Layers]) -> Weights:
    """The weights of these families, the inverse of `families`; a family that is missing is left empty."""
    up, ip, pi, down = (families.get(name, ()) for name in GROUPS)
    return Weights(up, down, (ip, pi, families["relay"]) if "relay" in families else (ip, pi))


class Nudge(eqx.Module):
    """What a teacher does to output somas: conductance `pull`, and `drive`, conductances times where they pull to."""

    pull: Float[Array, "..."]
    drive: Float[Array, "..."]

    def where(self, on: Float[Array, ""]) -> "Nudge":
        """This teacher where `on` is 1, none where it is 0."""
        return Nudge(on * self.pull, on * self.drive)


def absent() -> Nudge:
    """No teacher."""
    return Nudge(jnp.zeros(()), jnp.zeros(()))


class Activity(eqx.Module):
    """All that plasticity sees: hidden layers have one entry each, and the output one more where it has it.

    `below[k]` entered basal dendrites of layer k (0: the first hidden one) with potential `basal[k]`, its somas are at
    `somas[k]`, its apical dendrites at `apical[k]` for rates `above[k]` from above and `inhibition[k]` from
    interneurons, whose own somas are at `inter[k]` and dendrites at `dendrites[k]`; these hear `below[k + 1]`.
    """

    below: Potentials
    basal: Potentials
    somas: Potentials
    apical: Potentials
    above: Potentials
    inhibition: Potentials
    inter: Potentials
    dendrites: Potentials
