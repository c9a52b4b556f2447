"""Initial weights of a microcircuit: at random, or so that every layer predicts the one above."""

import itertools

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key

from apical.core import PRNGKey, Weights
from apical.networks.initialisers import INITIALISERS
from apical.networks.microcircuit_dale import divided, relay_weights
from apical.networks.microcircuit_settings import FLAT, MicrocircuitSettings
from apical.networks.microcircuit_state import Lateral, Layers, assembled, families
from apical.networks.synapses import Synapses

RELAY = 1_000_003  # folded into the key of lateral weights, apart from the numbers of its halves


def draw(net: MicrocircuitSettings, key: PRNGKey, below: int, above: int, bias: bool = False) -> Synapses:
    """Random synapses from `below` to `above` cells under the network's law; biases start at 0."""
    if net.initialiser == FLAT:
        kernel = jr.uniform(key, (above, below), minval=-1.0)
    else:
        kernel = INITIALISERS[net.initialiser](key, (above, below), below, above)
    return Synapses(net.init_range * kernel, jnp.zeros(above) if bias else None)


def forward_weights(net: MicrocircuitSettings, key: PRNGKey) -> Layers:
    """W_up of every layer."""
    keys = jr.split(key, len(net.sizes) - 1)
    pairs = itertools.pairwise(net.sizes)
    return tuple(draw(net, k, below, above, net.bias) for k, (below, above) in zip(keys, pairs, strict=True))


def feedback_weights(net: MicrocircuitSettings, key: PRNGKey, forward: Layers) -> Layers:
    """W_down onto every hidden layer."""
    if net.feedback_start == "transposed":
        return tuple(scaled(Synapses(w.kernel.T), net.feedback_range) for w in forward[1:])
    return apical_weights(net, jr.split(key, len(net.hidden)))


def apical_weights(net: MicrocircuitSettings, keys: Key[Array, " hidden"]) -> Layers:
    """Random synapses onto the apical dendrites of every hidden layer, one for each cell above or its interneuron."""
    pairs = zip(keys, itertools.pairwise(net.sizes[1:]), strict=True)
    return tuple(scaled(draw(net, key, above, n), net.feedback_range) for key, (n, above) in pairs)


def self_predicting(net: MicrocircuitSettings, forward: Layers, feedback: Layers, *relay: Layers) -> Lateral:
    """W_ip and W_pi with which every interneuron predicts its cell above, and apical dendrites are silent."""
    above = zip(forward[1:], net.factors(), strict=True)
    ip, pi = tuple(scaled(w, factor) for w, factor in above), tuple(scaled(w, -jnp.ones(())) for w in feedback)
    return through((ip, pi), *relay)


def through(lateral: Lateral, *relay: Layers) -> Lateral:
    """W_ip, and W_pi as it is or, with a relay, divided among interneurons and their inhibitory cells."""
    if not relay:
        return lateral
    ip, pi = lateral
    return ip, tuple(map(divided, pi, *relay)), *relay


def scaled(synapses: Synapses, factor: Array) -> Synapses:
    """All weights times a factor."""
    bias = None if synapses.bias is None else factor * synapses.bias
    return Synapses(factor * synapses.kernel, bias)


def random_lateral(net: MicrocircuitSettings, key: PRNGKey) -> Lateral:
    """W_ip and W_pi under the law of all weights."""
    keys_ip, keys_pi = jr.split(key, (2, len(net.hidden)))
    pairs = zip(keys_ip, itertools.pairwise(net.sizes[1:]), strict=True)
    ip = tuple(draw(net, key, n, above, net.bias) for key, (n, above) in pairs)
    return ip, apical_weights(net, keys_pi)


def initial_weights(net: MicrocircuitSettings, key: PRNGKey) -> Weights:
    """Weights of every family; some synapses are missing (0) where not all exist."""
    key_up, key_down, key_lateral, key_absent = jr.split(key, 4)
    forward = forward_weights(net, key_up)
    feedback = feedback_weights(net, key_down, forward)
    random = net.start == "random"
    lateral = random_lateral(net, key_lateral) if random else self_predicting(net, forward, feedback)
    if net.dale_split:
        lateral = through(lateral, relay_weights(net, jr.fold_in(key_lateral, RELAY)))
    return thinned(net, key_absent, Weights(forward, feedback, lateral))


def thinned(net: MicrocircuitSettings, key: PRNGKey, weights: Weights) -> Weights:
    """The weights without the synapses that do not exist, drawn for each family apart."""
    if net.connection_probability == 1:
        return weights

    def kept(layer: Synapses, key: PRNGKey) -> Synapses:
        exists = jr.bernoulli(key, net.connection_probability, layer.kernel.shape)
        return Synapses(jnp.where(exists, layer.kernel, 0.0), layer.bias)

    found = families(weights)
    return assembled(
        {
            name: tuple(kept(layer, jr.fold_in(jr.fold_in(key, i), l)) for l, layer in enumerate(layers))
            for i, (name, layers) in enumerate(found.items())
        }
    )
