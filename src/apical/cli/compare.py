"""`apical compare`: several rules, several seeds, one report."""

import argparse
import sys
from pathlib import Path

from apical.cli.options import add_data, add_output, add_training, load_data, names

DESCRIPTION = (
    "Train several rules (default: all that fit) with several seeds on one data set, each in the setting it declares, "
    "and write comparison.csv and report.html."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `apical compare`."""
    parser.add_argument("--rules", type=names, metavar="a,b", help="rules of `apical rules` (default: all that fit)")
    parser.add_argument("--seeds", type=int, default=3, metavar="K", help="seeds 0 to K - 1 (default: 3)")
    add_data(parser)
    add_training(parser)
    add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train all, write the report, print the table, and return the exit code."""
    from apical.cli.main import DONE, INTERRUPTED
    from apical.files import check_out
    from apical.training.compare import Plan, compare
    from apical.training.config import Request
    from apical.training.environment import describe
    from apical.training.interrupt import Interrupt
    from apical.training.progress import Progress

    check_out(arguments.out, arguments.resume)
    given = ("network", "hidden", "epochs", "batch_size", "examples", "log_every")
    name, size = arguments.dataset or "digits", arguments.image_size or 64
    arguments.dataset = name
    dataset = load_data(arguments, size)
    request = Request("", name, image_size=size, **{key: getattr(arguments, key) for key in given})
    plan = Plan.of(arguments.rules, arguments.seeds, request, dataset)
    if plan.left_out:
        print(f"apical: left out, as they do not learn {dataset.task}: {', '.join(plan.left_out)}", file=sys.stderr)
    with Interrupt() as interrupt, Progress(plan.n_segments(dataset), quiet=arguments.quiet) as progress:
        compare(plan, dataset, arguments.out, describe(dataset, arguments.words), interrupt, progress)
    if interrupt.requested:
        print(f"interrupted; add --resume to go on. {arguments.out}")
        return INTERRUPTED
    _show(arguments.out)
    return DONE


def _show(out: Path) -> None:
    """Write the report and print its table and where it is."""
    from rich.console import Console

    from apical.cli.results import results_table
    from apical.report import write_report

    page = write_report([out], out)
    Console().print(results_table(out))
    print(page)
