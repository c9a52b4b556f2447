"""On which weights above a layer its update depends, though no cell and no score changes.

The kernel W_m of a layer is changed only in directions that are orthogonal to everything its input cells say on the
batch: to the row space of the derivative of the scores with respect to W_m (which is spanned by those activities) and
of the rule's own direction for W_m. All activities and scores stay what they were, so where the update of a layer
below changes, the synapses of that layer must know the weights of others.
"""

from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from apical.audit.subject import Subject, change, flat, responses
from apical.core import Weights

NULL = 1e-9
KEPT = 0.5  # of the longest step that turns no sign

Matrix = Float[np.ndarray, "above below"]


@dataclass(frozen=True)
class Response:
    """What follows a change of W_m: the largest relative change of the update of a layer below, of the scores, of the
    feedback weights after the update relative to the change of W_m, each per relative change of W_m."""

    below: float
    scores: float
    copied: float


def unheard(subject: Subject, m: int) -> Matrix:
    """A random change of W_m, of the size of W_m, that its input cells never make heard (see above)."""
    kernel = kernel_of(subject, m)
    seen = np.concatenate([unit(subject.jacobian[m]), unit(np.asarray(subject.direction.forward[m].kernel))])
    _, sizes, rows = np.linalg.svd(seen)
    rank = min(int((sizes > NULL * sizes[0]).sum()), len(rows) - 1)
    hidden = rows[rank:]
    drawn = np.random.default_rng(m).normal(size=kernel.shape)
    return scaled((drawn @ hidden.T) @ hidden, kernel)


def split_by_error(subject: Subject, m: int, change: Matrix) -> tuple[Matrix, Matrix]:
    """The part of a change of W_m that its transpose shows to the errors of layer m, and the part it does not show.

    The errors are the columns of the rule's own direction for W_m. Both parts get the size of W_m.
    """
    kernel = kernel_of(subject, m)
    columns, sizes, _ = np.linalg.svd(np.asarray(subject.direction.forward[m].kernel))
    kept = columns[:, : int((sizes > NULL * sizes[0]).sum())]
    shown = kept @ (kept.T @ change)
    return scaled(shown, kernel), scaled(change - shown, kernel)


def steps(subject: Subject, m: int) -> tuple[Matrix, Matrix]:
    """A change of W_m that no cell hears, of its own size, and the same so short that no weight turns its sign."""
    large, kernel = unheard(subject, m), kernel_of(subject, m)
    ratios = np.abs(kernel[large != 0] / large[large != 0])
    return large, large * min(1.0, KEPT * float(ratios.min()))


def respond(subject: Subject, m: int, change_of_kernel: Matrix) -> Response:
    """What the update makes of a change of W_m."""
    kernel = kernel_of(subject, m)
    step = float(np.linalg.norm(change_of_kernel) / np.linalg.norm(kernel))
    state, info = subject.updated(changed(subject.weights, m, change_of_kernel))
    below = responses(subject.direction.forward[:m], info.direction.forward[:m])
    scores = change(subject.scores, info.scores)
    return Response(max(below) / step, scores / step, copied(subject, state.weights, change_of_kernel))


def copied(subject: Subject, after: Weights, change_of_kernel: Matrix) -> float:
    """How far the feedback weights after an update follow the change of a forward kernel, 1 for a copy."""
    before = subject.after.weights.feedback
    if not eqx.filter(before, eqx.is_array):
        return 0.0
    return distance(before, after.feedback) / float(np.linalg.norm(change_of_kernel))


def distance(a: object, b: object) -> float:
    """|b - a| over all numbers of two trees."""
    return float(np.linalg.norm(flat(b) - flat(a)))


def changed(weights: Weights, m: int, change_of_kernel: Matrix) -> Weights:
    """The weights with W_m changed."""
    kernel = jnp.asarray(np.asarray(weights.forward[m].kernel) + change_of_kernel)
    where = lambda w: w.forward[m].layer.kernel if hasattr(w.forward[m], "layer") else w.forward[m].kernel  # noqa: E731
    return eqx.tree_at(where, weights, kernel)


def kernel_of(subject: Subject, m: int) -> Matrix:
    """W_m, (above, below)."""
    return np.asarray(subject.weights.forward[m].kernel)


def scaled(matrix: Matrix, like: Matrix) -> Matrix:
    """A matrix with the norm of another; zero stays zero."""
    size = np.linalg.norm(matrix)
    return matrix * (np.linalg.norm(like) / size) if size > NULL * np.linalg.norm(like) else 0 * matrix


def unit(matrix: Matrix) -> Matrix:
    """A matrix with norm one, so that the sizes of two can be compared; zero stays zero."""
    return matrix / (np.linalg.norm(matrix) or 1.0)
