"""What the experiments measure of a lane: scores without a teacher, and how well cells predict each other."""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from apical.core import Batch, PRNGKey, State
from apical.probes.credit import PerLayer, angle
from apical.probes.microcircuit import AnyMicrocircuit, free_output_error, highest_rate, prediction_probes
from apical.probes.scores import hits, squared_error, tally
from apical.rules.base import AbstractRule

PERFECT = 1.0


def bars_probe(rule: AnyMicrocircuit, state: State, test: Batch, key: PRNGKey) -> dict[str, Array]:
    """Accuracy, free-output MSE, highest rate, angle of W_up to W_down^T, and how well cells predict each other."""
    return {
        "accuracy": hits(rule.predict(state, test.x, key), test.y).astype(float).mean(),
        "mse": free_output_error(rule.network, state.weights, test),
        "highest_rate": highest_rate(rule.network, state.weights, test),
        **mean_over_layers(prediction_probes(rule, state, test, key)),
        **angles(rule, state),
    }


def error_probe(rule: AbstractRule, state: State, test: Batch, key: PRNGKey) -> dict[str, Array]:
    """Share of wrong answers in percent, without a teacher."""
    return {"error": 100 * (1 - hits(rule.predict(state, test.x, key), test.y).astype(float).mean())}


def regression_probe(rule: AnyMicrocircuit, state: State, test: Batch, key: PRNGKey) -> dict[str, Array]:
    """Mean squared error and R2, how often the largest output is the right one, and the angles."""
    scores = rule.predict(state, test.x, key)
    scored = tally(scores, test.y, squared_error(scores, test.y)).scored()
    largest = hits(scores, test.y.argmax(-1)).astype(float).mean()
    return {"mse": scored.loss, "r2": jnp.asarray(scored.r2), "argmax": largest, **angles(rule, state)}


def mean_over_layers(found: Mapping[str, PerLayer]) -> dict[str, Array]:
    """Measurements averaged over hidden layers."""
    return {name: jnp.stack([*layers.values()]).mean() for name, layers in found.items()}


def angles(rule: AnyMicrocircuit, state: State) -> dict[str, Array]:
    """Angle of every W_up to the transpose of the W_down that stands for it, in degrees, by hidden layer."""
    return {f"angle_{p.layer}": angle(p.forward, p.feedback) for p in rule.pathways(state.weights)}


def first_perfect(epochs: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """The first measured epoch at which each lane was perfect, infinite where none; accuracy is (points, lanes)."""
    perfect = accuracy >= PERFECT
    return np.where(perfect.any(0), epochs[perfect.argmax(0)], np.inf)


def reached(epochs: np.ndarray) -> str:
    """The first perfect epochs of all lanes in their order, as text."""
    return ", ".join(f"{epoch:g}" if np.isfinite(epoch) else "never" for epoch in sorted(epochs))
