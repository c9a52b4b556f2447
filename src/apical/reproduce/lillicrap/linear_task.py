"""The linear task: a network of 30, 20 and 10 linear units learns y = T x, one random x at a time.

T is uniform within 1 and x standard normal; forward weights begin within 0.01, the random feedback B within 0.5.
"""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float

from apical.core import PRNGKey, Weights
from apical.networks.feedforward import MLP, Trace
from apical.probes.alignment import feedback_alignment, pseudo_inverse_alignment
from apical.probes.credit import angle
from apical.reproduce.lillicrap.ways import carriers, rule_of, step, with_kernels

INPUTS, HIDDEN, OUTPUTS = 30, 20, 10
TARGET, INITIAL, FEEDBACK = 1.0, 0.01, 0.5
N_TEST = 100
DRAWS = ("target", "test", "forward", "feedback", "examples")
NETWORK = MLP(shape=(INPUTS,), classes=OUTPUTS, hidden=(HIDDEN,), activation="identity")
RULE = rule_of(NETWORK)


class Measured(eqx.Module):
    """What is measured on test examples at one moment: the share of the squared output that is wrong, and angles.

    Degrees: of the error that reaches hidden units to backprop's, and to that through the pseudo-inverse of W; of W to
    B^T, and to the pseudo-inverse of B.
    """

    error: Array
    error_to_backprop: Array
    error_to_pseudo_inverse: Array
    weights_to_feedback: Array
    weights_to_pseudo_inverse: Array


class Task(eqx.Module):
    """What a seed draws: the function to learn, and inputs to test it with."""

    function: Float[Array, "10 30"]
    tests: Float[Array, "test 30"]


def drawn(key: PRNGKey) -> tuple[Task, Weights]:
    """The task of a seed, and the weights before learning."""
    keys = {name: jr.fold_in(key, i) for i, name in enumerate(DRAWS)}
    within = lambda key, shape, bound: jr.uniform(key, shape, minval=-bound, maxval=bound)  # noqa: E731
    task = Task(within(keys["target"], (OUTPUTS, INPUTS), TARGET), jr.normal(keys["test"], (N_TEST, INPUTS)))
    blocks = NETWORK.init(keys["forward"])
    kernels = [within(jr.fold_in(keys["forward"], l), b.kernel.shape, INITIAL) for l, b in enumerate(blocks)]
    feedback = (within(keys["feedback"], blocks[-1].kernel.shape, FEEDBACK),)
    return task, Weights(with_kernels(blocks, kernels), feedback)


def errors(task: Task, weights: Weights, x: Array) -> tuple[Trace, Array]:
    """One pass, and output minus target: the derivative of half the squared error."""
    trace = NETWORK.trace(weights.forward, x)
    return trace, trace.scores - x @ task.function.T


def measured(task: Task, weights: Weights, tied: Bool[Array, ""]) -> Measured:
    """Every measurement, at these weights."""
    error = errors(task, weights, task.tests)[1]
    forward = weights.forward[-1].kernel
    heard = error @ carriers(weights, tied)[0]
    to = lambda way: jax.vmap(angle)(heard, error @ way).mean()  # noqa: E731
    pathways = RULE.pathways(weights)
    return Measured(
        (error**2).sum() / ((task.tests @ task.function.T) ** 2).sum(),
        to(forward),
        to(jnp.linalg.pinv(forward).T),
        feedback_alignment(pathways)["0"],
        pseudo_inverse_alignment(pathways)["0"],
    )


@eqx.filter_jit
def learnt(keys: Array, tied: Bool[Array, " ways"], rates: Float[Array, "ways logs layers"], between: int) -> Measured:
    """Measurements (ways, seeds, logs + 1) of all ways and seeds, every `between` steps.

    The rates of way i are those of `rates[i]`, one row for each stretch between two measurements.
    """
    seeds = jax.vmap(partial(_learnt, between=between), (0, None, None))
    return jax.vmap(seeds, (None, 0, 0))(keys, tied, rates)


def _learnt(key: PRNGKey, tied: Bool[Array, ""], rates: Float[Array, "logs layers"], between: int) -> Measured:
    task, weights = drawn(key)
    key = jr.fold_in(key, len(DRAWS))

    def stretch(weights: Weights, xs: tuple[Array, Array]) -> tuple[Weights, Measured]:
        rates, key = xs
        examples = jr.normal(key, (between, 1, INPUTS))

        def one(weights: Weights, x: Array) -> tuple[Weights, None]:
            return step(RULE, weights, *errors(task, weights, x), tied, rates), None

        weights, _ = jax.lax.scan(one, weights, examples)
        return weights, measured(task, weights, tied)

    first = measured(task, weights, tied)
    _, later = jax.lax.scan(stretch, weights, (rates, jr.split(key, len(rates))))
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, later)
