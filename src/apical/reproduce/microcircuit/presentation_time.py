"""How short a presentation may be: with latent equilibrium shorter than the cells' time constants, without it not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from apical.hyperparameters import Value
from apical.report import Axis, Figure, Panel, Reference, Series
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, curve, experiment, share, spread
from apical.reproduce.microcircuit.lanes import dataset_for, made, train_lanes
from apical.reproduce.microcircuit.measures import bars_probe

PRESET = "haider-2021-bars"
TIMES_MS = (0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
SEEDS, EPOCHS = 9, 1000
QUICK_SEEDS, QUICK_EPOCHS, QUICK_TIMES_MS = 2, 200, (0.5, 2.0, 10.0)
LAG = 0.16
N_LAST, EVERY = 10, 10
TAU_MS = 5.26


@dataclass(frozen=True)
class Kind:
    """Cells, whether plasticity waits until they have settled, and the published accuracies at `TIMES_MS`."""

    label: str
    latent: bool
    waits: bool = False
    published: tuple[float, ...] = ()

    def settings(self, time_ms: float) -> Mapping[str, Value]:
        """What differs between kinds and times."""
        lag = 0.0 if self.latent else LAG * time_ms
        settings = {"presentation_ms": time_ms, "latent_equilibrium": self.latent, "readout_lag_ms": lag}
        return {**settings, "plasticity_onset_ms": lag} if self.waits else settings


KINDS = (
    Kind("with latent equilibrium", True, published=(0.33, 0.39, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)),
    Kind("without", False, published=(0.36, 0.35, 0.31, 0.38, 0.35, 0.43, 0.63, 0.65, 0.68, 0.63, 1.0)),
    Kind("without, plasticity waits", False, waits=True),
)
Found = Mapping[Kind, tuple[Float[np.ndarray, "times seeds"], Float[np.ndarray, "times seeds"]]]

CAPTION = (
    "Bars, 9-30-3, the same learning in a presentation however long it is. Accuracy (left) and squared error of the "
    "output potentials (right) over the eight bars, the teacher's pull removed; the mean of the last ten measurements, "
    "then the mean over seeds with the range from the lowest to the highest. The dashed line is the time constant of a "
    f"hidden cell, {TAU_MS} ms. Diamonds are the published single run. Where plasticity waits, weights rest in the "
    "first 16 % of every presentation."
)
DIFFERENCE = (
    "Published numbers are of one run of the program behind the thesis, in float32, where the average over a test "
    "presentation takes in how the potentials settle, so that the readout lag has no effect. Here a test reads what is "
    "left after the lag, 16 % of the presentation without latent equilibrium and none with it."
)


def run(request: Request) -> Findings:
    """Every kind at every time, all seeds."""
    times = QUICK_TIMES_MS if request.quick else TIMES_MS
    n_seeds, n_epochs = (QUICK_SEEDS, QUICK_EPOCHS) if request.quick else (SEEDS, EPOCHS)
    found = {kind: measured(kind, times, n_seeds, n_epochs) for kind in KINDS}
    return Findings(
        _headline(times, found),
        (_figure(times, found),),
        ("cells", "presentation_ms", "seed", "accuracy", "mse"),
        [
            (kind.label, time, seed, float(accuracy[i, seed]), float(mse[i, seed]))
            for kind, (accuracy, mse) in found.items()
            for i, time in enumerate(times)
            for seed in range(n_seeds)
        ],
        tuple(_beside(times, found)),
        (
            f"{n_seeds} seeds, {n_epochs} epochs of the eight bars one at a time, preset {PRESET}, Euler steps of 0.1 "
            "ms. Rates are divided by the length of the presentation.",
            DIFFERENCE,
        ),
    )


def measured(
    kind: Kind, times: tuple[float, ...], n_seeds: int, n_epochs: int
) -> tuple[Float[np.ndarray, "times seeds"], Float[np.ndarray, "times seeds"]]:
    """Accuracy and free-output MSE of each seed at each time, over the last ten measurements."""
    dataset = dataset_for("bars", PRESET)
    points = [n_epochs - EVERY * i for i in reversed(range(N_LAST))]
    accuracy, mse = [], []
    for time in times:
        rule = made(dataset, PRESET, settings=kind.settings(time))
        history = train_lanes([rule], range(n_seeds), dataset, 1, points, bars_probe)
        accuracy.append(history.last("accuracy", N_LAST))
        mse.append(history.last("mse", N_LAST))
    return np.stack(accuracy), np.stack(mse)


def _figure(times: tuple[float, ...], found: Found) -> Figure:
    def curves(which: int, geometric: bool) -> list[Series]:
        return [
            curve(kind.label, colour, np.array(times), values[which], geometric=geometric)
            for (kind, values), colour in zip(found.items(), COLOURS, strict=False)
        ]

    x, tau = Axis("presentation (ms)", log=True), (Reference(TAU_MS, along="x"),)
    accuracy = (*curves(0, False), *_published(times))
    panels = (
        Panel("Accuracy", x, Axis("accuracy", limits=(0.0, 1.05)), accuracy, tau),
        Panel("Error of the free output", x, Axis("squared error", log=True), tuple(curves(1, True)), tau),
    )
    return Figure("presentation-time", "How short may a presentation be?", CAPTION, panels)


def _published(times: tuple[float, ...]) -> list[Series]:
    shown = [TIMES_MS.index(time) for time in times]
    return [
        Series(
            f"published, {kind.label}",
            colour,
            np.array(times),
            np.array([kind.published[i] for i in shown], float),
            marker="diamond",
            kind="point",
        )
        for kind, colour in zip(KINDS, COLOURS, strict=False)
        if kind.published
    ]


def _headline(times: tuple[float, ...], found: Found) -> str:
    said = []
    for kind, (accuracy, _) in found.items():
        right = [f"{time:g}" for time, of_seeds in zip(times, accuracy, strict=True) if (of_seeds >= 1).all()]
        said.append(f"{kind.label}: {', '.join(right) or 'none'}")
    return f"Times (ms) at which all seeds are right on every bar, {'; '.join(said)}."


def _beside(times: tuple[float, ...], found: Found) -> list[Beside]:
    rows = []
    for kind, lanes in found.items():
        for time, accuracy, mse in zip(times, *lanes, strict=True):
            published = f"{kind.published[TIMES_MS.index(time)]:g}" if kind.published else "not run"
            ours = f"{spread(accuracy)}; {share(accuracy)} seeds perfect; MSE {spread(mse)}"
            rows.append(Beside(f"{kind.label}, {time:g} ms: accuracy", published, ours))
    return rows


PRESENTATION_TIME = experiment(
    "microcircuit-presentation-time",
    "Bars, presentations of 0.3 to 500 ms, with and without latent equilibrium",
    "Haider 2021; Gille 2023",
    run,
)
