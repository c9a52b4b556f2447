"""`apical reproduce`: a figure, table or experiment of the literature, made again."""

import argparse
import shlex
from pathlib import Path

from apical.errors import InputError

DESCRIPTION = "Make a figure, table or experiment of the literature again; --list shows the names."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `apical reproduce`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="what to make")
    parser.add_argument("--list", action="store_true", help="list the names")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="at a size that takes a minute at most")
    size.add_argument("--full", action="store_true", help="at the published size, where that takes days")
    parser.add_argument("--resume", action="store_true", help="go on with what the folder holds, where it can")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder to write, new or empty")
    parser.add_argument(
        "--data-dir", type=Path, help="where data sets lie (default: $APICAL_DATA, else the user cache)"
    )
    parser.add_argument("--trust-data", action="store_true", help="use files that differ from the published ones")


def run(arguments: argparse.Namespace) -> int:
    """Print the list, or make the thing and print where its page is."""
    from apical.files import check_out
    from apical.reproduce.base import Request
    from apical.reproduce.registry import REPRODUCTIONS, find

    if arguments.list:
        width = max(map(len, REPRODUCTIONS))
        print("\n".join(f"{r.name:{width}} {r.title} ({r.source})" for r in REPRODUCTIONS.values()))
        return 0
    if arguments.name is None or arguments.out is None:
        raise InputError(
            "give a name and a folder, as in `apical reproduce figure-4 --out DIR` (--list shows the names)"
        )
    chosen = find(arguments.name)
    for option in ("full", "resume"):
        if getattr(arguments, option) and option not in chosen.options:
            raise InputError(f"--{option} does nothing for {chosen.name}: leave it out")
    check_out(arguments.out, arguments.resume, "resume" in chosen.options)
    request = Request(
        arguments.out,
        arguments.quick,
        arguments.full,
        arguments.resume,
        arguments.data_dir,
        arguments.trust_data,
        shlex.join(arguments.words),
    )
    print(chosen.make(request))
    return 0
