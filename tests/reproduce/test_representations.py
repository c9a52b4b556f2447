"""Likeness of representations and reading out features, against closed forms."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch
from apical.data.registry import load
from apical.reproduce.representations.learners import first, rows
from apical.reproduce.representations.similarity import dissimilarity, similarity
from apical.reproduce.representations.transfer import read_out
from apical.rules.assembly import assemble
from apical.rules.registry import RULES

DRAW = np.random.default_rng(0)
ACTIVITY = DRAW.normal(size=(30, 12))


def test_dissimilarity_is_one_less_the_correlation_of_every_pair() -> None:
    expected = 1 - np.corrcoef(ACTIVITY)[np.triu_indices(30, 1)]
    np.testing.assert_allclose(dissimilarity(ACTIVITY), expected, atol=1e-12)
    np.testing.assert_allclose(dissimilarity(np.ones((3, 4))), 1)


def test_turned_and_scaled_activity_is_seen_alike_and_noise_is_not() -> None:
    """Distances between centred patterns survive a rotation among units that keeps their mean, and any scale."""
    basis = np.linalg.qr(np.column_stack([np.ones(12), DRAW.normal(size=(12, 11))]))[0]
    within = np.linalg.qr(DRAW.normal(size=(11, 11)))[0]
    turn = basis @ np.block([[np.ones((1, 1)), np.zeros((1, 11))], [np.zeros((11, 1)), within]]) @ basis.T
    assert similarity(ACTIVITY, 3 * ACTIVITY @ turn) == pytest.approx(1, abs=1e-9)
    assert abs(similarity(ACTIVITY, DRAW.normal(size=(30, 12)))) < 0.2


def test_a_read_out_finds_what_is_linear_in_the_features() -> None:
    labels = (ACTIVITY @ DRAW.normal(size=12) > 0).astype(int)
    assert read_out(ACTIVITY, labels, 5 * ACTIVITY, labels) > 0.9
    assert read_out(ACTIVITY, labels, ACTIVITY, 1 - labels) < 0.1


def test_rows_are_ranked_by_their_mean() -> None:
    found = rows({"backprop": [0.1, 0.3], "feedback-alignment": [0.5], "simplified-dtp": [0.3, 0.3]})
    assert [row.label for row in found] == ["Feedback alignment", "Simplified DTP", "Backprop"]
    assert found[0].dots == () and found[2].dots == (0.1, 0.3) and found[2].mean == pytest.approx(0.2)


@pytest.mark.parametrize("name", ["backprop", "segregated-dendrites", "microcircuit"])
def test_hidden_activity_is_what_the_output_hears(name: str) -> None:
    """The output's scores are an affine function of it, or of nothing: fitted on some images, exact on others."""
    preset = RULES[name].presets[RULES[name].compared or "default"]
    rule = assemble(RULES[name], "mlp", (6,), 3, (5, 4), preset.settings)
    batch = Batch(jr.uniform(jr.key(0), (40, 6)), jnp.zeros(40, int))
    weights = eqx.filter_jit(rule.init)(jr.key(1), batch).weights
    _, upper = eqx.filter_jit(rule.network.hidden_activity)(weights, batch.x)
    scores = np.asarray(eqx.filter_jit(rule.network.apply)(weights.forward, batch.x), float)
    heard = np.column_stack([np.asarray(upper, float), np.ones(40)])
    fitted = np.linalg.lstsq(heard[:20], scores[:20], rcond=None)[0]
    np.testing.assert_allclose(heard[20:] @ fitted, scores[20:], rtol=1e-3, atol=1e-3 * np.abs(scores).max())


def test_first_takes_images_with_their_labels() -> None:
    digits = load("digits")
    images, labels = first(digits, "test", 5)
    np.testing.assert_array_equal(images, digits.test.take(np.arange(5)))
    np.testing.assert_array_equal(labels, digits.test.labels[:5])
