"""What every reproduction is asked, and what it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """How to make it: into which folder, at which size, with which data, started by which command.

    `full` asks for the published size where that takes days, `resume` goes on with what the folder holds.
    """

    out: Path
    quick: bool = False
    full: bool = False
    resume: bool = False
    data_dir: Path | None = None
    trust_data: bool = False
    command: str = ""


@dataclass(frozen=True)
class Reproduction:
    """A figure, table or experiment of the literature; `make` writes it and returns the path of its page.

    `make` raises InputError, before it writes anything, when data are missing. `options` names which of `full` and
    `resume` it knows.
    """

    name: str
    title: str
    source: str
    make: Callable[[Request], Path]
    options: frozenset[str] = frozenset()
