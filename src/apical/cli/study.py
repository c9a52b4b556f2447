"""`apical study`: many settings of one rule, each judged on folds."""

import argparse
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from apical.cli.options import add_data, add_output, add_training, load_data
from apical.errors import InputError

if TYPE_CHECKING:
    from apical.study.plan import Plan

DESCRIPTION = (
    "Search the hyperparameters of a rule, each setting judged by its accuracy on K folds of the training data, and "
    "write trials.csv and study.json. `apical report` compares studies."
)
DECIDED = ("network", "hidden", "epochs", "batch_size", "examples", "log_every")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `apical study`."""
    parser.add_argument("rule", metavar="RULE", help="a rule of `apical rules`")
    parser.add_argument("--trials", type=int, default=25, metavar="T", help="settings in all (default: 25)")
    parser.add_argument("--folds", type=int, default=3, metavar="K", help="stratified folds (default: 3)")
    parser.add_argument("--preset", metavar="P", help="where it starts (default: the space's, or what compare uses)")
    parser.add_argument(
        "--space", default="own", metavar="S", help="own, lange-2019, lange-2019-small, -draft or -numbers"
    )
    parser.add_argument("--sampler", default="gp-ucb", metavar="NAME", help="gp-ucb, gp-ei, random, tpe, qmc or nsga2")
    parser.add_argument("--kernel", metavar="NAME", help="of the Gaussian process: matern (5/2) or squared-exponential")
    parser.add_argument("--kappa", type=float, metavar="X", help="of gp-ucb: standard deviations added (default: 2.5)")
    parser.add_argument("--time-limit", type=float, default=3600.0, metavar="S", help="seconds a trial may take")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of folds, weights and search (default: 0)")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="key=value", help="not searched")
    parser.add_argument("--storage", metavar="URL", help="of Optuna, shared by coordinators (default: a file in --out)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, metavar="N", help="processes on this machine, one thread each")
    where.add_argument("--dask", metavar="ADDRESS", help="scheduler of a Dask cluster")
    add_data(parser)
    add_training(parser)
    add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run what is left of the study, print the best, and return the exit code."""
    from apical.cli.main import DONE, INTERRUPTED
    from apical.files import check_out
    from apical.study.storage import need_extra
    from apical.training.config import data_options
    from apical.training.environment import describe
    from apical.training.interrupt import Interrupt
    from apical.training.progress import Progress

    check_out(arguments.out, arguments.resume)
    need_extra()
    if arguments.workers is not None and arguments.workers < 1:
        raise InputError(f"--workers {arguments.workers}: give at least one")
    from apical.study.run import prepare, run_study

    arguments.dataset = arguments.dataset or "digits"
    plan = _plan(arguments)
    dataset = load_data(arguments, plan.request.image_size, data_options(plan.request))
    evaluator = prepare(plan, dataset, arguments.out)
    about, make = describe(dataset, arguments.words), _executor(arguments)
    with Interrupt() as interrupt, Progress(plan.trials, quiet=arguments.quiet) as progress:
        table = run_study(evaluator, arguments.out, arguments.storage, about, interrupt, progress, make)
    print(_said(table, str(arguments.out)))
    return INTERRUPTED if interrupt.requested and table["status"] != "finished" else DONE


def _plan(arguments: argparse.Namespace) -> "Plan":
    from apical.rules.registry import find
    from apical.study.plan import KAPPA, Plan
    from apical.study.spaces import find_space
    from apical.training.config import Request, parse_settings

    rule, space = find(arguments.rule), find_space(arguments.space)
    preset = arguments.preset or (space.ranges if space.ranges in rule.presets else rule.compared or None)
    settings = parse_settings(arguments.rule, arguments.network, preset, arguments.set, arguments.dataset)
    given = {name: getattr(arguments, name) for name in DECIDED}
    name, size = arguments.dataset, arguments.image_size or 64
    request = Request(arguments.rule, name, preset, seed=arguments.seed, image_size=size, settings=settings, **given)
    for option, user in (("kernel", "gp-"), ("kappa", "gp-ucb")):
        if getattr(arguments, option) is not None and not arguments.sampler.startswith(user):
            raise InputError(f"--{option} does nothing under --sampler {arguments.sampler}: leave it out")
    return Plan(
        request,
        arguments.trials,
        arguments.folds,
        arguments.space,
        arguments.sampler,
        arguments.kernel or "matern",
        KAPPA if arguments.kappa is None else arguments.kappa,
        arguments.time_limit,
    )


def _executor(arguments: argparse.Namespace) -> Callable[..., Any]:
    """What makes the executor that was asked for."""
    if arguments.dask:
        from apical.study.dask_workers import DaskWorkers

        return lambda evaluator, stop: DaskWorkers(arguments.dask, evaluator.plan)
    if arguments.workers:
        from apical.study.local_workers import LocalWorkers

        data = os.environ.get("APICAL_DATA", "") if arguments.data_dir is None else str(arguments.data_dir)
        trust = "1" if arguments.trust_data else os.environ.get("APICAL_TRUST_DATA", "")
        environment = {k: v for k, v in (("APICAL_DATA", data), ("APICAL_TRUST_DATA", trust)) if v}
        return lambda evaluator, stop: LocalWorkers(arguments.workers, evaluator.plan, environment)
    from apical.study.execution import InProcess

    return InProcess


def _said(table: dict[str, Any], out: str) -> str:
    """How a study ended, in a line."""
    done = f"{table['done']} of {table['trials']} trials"
    if table["status"] != "finished":
        return f"{table['rule']}: interrupted after {done}; add --resume to go on. {out}"
    best, chosen = table["best_value"], {k: v for k, v in table["best"].items() if k != "trial"}
    shown = ", ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in chosen.items())
    return f"{table['rule']} on {table['dataset']}: {done}; best accuracy {best:.4f} with {shown}. {out}"
