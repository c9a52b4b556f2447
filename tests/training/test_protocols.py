"""Protocols: which data train, watch and judge, what is logged as the loss, and what goes before what."""

import dataclasses
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from apical.cli.main import BAD_INPUT, main
from apical.data.dataset import ArrayExamples, Dataset, Examples
from apical.data.pooling import pool
from apical.data.registry import load
from apical.errors import InputError
from apical.training.config import Config, Request, resolve, under
from apical.training.group import Feeds
from apical.training.lane import Split, split_for
from apical.training.losses import clipped_score
from apical.training.protocols import PROTOCOLS

N_TRAIN, N_TEST = 53, 17
APART = "protocol=apical or protocol=best-validation or protocol=refit or protocol=paper"


class InFiles(ArrayExamples):
    """Examples that say they stay in files."""

    resident = False


def marked(n: int, first: int, kind: type[ArrayExamples] = ArrayExamples) -> Examples:
    """Examples whose only pixel is 10 times their own number, plus their label."""
    number = np.arange(first, first + n)
    labels = (number * 7 % 5).astype(np.int32)
    return kind((10.0 * number + labels).astype(np.float32)[:, None], labels)


@pytest.fixture
def small() -> Dataset:
    return Dataset("small", marked(N_TRAIN, 0), marked(N_TEST, N_TRAIN), tuple("abcde"))


def config(protocol: str, rule: str = "backprop", settings: dict | None = None, **request: object) -> Config:
    return resolve(Request(rule, settings={"protocol": protocol} | (settings or {}), **request), load("digits"))


def parts(protocol: str, dataset: Dataset, **request: object) -> Split:
    return split_for(config(protocol, **{"batch_size": 1, **request}), dataset)


def test_lange_pools_and_keeps_a_seventh_for_the_test_and_a_fifth_of_the_rest_for_validation(small: Dataset) -> None:
    found = parts("lange-2019", small)
    assert [len(part) for part in (found.training, found.validation, found.test)] == [48, 12, 10]
    everything = np.concatenate([found.training, found.validation, found.test])
    np.testing.assert_array_equal(np.sort(everything), np.arange(N_TRAIN + N_TEST))
    assert any(index >= N_TRAIN for index in found.training) and any(index < N_TRAIN for index in found.test)
    np.testing.assert_array_equal(parts("lange-2019", pool(small)).training, found.training)


def test_the_seed_alone_shuffles_the_pool(small: Dataset) -> None:
    first, again, other = (parts("lange-2019", small, seed=seed) for seed in (3, 3, 4))
    for name in ("training", "validation", "test"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        assert set(getattr(first, name).tolist()) != set(getattr(other, name).tolist())


def test_image_and_label_stay_together_in_the_pool(small: Dataset) -> None:
    everything = pool(small).train
    order = np.random.default_rng(0).permutation(N_TRAIN + N_TEST)
    np.testing.assert_array_equal(everything.take(order)[:, 0] // 10, order)
    np.testing.assert_array_equal(everything.take(order)[:, 0] % 10, everything.labels[order])
    some = everything.subset(order[:30])
    np.testing.assert_array_equal(some.take(np.arange(30))[:, 0], 10 * order[:30] + some.labels)
    feeds = Feeds.of(small).under(PROTOCOLS["lange-2019"])
    assert feeds.train is feeds.test is feeds.under(PROTOCOLS["lange-2019"]).train
    np.testing.assert_array_equal(np.asarray(feeds.train.batch.x)[:, 0] % 10, np.asarray(feeds.train.batch.y))


def test_the_other_protocols_leave_test_data_apart(small: Dataset) -> None:
    default, chosen, refit, paper = (parts(name, small) for name in ("apical", "best-validation", "refit", "paper"))
    assert (len(default.training), len(default.validation)) == (48, 5)
    np.testing.assert_array_equal(chosen.validation, default.validation)
    for found in (refit, paper):
        assert (sorted(found.training), len(found.validation)) == (list(range(N_TRAIN)), 0)
    for found in (default, chosen, refit, paper):
        np.testing.assert_array_equal(found.test, np.arange(N_TEST))
    with pytest.raises(ValueError, match="keeps test data apart"):
        parts("paper", pool(small))


def test_data_in_files_are_not_pooled(small: Dataset) -> None:
    streamed = dataclasses.replace(small, name="imagenet-folder", train=marked(N_TRAIN, 0, InFiles))
    with pytest.raises(InputError, match=f"choose {APART}") as caught:
        parts("lange-2019", streamed)
    assert "imagenet-folder" in str(caught.value) and "\n" not in str(caught.value)
    assert len(parts("paper", streamed).training) == N_TRAIN


def test_the_command_refuses_to_pool_data_in_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for part in ("train", "val"):
        for name in "ab":
            (tmp_path / "imagenet-folder" / part / name).mkdir(parents=True)
            Image.new("RGB", (4, 4)).save(tmp_path / "imagenet-folder" / part / name / "1.png")
    line = f"train backprop --dataset imagenet-folder --data-dir {tmp_path} --image-size 4 --out {tmp_path / 'out'}"
    assert main([*line.split(), "--set", "protocol=lange-2019"]) == BAD_INPUT
    said = capfd.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and f"choose {APART}" in said.err
    assert not (tmp_path / "out").exists()


def test_paper_trains_on_everything() -> None:
    digits = load("digits")
    assert len(parts("paper", digits).training) == len(digits.train) == 1437
    assert len(parts("apical", digits).training) == 1293


def test_the_loss_of_lange_by_hand() -> None:
    scores = np.array([[0.2, 0.5], [-0.3, 0.1], [0.0, 2.0], [7.0, 9.0], [3.0, -1.0], [0.3, 0.6]], np.float32)
    labels = np.array([0, 0, 0, 0, 0, 1], np.int32)
    expected = [-np.log(0.2), 27.6310, 27.6310, 0.0, 0.0, 0.0]  # wrong; below 0; 0; wrong but above 1; two correct
    np.testing.assert_allclose(clipped_score(jnp.asarray(scores), jnp.asarray(labels)), expected, rtol=1e-5, atol=0)


def test_what_is_set_goes_before_the_protocol_goes_before_the_preset() -> None:
    spiking, dendrites = "guerguiev-2017", "segregated-dendrites"
    times = ("settling_steps", "test_steps", "spike_memory")

    def settings(protocol: str, **given: object) -> tuple:
        found = config(protocol, dendrites, given, preset=spiking).settings
        return tuple(found[name] for name in times)

    assert settings("apical") == settings("paper") == (30, 250, 10)
    assert settings("lange-2019") == (49, 50, 1)
    assert settings("lange-2019", forward_steps=20, target_steps=20, dt_ms=0.25) == (19, 20, 4)
    assert settings("lange-2019", spike_memory=7, settling_steps=40) == (40, 50, 7)
    for rule, preset in ((dendrites, "rate"), ("backprop", "lange-2019")):
        assert config("lange-2019", rule, preset=preset).settings == config("apical", rule, preset=preset).settings


def test_lange_trains_for_ten_epochs_unless_told() -> None:
    assert config("lange-2019").epochs == 10 != config("apical").epochs
    assert config("lange-2019", epochs=3).epochs == 3


def test_a_file_under_another_protocol() -> None:
    default = config("apical", "segregated-dendrites", epochs=3)
    changed = under(default, "lange-2019", {"protocol": "lange-2019", "forward_steps": 40})
    assert (changed.epochs, changed.protocol) == (10, "lange-2019")
    assert changed.settings["settling_steps"] == 39 and changed.settings["spike_memory"] == 1
    assert under(default, "paper", {}) == dataclasses.replace(default, protocol="paper")
    assert under(default, "apical", {"forward_steps": 40}) is default
