"""The one list of data sets: what `--dataset` accepts, and how each is loaded."""

import difflib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from apical.data import cifar, folder, idx, synthetic
from apical.data.dataset import Dataset
from apical.data.published import CIFAR10, FASHION_MNIST, MNIST, Published
from apical.errors import InputError


@dataclass(frozen=True)
class Request:
    """What a loader may need: the data root, whether unpublished contents are trusted, the side of scaled images."""

    root: Path
    trust: bool
    image_size: int


@dataclass(frozen=True)
class DatasetEntry:
    """A data set in the list; sizes are None where they depend on the user's files.

    `folder` is looked for under the data root, and None for sets that need no files; `published` describes those that
    can be downloaded.
    """

    name: str
    summary: str
    load: Callable[[Request], Dataset]
    n_train: int | None
    n_test: int | None
    shape: tuple[int, ...] | None
    n_classes: int | None
    folder: str | None = None
    published: Published | None = None


def _public(
    published: Published,
    loader: Callable[[Published, Path, bool], Dataset],
    summary: str,
    shape: tuple[int, ...],
    n_train: int,
) -> DatasetEntry:
    return DatasetEntry(
        published.name,
        summary,
        lambda request: loader(published, request.root, request.trust),
        n_train,
        10_000,
        shape,
        len(published.classes),
        published.folder,
        published,
    )


_ENTRIES = (
    DatasetEntry(
        "digits",
        "handwritten digits that come with scikit-learn",
        lambda request: synthetic.digits(),
        n_train=1437,
        n_test=360,
        shape=(8, 8, 1),
        n_classes=10,
    ),
    _public(MNIST, idx.load, "handwritten digits", (28, 28, 1), 60_000),
    _public(FASHION_MNIST, idx.load, "articles of clothing", (28, 28, 1), 60_000),
    _public(CIFAR10, cifar.load, "small colour photographs", (32, 32, 3), 50_000),
    DatasetEntry(
        folder.NAME,
        "your images, in one folder per class",
        lambda request: folder.load(request.root, request.image_size),
        n_train=None,
        n_test=None,
        shape=None,
        n_classes=None,
        folder=folder.NAME,
    ),
    DatasetEntry(
        "two-moons",
        "two interleaved half moons, binary",
        lambda request: synthetic.two_moons(),
        n_train=1000,
        n_test=400,
        shape=(2,),
        n_classes=2,
    ),
)

DATASETS: dict[str, DatasetEntry] = {entry.name: entry for entry in _ENTRIES}


def load(name: str, *, data_dir: Path | None = None, trust: bool = False, image_size: int = 64) -> Dataset:
    """Load a data set by its name.

    `trust` (or the environment variable APICAL_TRUST_DATA=1) accepts contents that differ from the published ones, with
    an entry in `warnings`; `image_size` is the side in pixels to which `imagenet-folder` scales. Raises InputError if
    the name is unknown, or files are missing, damaged or not the published ones.
    """
    return find(name).load(Request(data_root(data_dir), trust or _trusted(), image_size))


def find(name: str) -> DatasetEntry:
    """The entry of a data set; raises InputError with the list of names if there is none."""
    if name in DATASETS:
        return DATASETS[name]
    close = difflib.get_close_matches(name, DATASETS, n=1, cutoff=0.5)
    meant = f"did you mean {close[0]}? " if close else ""
    raise InputError(f"unknown data set {name!r}; {meant}There are: {', '.join(DATASETS)}")


def data_root(data_dir: Path | None) -> Path:
    """The folder that holds the folders of data: `data_dir`, else $APICAL_DATA, else the user's cache."""
    if chosen := data_dir or os.environ.get("APICAL_DATA"):
        return Path(chosen).expanduser()
    import pooch  # takes a tenth of a second to import

    return Path(pooch.os_cache("apical"))


def _trusted() -> bool:
    return os.environ.get("APICAL_TRUST_DATA", "") not in ("", "0")
