"""`apical report`: the page, figures and tables of run folders."""

import argparse
from pathlib import Path

DESCRIPTION = (
    "Write the report of run folders, or of studies: a self-contained page, figures (PDF, PNG), tables (CSV, LaTeX)."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `apical report`."""
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="folder with runs, at any depth")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write report.html into")


def run(arguments: argparse.Namespace) -> int:
    """Write the report and print where it is; raises InputError without runs, or where --out is a file."""
    # Imported here because plotting libraries take seconds that no other command should wait for.
    from apical.report import write_report

    print(write_report(arguments.folders, arguments.out))
    return 0
