"""Dale's law for interneurons: what they do to apical dendrites, divided into excitation and inhibition.

Synapses from interneurons have to cancel synapses from above of both signs. Divided, interneurons only excite, W >= 0,
and a second population only inhibits, W <= 0: linear cells that hear the interneurons through fixed random positive
synapses M, the relay, and fire at M r_I. Both send at once, as if the way without a relay were a step longer.
"""

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from apical.core import PRNGKey, Weights
from apical.networks.microcircuit_settings import MicrocircuitSettings
from apical.networks.microcircuit_state import Layers, Potentials
from apical.networks.synapses import Synapses

Bounds = tuple[Array, Array]


def relay_weights(net: MicrocircuitSettings, key: PRNGKey) -> Layers:
    """M of every hidden layer: uniform, of a size with which inhibitory cells together fire as interneurons do."""

    def drawn(l: int, n_inter: int, n_cells: int) -> Synapses:
        largest = 2 / jnp.sqrt(jnp.asarray(n_inter * n_cells, float))
        return Synapses(jr.uniform(jr.fold_in(key, l), (n_cells, n_inter), maxval=largest))

    pairs = zip(net.sizes[2:], net.inhibiting, strict=True)
    return tuple(drawn(l, n, both - n) for l, (n, both) in enumerate(pairs))


def divided(mixed: Synapses, relay: Synapses) -> Synapses:
    """Synapses of both populations that together do what these of mixed signs do.

    With R = M^T M over its diagonal, which is 1 on the diagonal and nowhere negative, inhibition takes -[W]- R and
    excitation W + [W]- R >= 0, [W]- the size of the negative part of W.
    """
    back = relay.kernel / (relay.kernel**2).sum(0)
    inhibition = jnp.minimum(mixed.kernel, 0.0) @ back.T
    excitation = jnp.maximum(mixed.kernel - inhibition @ relay.kernel, 0.0)
    return Synapses(jnp.concatenate([excitation, inhibition], axis=1))


def joined(both: Synapses, relay: Synapses) -> Synapses:
    """The synapses of mixed signs that do what those of both populations do: the inverse of `divided`."""
    n_inter = relay.kernel.shape[1]
    return Synapses(both.kernel[:, :n_inter] + both.kernel[:, n_inter:] @ relay.kernel)


def whole(weights: Weights) -> Layers:
    """What interneurons do to apical dendrites, directly and through inhibitory cells."""
    pi, *relay = weights.lateral[1:]
    return tuple(map(joined, pi, *relay)) if relay else pi


def sideways(weights: Weights, layer: int, inter: Float[Array, "batch inter"]) -> Float[Array, "batch _"]:
    """The rates of all that sends to a layer's apical dendrites from the side: interneurons, their inhibitory cells."""
    if len(weights.lateral) < 3:
        return inter
    return jnp.concatenate([inter, weights.lateral[2][layer].potential(inter)], axis=-1)


def relayed(weights: Weights, inter: Potentials) -> Potentials:
    """The same for all hidden layers."""
    return tuple(sideways(weights, layer, rate) for layer, rate in enumerate(inter))


def signed(net: MicrocircuitSettings, limit: Array, layer: int) -> Bounds:
    """Bounds of the synapses onto the apical dendrites of a hidden layer, for each cell that sends."""
    excites = jnp.arange(net.inhibiting[layer]) < net.sizes[layer + 2]
    return jnp.where(excites, 0.0, -limit), jnp.where(excites, limit, 0.0)
