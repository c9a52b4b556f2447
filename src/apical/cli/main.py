"""The command `apical`: finds the sub-command, runs it, and turns a user's mistake into one line and exit code 2."""

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn, TextIO

from apical.errors import InputError

COMMANDS = {
    "train": "train one rule on one data set",
    "compare": "train several rules with several seeds and write the report",
    "study": "search the hyperparameters of a rule: does it learn wherever they are?",
    "report": "write the report of run or study folders",
    "reproduce": "make a figure, table or experiment of the literature again",
    "audit": "measure what each rule needs of a brain",
    "rules": "list the learning rules, or the hyperparameters of one",
    "cite": "print the BibTeX of a rule",
    "data": "list, download and verify data sets",
}
DONE, BAD_INPUT, INTERRUPTED = 0, 2, 130


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are `InputError`, one line as everywhere else."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see {self.prog} --help)")


def build_parser(only: str | None = None) -> Parser:
    """The parser with all sub-commands; the arguments of `only` that one where it is named, as others cost imports."""
    parser = Parser(prog="apical", description="Biologically plausible credit assignment, compared honestly.")
    parser.add_argument("--version", action="version", version=f"apical {version('apical')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, allow_abbrev=False)
        if only == name:
            module = importlib.import_module(f"apical.cli.{name}")
            command.description = getattr(module, "DESCRIPTION", text.capitalize() + ".")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit code: 0 done, 2 bad input, 130 interrupted."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    words = list(sys.argv[1:] if words is None else words)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            arguments = build_parser(next((w for w in words if w in COMMANDS), None)).parse_args(words)
            arguments.words = ["apical", *words]
            return arguments.run(arguments)
        except InputError as error:
            print(f"apical: error: {error}", file=sys.stderr)
            return BAD_INPUT
        except KeyboardInterrupt:
            print("apical: interrupted", file=sys.stderr)
            return INTERRUPTED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"apical: warning: {message}", file=sys.stderr)
