"""How fast a chain of cells answers to steps and a sine wave, with and without latent equilibrium."""

from dataclasses import dataclass

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Float

from apical.core import Weights
from apical.networks.synapses import Synapses
from apical.probes.microcircuit_recording import record
from apical.report import Axis, Figure, Panel, Series
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, DT_MS, LATENT, Beside, Findings, ends, experiment
from apical.reproduce.microcircuit.lanes import dataset_for, made

PRESET = "gille-2023"
CHAIN_MS = 200.0
PULSES_MS = (25.0, 75.0)
PULSE_MS = 25.0
SINE_FROM_MS, PERIOD_MS = 110.0, 30.0
CAPTION = (
    "A chain of one input, one hidden and one output cell, all forward weights 1, no teacher, apical dendrite silent. "
    "Two pulses of 25 ms and a sine wave come in. Black: what the output cell would settle at for the input of the "
    "moment. Without latent equilibrium (left) every cell is a low-pass filter of the one before it. With it (right) "
    "cells send the potential that they are on their way to, and the chain follows a step of 0.1 ms later for each hop."
)


@dataclass(frozen=True)
class Chain:
    """The chain's answer: the input, where the output would settle, and the potentials that cells act by."""

    times_ms: Float[np.ndarray, " steps"]
    settled: Float[np.ndarray, " steps"]
    hidden: Float[np.ndarray, " steps"]
    output: Float[np.ndarray, " steps"]

    @property
    def lag(self) -> float:
        """Root mean squared distance of the output to where it would settle, over that of its variation."""
        return float(np.sqrt(((self.output - self.settled) ** 2).mean()) / self.settled.std())


def stimulus() -> Float[np.ndarray, " steps"]:
    """Two pulses and a sine wave."""
    t = np.arange(round(CHAIN_MS / DT_MS)) * DT_MS
    pulses = sum(((t >= at) & (t < at + PULSE_MS)).astype(float) for at in PULSES_MS)
    return pulses + np.where(t >= SINE_FROM_MS, 0.5 - 0.5 * np.cos(2 * np.pi * (t - SINE_FROM_MS) / PERIOD_MS), 0.0)


def chain(latent: bool) -> Chain:
    """A chain under the stimulus."""
    dataset = dataset_for("self-prediction", options={"n_inputs": 1, "n_outputs": 1, "n_examples": 2})
    net = made(dataset, PRESET, (1,), {"latent_equilibrium": latent}).network
    one, none = Synapses(jnp.ones((1, 1))), Synapses(jnp.zeros((1, 1)))
    weights = Weights((one, one), (none,), ((one,), (none,)))
    x = stimulus()[:, None]
    seen = record(net, weights, jnp.asarray(x, float), None, jr.key(0))
    settled = np.asarray(net.apply(weights.forward, jnp.asarray(x, float)))[:, 0]
    somas = [np.asarray(u)[:, 0] for u in seen.activity.somas]
    return Chain(np.asarray(seen.times_ms), settled, *somas)


def run(request: Request) -> Findings:
    """Both chains."""
    found = {name: chain(latent) for name, latent in LATENT.items()}
    slow, fast = (c.lag for c in found.values())
    return Findings(
        f"Without latent equilibrium the output is off by {100 * slow:.0f} % of its variation, with it by "
        f"{100 * fast:.1f} %, as a change takes a step of {DT_MS} ms to pass from one cell to the next.",
        (Figure("step-response", "How fast does a chain answer?", CAPTION, panels(found)),),
        ("cells", "time_ms", "settled", "hidden", "output"),
        [
            (n, *map(float, row))
            for n, c in found.items()
            for row in zip(c.times_ms, c.settled, c.hidden, c.output, strict=True)
        ],
        (
            Beside(
                "a step of the input",
                "a figure, no number",
                f"off by {100 * slow:.0f} % without, {100 * fast:.1f} % with",
            ),
        ),
        (f"Preset {PRESET}, 1-1-1, steps of {DT_MS} ms, somas of 5.3 ms (hidden) and 7.7 ms (output).",),
    )


def panels(found: dict[str, Chain]) -> tuple[Panel, ...]:
    """A panel for each chain: its output, and where it would settle."""
    x = Axis("time (ms)", limits=(0.0, CHAIN_MS))
    y = Axis("output cell, potential", limits=ends([v for c in found.values() for v in (c.output, c.settled)]))
    return tuple(
        Panel(
            name.capitalize(),
            x,
            y,
            (
                Series("output cell", COLOURS[0], c.times_ms, c.output),
                Series("settled at once", "#111111", c.times_ms, c.settled, dash="dash"),
            ),
        )
        for name, c in found.items()
    )


STEP_RESPONSE = experiment(
    "microcircuit-step-response", "A chain of cells with and without latent equilibrium", "Haider 2021; Gille 2023", run
)
