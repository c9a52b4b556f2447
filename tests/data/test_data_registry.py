"""Every data set of the list: inputs and labels belong together, and the facts stated about it are true."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_moons

from apical.data.dataset import Examples, subset
from apical.data.registry import DATASETS, data_root, find, load
from apical.data.splits import split
from apical.errors import InputError
from apical.tasks import CLASSIFICATION

EMBEDDED = [name for name, entry in DATASETS.items() if entry.folder is None]
LABELLED = [name for name, entry in DATASETS.items() if entry.task == CLASSIFICATION]


@pytest.fixture
def source(
    tmp_path: Path, write_idx: Callable, write_cifar: Callable, write_images: Callable
) -> Callable[[str], tuple[np.ndarray, np.ndarray]]:
    """Inputs in [0, 1] and labels of a data set from where they come from, which for files is what was written."""

    def moons() -> tuple[np.ndarray, np.ndarray]:
        points, labels = make_moons(1400, noise=0.1, random_state=0)
        return (points - [-1.5, -1.0]) / [4.0, 2.5], labels

    def bars() -> tuple[np.ndarray, np.ndarray]:
        drawn = ("xxx......", "...xxx...", "......xxx", "x..x..x..", ".x..x..x.", "..x..x..x", "x...x...x", "..x.x.x..")
        images = [[float(pixel == "x") for pixel in bar] for bar in drawn]
        return np.reshape(images, (8, 3, 3, 1)), np.array([0, 0, 0, 1, 1, 1, 2, 2])

    def yin_yang() -> tuple[np.ndarray, np.ndarray]:
        """The points that are loaded, told apart by the point (0.5, 0.5) of the unit square and complex numbers."""
        dataset = load("yin-yang")
        inputs = np.concatenate([part.take(np.arange(len(part))) for part in (dataset.train, dataset.test)])
        z = 2 * (inputs[:, 0] + 1j * inputs[:, 1]) - (1 + 1j)  # the disc of radius 1 around 0
        half = [abs(z - 0.5) <= 0.5, abs(z + 0.5) <= 0.5]
        yang = np.select(half, [True, False], z.imag <= 0)
        return inputs, np.where(np.minimum(abs(z - 0.5), abs(z + 0.5)) <= 0.2, 2, yang)

    def scaled(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return images / np.float32(255), labels

    sources = {
        "digits": lambda: (load_digits().images[..., None] / 16, load_digits().target),
        "two-moons": moons,
        "bars": bars,
        "yin-yang": yin_yang,
        "mnist": lambda: scaled(*write_idx(tmp_path / "mnist")),
        "fashion-mnist": lambda: scaled(*write_idx(tmp_path / "fashion_mnist")),
        "cifar10": lambda: scaled(*write_cifar(tmp_path / "cifar10" / "cifar-10-batches-bin")),
        "imagenet-folder": lambda: scaled(*write_images(tmp_path / "imagenet-folder")),
    }
    return lambda name: sources[name]()


def pairs(inputs: np.ndarray, labels: np.ndarray) -> set[tuple[bytes, bytes]]:
    rows = np.ascontiguousarray(inputs, np.float32)
    return {(row.tobytes(), label.tobytes()) for row, label in zip(rows, labels.astype(np.float32), strict=True)}


def taken(examples: Examples) -> set[tuple[bytes, bytes]]:
    return pairs(examples.take(np.arange(len(examples))), examples.labels)


@pytest.mark.parametrize("name", LABELLED)
def test_an_input_keeps_its_label(name: str, source: Callable, tmp_path: Path):
    """Through loading, split, subset and take, in any order: no pair arises that was not in the source."""
    inputs, labels = source(name)
    dataset = load(name, data_dir=tmp_path, trust=True, image_size=16)
    assert taken(dataset.train) <= pairs(inputs, labels)
    assert len(pairs(inputs, labels)) == len(labels), "the source must have different inputs for this test to see"

    train, validation = split(dataset.train.labels, 0.5 if dataset.exhaustive else 0.25, seed=1)
    for indices in (train, validation):
        part = subset(dataset.train, indices)
        assert taken(part) <= pairs(inputs, labels) and len(part) == len(indices)
        order = np.random.default_rng(0).permutation(len(part))[:7]
        expected = dataset.train.take(indices[order])
        assert np.array_equal(part.take(order), expected)
        assert pairs(expected, part.labels[order]) <= pairs(inputs, labels)


@pytest.mark.parametrize("name", LABELLED)
def test_what_is_loaded_is_of_the_stated_kind(name: str, source: Callable, tmp_path: Path):
    source(name)
    entry, dataset = DATASETS[name], load(name, data_dir=tmp_path, trust=True)
    for part in (dataset.train, dataset.test):
        inputs = part.take(np.arange(5))
        assert inputs.dtype == np.float32 and inputs.shape == (5, *part.shape) == (5, *dataset.shape)
        assert inputs.min() >= 0 and inputs.max() <= 1
        assert part.labels.dtype == np.int32 and set(part.labels) == set(range(dataset.n_classes))
        assert part.resident == (name != "imagenet-folder")
    assert entry.shape in (None, dataset.shape) and entry.n_outputs in (None, dataset.n_classes)
    assert dataset.checksums and all(":" in digest for digest in dataset.checksums.values())


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_sets_have_the_stated_sizes_and_stay_the_same(name: str):
    entry, first, again = DATASETS[name], load(name), load(name)
    assert (len(first.train), len(first.test)) == (entry.n_train, entry.n_test)
    assert first.checksums == again.checksums and first.epochs >= 40
    assert first.exhaustive or not taken(first.train) & taken(first.test)


def test_digits_are_all_there_and_the_test_part_is_stratified():
    dataset, (pixels, labels) = load("digits"), load_digits(return_X_y=True)
    together = [dataset.train.take(np.arange(1437)), dataset.test.take(np.arange(360))]
    found = np.sort(np.concatenate(together).reshape(1797, 64), axis=0)
    assert np.array_equal(found, np.sort(pixels / 16, axis=0))
    shares = np.bincount(dataset.test.labels) - 360 * np.bincount(labels) / 1797
    assert np.abs(shares).max() <= 1


def test_the_test_part_of_digits_never_changes():
    """Results are compared over versions: a new split would make them incomparable."""
    images = "sha256:0010b8fcc23a658702d59012bea592007aabd4f5150f6bae375866ae987f3f8b"
    assert load("digits").checksums["test inputs"] == images


def test_unknown_names_are_answered_with_the_list():
    with pytest.raises(InputError, match="did you mean fashion-mnist\\? There are: digits, mnist, fashion-mnist"):
        load("fashionmnist")
    with pytest.raises(InputError, match="unknown data set 'xyz'; There are: "):
        find("xyz")


def test_the_data_root_is_the_option_then_the_environment_then_the_cache(monkeypatch: pytest.MonkeyPatch):
    assert data_root(None).name == "apical"
    monkeypatch.setenv("APICAL_DATA", "~/data")
    assert data_root(None) == Path.home() / "data"
    assert data_root(Path("here")) == Path("here")


@pytest.mark.parametrize(("value", "accepted"), [("1", True), ("0", False), ("", False)])
def test_the_environment_can_trust_data(
    value: str, accepted: bool, source: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source("mnist")
    monkeypatch.setenv("APICAL_TRUST_DATA", value)
    if accepted:
        assert "4 of 4 files" in load("mnist", data_dir=tmp_path).warnings[0]
    else:
        with pytest.raises(InputError, match="--trust-data"):
            load("mnist", data_dir=tmp_path)
