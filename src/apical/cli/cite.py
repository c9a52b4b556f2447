"""`apical cite`: the papers behind a rule, as BibTeX."""

import argparse

DESCRIPTION = "Print the BibTeX of the paper, or papers, a rule comes from."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `apical cite`."""
    parser.add_argument("rule", metavar="RULE", help="a rule of `apical rules`")


def run(arguments: argparse.Namespace) -> int:
    """Print the entries."""
    from apical.rules.registry import citation, find

    print(citation(find(arguments.rule)))
    return 0
