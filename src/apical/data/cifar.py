"""CIFAR-10 in its binary version: records of one label byte and 3,072 pixel bytes, one colour after the other."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from apical.data import contents
from apical.data.dataset import ArrayExamples, Dataset
from apical.data.idx import WHITE, check_labels
from apical.data.published import Published
from apical.errors import InputError

SIDE = 32
N_COLOURS = 3
RECORD_BYTES = 1 + N_COLOURS * SIDE * SIDE


def load(published: Published, root: Path, trust: bool) -> Dataset:
    """Load CIFAR-10 in the official order; raises InputError if files are missing, damaged or not the published."""
    files = contents.read(published, root, trust, parse)
    *train, test = (files.arrays[file.name] for file in published.files)
    where = f"{published.name} in {root / published.folder}"
    return Dataset(
        published.name,
        train=examples(np.concatenate(train), f"the training part of {where}", len(published.classes)),
        test=examples(test, f"the test part of {where}", len(published.classes)),
        classes=published.classes,
        checksums=files.checksums,
        warnings=files.warnings,
    )


def parse(file: bytes, source: str) -> UInt8[np.ndarray, "n 3073"]:
    """The records of a batch; raises InputError if the file does not hold a whole number of them."""
    n_records, rest = divmod(len(file), RECORD_BYTES)
    if rest or not n_records:
        raise InputError(
            f"{source} has a wrong size: {len(file)} bytes are not whole records of {RECORD_BYTES}; download it again"
        )
    return np.frombuffer(file, np.uint8).reshape(n_records, RECORD_BYTES)


def examples(records: UInt8[np.ndarray, "n 3073"], part: str, n_classes: int) -> ArrayExamples:
    """Records as examples of shape (32, 32, 3); raises InputError if a label is not a class."""
    planes = records[:, 1:].reshape(-1, N_COLOURS, SIDE, SIDE)
    images = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
    return ArrayExamples(images, check_labels(records[:, 0], part, n_classes), WHITE)
