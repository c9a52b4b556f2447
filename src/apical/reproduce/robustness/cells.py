"""The cells of Figure 7: a model on a data set, each a study folder, all with the same budget."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from apical.data.dataset import Dataset
from apical.data.registry import load
from apical.report.studies.read import Study, read_studies
from apical.report.theme import RULE_STYLES, Style
from apical.reproduce.base import Request
from apical.study.plan import Plan
from apical.study.storage import need_extra
from apical.training.config import Request as Asked
from apical.training.environment import describe
from apical.training.interrupt import Interrupt
from apical.training.progress import Progress

ROUND = 2
DENDRITES = "dendrites"


@dataclass(frozen=True)
class Size:
    """The budget of every cell; `examples` none are all. `fixed` is not searched of segregated dendrites, nor
    architecture where `hidden` is given."""

    datasets: tuple[str, ...]
    examples: int | None
    epochs: int
    trials: int
    space: str
    sampler: str
    fixed: tuple[tuple[str, float], ...] = ()
    hidden: tuple[int, ...] | None = None
    folds: int = 3


PUBLISHED_SETS = ("mnist", "fashion-mnist", "cifar10")
ONE_MS = (("dt_ms", 1.0),)
QUICK = Size(("digits",), 200, 2, 2, "lange-2019-small", "random", ONE_MS, hidden=(50,), folds=2)
REDUCED = Size(PUBLISHED_SETS, 3_000, 3, 25, "lange-2019-small", "random", ONE_MS)
FULL = Size(PUBLISHED_SETS, None, 10, 50, "lange-2019", "gp-ucb")


@dataclass(frozen=True)
class Model:
    """What is searched: a rule on a network under a protocol. `key` names the review's model it stands beside."""

    name: str
    label: str
    key: str
    rule: str
    network: str
    style: Style
    protocol: str = "apical"


MODELS = (
    Model("mlp", "Backprop, fully connected", "mlp", "backprop", "mlp", RULE_STYLES["backprop"]),
    Model("cnn", "Backprop, convolutional", "cnn", "backprop", "cnn", Style("#009e73", "dash", "square")),
    Model(
        "published",
        "Segregated dendrites, last ms",
        DENDRITES,
        "segregated-dendrites",
        "mlp",
        Style("#d55e00", "dot", "triangle"),
        "lange-2019",
    ),
    Model(
        "corrected",
        "Segregated dendrites, means",
        DENDRITES,
        "segregated-dendrites",
        "mlp",
        RULE_STYLES["segregated-dendrites"],
    ),
)


@dataclass(frozen=True, eq=False)
class Cell:
    """A model on a data set, and the study that was made of it."""

    model: Model
    dataset: str
    study: Study


def size_of(request: Request) -> Size:
    """The budget that was asked for."""
    return QUICK if request.quick else FULL if request.full else REDUCED


def plan(model: Model, dataset: str, size: Size, trials: int) -> Plan:
    """The study of a cell, in the review's space with the review's sampler."""
    asked = Asked(
        model.rule,
        dataset,
        "lange-2019",
        model.network,
        size.hidden,
        examples=size.examples,
        epochs=size.epochs,
        settings={"protocol": model.protocol} | (dict(size.fixed) if model.key == DENDRITES else {}),
    )
    return Plan(asked, trials, size.folds, size.space, size.sampler)


def searched(request: Request, interrupt: Interrupt) -> list[Cell]:
    """Makes what is left of the studies of all cells, until an interrupt, and reads them back.

    Cells take turns in rounds of a few trials, so that all of them have had about the same budget whenever it ends.

    **Raises** `InputError` before anything is written when data or the extra `study` are missing.
    """
    need_extra()
    size = size_of(request)
    sets = [load(name, data_dir=request.data_dir, trust=request.trust_data) for name in size.datasets]
    for trials, model, dataset in _turns(size, sets):
        if not interrupt.requested:
            _search(plan(model, dataset.name, size, trials), dataset, model, request, interrupt)
    return [cell for dataset in size.datasets for cell in cells(request.out, dataset)]


def _turns(size: Size, sets: Sequence[Dataset]) -> Iterator[tuple[int, Model, Dataset]]:
    """Data sets innermost: they share the programs of a model's settings."""
    for trials in [*range(ROUND, size.trials, ROUND), size.trials]:
        yield from ((trials, model, dataset) for model in MODELS for dataset in sets)


def _search(plan: Plan, dataset: Dataset, model: Model, request: Request, interrupt: Interrupt) -> None:
    from apical.study.run import prepare, run_study  # needs the extra

    out = folder(request.out, model, dataset.name)
    about = describe(dataset, shlex.split(request.command))
    with Progress(plan.trials) as progress:
        run_study(prepare(plan, dataset, out), out, None, about, interrupt, progress)


def folder(out: Path, model: Model, dataset: str) -> Path:
    """Where the study of a cell lies."""
    return out / "studies" / f"{dataset}-{model.name}"


def cells(out: Path, dataset: str) -> list[Cell]:
    """The cells of a data set, read back: those that have a trial."""
    there = [model for model in MODELS if (folder(out, model, dataset) / "study.json").exists()]
    pairs = zip(there, read_studies([folder(out, model, dataset) for model in there]), strict=True)
    return [Cell(m, dataset, replace(s, label=m.label, style=m.style)) for m, s in pairs]
