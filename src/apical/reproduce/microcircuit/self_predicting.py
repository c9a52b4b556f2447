"""The self-predicting network without plasticity: silent apical dendrites, and with a teacher the error they carry."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from apical.core import Weights
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_state import Potentials
from apical.networks.microcircuit_steady import steady_state
from apical.probes.microcircuit_recording import Trace, record
from apical.report import Axis, Figure, Panel, Reference, Series, Span
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, DT_MS, Beside, Findings, ends, experiment
from apical.reproduce.microcircuit.lanes import dataset_for, made

NAME, PRESET, HIDDEN = "microcircuit-self-predicting-state", "gille-2023", (30, 10)
N_INPUTS, N_DRAWN, SHOWN_MS, N_SHOWN, N_CELLS = 200, 30, 30.0, 4, 3
STRENGTHS = (1.0, 0.1, 0.01)
Pair = tuple[Potentials, Potentials]

TRACES = (
    "9-30-10-3 in the self-predicting state, latent equilibrium, no plasticity; a new random input, and to the right a "
    "new random target, every 30 ms. Top: three output cells (solid) and the interneurons that predict them (dotted). "
    "Bottom: apical potentials of three cells below the output (solid), and the error that is propagated to them "
    "(dotted) to first order in the teacher's pull."
)
ERRORS = (
    "Apical potentials of all cells under 30 of 200 random inputs with random targets, over the error that backprop "
    "through the weights from above propagates to them, for teachers of three strengths; both are divided by the "
    "strength. On the line they are equal."
)
MEANING = (
    "The error of a layer is W_down phi'(u) (1 - lambda_I) times how far the teacher moves the somas above: lambda "
    "(target - u) at the output, and lambda_A times its own error in a hidden layer. Without a teacher every "
    "interneuron is where its cell is, and what comes down is cancelled, whatever the input."
)


def propagated(
    net: Circuit, weights: Weights, x: Float[Array, "batch inputs"], target: Float[Array, "batch outputs"]
) -> Potentials:
    """The error of every hidden layer to first order in the teacher's pull, from the first hidden layer up."""
    rate, somas, errors = x, [], []
    for w, share in zip(weights.forward, net.shares(), strict=True):
        somas.append(share * w.potential(rate))
        rate = net.phi.rate(somas[-1])
    moved = net.g_som / (net.pull_output + net.g_som) * (target - somas[-1])
    for w, soma in zip(weights.feedback[::-1], somas[:0:-1], strict=True):
        errors.insert(0, (1 - net.mixing_inter) * w.potential(net.phi.slope(soma) * moved))
        moved = net.g_apical / net.pull_hidden * errors[0]
    return tuple(errors)


def circuit(strength: float = 1.0) -> Circuit:
    """The network, with a teacher of so many times its usual conductance."""
    net = made(dataset_for("bars", PRESET), PRESET, HIDDEN).network
    return replace(net, g_som=strength * net.g_som)


def asked(n: int) -> tuple[Float[Array, "n inputs"], Float[Array, "n outputs"]]:
    """Random inputs, and random target potentials."""
    generator = np.random.default_rng(0)
    x, target = generator.uniform(0, 1, (n, 9)), generator.uniform(0, 1, (n, 3))
    return jnp.asarray(x, float), jnp.asarray(target, float)


def distances(found: Potentials, expected: Potentials) -> list[float]:
    """How far each layer is from what is expected, over the size of that."""
    pairs = zip(found, expected, strict=True)
    return [float(jnp.linalg.norm(a - b) / jnp.linalg.norm(b)) for a, b in pairs]


def silence(net: Circuit, weights: Weights, x: Float[Array, "n inputs"]) -> tuple[float, float]:
    """Without a teacher: the largest apical potential, and the furthest that an interneuron is from its cell."""
    silent = jax.jit(steady_state)(net, weights, x, None)
    apical = max(float(jnp.abs(v).max()) for v in silent.apical)
    return apical, max(float(jnp.abs(i - u).max()) for i, u in zip(silent.inter, silent.somas[1:], strict=True))


def taught(weights: Weights, x: Float[Array, "n inputs"], target: Float[Array, "n outputs"]) -> dict[float, Pair]:
    """Apical potentials and the errors propagated to them, by the teacher's strength."""
    settle, expect = jax.jit(steady_state), jax.jit(propagated)
    nets = {strength: circuit(strength) for strength in STRENGTHS}
    return {
        strength: (settle(net, weights, x, net.nudge(target)).apical, expect(net, weights, x, target))
        for strength, net in nets.items()
    }


def run(request: Request) -> Findings:
    """In time, and settled under teachers of several strengths."""
    net, (x, target) = circuit(), asked(N_INPUTS)
    weights = net.init_weights(jr.key(0))
    rest, off = silence(net, weights, x)
    found = taught(weights, x, target)
    apart = {strength: distances(*pair) for strength, pair in found.items()}
    return Findings(
        f"Without a teacher no apical potential is above {rest:.1g} and no interneuron further than {off:.1g} from its "
        f"cell, under {N_INPUTS} random inputs. With one, apical potentials below the output are the propagated error "
        f"up to {100 * apart[1.0][-1]:.1f} %, and up to {100 * apart[0.01][-1]:.2f} % with a hundredth of its pull.",
        (_in_time(net, weights), _against(found)),
        ("teacher", "layer", "mean_apical_potential", "relative_distance_to_propagated_error"),
        [
            (strength, layer, float(jnp.abs(found[strength][0][layer]).mean()), far)
            for strength, layers in apart.items()
            for layer, far in enumerate(layers)
        ],
        (
            Beside("no teacher: largest |apical potential|", "a figure, no number", f"{rest:.1g}"),
            Beside("no teacher: largest |interneuron - its cell|", "a figure, no number", f"{off:.1g}"),
            *(_off(strength, layers) for strength, layers in apart.items()),
        ),
        (f"Preset {PRESET}, 9-30-10-3, random weights of seed 0, the self-predicting start.", MEANING),
    )


def _off(strength: float, layers: list[float]) -> Beside:
    what = f"teacher times {strength:g}: off the propagated error, by layer from the first"
    return Beside(what, "none", ", ".join(f"{100 * far:.2f} %" for far in layers))


def _in_time(net: Circuit, weights: Weights) -> Figure:
    steps = round(SHOWN_MS / DT_MS)
    x, target = (jnp.repeat(a, steps, 0) for a in asked(N_SHOWN))
    traces = {
        "no teacher": record(net, weights, x, None, jr.key(0)),
        "teacher": record(net, weights, x, target, jr.key(0)),
    }
    expected = {"no teacher": jnp.zeros((len(x), HIDDEN[-1])), "teacher": propagated(net, weights, x, target)[-1]}
    outputs = {k: (t.activity.somas[-1], t.activity.inter[-1]) for k, t in traces.items()}
    apical = {k: (t.activity.apical[-1], expected[k]) for k, t in traces.items()}
    panels = [
        _panel(f"{name.capitalize()}: {title}", label, traces[name], pairs[name], pairs)
        for title, label, pairs in (
            ("output cells, interneurons", "potential", outputs),
            ("apical dendrites", "apical potential", apical),
        )
        for name in traces
    ]
    return Figure(
        "self-predicting-state", "Are apical dendrites silent until there is an error?", TRACES, tuple(panels)
    )


def _panel(title: str, label: str, trace: Trace, pair: tuple[Array, Array], every: dict) -> Panel:
    times = np.asarray(trace.times_ms)
    series = [
        Series(f"cell {i + 1}{word}", COLOURS[i], times, np.asarray(values)[:, i], dash=dash)
        for values, word, dash in zip(pair, ("", ", predicted or propagated"), ("solid", "dot"), strict=True)
        for i in range(N_CELLS)
    ]
    limits = ends([np.asarray(v)[:, :N_CELLS] for both in every.values() for v in both])
    spans = tuple(Span(i * SHOWN_MS, (i + 1) * SHOWN_MS) for i in range(0, N_SHOWN, 2))
    x = Axis("time (ms)", limits=(0.0, N_SHOWN * SHOWN_MS), ticks=tuple(SHOWN_MS * i for i in range(N_SHOWN + 1)))
    return Panel(title, x, Axis(label, limits=limits), tuple(series), spans=spans)


def _against(found: dict[float, Pair]) -> Figure:
    panels = []
    for layer, name in enumerate(("First hidden layer", "Below the output")):
        points = []
        for (strength, (apical, expected)), colour in zip(found.items(), COLOURS, strict=False):
            over, under = (np.asarray(v[layer][:N_DRAWN]).ravel() / strength for v in (apical, expected))
            points.append(Series(f"teacher times {strength:g}", colour, under, over, kind="point"))
        low, high = ends([s.x for s in points])
        line = Series("equal", "#111111", np.array([low, high]), np.array([low, high]), dash="dash")
        panels.append(
            Panel(name, Axis("propagated error"), Axis("apical potential"), (*points, line), (Reference(0.0),))
        )
    return Figure("self-predicting-errors", "Do they carry the propagated error?", ERRORS, tuple(panels))


SELF_PREDICTING = experiment(
    NAME, "The self-predicting network without plasticity", "Gille 2023, draft, Figure 2.1", run
)
