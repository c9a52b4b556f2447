"""How good the targets of a rule are that gives layers targets: inverses, distances, and the ideal targets beside them.

All of it is measured on one batch. An example's ideal displacement of layer l is the damped Gauss-Newton step -(J^T J
+ d)^-1 J^T e on the output: J is the Jacobian of the scores with respect to h_l, e = dLoss/d scores, and d is DAMPING
times the mean eigenvalue of J J^T (Meulemans 2020, eq. 8).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apical.core import Batch, Weights
from apical.networks.blocks import statistics_of
from apical.networks.feedforward import Blocks, Trace
from apical.probes.credit import PerLayer
from apical.rules.layer_targets import AbstractLayerTargets

DAMPING = 0.1


def target_probes(rule: AbstractLayerTargets, weights: Weights, batch: Batch) -> dict[str, PerLayer]:
    """Every measurement of this page, by name and by hidden layer (a reconstruction: the layer that is given back)."""
    trace = rule.network.trace(weights.forward, batch.x)
    error = jax.grad(rule.output_loss)(trace.scores, batch.y)
    targets = rule.targets(weights, trace, error)
    return {
        "reconstruction_error": reconstruction_error(rule, weights, trace),
        "target_distance": target_distance(trace, targets),
        "angle_to_gauss_newton": angle_to_gauss_newton(weights.forward, trace, targets, len(error) * error),
    }


def reconstruction_error(rule: AbstractLayerTargets, weights: Weights, trace: Trace) -> PerLayer:
    """|g(f(h)) - h|^2 / |h - mean h|^2 of each activity that has an inverse, without noise.

    0 is an exact inverse; 1 is no better than always giving the batch's mean.
    """
    found = {}
    for l in range(1, len(rule.inverted(weights)) + 1):
        h = trace.inputs[l]
        back = rule.invert(weights, l, rule.above(weights, l, h), h)
        found[str(l - 1)] = ((back - h) ** 2).sum() / ((h - h.mean(0)) ** 2).sum()
    return found


def target_distance(trace: Trace, targets: tuple[Array, ...]) -> PerLayer:
    """|hhat - h| / |h| of each hidden layer, over the whole batch."""
    pairs = zip(targets, trace.inputs[1:], strict=True)
    return {str(l): jnp.linalg.norm((t - h).ravel()) / jnp.linalg.norm(h.ravel()) for l, (t, h) in enumerate(pairs)}


def angle_to_gauss_newton(
    forward: Blocks, trace: Trace, targets: tuple[Array, ...], errors: Float[Array, "batch classes"]
) -> PerLayer:
    """Degrees between hhat - h and the ideal displacement, for each hidden layer: of each example, then the mean.

    Examples that move nowhere are left out; not a number where none moves.
    """
    pairs = enumerate(zip(targets, trace.inputs[1:], strict=True))
    return {str(l): _mean_angle(t - h, _ideal(forward, trace, l, errors)) for l, (t, h) in pairs}


def _ideal(forward: Blocks, trace: Trace, l: int, errors: Float[Array, "batch classes"]) -> Array:
    above = [(b, b.norm and statistics_of(d)) for b, d in zip(forward, trace.drives, strict=True)][l + 1 :]

    def one(h: Array, error: Array) -> Array:
        def scores(h: Array) -> Array:
            h = h[None]
            for block, statistics in above:
                h = block.respond(block.layer(h), statistics)
            return h[0]

        jacobian = jax.jacrev(scores)(h).reshape(len(error), -1)
        square = jacobian @ jacobian.T
        damped = square + DAMPING * jnp.trace(square) / len(error) * jnp.eye(len(error))
        return -(jacobian.T @ jnp.linalg.solve(damped, error)).reshape(h.shape)

    return jax.vmap(one)(trace.inputs[l + 1], errors)


def _mean_angle(a: Array, b: Array) -> Array:
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    sizes = jnp.linalg.norm(a, axis=1) * jnp.linalg.norm(b, axis=1)
    moved = sizes > 0
    cosines = jnp.where(moved, (a * b).sum(1) / jnp.where(moved, sizes, 1), 0)
    angles = jnp.degrees(jnp.arccos(jnp.clip(cosines, -1, 1)))
    return jnp.where(moved, angles, 0).sum() / moved.sum().astype(angles.dtype)
