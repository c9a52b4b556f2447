"""`apical train`: one rule, one data set, one seed."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from apical.cli.options import add_data, add_output, add_training, load_data
from apical.errors import InputError
from apical.tasks import MEASURES

if TYPE_CHECKING:
    from apical.data.dataset import Dataset
    from apical.hyperparameters import Value
    from apical.training.config import Config, Request

DESCRIPTION = (
    "Train one rule on one data set and leave a run folder: configuration, metrics, summary, weights, checkpoint."
)
DECIDED = (
    "preset",
    "network",
    "hidden",
    "epochs",
    "batch_size",
    "examples",
    "seed",
    "log_every",
    "image_size",
    "dataset",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `apical train`."""
    parser.add_argument("rule", nargs="?", metavar="RULE", help="a rule of `apical rules`")
    parser.add_argument("--preset", metavar="P", help="a named setting of the rule")
    add_data(parser)
    add_training(parser)
    parser.add_argument("--seed", type=int, metavar="S", help="everything random follows from it (default: 0)")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="key=value", help="hyperparameters")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="a config.toml to repeat; other options go before it"
    )
    add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, print how it ended, and return the exit code."""
    from apical.files import check_out
    from apical.training.config import data_options, read_config, resolve

    base = read_config(arguments.config) if arguments.config else None
    _check_rule(arguments, base)
    check_out(arguments.out, arguments.resume)
    size = arguments.image_size or (base.image_size if base else 64)
    arguments.dataset = arguments.dataset or (base.dataset if base else "digits")
    request, before = _request(arguments, base)
    dataset = load_data(arguments, size, data_options(request, before))
    return _train(arguments, resolve(request, dataset), dataset)


def _check_rule(arguments: argparse.Namespace, base: "Config | None") -> None:
    from apical.rules.registry import find

    if arguments.rule is None and base is None:
        raise InputError("name a rule, as in `apical train backprop --out DIR` (`apical rules` lists them)")
    arguments.rule = arguments.rule or (base.rule if base else "")
    find(arguments.rule)
    if base and base.rule != arguments.rule:
        raise InputError(f"{arguments.config} is of the rule {base.rule}, not {arguments.rule}: leave the name out")


def _request(arguments: argparse.Namespace, base: "Config | None") -> "tuple[Request, Mapping[str, Value] | None]":
    """What the command line gives, before what a new protocol sets, before the file; and the file's data options."""
    from apical.training.config import Request, parse_settings, under

    given = {name: getattr(arguments, name) for name in DECIDED if getattr(arguments, name) is not None}
    named = given if base is None else {"network": base.network, "preset": base.preset} | given
    chosen = named.get("network"), named.get("preset")
    pairs = parse_settings(arguments.rule, *chosen, arguments.set, arguments.dataset)
    if base is None:
        return Request(arguments.rule, settings=pairs, **given), None
    same = arguments.dataset == base.dataset
    base = under(base, str(pairs.get("protocol", base.protocol)), pairs)
    kept = {name: getattr(base, name) for name in DECIDED if getattr(base, name) is not None}
    before = dict(base.settings) | {"protocol": base.protocol}
    return Request(arguments.rule, settings=before | pairs, **(kept | given)), base.data if same else None


def _train(arguments: argparse.Namespace, config: "Config", dataset: "Dataset") -> int:
    from apical.cli.main import DONE, INTERRUPTED
    from apical.training import run_folder
    from apical.training.run import run

    summary = run(config, dataset, arguments.out, arguments.words, arguments.quiet)
    print(_result(summary, arguments.out))
    return INTERRUPTED if summary["status"] == run_folder.INTERRUPTED else DONE


def _result(summary: dict, out: Path) -> str:
    """The end of a run in a line."""
    if summary["status"] == "interrupted":
        return f"{summary['rule']}: interrupted; add --resume to go on. {out}"
    ended = f"{summary['rule']} on {summary['dataset']}: {summary['status']}"
    return f"{ended}; {_scores(summary)}; {summary['seconds']:.1f} s. {out}"


def _scores(summary: dict) -> str:
    """What the run is judged by, on every part that has it."""
    for key, words in MEASURES.items():
        values = [(part, summary.get(f"{part}_{key}")) for part in ("train", "validation", "test")]
        if shown := ", ".join(f"{part} {value:.4f}" for part, value in values if value is not None):
            return f"{words} {shown}"
    return "no score"
