"""Accuracy and cross-entropy against scikit-learn, and the cost of an update against counting by hand."""

import itertools

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import accuracy_score, log_loss

from apical.core import Batch
from apical.probes.cost import cost_per_example, n_parameters
from apical.probes.scores import accuracy, cross_entropy, n_correct
from apical.rules.assembly import assemble
from apical.rules.registry import RULES


def test_scores_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    scores, y = 3 * generator.normal(size=(50, 4)), generator.integers(0, 4, 50)
    ours = jnp.asarray(scores, jnp.float32), jnp.asarray(y, jnp.int32)
    assert float(accuracy(*ours)) == pytest.approx(accuracy_score(y, scores.argmax(1)))
    assert float(n_correct(*ours)) == (scores.argmax(1) == y).sum()
    assert cross_entropy(*ours).shape == (50,)
    expected = log_loss(y, softmax(scores, axis=1), labels=range(4))
    assert float(cross_entropy(*ours).mean()) == pytest.approx(expected, rel=1e-5)


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
