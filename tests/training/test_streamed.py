"""Training on images in folders, read a segment at a time, from the files to the summary."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apical.data.dataset import ArrayExamples, Dataset
from apical.data.registry import load
from apical.training import feed
from apical.training.config import Request, resolve
from apical.training.group import Feeds
from apical.training.interrupt import Interrupt
from apical.training.progress import Progress
from apical.training.run_folder import RunFolder
from apical.training.train import Summary, train

CLASSES = {"cold": (20, 60, 220), "green": (30, 210, 40), "warm": (220, 50, 30)}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Noisy images of three colours, as files."""
    root, generator = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for part, n in (("train", 30), ("val", 8)):
        for name, colour in CLASSES.items():
            folder = root / "imagenet-folder" / part / name
            folder.mkdir(parents=True)
            for i in range(n):
                pixels = np.clip(np.asarray(colour) + generator.normal(0, 25, (8, 8, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return load("imagenet-folder", data_dir=root, image_size=8)


def run(dataset: Dataset, out: Path) -> Summary:
    request = Request("backprop", "imagenet-folder", hidden=(8,), epochs=12, batch_size=10, log_every=50)
    config = resolve(request, dataset)
    with Progress(quiet=True) as progress:
        return train([config], [out], Feeds.of(dataset), {}, Interrupt(), progress)[0]


def in_memory(dataset: Dataset) -> Dataset:
    """The same examples as one array each."""
    parts = [
        ArrayExamples(examples.take(np.arange(len(examples))), examples.labels)
        for examples in (dataset.train, dataset.test)
    ]
    return Dataset(dataset.name, *parts, dataset.classes)


def test_images_from_files_train_as_images_in_memory(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "CHUNK", 20)  # several chunks, the last one not full
    assert not images.train.resident
    streamed, resident = run(images, tmp_path / "streamed"), run(in_memory(images), tmp_path / "resident")
    assert streamed["status"] == "finished" and streamed["test_accuracy"] > 0.9
    for key in ("test_loss", "train_accuracy", "validation_accuracy", "test_accuracy"):
        assert streamed[key] == pytest.approx(resident[key], rel=1e-5)
    curves = [RunFolder(tmp_path / name).read_metrics(10**9) for name in ("streamed", "resident")]
    assert [row[:-1] for row in curves[0]] == [row[:-1] for row in curves[1]]
    losses = [[row.value for row in curve if row.name == "loss"] for curve in curves]
    np.testing.assert_allclose(*losses, rtol=1e-5)
