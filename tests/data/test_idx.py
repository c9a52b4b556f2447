"""IDX files: read exactly, in any wrapping, and refused when damaged."""

import gzip
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from apical.data.idx import parse
from apical.data.published import MNIST
from apical.data.registry import load
from apical.errors import InputError

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def test_parse_by_hand():
    file = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes([1, 2, 3, 4, 5, 255])
    assert np.array_equal(parse(file, "here"), [[1, 2, 3], [4, 5, 255]])


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"", "here is not an IDX file"),
        (bytes([0, 0, 8]), "here is not an IDX file"),
        (bytes([0, 0, 13, 1, 0, 0, 0, 1]) + b"abcd", "here is not an IDX file of unsigned bytes"),
        (bytes([0, 0, 8, 0]), "here is not an IDX file"),
        (b"<html>not found</html>", "here is not an IDX file"),
        (bytes([0, 0, 8, 3, 0, 0, 0, 1]), "here is truncated in its header"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 3]) + b"ab", "here is truncated: 2 bytes after the header, not 3"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 3]) + b"abcd", "here is too long: 4 bytes after the header, not 3"),
        (bytes([0, 0, 8, 4]) + b"\xff" * 16, "here is truncated: 0 bytes after the header"),
    ],
)
def test_damaged_contents(file: bytes, message: str):
    with pytest.raises(InputError, match=message):
        parse(file, "here")


@pytest.fixture
def folder(tmp_path: Path, write_idx: Callable) -> Path:
    write_idx(tmp_path / "mnist")
    return tmp_path / "mnist"


def refused(folder: Path, message: str, trust: bool = True) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load("mnist", data_dir=folder.parent, trust=trust)
    assert "\n" not in str(caught.value)


def test_contents_that_are_not_the_published_ones_need_trust(folder: Path):
    refused(folder, "mnist: 4 of 4 files in .*published 6bbc9ace898e44ae57da46a324031adb.*--trust-data", trust=False)
    dataset = load("mnist", data_dir=folder.parent, trust=True)
    assert len(dataset.warnings) == 1 and IMAGES in dataset.warnings[0]
    assert set(dataset.checksums) == {file.name for file in MNIST.files}


def test_unpacked_files_are_read_as_well(folder: Path):
    packed = load("mnist", data_dir=folder.parent, trust=True)
    for path in folder.iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    unpacked = load("mnist", data_dir=folder.parent, trust=True)
    every = np.arange(len(packed.train))
    assert np.array_equal(packed.train.take(every), unpacked.train.take(every))
    assert packed.checksums == unpacked.checksums


def test_a_missing_file_is_named_with_its_checksum_and_place(folder: Path):
    (folder / f"{LABELS}.gz").unlink()
    refused(
        folder,
        f"mnist: file {LABELS}.gz \\(md5 a25bea736e30d166cdddb491f175f624 uncompressed\\) is missing; "
        f"run `apical data fetch mnist`, put it into {folder}",
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file[:-9], f"{IMAGES}.gz is truncated: its gzip stream ends too early"),
        (lambda file: file[:5000], f"{IMAGES}.gz is truncated: its gzip stream ends too early"),
        (lambda file: file[:4000] + bytes(100) + file[4100:], f"{IMAGES}.gz is damaged"),
        (lambda file: file[:-8] + bytes(8), f"{IMAGES}.gz is damaged .*CRC"),
        (lambda file: b"\x1f\x8b" + b"?" * 50, f"{IMAGES}.gz is damaged"),
        (lambda file: b"", f"{IMAGES}.gz is not an IDX file"),
        (lambda file: gzip.compress(gzip.decompress(file)[:-1]), f"{IMAGES}.gz is truncated: 47039 bytes"),
    ],
)
def test_damaged_files(folder: Path, damage: Callable[[bytes], bytes], message: str):
    """Trusted data too: trust covers other contents, not broken files."""
    path = folder / f"{IMAGES}.gz"
    path.write_bytes(damage(path.read_bytes()))
    refused(folder, message)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (LABELS, np.arange(59) % 10, "training part of mnist in .* has 60 images but 59 labels"),
        (LABELS, np.where(np.arange(60) == 41, 10, 3), "has label 10 at example 41, not below 10"),
        (IMAGES, np.zeros((60, 27, 28)), "arrays of shape \\(60, 27, 28\\) and \\(60,\\), not images of 28x28"),
        (IMAGES, np.zeros(60), "not images of 28x28"),
        (LABELS, np.zeros((60, 1)), "not images of 28x28 and labels"),
    ],
)
def test_arrays_that_do_not_fit(folder: Path, to_idx: Callable, name: str, array: np.ndarray, message: str):
    (folder / f"{name}.gz").write_bytes(gzip.compress(to_idx(array)))
    refused(folder, message)


def test_an_empty_part(folder: Path, to_idx: Callable):
    for name, array in ((IMAGES, np.zeros((0, 28, 28))), (LABELS, np.zeros(0))):
        (folder / f"{name}.gz").write_bytes(gzip.compress(to_idx(array)))
    refused(folder, "has 0 images but 0 labels")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_real_data(name: str, real_data: Callable):
    root = real_data(name.replace("-", "_"))
    start = time.process_time()
    dataset = load(name, data_dir=root)
    assert time.process_time() - start < 1.5, "loading takes too long"
    assert dataset.warnings == ()
    assert np.array_equal(np.bincount(dataset.test.labels).sum(), 10_000)
    pixels = dataset.train.take(np.arange(60_000))
    published = {"mnist": (0.1307, 0.3081), "fashion-mnist": (0.2860, 0.3530)}[name]
    assert (round(float(pixels.mean(dtype=float)), 4), round(float(pixels.std(dtype=float)), 4)) == published


def test_recompressed_real_data_pass_and_a_changed_pixel_does_not(real_data: Callable, tmp_path: Path):
    (tmp_path / "mnist").mkdir()
    for path in sorted((real_data("mnist") / "mnist").glob("*ubyte*")):
        file = path.read_bytes()
        contents = gzip.decompress(file) if path.suffix == ".gz" else file
        again = gzip.compress(contents, compresslevel=1, mtime=12345)
        assert again != file
        (tmp_path / "mnist" / f"{path.name.removesuffix('.gz')}.gz").write_bytes(again)
    assert load("mnist", data_dir=tmp_path).warnings == ()

    path = tmp_path / "mnist" / "t10k-images-idx3-ubyte.gz"
    contents = bytearray(gzip.decompress(path.read_bytes()))
    contents[-1] ^= 1
    path.write_bytes(gzip.compress(contents, compresslevel=1))
    refused(tmp_path / "mnist", "1 of 4 files .*t10k-images-idx3-ubyte has", trust=False)
