"""Small files in the published formats, and the real data where the user has them."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apical.data.published import CIFAR10, MNIST

IDX_NAMES = tuple(file.name for file in MNIST.files)
CIFAR_NAMES = tuple(file.name for file in CIFAR10.files)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says about data must not reach a test."""
    for name in ("APICAL_DATA", "APICAL_TRUST_DATA", "APICAL_MIRROR"):
        monkeypatch.delenv(name, raising=False)


REAL_DATA = os.environ.get("APICAL_DATA")


@pytest.fixture
def real_data() -> Callable[[str], Path]:
    """The data root if it holds a folder of that name; else the test is skipped, but fails where CI=true."""

    def root(folder: str) -> Path:
        if REAL_DATA and (Path(REAL_DATA) / folder).is_dir():
            return Path(REAL_DATA)
        reason = f"set APICAL_DATA to a folder that holds {folder}/ with the public files"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)

    return root


def idx_bytes(array: np.ndarray) -> bytes:
    """An array in the IDX format, written from its description: 0, 0, type 8, dimensions, big-endian sizes, bytes."""
    sizes = b"".join(int(size).to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def cifar_bytes(images: np.ndarray, labels: np.ndarray) -> bytes:
    """Records of CIFAR-10's binary version, one pixel plane after the other."""
    records = []
    for image, label in zip(images, labels, strict=True):
        records.append(bytes([label]) + b"".join(image[:, :, colour].tobytes() for colour in range(3)))
    return b"".join(records)


@pytest.fixture
def to_idx() -> Callable[[np.ndarray], bytes]:
    return idx_bytes


@pytest.fixture
def to_cifar() -> Callable[[np.ndarray, np.ndarray], bytes]:
    return cifar_bytes


@pytest.fixture
def write_idx() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Write a small set of the MNIST kind into a folder; gives the training images and labels written."""

    def write(folder: Path, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        generator = np.random.default_rng(seed)
        folder.mkdir(parents=True)
        parts = []
        for n_images in (60, 20):
            parts.append(generator.integers(0, 256, (n_images, 28, 28), np.uint8))
            parts.append(generator.permutation(np.arange(n_images) % 10).astype(np.uint8))
        for name, array in zip(IDX_NAMES, parts, strict=True):
            (folder / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(array)))
        return parts[0][..., None], parts[1]

    return write


@pytest.fixture
def write_cifar() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Write small CIFAR batches into a folder; gives the training images (channels last) and labels written."""

    def write(folder: Path, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        generator = np.random.default_rng(seed)
        folder.mkdir(parents=True)
        images = generator.integers(0, 256, (60, 32, 32, 3), np.uint8)
        labels = np.concatenate([generator.permutation(10) for _ in CIFAR_NAMES]).astype(np.uint8)
        for batch, name in enumerate(CIFAR_NAMES):
            part = slice(10 * batch, 10 * batch + 10)
            (folder / name).write_bytes(cifar_bytes(images[part], labels[part]))
        return images[:50], labels[:50]

    return write


@pytest.fixture
def write_images() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Write 16x16 images into one folder per class; gives the training images and labels in order of class and name."""

    def write(base: Path, test_part: str = "val") -> tuple[np.ndarray, np.ndarray]:
        generator = np.random.default_rng(0)
        images, labels = [], []
        for part, n_images in (("train", 8), (test_part, 3)):
            for label, name in enumerate(("ant", "bee", "cow")):
                (base / part / name).mkdir(parents=True)
                for number in range(n_images):
                    image = generator.integers(0, 256, (16, 16, 3), np.uint8)
                    Image.fromarray(image).save(base / part / name / f"{number}.png")
                    if part == "train":
                        images.append(image)
                        labels.append(label)
        return np.stack(images), np.asarray(labels)

    return write
