"""`apical data`: list the data sets, download one, verify one."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from apical.cli.options import declared
from apical.data import contents, folder
from apical.data.dataset import Examples
from apical.data.registry import DATASETS, DatasetEntry, data_root, find, load
from apical.errors import InputError
from apical.tasks import CLASSIFICATION

BATCH = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|fetch|verify")
    listing = actions.add_parser("list", help="what there is, and whether its files are found; of one set its options")
    listing.add_argument("name", nargs="?", metavar="NAME", help="list what can be set of this one")
    fetching = actions.add_parser("fetch", help="download the public files of a data set")
    verifying = actions.add_parser("verify", help="compare the files of a data set with the published contents")
    for action in (fetching, verifying):
        action.add_argument("name", metavar="NAME", help="a data set of `apical data list`")
    for action in (listing, fetching, verifying):
        action.add_argument("--data-dir", type=Path, help="the data root (default: $APICAL_DATA, else the user cache)")
    verifying.add_argument("--trust-data", action="store_true", help="list files that differ instead of failing")


def run(arguments: argparse.Namespace) -> int:
    """Run a sub-command and return the exit code; raises InputError for a mistake of the user."""
    if arguments.action == "list" and arguments.name:
        print(_options(find(arguments.name)))
    elif arguments.action == "list":
        print(_table(data_root(arguments.data_dir)))
    elif arguments.action == "fetch":
        _fetch(find(arguments.name), data_root(arguments.data_dir))
    else:
        _verify(find(arguments.name), arguments.data_dir, arguments.trust_data)
    return 0


def _table(root: Path) -> str:
    head = ("name", "train", "test", "shape", "classes", "files", "looked for in")
    rows = [head, *(_row(entry, root) for entry in DATASETS.values())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _options(entry: DatasetEntry) -> str:
    lines = declared(entry.options) or ["  none"]
    return "\n".join([f"{entry.name}: {entry.summary} ({entry.task})", "", "options (--set key=value)", *lines])


def _row(entry: DatasetEntry, root: Path) -> tuple[str, ...]:
    shape = "x".join(map(str, entry.shape)) if entry.shape else "yours"
    sizes = ["yours" if size is None else f"{size:,}" for size in (entry.n_train, entry.n_test, entry.n_outputs)]
    kind = "" if entry.task == CLASSIFICATION else " values"
    files = "none needed" if entry.folder is None else "found" if _is_there(entry, root) else "missing"
    return (
        entry.name,
        sizes[0],
        sizes[1],
        shape,
        sizes[2] + kind,
        files,
        str(root / entry.folder) if entry.folder else "-",
    )


def _is_there(entry: DatasetEntry, root: Path) -> bool:
    try:
        if entry.published:
            contents.locate(entry.published, root)
        else:
            folder.find(root)
    except InputError:
        return False
    return True


def _fetch(entry: DatasetEntry, root: Path) -> None:
    if entry.folder is None:
        print(f"{entry.name} needs no files")
        return
    if entry.published is None:
        raise InputError(f"{entry.name} cannot be downloaded; put your images into {root / entry.folder}")
    from apical.data.fetch import fetch  # brings the network client, which the other commands do not need

    with _progress_bar() as progress:
        where = fetch(entry.published, root, progress=progress)
    print(f"{entry.name} is complete in {where}")


@contextmanager
def _progress_bar() -> Iterator[Callable[[str, int, int | None], None]]:
    """A function that draws progress on standard error, or nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, TaskID] = {}

        def draw(name: str, n_done: int, n_total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name)
            bar.update(tasks[name], completed=n_done, total=n_total)

        yield draw


def _verify(entry: DatasetEntry, data_dir: Path | None, trust: bool) -> None:
    dataset = load(entry.name, data_dir=data_dir, trust=trust)
    for part in (dataset.train, dataset.test):
        _read_through(part)
    wrong = contents.differing(entry.published, dataset.checksums) if entry.published else ()
    for name, digest in dataset.checksums.items():
        print(f"{name}  {digest}  {'differs' if name in wrong else 'ok'}")


def _read_through(examples: Examples) -> None:
    """Decode every streamed image once, so that a damaged one is found."""
    if not examples.resident:
        for start in range(0, len(examples), BATCH):
            examples.take(np.arange(start, min(start + BATCH, len(examples))))
