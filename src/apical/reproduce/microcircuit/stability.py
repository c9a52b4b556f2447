"""Stability of a microcircuit: eigenvalues of its dynamics, fast and slow, and of its loss's second derivatives."""

from dataclasses import dataclass

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Complex, Float

from apical.core import Batch, Weights
from apical.networks.microcircuit import Circuit
from apical.probes import stability
from apical.report import Axis, Figure, Panel, Reference, Series
from apical.report.figure import Dash
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, experiment
from apical.reproduce.microcircuit.lanes import dataset_for, every, made, train_lanes
from apical.reproduce.microcircuit.measures import bars_probe
from apical.rules.microcircuit import Microcircuit

PRESET = "haider-2021-bars"
SEEDS, QUICK_SEEDS = 5, 2
EPOCHS, QUICK_EPOCHS = 400, 100
STEPS = 20
NEGLIGIBLE = 1e-4  # of the largest eigenvalue

POTENTIALS = (
    "Eigenvalues of the dynamics of all somas, for the eight bars and the first seed. Top: without latent equilibrium "
    "somas obey ordinary differential equations; a disturbance dies out left of the line. Bottom: with it, prospective "
    "potentials are a function of those a step before; a disturbance dies out within the unit circle, that is between "
    "the lines."
)
WEIGHTS = (
    "Sizes of eigenvalues, sorted; those of at most 1e-4 of the largest are left out. Left: of the mean change of all "
    "plastic weights. Solid: disturbances that learning undoes; dashed: those that grow. Right: of the second "
    "derivatives of the loss with respect to the forward weights. Solid: directions in which it curves up; dashed: "
    "down, of which a minimum has none. Both starts have the same forward weights, and so the same loss. First seed."
)


@dataclass(frozen=True)
class Stage:
    """Eigenvalues at one stage of learning, seeds and bars together; the slow ones of the first seed."""

    name: str
    fast: Complex[np.ndarray, " n"]
    latent: Complex[np.ndarray, " n"]
    slow: Complex[np.ndarray, " weights"]
    curvature: Float[np.ndarray, " forward"]
    n_seeds: int


_jacobians = eqx.filter_jit(
    lambda net, weights, x, nudge: jax.vmap(lambda one: stability.jacobian(net, weights, one, nudge))(x)
)
_gains = eqx.filter_jit(
    lambda net, weights, x, nudge: jax.vmap(lambda one: stability.gain(net, weights, one, nudge))(x)
)
_slow = eqx.filter_jit(stability.slow_jacobian)
_hessian = eqx.filter_jit(stability.hessian)


def run(request: Request) -> Findings:
    """Eigenvalues at the start, at random and self-predicting, and after learning."""
    n_seeds, epochs = (QUICK_SEEDS, QUICK_EPOCHS) if request.quick else (SEEDS, EPOCHS)
    stages = list(_stages(n_seeds, epochs))
    rows = [
        (stage.name, kind, i, float(value.real), float(value.imag))
        for stage in stages
        for kind in ("fast", "latent", "slow", "curvature")
        for i, value in enumerate(np.asarray(getattr(stage, kind), complex))
    ]
    return Findings(
        _headline(stages),
        (_potentials(stages), _weights(stages)),
        ("stage", "kind", "index", "real", "imaginary"),
        rows,
        tuple(_beside(stages)),
        (
            f"{n_seeds} seeds, {epochs} epochs of the eight bars with preset {PRESET} in the steady state of latent "
            f"equilibrium, {STEPS} steps of plasticity in a presentation, interneuron synapses plastic (rate_pi as "
            "rate_ip). Slow eigenvalues are of the first seed, for all weights but those from above, without a teacher "
            "at the starts and with the teacher after learning; units are 1/presentation.",
        ),
    )


def _stages(n_seeds: int, epochs: int) -> "list[Stage]":
    dataset = dataset_for("bars", PRESET)
    batch = every(dataset.test)
    stages = []
    for start in ("random", "self-predicting"):
        settings = {"engine": "steady-state", "plasticity_steps": STEPS, "start": start, "rate_pi": 0.2}
        rule = made(dataset, PRESET, settings=settings)
        for reached in ((), (epochs,)) if start == "self-predicting" else ((),):
            history = train_lanes([rule], range(n_seeds), dataset, 1, reached, bars_probe)
            name = "after learning" if reached else f"{start} start"
            found = [jax.tree.map(lambda a, i=i: a[i], history.states.weights) for i in range(n_seeds)]
            stages.append(_stage(name, rule, found, batch, taught=bool(reached)))
    return stages


def _stage(name: str, rule: Microcircuit, found: list[Weights], batch: Batch, taught: bool) -> Stage:
    net: Circuit = rule.network
    x = batch.x.reshape(len(batch.x), -1)
    fast = [np.linalg.eigvals(np.asarray(_jacobians(net, w, x, None), float)) for w in found]
    latent = [np.linalg.eigvals(np.asarray(_gains(net, w, x, None), float)) for w in found]
    slow = np.linalg.eigvals(np.asarray(_slow(rule, found[0], batch, taught), float))
    curvature = np.linalg.eigvalsh(np.asarray(_hessian(net, found[0], batch), float))
    return Stage(name, np.ravel(fast), np.ravel(latent), slow, curvature, len(found))


def signs(values: Float[np.ndarray, " n"]) -> tuple[int, int, int]:
    """How many values are negative, negligible and positive."""
    scale = NEGLIGIBLE * np.abs(values).max()
    return int((values < -scale).sum()), int((np.abs(values) <= scale).sum()), int((values > scale).sum())


def _potentials(stages: list[Stage]) -> Figure:
    kinds = (("fast", "1/ms", (0.0,)), ("latent", "per step", (-1.0, 1.0)))
    panels = tuple(
        Panel(
            s.name.capitalize(),
            Axis(f"real part ({unit})", limits=_limits(stages, kind, "real", ends)),
            Axis("imaginary part", limits=_limits(stages, kind, "imag", ())),
            (_points(getattr(s, kind)[: len(getattr(s, kind)) // s.n_seeds]),),
            tuple(Reference(end, along="x") for end in ends),
        )
        for kind, unit, ends in kinds
        for s in stages
    )
    return Figure("potentials", "Do disturbances of potentials die out?", POTENTIALS, panels, len(stages))


def _limits(stages: list[Stage], kind: str, part: str, ends: tuple[float, ...]) -> tuple[float, float]:
    values = np.concatenate([*(getattr(np, part)(getattr(s, kind)) for s in stages), ends])
    room = 0.08 * float(np.ptp(values))
    return float(values.min()) - room, float(values.max()) + room


def _points(values: Complex[np.ndarray, " n"]) -> Series:
    return Series("eigenvalues", COLOURS[0], np.real(values), np.imag(values), kind="point")


def _weights(stages: list[Stage]) -> Figure:
    size, rank = Axis("size of the eigenvalue", log=True), Axis("rank")
    slow = Panel("Plastic weights (1/presentation)", rank, size, _ranked(stages, "slow", -1))
    loss = Panel("Loss", rank, size, _ranked(stages, "curvature", 1))
    return Figure("weights", "Do disturbances of weights die out?", WEIGHTS, (slow, loss))


def _ranked(stages: list[Stage], kind: str, sign: int) -> tuple[Series, ...]:
    """Eigenvalues by size: solid those of this sign, dashed the others, where they count."""
    drawn = []
    for stage, colour in zip(stages, COLOURS, strict=False):
        values = sign * np.real(getattr(stage, kind))
        parts: tuple[tuple[np.ndarray, str, Dash], ...] = ((values, "", "solid"), (-values, ", opposite sign", "dash"))
        for part, word, dash in parts:
            sizes = np.sort(part[part > NEGLIGIBLE * np.abs(values).max()])[::-1]
            drawn.append(Series(stage.name + word, colour, np.arange(1.0, len(sizes) + 1), sizes, dash=dash))
    return tuple(series for series in drawn if series.x.size)


def _headline(stages: list[Stage]) -> str:
    worst = max(float(np.real(s.fast).max()) for s in stages)
    radius = max(float(np.abs(s.latent).max()) for s in stages)
    said = "die out" if worst < 0 else "grow in some state"
    start = next(s for s in stages if s.name.startswith("self-predicting"))
    inside = "so prospective potentials settle" if radius < 1 else "so prospective potentials need not settle"
    last = stages[-1]
    negative, _, positive = signs(last.curvature)
    return (
        f"Without latent equilibrium disturbances of potentials {said}: the largest real part is {worst:.3g} per ms "
        f"(at the self-predicting start {np.real(start.fast).max():.3g}, the leak of a cell alone). "
        f"With it the largest gain per step is {radius:.3g}, {inside}. After learning the loss has {positive} "
        f"directions that curve up and {negative} that curve down."
    )


def _beside(stages: list[Stage]) -> "list[Beside]":
    rows = []
    for s in stages:
        negative, still, positive = signs(s.curvature)
        grow, rest, shrink = signs(-np.real(s.slow))
        rows += [
            Beside(f"{s.name}: largest real part of potentials, 1/ms", "open question", f"{np.real(s.fast).max():.4g}"),
            Beside(
                f"{s.name}: largest gain per step with latent equilibrium",
                "open question",
                f"{np.abs(s.latent).max():.4g}",
            ),
            Beside(
                f"{s.name}: modes of weights that shrink / rest / grow", "open question", f"{shrink} / {rest} / {grow}"
            ),
            Beside(
                f"{s.name}: curvature of the loss up / flat / down",
                "open question",
                f"{positive} / {still} / {negative}",
            ),
        ]
    return rows


STABILITY = experiment(
    "microcircuit-stability",
    "Eigenvalues of a microcircuit's dynamics, fast and slow",
    "Gille 2023, open question",
    run,
)
