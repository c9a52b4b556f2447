"""How many spikes a synapse and a reader need: the noise of a presentation, from shot noise and as it is measured."""

from dataclasses import dataclass
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import jax.scipy.special as special
import numpy as np
from jaxtyping import Array, Float

from apical.core import Batch, State, Weights
from apical.networks.microcircuit_state import families
from apical.networks.microcircuit_steady import feedforward, steady_state
from apical.networks.spiking_circuit import SpikingCircuit
from apical.probes.scores import hits
from apical.report import Axis, Figure, Panel, Series
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, Findings, experiment
from apical.reproduce.microcircuit.lanes import dataset_for, every, made, made_as, train_lanes
from apical.reproduce.microcircuit.measures import bars_probe
from apical.rules.microcircuit_plasticity import up_errors
from apical.rules.spiking_microcircuit import SpikingMicrocircuit

Kind = Literal["line", "point"]
LOW_PSI, SETTLING_MS = 0.5, 15.0
PSIS = (0.25, 0.5, 1.0, 2.0, 5.0, 20.0, 100.0, 500.0)
WINDOWS_MS = (35.0, 85.0, 185.0, 485.0)
DRAWS, QUICK_DRAWS, EPOCHS = 256, 48, 300

CAPTION = (
    "9-30-3 on the bars, dendrites of 5 ms, the first 15 ms of a presentation neither learnt nor read. Over psi T, the "
    "spikes that a cell at rate 1 sends in what is left of it. Left: what all synapses from the input descend in a "
    "presentation of every bar, at the self-predicting start, over its standard deviation. Right: bars read wrongly in "
    "one presentation, with weights learnt in the rate network, which reads all of them rightly. Lines are formulas."
)
MEANING = (
    "The mean of an apical potential over T is a weighted count of spikes: its variance is S / (psi g^2 T), S = sum of "
    "W^2 r over synapses from above and from interneurons, and the capacitance does not enter. A synapse multiplies it "
    "with its trace, so that its change has the variance (phi' g_A / g)^2 S r [r + g_l / (2 psi (C + g_l tau))] / (psi "
    "g_l^2 T) + E^2 r / (psi T). The signal falls as learning succeeds, the noise does not: an error that is a tenth "
    "takes a hundred times as many presentations to average. The reader's noise is that of the difference of two "
    "outputs, (g_B / g)^2 sum of (W_1 - W_2)^2 r / (psi g_l^2 T)."
)


@dataclass(frozen=True)
class Point:
    """Signal over noise of plasticity and share read wrongly, measured and predicted, at a psi and a window in ms."""

    psi: float
    window_ms: float
    ratio: float
    expected_ratio: float
    wrong: float
    expected_wrong: float

    @property
    def spikes(self) -> float:
        """Of a cell at rate 1 within the window."""
        return self.psi * self.window_ms


def apical_noise(net: SpikingCircuit, tau_ms: Array, weights: Weights, batch: Batch) -> Float[Array, "cells inputs"]:
    """The variance of what synapses from the input descend in a presentation of a batch, as `MEANING` has it."""
    seen = steady_state(net, weights, batch.x.reshape(len(batch.x), -1), net.nudge(net.target(batch.y)))
    squares = {name: layers[0].kernel ** 2 for name, layers in families(weights).items()}
    heard = net.phi.rate(seen.somas[1]) @ squares["down"].T + seen.inhibition[0] @ squares["pi"].T
    gain = net.phi.slope(seen.somas[0]) * net.g_apical / net.pull_hidden
    leak, x = net.dendritic_leak, seen.below[0]
    own = leak / (2 * net.psi * (net.apical_capacitance + leak * tau_ms))
    potential = jnp.einsum("bc,bi->ci", (gain / leak) ** 2 * heard, x * (x + own))
    trace = jnp.einsum("bc,bi->ci", up_errors(net, seen)[0] ** 2, x)
    return (potential + trace) / (net.psi * window(net) * len(x) ** 2)


def window(net: SpikingCircuit) -> Array:
    """What is learnt and read of a presentation, in ms."""
    return net.presentation_ms - net.readout_lag_ms


def misread(net: SpikingCircuit, weights: Weights, batch: Batch) -> Array:
    """The share read wrongly in a presentation for the noise of the last hidden layer's spikes: a sum over rivals."""
    x = batch.x.reshape(len(batch.x), -1)
    output = feedforward(net, weights.forward, x)
    differences = weights.forward[-1].kernel[:, None] - weights.forward[-1].kernel[None]
    rates = net.hidden_activity(weights, batch.x)[-1]
    scale = (net.a_output / net.dendritic_leak) ** 2 / (net.psi * window(net))
    spread = jnp.sqrt(scale * jnp.einsum("bh,ijh->bij", rates, differences**2))
    right = jnp.arange(len(x))
    margin, spread = output[right, batch.y][:, None] - output, spread[right, batch.y]
    rivals = jnp.arange(output.shape[1])[None] != batch.y[:, None]
    return jnp.where(rivals, special.ndtr(-margin / jnp.where(rivals, spread, 1.0)), 0.0).sum(1).mean()


@eqx.filter_jit
def measured(rule: SpikingMicrocircuit, start: State, learnt: State, batch: Batch, n_draws: int) -> dict[str, Array]:
    """Noise of plasticity at the start and of reading after learning, over so many draws of all spikes."""
    net, keys = rule.network, jr.split(jr.key(0), n_draws)
    descended = jax.vmap(lambda key: rule.update(start, batch, key)[1].direction.forward[0].kernel)(keys)
    read = jax.vmap(lambda key: hits(rule.predict(learnt, batch.x, key), batch.y).astype(float).mean())(keys)
    seen = steady_state(net, start.weights, batch.x.reshape(len(batch.x), -1), net.nudge(net.target(batch.y)))
    signal = jnp.einsum("bc,bi->ci", up_errors(net, seen)[0], seen.below[0]) / len(batch.x)
    return {
        "signal": (signal**2).sum(),
        "noise": descended.var(0, ddof=1).sum(),
        "expected_noise": apical_noise(net, rule.tau_delta_ms, start.weights, batch).sum(),
        "wrong": (1 - read).mean(),
        "expected_wrong": misread(net, learnt.weights, batch),
    }


def point(psi: float, window_ms: float, n_draws: int, learnt: Weights) -> Point:
    """Everything at this psi and window, with these learnt weights."""
    dataset = dataset_for("bars", "bars", kind=SpikingMicrocircuit)
    settings = {
        "psi": psi,
        "presentation_ms": SETTLING_MS + window_ms,
        "plasticity_onset_ms": SETTLING_MS,
        "readout_lag_ms": SETTLING_MS,
        "basal_capacitance": 5.0,
        "apical_capacitance": 5.0,
    }
    rule, batch = made_as(SpikingMicrocircuit, dataset, "bars", settings=settings), every(dataset.test)
    start = rule.init(jr.key(0), batch)
    found = measured(rule, start, State(learnt, start.optimiser, start.neurons), batch, n_draws)
    value = {name: float(v) for name, v in found.items()}
    ratio, expected = (float(np.sqrt(value["signal"] / value[name])) for name in ("noise", "expected_noise"))
    return Point(psi, window_ms, ratio, expected, value["wrong"], min(value["expected_wrong"], 1.0))


def learnt_in_rates(epochs: int = EPOCHS) -> Weights:
    """Weights with which the rate network reads every bar rightly."""
    dataset = dataset_for("bars", "haider-2021-bars")
    rule = made(dataset, "haider-2021-bars", settings={"engine": "steady-state"})
    history = train_lanes([rule], (0,), dataset, 1, (epochs,), bars_probe)
    return jax.tree.map(lambda w: w[0], history.states.weights)


def run(request: Request) -> Findings:
    """All psi in one window, and all windows at one psi."""
    n_draws, learnt = QUICK_DRAWS if request.quick else DRAWS, learnt_in_rates()
    over_psi = [point(psi, WINDOWS_MS[0], n_draws, learnt) for psi in (PSIS[1::2] if request.quick else PSIS)]
    over_time = [point(LOW_PSI, t, n_draws, learnt) for t in WINDOWS_MS]
    slow = over_time[0]
    return Findings(
        f"At psi {slow.psi:g}, {slow.window_ms:g} ms tell {slow.ratio:.2g} standard deviations of what synapses are to "
        f"descend (formula: {slow.expected_ratio:.2g}), and {100 * slow.wrong:.0f} % of the bars are read wrongly with "
        f"weights that are right in rates (formula: {100 * slow.expected_wrong:.0f} %); {over_time[-1].window_ms:g} ms "
        f"tell {over_time[-1].ratio:.2g}, and {100 * over_time[-1].wrong:.1f} % are read wrongly.",
        (_figure(over_psi, over_time),),
        ("psi", "window_ms", "signal_to_noise", "expected_signal_to_noise", "read_wrongly", "expected_read_wrongly"),
        [(p.psi, p.window_ms, p.ratio, p.expected_ratio, p.wrong, p.expected_wrong) for p in (*over_psi, *over_time)],
        texts=(f"{n_draws} draws of all spikes, one start of weights (seed 0).", MEANING),
    )


def _figure(over_psi: list[Point], over_time: list[Point]) -> Figure:
    kinds = {f"psi varied, {WINDOWS_MS[0]:g} ms": over_psi, f"time varied, psi {LOW_PSI:g}": over_time}
    every_point = sorted((*over_psi, *over_time), key=lambda p: p.spikes)

    def drawn(name: str) -> tuple[Series, ...]:
        lines = [_series("formula", "#7a8796", every_point, f"expected_{name}", "line")]
        pairs = zip(kinds.items(), COLOURS, strict=False)
        return (*lines, *(_series(label, colour, points, name, "point") for (label, points), colour in pairs))

    x = Axis("psi T (spikes of a cell at rate 1)", log=True)
    panels = (
        Panel("A presentation's change of weights", x, Axis("signal / noise", log=True), drawn("ratio")),
        Panel("Reading", x, Axis("share read wrongly", limits=(-0.02, 1.02)), drawn("wrong")),
    )
    return Figure("spikes-signal", "How many spikes does a synapse need?", CAPTION, panels)


def _series(label: str, colour: str, points: list[Point], name: str, kind: Kind) -> Series:
    xs, ys = (np.array([getattr(p, of) for p in points], float) for of in ("spikes", name))
    return Series(label, colour, xs, ys, kind=kind)


SIGNAL = experiment("spikes-signal", "Signal and noise of few spikes", "Gille 2023 (open there)", run)
