"""Accuracy, R2 and losses against scikit-learn, and the cost of an update against counting by hand."""

import itertools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error, r2_score

from apical.core import Batch
from apical.probes.cost import cost_per_example, n_parameters
from apical.probes.scores import cross_entropy, squared_error, tally
from apical.rules.assembly import assemble
from apical.rules.registry import RULES


def test_scores_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    scores, y = 3 * generator.normal(size=(50, 4)), generator.integers(0, 4, 50)
    ours = jnp.asarray(scores, jnp.float32), jnp.asarray(y, jnp.int32)
    losses = cross_entropy(*ours)
    scored = tally(*ours, losses).scored().named()
    expected = log_loss(y, softmax(scores, axis=1), labels=range(4))
    assert losses.shape == (50,) and set(scored) == {"loss", "accuracy"}
    assert scored["accuracy"] == pytest.approx(accuracy_score(y, scores.argmax(1)))
    assert scored["loss"] == pytest.approx(expected, rel=1e-5)


def test_scores_of_values_are_those_of_scikit_learn_in_parts_and_with_padding() -> None:
    """R2 is of all outputs together, each with its own mean, so outputs count as they vary."""
    generator = np.random.default_rng(0)
    y = generator.normal([3.0, -1.0], [1.0, 5.0], (60, 2))
    scores = y + generator.normal(size=y.shape)
    padded = [np.concatenate([a, np.full((4, 2), 1e6)]).astype(np.float32) for a in (scores, y)]
    counts = np.arange(64) < 60
    parts = []
    for part in (slice(0, 25), slice(25, 64)):
        s, t = (jnp.asarray(a[part]) for a in padded)
        parts.append(tally(s, t, squared_error(s, t), jnp.asarray(counts[part])))
    scored = jax.tree.map(jnp.add, *parts).scored().named()
    assert scored["r2"] == pytest.approx(r2_score(y, scores, multioutput="variance_weighted"), rel=1e-5)
    assert scored["loss"] == pytest.approx(mean_squared_error(y, scores), rel=1e-5) and "accuracy" not in scored


def test_values_that_do_not_vary_have_no_r2() -> None:
    zeros = jnp.zeros((5, 2))
    scored = tally(zeros + 0.1, zeros, squared_error(zeros + 0.1, zeros)).scored().named()
    assert np.isnan(scored["r2"]) and scored["loss"] == pytest.approx(0.01)


def test_cross_entropy_of_certain_scores_is_finite() -> None:
    scores = jnp.asarray([[1e4, 0.0], [0.0, 1e4]])
    np.testing.assert_allclose(cross_entropy(scores, jnp.asarray([0, 0])), [0.0, 1e4], atol=1e-6)


@pytest.mark.parametrize("hidden", [(100,), (120, 80)])
def test_cost_of_a_perceptron(hidden: tuple[int, ...]) -> None:
    """Forward, weight gradients, and errors back through all but the first layer: 2 flops for each weight and pass."""
    rule = assemble(RULES["backprop"], "mlp", (28, 28, 1), 10, hidden, {"optimiser": "sgd"})
    batch = Batch(jnp.zeros((200, 28, 28, 1)), jnp.zeros(200, int))
    state = rule.init(jr.key(0), batch)
    sizes = [784, *hidden, 10]
    weights = [a * b for a, b in itertools.pairwise(sizes)]
    expected = 2 * (3 * sum(weights) - weights[0])
    cost = cost_per_example(rule, state, batch, jr.key(0))
    assert cost["flops_per_example"] == pytest.approx(expected, rel=0.15)
    assert n_parameters(state) == sum(weights) + sum(sizes[1:])


def test_parameters_of_a_convolution() -> None:
    rule = assemble(RULES["feedback-alignment"], "cnn", (8, 8, 2), 3, (7,), {"channels": (4,), "kernels": (3,)})
    state = rule.init(jr.key(0), Batch(jnp.zeros((2, 8, 8, 2)), jnp.zeros(2, int)))
    rows = (8 + 2 * 2 - 3 + 1) // 2
    blocks = (3 * 3 * 2 * 4 + 4 + 2 * 4) + (rows * rows * 4 * 7 + 7 + 2 * 7) + (7 * 3 + 3)
    assert n_parameters(state) == blocks
