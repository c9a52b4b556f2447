"""Weights with which a network makes no error at all on one class: what a rule does then shows what moves it."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from apical.core import Weights
from apical.networks.base import AbstractNetwork
from apical.networks.dendritic import Dendritic
from apical.networks.feedforward import AbstractFeedforward
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_init import self_predicting
from apical.networks.synapses import Synapses

CERTAIN = 1e4


def certain(net: AbstractNetwork, weights: Weights) -> Weights:
    """Weights whose softmax is exactly one at class 0, whatever the input."""
    bias = weights.forward[-1].layer.bias
    sure = jnp.where(jnp.arange(net.classes) == 0, CERTAIN, 0.0).astype(bias.dtype)
    return eqx.tree_at(lambda w: w.forward[-1].layer.bias, weights, sure)


def settled(net: AbstractNetwork, weights: Weights) -> Weights:
    """Weights whose output somas rest at the teacher's reversal potentials for class 0, whatever the input."""
    assert isinstance(net, Dendritic)
    bias = jnp.where(jnp.arange(net.classes) == 0, net.e_exc, net.e_inh) / net.k_output
    last = weights.forward[-1]
    return eqx.tree_at(lambda w: (w.forward[-1].kernel, w.forward[-1].bias), weights, (0 * last.kernel, bias))


def predicted(net: AbstractNetwork, weights: Weights) -> Weights:
    """Weights whose output somas rest at the target for class 0, whatever the input, and interneurons predict it."""
    assert isinstance(net, Circuit)
    *below, last = weights.forward
    bias = net.target(jnp.zeros(1, dtype=int))[0] / net.a_output
    forward = (*below, Synapses(0 * last.kernel, bias))
    return Weights(forward, weights.feedback, self_predicting(net, forward, weights.feedback, *weights.lateral[2:]))


WITHOUT_ERROR: dict[type[AbstractNetwork], Callable[[Any, Weights], Weights]] = {
    AbstractFeedforward: certain,
    Dendritic: settled,
    Circuit: predicted,
}


def without_error(net: AbstractNetwork, weights: Weights) -> Weights | None:
    """The weights changed such that class 0 is predicted without any error; none where nobody has said how."""
    found = (construct for kind, construct in WITHOUT_ERROR.items() if isinstance(net, kind))
    construct = next(found, None)
    return None if construct is None else construct(net, weights)
