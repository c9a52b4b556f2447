"""`apical audit`: what each rule needs of a brain, measured from its program."""

import argparse
import shlex
from pathlib import Path

from apical.cli.options import names

DESCRIPTION = (
    "Measure properties that bear on biology (weight transport, separate pathways, phases, ...) from the update of "
    "each rule, and write audit.csv, audit.html and audit.tex."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `apical audit`."""
    parser.add_argument("--rules", type=names, metavar="a,b", help="rules of `apical rules` (default: all)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write, new or empty")


def run(arguments: argparse.Namespace) -> int:
    """Measure, write, print the table and where the page is."""
    from rich.console import Console
    from rich.progress import track

    from apical.audit.audit import audit
    from apical.audit.page import write_audit
    from apical.audit.tables import audit_table
    from apical.files import check_out
    from apical.rules.registry import RULES, find

    chosen = arguments.rules or tuple(RULES)
    for name in chosen:
        find(name)
    check_out(arguments.out, resume=False, resumable=False)
    steps = track(audit(chosen), "audit", len(chosen), console=Console(stderr=True), transient=True)
    findings = [finding for found in steps for finding in found]
    page = write_audit(findings, shlex.join(arguments.words), arguments.out)
    Console().print(audit_table(findings))
    print(page)
    return 0
