"""CIFAR-10's binary version: colours last, official order, from a folder or from an archive."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from apical.data.cifar import parse
from apical.data.dataset import ArrayExamples
from apical.data.published import CIFAR10
from apical.data.registry import load
from apical.errors import InputError

NAMES = [file.name for file in CIFAR10.files]


@pytest.fixture
def batches(tmp_path: Path, write_cifar: Callable) -> Path:
    folder = tmp_path / "cifar10" / "cifar-10-batches-bin"
    write_cifar(folder)
    return folder


def pack(batches: Path, suffix: str, prefix: str = "cifar-10-batches-bin/") -> Path:
    """Move the batches into an archive beside their folder."""
    path = batches.parent / f"cifar-10-binary.tar{suffix}"
    with tarfile.open(path, f"w:{suffix.removeprefix('.')}") as archive:
        for batch in sorted(batches.iterdir(), reverse=True):
            member = tarfile.TarInfo(prefix + batch.name)
            member.size = batch.stat().st_size
            archive.addfile(member, io.BytesIO(batch.read_bytes()))
            batch.unlink()
    batches.rmdir()
    return path


def refused(root: Path, message: str, trust: bool = True) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load("cifar10", data_dir=root, trust=trust)
    assert "\n" not in str(caught.value)


def test_colours_are_last_and_rows_before_columns(batches: Path):
    """One record by hand: red 1 at row 2, column 5; green 2 at row 31, column 0; blue 3 at row 0, column 31."""
    record = bytearray(3073)
    record[0], record[1 + 2 * 32 + 5], record[1 + 1024 + 31 * 32], record[1 + 2048 + 31] = 7, 1, 2, 3
    (batches / "test_batch.bin").write_bytes(record)
    test = load("cifar10", data_dir=batches.parents[1], trust=True).test
    image = test.take(np.asarray([0]))[0] * 255
    assert test.labels.tolist() == [7]
    assert np.argwhere(image).tolist() == [[0, 31, 2], [2, 5, 0], [31, 0, 1]]
    assert np.allclose([image[2, 5, 0], image[31, 0, 1], image[0, 31, 2]], [1, 2, 3])


def test_training_images_are_in_the_order_of_the_batches(batches: Path, to_cifar: Callable):
    for batch, name in enumerate(NAMES[:5]):
        images = np.full((3, 32, 32, 3), 10 * batch, np.uint8) + np.arange(3, dtype=np.uint8)[:, None, None, None]
        (batches / name).write_bytes(to_cifar(images, np.full(3, batch)))
    train = load("cifar10", data_dir=batches.parents[1], trust=True).train
    assert train.labels.tolist() == np.repeat(np.arange(5), 3).tolist()
    values = train.take(np.arange(15))[:, 0, 0, 0] * 255
    assert np.rint(values).astype(int).tolist() == [10 * batch + image for batch in range(5) for image in range(3)]


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ""])
def test_an_archive_gives_the_same_as_the_folder(batches: Path, suffix: str):
    root = batches.parents[1]
    loose = load("cifar10", data_dir=root, trust=True)
    pack(batches, suffix)
    packed = load("cifar10", data_dir=root, trust=True)
    assert packed.checksums == loose.checksums
    assert np.array_equal(packed.train.labels, loose.train.labels)
    assert np.array_equal(packed.train.take(np.arange(50)), loose.train.take(np.arange(50)))


def test_an_archive_writes_nothing(batches: Path):
    """Members that point outside are read by their last name, in memory: nothing appears on disk."""
    path = pack(batches, ".gz", prefix="../../../")
    before = sorted(batches.parents[1].rglob("*"))
    load("cifar10", data_dir=batches.parents[1], trust=True)
    assert sorted(batches.parents[1].rglob("*")) == before == [path.parent, path]


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ""])
@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file[: len(file) // 2],
        lambda file: file[:20],
        lambda file: b"",
        lambda file: b"<html>not found</html>" * 100,
        lambda file: file[: len(file) // 2] + b"damaged!" * 8 + file[len(file) // 2 + 64 :],
    ],
)
def test_damaged_archives(batches: Path, suffix: str, damage: Callable[[bytes], bytes]):
    path = pack(batches, suffix)
    path.write_bytes(damage(path.read_bytes()))
    root = path.parents[1]
    # a plain tar has no checksum of its contents: there the digests must tell
    refused(root, "is not a tar archive, or is damaged or truncated|does not hold|differ from the", trust=False)


def test_an_archive_without_a_batch(batches: Path):
    (batches / "data_batch_3.bin").unlink()
    path = pack(batches, ".gz")
    refused(path.parents[1], "does not hold data_batch_3.bin")


def test_contents_that_are_not_the_published_ones_need_trust(batches: Path):
    root = batches.parents[1]
    refused(root, "cifar10: 6 of 6 files .* differ from the published contents .*--trust-data", trust=False)
    assert "6 of 6 files" in load("cifar10", data_dir=root, trust=True).warnings[0]


def test_missing_files_are_named_with_checksum_and_place(batches: Path):
    root = batches.parents[1]
    (batches / "test_batch.bin").unlink()
    refused(root, f"file test_batch.bin \\(md5 803d5f7f4d78ea53de84dbe85f74fb6d\\) is missing; .*{batches}")
    refused(root / "elsewhere", "file cifar-10-binary.tar.gz \\(md5 c32a1d4ab5d03f1284b67883e8d87530\\) is missing")


@pytest.mark.parametrize("n_bytes", [0, 1, 3072, 3074])
def test_files_of_a_wrong_size(n_bytes: int):
    with pytest.raises(InputError, match=f"here has a wrong size: {n_bytes} bytes"):
        parse(bytes(n_bytes), "here")


def test_labels_that_are_no_class(batches: Path):
    file = bytearray((batches / "data_batch_2.bin").read_bytes())
    file[3 * 3073] = 10
    (batches / "data_batch_2.bin").write_bytes(file)
    refused(batches.parents[1], "training part of cifar10 .* has label 10 at example 13, not below 10")


def test_the_real_data(real_data: Callable):
    """Complete and in the official order, whether or not the copy at hand is exact."""
    dataset = load("cifar10", data_dir=real_data("cifar10"), trust=True)
    assert np.array_equal(np.bincount(dataset.train.labels), np.full(10, 5000))
    assert np.array_equal(np.bincount(dataset.test.labels), np.full(10, 1000))
    assert dataset.train.labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert dataset.test.labels[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    first = [part.take(np.asarray([0]))[0, 0, :3, 0] * 255 for part in (dataset.train, dataset.test)]
    assert np.rint(first).astype(int).tolist() == [[59, 43, 50], [158, 159, 165]]
    assert isinstance(dataset.train, ArrayExamples)
    means = dataset.train.inputs.mean((0, 1, 2)) / dataset.train.scale
    assert np.abs(means - [0.4914, 0.4822, 0.4465]).max() < 1e-4
    assert len(dataset.warnings) == (1 if dataset.checksums["test_batch.bin"] != f"md5:{CIFAR10.files[5].md5}" else 0)
