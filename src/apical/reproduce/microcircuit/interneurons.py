"""What interneurons and apical dendrites look like of a model with one mistake, as the thesis's draft saw them."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from apical.core import Weights
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_init import scaled
from apical.networks.microcircuit_state import Activity
from apical.networks.microcircuit_steady import steady_state
from apical.report import Axis, Figure, Panel, Series
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, ends, experiment
from apical.reproduce.microcircuit.self_predicting import N_DRAWN, N_INPUTS, asked, circuit

NAME = "microcircuit-interneuron-mistakes"
LEAKS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
LAYER = 0  # its interneurons predict hidden cells, whose apical dendrites make the factor differ from 1

CAPTION = (
    "Interneurons of the first hidden layer of 9-30-10-3 and the cells that they predict, 200 random inputs, weights "
    "of the self-predicting start, no teacher, no plasticity. Left: their potentials. As the model has it they are "
    "equal; with either mistake the interneuron is off in proportion to its cell. Right: mean potential of the apical "
    "dendrites of that layer over a leak of apical dendrites that is raised: what a mistake leaves there falls, and "
    "what a teacher's error leaves falls faster, as this error has passed through a layer of such dendrites before."
)
MISTAKES = (
    "Straight current: the interneuron receives g_som u of its cell, in place of g_som (u - u_I), so that the pull is "
    "in its drive and not in its leak. No factor: W_ip is W_up of the layer above as it is, though hidden cells have "
    "an apical conductance and interneurons have none. Apical potentials are those before somas follow them."
)


@dataclass(frozen=True)
class Kind:
    """Interneurons of one kind: potentials, how many times those of their cells, and mean apical potential."""

    potentials: Float[np.ndarray, "inputs cells"]
    slope: float
    apical: float


def kinds(net: Circuit, seen: Activity) -> dict[str, Float[Array, "inputs cells"]]:
    """Potentials of the interneurons: right, and with a mistake each."""
    dendrite, above = seen.dendrites[LAYER], seen.somas[LAYER + 1]
    drive, pull = net.g_dendrite * dendrite + net.g_som * above, net.pull_inter
    unscaled = net.g_dendrite * dendrite / net.factors()[LAYER] + net.g_som * above
    return {
        "as the model has it": seen.inter[LAYER],
        "straight current": drive / (pull - net.g_som),
        "no factor": unscaled / pull,
    }


def taught() -> Float[np.ndarray, " leaks"]:
    """Mean apical potential under a teacher, for every leak: it divides what apical dendrites hear."""
    net, (x, target) = circuit(), asked(N_INPUTS)
    weights, settle = net.init_weights(jr.key(0)), jax.jit(steady_state)
    ip, pi = weights.lateral

    def leaking(leak: float) -> float:
        down, inhibition = (
            tuple(scaled(w, jnp.asarray(1 / leak)) for w in layers) for layers in (weights.feedback, pi)
        )
        seen = settle(net, Weights(weights.forward, down, (ip, inhibition)), x, net.nudge(target))
        return float(jnp.abs(seen.apical[LAYER]).mean())

    return np.array([leaking(leak) for leak in LEAKS])


def measured(strength: float = 1.0) -> tuple[Float[np.ndarray, "inputs cells"], dict[str, Kind]]:
    """The cells, and the interneurons of every kind."""
    net, (x, _) = circuit(strength), asked(N_INPUTS)
    weights = net.init_weights(jr.key(0))
    silent = jax.jit(steady_state)(net, weights, x, None)
    above, down = silent.somas[LAYER + 1], weights.feedback[LAYER]
    inhibition, found = weights.lateral[1][LAYER], {}
    for name, inter in kinds(net, silent).items():
        apical = down.potential(net.phi.rate(above)) + inhibition.potential(net.phi.rate(inter))
        slope = float((inter * above).sum() / (above**2).sum())
        found[name] = Kind(np.asarray(inter), slope, float(jnp.abs(apical).mean()))
    return np.asarray(above), found


def run(request: Request) -> Findings:
    """All kinds, and the straight current with hardly any pull of the cell above."""
    (cells, found), errors = measured(), taught()
    error = errors[LEAKS.index(1.0)]
    weak = measured(0.01)[1]["straight current"].slope
    current, unscaled = found["straight current"], found["no factor"]
    return Findings(
        f"Interneurons with a straight current are at {current.slope:.3f} times the potential of their cells, without "
        f"the factor at {unscaled.slope:.3f} times; as the model has it at {found['as the model has it'].slope:.3f}.",
        (_figure(cells, found, errors),),
        ("interneurons", "potential_over_that_of_the_cell", "mean_apical_potential"),
        [(name, kind.slope, kind.apical) for name, kind in found.items()],
        (
            Beside("as the model has it: interneuron / cell", "above 1", f"{found['as the model has it'].slope:.4f}"),
            Beside("straight current: interneuron / cell", "above 1", f"{current.slope:.4f}"),
            Beside("straight current, a hundredth of g_som", "the discrepancy disappears", f"{weak:.4f}"),
            Beside("no factor: interneuron / cell", "none", f"{unscaled.slope:.4f}"),
            Beside("mean |apical potential|, a teacher", "none", f"{error:.3g}"),
            *(Beside(f"mean |apical potential|, {name}", "none", f"{kind.apical:.3g}") for name, kind in found.items()),
        ),
        ("Preset gille-2023, 9-30-10-3, random weights of seed 0.", MISTAKES),
    )


def _figure(
    cells: Float[np.ndarray, "inputs cells"], found: Mapping[str, Kind], errors: Float[np.ndarray, " leaks"]
) -> Figure:
    points = tuple(
        Series(name, colour, cells[:N_DRAWN].ravel(), kind.potentials[:N_DRAWN].ravel(), kind="point")
        for (name, kind), colour in zip(found.items(), COLOURS, strict=False)
    )
    leaks = np.array(LEAKS)
    mistakes = (pair for pair in zip(found.items(), COLOURS, strict=False) if pair[0][1].apical > 1e-3)
    falling = (
        *(Series(name, colour, leaks, kind.apical / leaks) for (name, kind), colour in mistakes),
        Series("a teacher's error", "#111111", leaks, errors, dash="dash"),
    )
    panels = (
        Panel("Interneurons", Axis("cell above", limits=ends([cells])), Axis("interneuron"), points),
        Panel("Apical dendrites", Axis("apical leak", log=True), Axis("mean |potential|", log=True), falling),
    )
    return Figure(NAME, "Why would interneurons be above their cells?", CAPTION, panels)


MISTAKEN = experiment(NAME, "Interneurons with one mistake", "Gille 2023, draft, observations", run)
