"""MNIST and Fashion-MNIST: images and labels in the IDX format (big-endian header, then unsigned bytes)."""

import math
from pathlib import Path

import numpy as np
from jaxtyping import Int32, UInt8

from apical.data import contents
from apical.data.dataset import ArrayExamples, Dataset
from apical.data.published import Published
from apical.errors import InputError

UNSIGNED_BYTES = 8
IMAGE_SIZE = (28, 28)
WHITE = 255.0


def load(published: Published, root: Path, trust: bool) -> Dataset:
    """Load a data set of 28x28 grey images; raises InputError if files are missing, damaged or not the published."""
    files = contents.read(published, root, trust, parse)
    train_images, train_labels, test_images, test_labels = (files.arrays[file.name] for file in published.files)
    where = f"{published.name} in {root / published.folder}"
    return Dataset(
        published.name,
        train=_pair(train_images, train_labels, f"the training part of {where}", len(published.classes)),
        test=_pair(test_images, test_labels, f"the test part of {where}", len(published.classes)),
        classes=published.classes,
        checksums=files.checksums,
        warnings=files.warnings,
    )


def parse(file: bytes, source: str) -> UInt8[np.ndarray, "..."]:
    """The array in an IDX file of unsigned bytes; `source` names it in errors.

    Raises InputError if the magic number is wrong or the size is not the one that the header states.
    """
    if len(file) < 4 or file[:3] != bytes([0, 0, UNSIGNED_BYTES]) or not file[3]:
        raise InputError(f"{source} is not an IDX file of unsigned bytes (wrong magic number); download it again")
    n_header = 4 + 4 * file[3]
    if len(file) < n_header:
        raise InputError(f"{source} is truncated in its header; download it again")
    shape = tuple(int(size) for size in np.frombuffer(file[4:n_header], ">u4"))
    n_stated, n_found = math.prod(shape), len(file) - n_header
    if n_found != n_stated:
        state = "is truncated" if n_found < n_stated else "is too long"
        raise InputError(f"{source} {state}: {n_found} bytes after the header, not {n_stated}; download it again")
    return np.frombuffer(file, np.uint8, offset=n_header).reshape(shape)


def _pair(
    images: UInt8[np.ndarray, "..."], labels: UInt8[np.ndarray, "..."], part: str, n_classes: int
) -> ArrayExamples:
    if images.shape[1:] != IMAGE_SIZE or labels.ndim != 1:
        raise InputError(
            f"{part} has arrays of shape {images.shape} and {labels.shape}, not images of 28x28 and labels; "
            "use the published files"
        )
    if len(images) != len(labels) or not len(labels):
        raise InputError(f"{part} has {len(images)} images but {len(labels)} labels; use the published files")
    return ArrayExamples(images[..., None], check_labels(labels, part, n_classes), WHITE)


def check_labels(labels: UInt8[np.ndarray, " n"], part: str, n_classes: int) -> Int32[np.ndarray, " n"]:
    """Labels as 32-bit integers; raises InputError if one is not a class."""
    wrong = np.flatnonzero(labels >= n_classes)
    if wrong.size:
        raise InputError(
            f"{part} has label {labels[wrong[0]]} at example {wrong[0]}, not below {n_classes}; use the published files"
        )
    return labels.astype(np.int32)
