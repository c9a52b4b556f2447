"""One setting at a time on the bars: what each parameter of the model does to learning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import jax
import numpy as np
from jaxtyping import Float

from apical.hyperparameters import Value
from apical.report import Axis, Figure, Interval, IntervalPanel, Panel
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, curve, experiment, mean, share, spread
from apical.reproduce.microcircuit.lanes import dataset_for, made_as, train_lanes
from apical.reproduce.microcircuit.measures import bars_probe, first_perfect, reached
from apical.rules.base import AbstractRule
from apical.rules.microcircuit import Microcircuit

SEEDS, QUICK_SEEDS = 5, 2
POINTS, QUICK_POINTS = (5, 10, 20, 40, 60, 80, 100, 140, 200), (5, 20)
FEW = 7
MEASURES = ("accuracy", "mse", "apical_error", "highest_rate")
DRAWN = (
    "Drawn: the mean over seeds after learning, of the error that of its logarithm, with the range from the lowest to "
    "the highest."
)


@dataclass(frozen=True)
class Case:
    """A point of a study: where it is on the axis, what is set, which hidden layers, and what was published of it."""

    x: float
    settings: Mapping[str, Value] = field(default_factory=dict)
    hidden: tuple[int, ...] | None = None
    published: str = ""
    label: str = ""

    @property
    def name(self) -> str:
        """How it is called in tables."""
        return self.label or f"{self.x:g}"


@dataclass(frozen=True)
class Study:
    """Cases on one axis, all else as in a preset with `settings`."""

    name: str
    title: str
    source: str
    axis: str
    cases: tuple[Case, ...]
    answer: str
    preset: str = "gille-2023"
    settings: Mapping[str, Value] = field(default_factory=dict)
    log: bool = False
    kind: type[AbstractRule] = Microcircuit
    points: tuple[int, ...] = POINTS
    seeds: int = SEEDS
    per_epoch: int = 24

    def reproduction(self) -> Reproduction:
        """The study as `apical reproduce` has it."""
        return experiment(self.name, self.title, self.source, self.run)

    def run(self, request: Request) -> Findings:
        """All cases from every seed."""
        n_seeds, points = (QUICK_SEEDS, QUICK_POINTS) if request.quick else (self.seeds, self.points)
        cases = self.cases[:: max(1, len(self.cases) // 3)] if request.quick else self.cases
        found = [Outcome(case, *lanes) for case, lanes in zip(cases, self.trained(cases, n_seeds, points), strict=True)]
        rows = [
            (o.case.name, seed, *(float(v[seed]) for v in (o.accuracy, o.mse, o.apical, o.highest, o.first)))
            for o in found
            for seed in range(n_seeds)
        ]
        right = [o.case.name for o in found if (o.accuracy >= 1).all()]
        return Findings(
            f"Right on every bar from every seed after {points[-1]} epochs, {self.axis}: {', '.join(right) or 'none'}."
            + diverged(found),
            (self.figure(found),),
            (self.axis, "seed", "accuracy", "mse", "apical_error", "highest_rate", "first_perfect_epoch"),
            rows,
            tuple(o.beside(self.axis) for o in found),
            (
                f"{n_seeds} seeds, {points[-1]} epochs of {self.per_epoch} bars, one at a time, preset {self.preset}"
                + "".join(f", {key}={value}" for key, value in self.settings.items())
                + ". Tests are without the teacher's pull; the first perfect epoch is the first one measured.",
            ),
        )

    def trained(self, cases: Sequence[Case], n_seeds: int, points: Sequence[int]) -> list[tuple]:
        """Accuracy, error, apical potential, highest rate and first perfect epoch of every seed of each case."""
        dataset = dataset_for("bars", self.preset, kind=self.kind)
        rules = [
            made_as(self.kind, dataset, self.preset, case.hidden, {**self.settings, **case.settings}) for case in cases
        ]
        found: list[tuple] = [()] * len(cases)
        for group in alike(rules):
            history = train_lanes([rules[i] for i in group], range(n_seeds), dataset, 1, points, bars_probe)
            first = first_perfect(history.epochs, history.measured["accuracy"])
            for k, i in enumerate(group):
                lanes = slice(k * n_seeds, (k + 1) * n_seeds)
                found[i] = (*(history.last(name)[lanes] for name in MEASURES), first[lanes])
        return found

    def figure(self, found: "list[Outcome]") -> Figure:
        """Accuracy, error and apical potentials over the axis, or in rows where cases have names; no diverged case."""
        found = [o for o in found if not o.n_diverged]
        most = 1.1 * max((float(o.apical.max()) for o in found), default=1.0)
        draw = self.rows if any(o.case.label for o in found) else self.curves
        panels = (
            draw("Accuracy", Axis("accuracy", limits=(-0.02, 1.05)), found, "accuracy"),
            draw("Error of the free output", Axis("squared error", log=True), found, "mse"),
            draw("Apical, no teacher", Axis("mean |potential|", limits=(-0.03 * most, most)), found, "apical"),
        )
        return Figure(self.name, self.title, f"{self.answer} {DRAWN}", panels, 3)

    def curves(self, title: str, y: Axis, found: "list[Outcome]", name: str) -> Panel:
        """A measurement over the axis."""
        if not found:
            return Panel(title, Axis(self.axis), y, ())
        values = np.stack([getattr(o, name) for o in found])
        xs = np.array([o.case.x for o in found])
        drawn = curve("mean over seeds, with their range", COLOURS[0], xs, values, points=True, geometric=y.log)
        ticks = tuple(map(float, xs)) if self.log and len(xs) <= FEW else None
        return Panel(title, Axis(self.axis, log=self.log, ticks=ticks), y, (drawn,))

    def rows(self, title: str, x: Axis, found: "list[Outcome]", name: str) -> IntervalPanel:
        """A measurement of each case in a row of its own."""
        values = {o.case.name: getattr(o, name) for o in found}
        intervals = (
            Interval(case, COLOURS[0], mean(v, x.log), float(v.min()), float(v.max()), tuple(map(float, v)))
            for case, v in values.items()
        )
        return IntervalPanel(title, x, tuple(intervals))


@dataclass(frozen=True)
class Outcome:
    """What came out of a case, for each seed."""

    case: Case
    accuracy: Float[np.ndarray, " seeds"]
    mse: Float[np.ndarray, " seeds"]
    apical: Float[np.ndarray, " seeds"]
    highest: Float[np.ndarray, " seeds"]
    first: Float[np.ndarray, " seeds"]

    @property
    def n_diverged(self) -> int:
        """How many seeds ended without a finite error or potential."""
        return int((~np.isfinite(self.mse + self.apical)).sum())

    def beside(self, axis: str) -> Beside:
        """This case and what was published of it."""
        ours = (
            f"{share(self.accuracy)} seeds at 100 %, first at epoch {reached(self.first)}; MSE {spread(self.mse)}; "
            f"highest rate {self.highest.max():.2g}"
        )
        return Beside(f"{axis}: {self.case.name}", self.case.published or "\u2014", ours)


def diverged(found: Sequence[Outcome]) -> str:
    """Which cases diverged, and are not drawn; empty where none did."""
    lost = [f"{o.case.name} ({o.n_diverged} of {len(o.mse)} seeds)" for o in found if o.n_diverged]
    return f" Not drawn, as it diverged: {', '.join(lost)}." if lost else ""


def alike(rules: Sequence[AbstractRule]) -> list[list[int]]:
    """Which rules differ in numbers alone, and can be lanes of one program."""
    groups: dict[object, list[int]] = {}
    for i, rule in enumerate(rules):
        leaves, structure = jax.tree.flatten(rule)
        groups.setdefault((structure, tuple(leaf.shape for leaf in leaves)), []).append(i)
    return list(groups.values())
