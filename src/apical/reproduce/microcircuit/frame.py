"""What every experiment here leaves: figures, a table, and a page that sets its numbers beside the published ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from apical.files import write_atomically
from apical.report import AnyFigure, Series, markup, render_static, write_page
from apical.report.statistics import summarise
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.page import as_csv, how, table

TWO = 2
READING = "Here: means over seeds with their 95 % intervals in brackets; of two seeds both values."
DT_MS = 0.1
LATENT = {"without latent equilibrium": False, "with latent equilibrium": True}
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#c8659b", "#e69f00", "#56b4e9", "#332288", "#111111", "#882255")


@dataclass(frozen=True)
class Beside:
    """A published number and ours, both as text."""

    what: str
    published: str
    ours: str


@dataclass(frozen=True)
class Findings:
    """What came out: a headline, figures, a table of every number drawn, numbers side by side, and words on how."""

    headline: str
    figures: tuple[AnyFigure, ...]
    columns: tuple[str, ...]
    rows: Sequence[tuple]
    beside: tuple[Beside, ...] = ()
    texts: tuple[str, ...] = ()


def experiment(name: str, title: str, source: str, run: Callable[[Request], Findings]) -> Reproduction:
    """The reproduction that runs this and writes what it found."""

    def make(request: Request) -> Path:
        return written(name, title, run(request), request)

    return Reproduction(name, title, source, make)


def written(name: str, title: str, found: Findings, request: Request) -> Path:
    """Figures, NAME.csv and NAME.html in the request's folder; returns the page."""
    for figure in found.figures:
        render_static(figure, request.out / "figures" / figure.name)
    write_atomically(request.out / f"{name}.csv", as_csv(found.columns, found.rows))
    blocks = [
        markup.paragraph(found.headline, "headline"),
        *found.figures,
        *([_beside(found.beside)] if found.beside else []),
        how(found.texts, request.command),
    ]
    return write_page(title, blocks, request.out / f"{name}.html")


def _beside(pairs: Sequence[Beside]) -> str:
    numbers = table(("", "Published", "Here"), [(p.what, p.published, p.ours) for p in pairs])
    return (
        f'<section class="section"><h2>Beside the published numbers</h2>{numbers}{markup.paragraph(READING)}</section>'
    )


def curve(
    label: str,
    colour: str,
    x: Float[np.ndarray, " points"],
    values: Float[np.ndarray, "points seeds"],
    points: bool = False,
    geometric: bool = False,
) -> Series:
    """Mean over seeds and the range from the lowest to the highest; where `geometric`, the mean of logarithms."""
    mean = np.exp(np.log(values).mean(1)) if geometric else values.mean(1)
    band = (values.min(1), values.max(1)) if values.shape[1] > 1 else (None, None)
    kind = "point" if points else "line"
    return Series(label, colour, np.asarray(x, float), mean.astype(float), *band, kind=kind)


def mean(values: Float[np.ndarray, " seeds"], geometric: bool) -> float:
    """The mean over seeds, where `geometric` of the logarithm."""
    return float(np.exp(np.log(values).mean()) if geometric else values.mean())


def spread(values: Float[np.ndarray, " seeds"], digits: int = 3) -> str:
    """The mean over seeds with its 95 % interval, as text; of two seeds both values, as two hardly make an interval."""
    if len(values) == TWO:
        return " and ".join(f"{value:.{digits}g}" for value in sorted(values))
    found = summarise(map(float, values))
    return "none finite" if found is None else found.text(f".{digits}g")


def share(values: Float[np.ndarray, " seeds"]) -> str:
    """How many of the seeds are right throughout, as text."""
    return f"{int((values >= 1).sum())} of {len(values)}"


def ends(values: Sequence[Float[np.ndarray, "*_"]]) -> tuple[float, float]:
    """Limits of an axis that shows all of these values, with room on either side."""
    low, high = min(v.min() for v in values), max(v.max() for v in values)
    return float(low - 0.05 * (high - low)), float(high + 0.05 * (high - low))
