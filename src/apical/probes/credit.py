"""How the direction of a rule lies to the gradient: angles and norms, for each layer and in total.

All of it is measured on one batch, on the mean of the batch's directions, with neurons at rest, against the gradient of
the network's own loss at the same weights.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from apical.core import Batch, Info, PRNGKey, Scalar, State
from apical.rules.base import AbstractRule

PerLayer = dict[str, Scalar]


def ask(rule: AbstractRule, state: State, batch: Batch, key: PRNGKey) -> Info:
    """What the rule would do on this batch, neurons at rest; nothing is changed."""
    rested = State(state.weights, state.optimiser, rule.network.rest(batch.x))
    return rule.update(rested, batch, key)[1]


def gradient(rule: AbstractRule, state: State, batch: Batch) -> tuple[PyTree, ...]:
    """The gradient of the network's own loss with respect to the forward weights: backprop's direction."""
    net = rule.network
    return jax.grad(lambda forward: net.loss(net.apply(forward, batch.x), batch.y))(state.weights.forward)


def flat(tree: PyTree) -> Float[Array, " n"]:
    """All numbers of a tree in one vector."""
    return ravel_pytree(eqx.filter(tree, eqx.is_array))[0]


def angle(a: Float[Array, "..."], b: Float[Array, "..."]) -> Scalar:
    """The angle between two arrays in degrees, not a number where one of them is zero."""
    cosine = jnp.vdot(a, b) / (jnp.linalg.norm(a.ravel()) * jnp.linalg.norm(b.ravel()))
    return jnp.degrees(jnp.arccos(jnp.clip(cosine, -1, 1)))


def angle_to_backprop(direction: tuple[PyTree, ...], gradient: tuple[PyTree, ...]) -> PerLayer:
    """Angle between the rule's direction and the gradient, degrees; 90 and more helps backprop's loss no more."""
    pairs = _vectors(direction, gradient)
    return {name: angle(a, b) for name, (a, b) in pairs.items()}


def log10_norm_ratio(direction: tuple[PyTree, ...], gradient: tuple[PyTree, ...]) -> PerLayer:
    """log10 of the norm of the rule's direction over the gradient's."""
    pairs = _vectors(direction, gradient)
    return {name: jnp.log10(jnp.linalg.norm(a) / jnp.linalg.norm(b)) for name, (a, b) in pairs.items()}


def _vectors(a: tuple[PyTree, ...], b: tuple[PyTree, ...]) -> dict[str, tuple[Array, Array]]:
    layers = [(flat(x), flat(y)) for x, y in zip(a, b, strict=True)]
    total = tuple(jnp.concatenate(column) for column in zip(*layers, strict=True))
    return {**{str(l): pair for l, pair in enumerate(layers)}, "total": (total[0], total[1])}
