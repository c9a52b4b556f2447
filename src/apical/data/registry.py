"""The one list of data sets: what `--dataset` accepts, and how each is loaded."""

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from apical.data import cifar, folder, idx, synthetic
from apical.data.dataset import Dataset
from apical.data.generated import Bars, Generated, SelfPrediction, Teacher
from apical.data.published import CIFAR10, FASHION_MNIST, MNIST, Published
from apical.data.yin_yang import YinYang
from apical.errors import InputError
from apical.hyperparameters import Hyperparameter, Value, complete, declarations
from apical.tasks import CLASSIFICATION, REGRESSION


@dataclass(frozen=True)
class Request:
    """What a loader may need: data root, whether unpublished contents are trusted, side of scaled images, options."""

    root: Path
    trust: bool
    image_size: int
    options: Mapping[str, Value]


@dataclass(frozen=True)
class DatasetEntry:
    """A data set in the list; sizes are None where they depend on the user's files, and those of the default options.

    `options` declares what can be set of it. `folder` is looked for under the data root, and None for sets that need no
    files; `published` describes those that can be downloaded.
    """

    name: str
    summary: str
    load: Callable[[Request], Dataset]
    n_train: int | None
    n_test: int | None
    shape: tuple[int, ...] | None
    n_outputs: int | None
    folder: str | None = None
    published: Published | None = None
    task: str = CLASSIFICATION
    options: Mapping[str, Hyperparameter] = field(default_factory=dict)


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


def _generated(
    name: str,
    made: type[Generated],
    summary: str,
    sizes: tuple[int, int],
    shape: tuple[int, ...],
    n_outputs: int,
    task: str,
) -> DatasetEntry:
    load = lambda request: made(**request.options).dataset()  # noqa: E731
    return DatasetEntry(name, summary, load, *sizes, shape, n_outputs, task=task, options=declarations(made))


_ENTRIES = (
    DatasetEntry(
        "digits",
        "handwritten digits that come with scikit-learn",
        lambda request: synthetic.digits(),
        n_train=1437,
        n_test=360,
        shape=(8, 8, 1),
        n_outputs=10,
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
        n_outputs=None,
        folder=folder.NAME,
    ),
    DatasetEntry(
        "two-moons",
        "two interleaved half moons, binary",
        lambda request: synthetic.two_moons(),
        n_train=1000,
        n_test=400,
        shape=(2,),
        n_outputs=2,
    ),
    _generated("bars", Bars, "the rows, columns and diagonals of a 3x3 image", (8, 8), (3, 3, 1), 3, CLASSIFICATION),
    _generated("yin-yang", YinYang, "points of a disc, by where they are in it", (5000, 1000), (4,), 3, CLASSIFICATION),
    _generated("teacher", Teacher, "the answers of a random network", (10_000, 2000), (15,), 5, REGRESSION),
    _generated(
        "self-prediction", SelfPrediction, "random inputs, nothing to answer", (1000, 2000), (5,), 3, REGRESSION
    ),
)

DATASETS: dict[str, DatasetEntry] = {entry.name: entry for entry in _ENTRIES}


def load(
    name: str,
    *,
    data_dir: Path | None = None,
    trust: bool = False,
    image_size: int = 64,
    options: Mapping[str, Value] | None = None,
) -> Dataset:
    """Load a data set by its name, with its options where they are not the defaults.

    `trust` (or the environment variable APICAL_TRUST_DATA=1) accepts contents that differ from the published ones, with
    an entry in `warnings`; `image_size` is the side in pixels to which `imagenet-folder` scales. Raises InputError if
    the name or an option is unknown or not valid, or files are missing, damaged or not the published ones.
    """
    entry = find(name)
    chosen = complete(f"option of {name}", entry.options, options or {})
    loaded = entry.load(Request(data_root(data_dir), trust or _trusted(), image_size, chosen))
    return replace(loaded, options=chosen)


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
