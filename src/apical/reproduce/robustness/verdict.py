"""What the review says of robustness beside what the studies show."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from apical.report.statistics import summarise
from apical.report.studies.read import Study
from apical.report.studies.statistics import Estimate, Statistic, estimate, share_below
from apical.report.theme import dataset_name
from apical.reproduce.page import Claim
from apical.reproduce.robustness.cells import Cell

NEAR = 1.2


class Theirs(NamedTuple):
    """A cell of the review, from its logs: best and median accuracy, share below 0.2, evaluations."""

    best: float
    median: float
    low: float
    trials: int


THEIRS = {
    ("mlp", "mnist"): Theirs(0.968, 0.924, 0.0, 50),
    ("mlp", "fashion-mnist"): Theirs(0.872, 0.842, 0.06, 50),
    ("mlp", "cifar10"): Theirs(0.453, 0.400, 0.14, 50),
    ("cnn", "mnist"): Theirs(0.990, 0.980, 0.0, 50),
    ("cnn", "fashion-mnist"): Theirs(0.909, 0.883, 0.0, 50),
    ("cnn", "cifar10"): Theirs(0.531, 0.472, 0.0, 50),
    ("dendrites", "mnist"): Theirs(0.930, 0.880, 0.34, 41),
    ("dendrites", "fashion-mnist"): Theirs(0.865, 0.130, 0.53, 30),
    ("dendrites", "cifar10"): Theirs(0.371, 0.119, 0.74, 23),
}


def by_model(cells: Sequence[Cell]) -> dict[str, dict[str, Study]]:
    """The studies of each data set by the name of their model."""
    found: dict[str, dict[str, Study]] = {}
    for cell in cells:
        found.setdefault(cell.dataset, {})[cell.model.name] = cell.study
    return found


def claims(cells: Sequence[Cell]) -> list[Claim]:
    """The review's claims beside what is found, for every data set."""
    return [claim for name, of in by_model(cells).items() for claim in _claims(dataset_name(name), of)]


def _claims(title: str, of: dict[str, Study]) -> list[Claim]:
    said = [(f"{title}: backprop is extremely robust", _shares(of[name] for name in ("mlp", "cnn") if name in of))]
    if "published" in of and "corrected" in of:
        last, means = of["published"], of["corrected"]
        found = f"{_shares((last, means))}; {paired(last, means)}"
        said.append((f"{title}: many settings of segregated dendrites do not learn at all", found))
        said.append((f"{title}: settings that send spikes", f"{paths(last)}; with means {paths(means)}"))
    return said


def low(study: Study) -> Statistic:
    """The share of trials below twice chance, the review's 0.2."""
    return share_below(2 * study.chance)


def _shares(studies: Iterable[Study]) -> str:
    return ", ".join(f"{s.label}: {_text(estimate(s.values, low(s)))} of settings below twice chance" for s in studies)


def _text(found: Estimate) -> str:
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def paired(last: Study, means: Study) -> str:
    """How the same settings fare with means instead of the last step, in words."""
    shared = [name for name in last.columns if name in means.columns]
    n = min(len(last.values), len(means.values))
    same = np.array([all(last.columns[k][i] == means.columns[k][i] for k in shared) for i in range(n)], dtype=bool)
    gain = summarise((means.values[:n] - last.values[:n])[same])
    return "no setting is in both" if gain is None else f"means gain {gain.text('.3f')} over {gain.n} settings in both"


def spiking(study: Study) -> Bool[np.ndarray, " trials"]:
    """Which trials send spikes on either path."""
    columns = (study.columns["spiking_feedforward"], study.columns["spiking_feedback"])
    return np.array([any(pair) for pair in zip(*columns, strict=True)], dtype=bool)


def paths(study: Study) -> str:
    """How many trials with and without spikes stay at chance, in words."""
    sends, at_chance = spiking(study), study.values < NEAR * study.chance
    with_, without = ((at_chance & group).sum() for group in (sends, ~sends))
    return (
        f"{with_} of {sends.sum()} with spikes are within {NEAR:g} times chance, {without} of {(~sends).sum()} without"
    )


def seen(cells: Sequence[Cell]) -> str:
    """What one sees, in numbers."""
    parts = [
        f"{dataset_name(name)}: " + ", ".join(f"{s.label} {low(s)(s.values):.2f}" for s in of.values())
        for name, of in by_model(cells).items()
    ]
    return f"Share of settings below twice chance. {'; '.join(parts)}."
