"""Experiments on images: spikes have the law they should, removed synapses stay removed, pages say what was found."""

import csv
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Weights
from apical.data.dataset import ArrayExamples, Dataset
from apical.networks.feedforward import MLP
from apical.reproduce.base import Request
from apical.reproduce.lillicrap import image_page, images
from apical.reproduce.lillicrap.images import Learner, errors_by_epoch, first_weights, rates_pass, spikes_pass
from apical.reproduce.lillicrap.sparse import LILLICRAP_SPARSE
from apical.reproduce.lillicrap.ways import BACKPROP, FEEDBACK_ALIGNMENT, OUTPUT_ALONE

HIDDEN = 12


def stripes(n: int = 120) -> Dataset:
    """Images of 4 x 4 pixels with one bright row, under noise; the class is the row's number."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, n).astype(np.int32)
    images = generator.integers(0, 60, (n, 4, 4, 1), dtype=np.uint8)
    images[np.arange(n), labels] += 150
    part = ArrayExamples(images, labels, 255.0)
    return Dataset("stripes", part, part, tuple("abcd"), warnings=("other <contents>",))


NETWORK = MLP((4, 4, 1), 4, (HIDDEN,), activation="logistic", initialiser="xavier")


def test_a_unit_spikes_with_the_probability_that_is_its_rate() -> None:
    weights, x = Weights(NETWORK.init(jr.key(0))), 5 * jr.normal(jr.key(1), (3, 4, 4, 1))
    steady = rates_pass(NETWORK, weights, x, jr.key(2))
    spikes = jax.vmap(lambda key: spikes_pass(NETWORK, weights, x, key).inputs[1])(jr.split(jr.key(3), 4000))
    assert set(np.unique(spikes)) == {0.0, 1.0}
    np.testing.assert_allclose(spikes.mean(0), steady.inputs[1], atol=0.04)
    fired = spikes_pass(NETWORK, weights, x, jr.key(4))
    np.testing.assert_allclose(fired.drives[1], weights.forward[1].layer(fired.inputs[1]), rtol=1e-6)
    np.testing.assert_array_equal(fired.drives[0], steady.drives[0])


def test_half_of_all_synapses_are_removed_and_the_power_stays() -> None:
    network = MLP((40, 40, 1), 10, (60,), activation="tanh", initialiser="xavier")
    full, half = (first_weights(network, jr.key(0), share) for share in (0.0, 0.5))
    whole = [*(b.kernel for b in full.forward), *full.feedback]
    thinned = [*(b.kernel for b in half.forward), *half.feedback]
    for before, after in zip(whole, thinned, strict=True):
        assert (before != 0).all()
        assert float((after == 0).mean()) == pytest.approx(0.5, abs=0.08)
        assert float((after**2).sum()) == pytest.approx(float((before**2).sum()), rel=0.2)
    assert not ((half.forward[1].kernel == 0) == (half.feedback[0] == 0)).all()


def test_learners_learn_and_the_output_alone_keeps_the_hidden_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Weights] = []
    accuracy = images.accuracy

    def watched(network: MLP, forward: images.Pass, weights: Weights, *rest: object) -> jax.Array:
        seen.append(weights)
        return accuracy(network, forward, weights, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(images, "accuracy", watched)
    spiking = Learner(FEEDBACK_ALIGNMENT, "", 1.0, "logistic", spikes_pass, passes=4)
    found = errors_by_epoch(spiking, stripes(), HIDDEN, 10, 10, 0)
    assert found[0] > 0.4 and found[-1] < 0.2
    seen.clear()
    alone = Learner(OUTPUT_ALONE, "", 0.5, "logistic", spikes_pass, passes=4)
    errors_by_epoch(alone, stripes(), HIDDEN, 1, 10, 0)
    first, last = seen[0].forward, seen[-1].forward
    np.testing.assert_array_equal(first[0].kernel, last[0].kernel)
    assert jnp.abs(first[1].kernel - last[1].kernel).max() > 0.01


def test_the_page_says_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = {BACKPROP.name: 0.25, FEEDBACK_ALIGNMENT.name: 0.5}

    def given(learner: Learner, dataset: Dataset, hidden: int, epochs: int, batch: int, seed: int) -> list[float]:
        assert len(dataset.train) == 50
        return [0.9] * epochs + [errors[learner.way.name] * (0.5 if learner.sparsity else 0.1)]

    monkeypatch.setattr(image_page, "load", lambda *_, **__: stripes())
    monkeypatch.setattr(image_page, "QUICK_EXAMPLES", 50)
    monkeypatch.setattr(image_page, "errors_by_epoch", given)
    page = LILLICRAP_SPARSE.make(Request(tmp_path, quick=True, command="apical reproduce lillicrap-sparse --quick"))
    text = page.read_text()
    assert "test error of 5.00 % with all synapses, at 25.00 % with half" in text
    assert "2 epochs of 50 training images" in text and "other &lt;contents&gt;" in text
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {"lillicrap-sparse.pdf", "lillicrap-sparse.png"}
    with open(tmp_path / "lillicrap-sparse.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 3
    assert {row["test_error_percent"] for row in rows if row["epoch"] == "2"} == {"2.5", "12.5", "5", "25"}
