"""Images in one folder per class, as ImageNet is laid out: read from disk when they are taken."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32, Integer, UInt8
from PIL import Image, ImageOps

from apical.data.dataset import Dataset, Examples
from apical.data.idx import WHITE
from apical.errors import InputError

NAME = "imagenet-folder"
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})
N_THREADS = min(8, os.cpu_count() or 1)


class FolderExamples(Examples):
    """Images in files: decoded, scaled so that the shorter side fits, cropped at the centre and made RGB when taken.

    `shape` is (image_size, image_size, 3).
    """

    resident = False

    def __init__(self, paths: tuple[str, ...], labels: Int32[np.ndarray, " n"], image_size: int):
        self.paths = paths
        self.labels = labels
        self.image_size = image_size
        self.shape = (image_size, image_size, 3)

    def take(self, indices: Integer[np.ndarray, " k"]) -> Float32[np.ndarray, "k ..."]:
        """The images at `indices` in [0, 1]; raises InputError naming the file if one cannot be decoded."""
        images = np.empty((len(indices), *self.shape), np.float32)

        def fill(row: int, index: int) -> None:
            np.divide(decode(self.paths[index], self.image_size), WHITE, out=images[row], dtype=np.float32)

        with ThreadPoolExecutor(N_THREADS) as pool:
            list(pool.map(fill, range(len(indices)), indices.tolist()))
        return images

    def subset(self, indices: Integer[np.ndarray, " k"]) -> "FolderExamples":
        """The examples at `indices`, in that order; no image is read."""
        paths = tuple(self.paths[index] for index in indices.tolist())
        return FolderExamples(paths, self.labels[indices], self.image_size)


def decode(path: str, image_size: int) -> UInt8[np.ndarray, "size size 3"]:
    """The centre of an image as a square of `image_size`, RGB; raises InputError naming the file if it is damaged."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (image_size, image_size))  # lets JPEG decode at a fraction of the size
            square = ImageOps.fit(image.convert("RGB"), (image_size, image_size), Image.Resampling.BILINEAR)
            return np.asarray(square)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as an image; replace or remove it") from error


def load(root: Path, image_size: int) -> Dataset:
    """Find the images in `imagenet-folder` under the data root, or in the root itself; none is read.

    They are in train/<class>/ and test/<class>/ (or val/<class>/); classes are sorted by name. Raises InputError if
    folders or images are missing, or the test part has a class that the training part lacks.
    """
    if image_size < 1:
        raise InputError(f"the image size is {image_size}; choose at least 1 pixel")
    base = find(root)
    classes = _class_names(base / "train")
    parts = {part: _examples(base / part, classes, image_size) for part in ("train", _test_part(base))}
    train, test = parts.values()
    checksums = {f"{part} (names and sizes)": _listing_digest(base, taken) for part, taken in parts.items()}
    return Dataset(NAME, train, test, classes, checksums)


def find(root: Path) -> Path:
    """The folder that holds train/ and test/ (or val/); raises InputError if there is none."""
    for base in (root / NAME, root):
        if _class_names(base / "train") and _class_names(base / _test_part(base)):
            return base
    raise InputError(
        f"{NAME}: put one folder of images per class into {root / NAME / 'train'} and {root / NAME / 'val'} "
        "(or test), or name another data folder with --data-dir"
    )


def _test_part(base: Path) -> str:
    # ImageNet's own test/ has no classes; its validation images are what results are reported on
    return "test" if _class_names(base / "test") else "val"


def _class_names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in _entries(folder) if entry.is_dir()))


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    if folder.is_dir():
        with os.scandir(folder) as entries:
            yield from (entry for entry in entries if not entry.name.startswith("."))


def _is_image(entry: os.DirEntry[str]) -> bool:
    return Path(entry.name).suffix.lower() in SUFFIXES and entry.is_file()


def _examples(folder: Path, classes: tuple[str, ...], image_size: int) -> FolderExamples:
    if unknown := sorted(set(_class_names(folder)) - set(classes)):
        raise InputError(f"{folder / unknown[0]} has no counterpart in train; add one or remove it")
    paths: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        images = sorted(entry.path for entry in _entries(folder / name) if _is_image(entry))
        if not images and folder.name == "train":
            raise InputError(f"{folder / name} holds no images; add some or remove it")
        paths += images
        labels += [label] * len(images)
    if not paths:
        raise InputError(f"{folder} holds no images; put one folder of images per class into it")
    return FolderExamples(tuple(paths), np.asarray(labels, np.int32), image_size)


def _listing_digest(base: Path, examples: FolderExamples) -> str:
    listing = hashlib.sha256()
    for path in examples.paths:
        listing.update(f"{Path(path).relative_to(base).as_posix()}\0{os.path.getsize(path)}\n".encode())
    return f"sha256:{listing.hexdigest()}"
