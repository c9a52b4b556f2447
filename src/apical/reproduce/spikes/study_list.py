"""The studies of spikes, one setting at a time on the bars."""

import math
from collections.abc import Mapping
from dataclasses import replace

from apical.hyperparameters import Value
from apical.reproduce.microcircuit.studies import Case, Study
from apical.reproduce.microcircuit.study_list import DIVIDED, RESETS, SPLIT, THESIS, named
from apical.rules.spiking_microcircuit import SpikingMicrocircuit

SEEDS, POINTS = 9, (2, 5, 10, 20, 50, 100, 150, 300)
TIMES_MS = (0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
WITH = ("0.39", "0.40", "0.53", "0.63", "1", "0.83", "1", "1", "1", "1", "1 (MSE 0.041; 1.7e-4 without the pull)")
WITHOUT = (*("at most 0.64",) * 10, "1 (MSE 0.079)")
SETTLED_MS, LONG_MS = 20.0, 50.0
STEPS_MS = {5.0: 0.1, 100.0: 0.5, math.inf: 1.0}  # below so many ms, steps of so many
SLOW: Mapping[str, Value] = {
    "presentation_ms": 50.0,
    "plasticity_onset_ms": 15.0,
    "readout_lag_ms": 15.0,
    "basal_capacitance": 5.0,
    "apical_capacitance": 5.0,
}
KILOHERTZ: Mapping[str, Value] = {**SLOW, "psi": 0.25}
LONG: Mapping[str, Value] = {
    "presentation_ms": 500.0,
    "dt_ms": 1.0,
    "plasticity_onset_ms": 200.0,
    "readout_lag_ms": 200.0,
}


def averaging(constant_ms: float) -> dict[str, Value]:
    """Few spikes, heard by dendrites of this time constant, and by traces of 30 ms."""
    slow = {"basal_capacitance": constant_ms, "apical_capacitance": constant_ms, "tau_delta_ms": 30.0}
    return {**KILOHERTZ, **LONG, **slow}


def spiking(name: str, title: str, axis: str, cases: tuple[Case, ...], answer: str, log: bool = False) -> Study:
    """A study of the spiking rule under its preset for the bars."""
    return Study(
        f"spikes-{name}",
        title,
        THESIS,
        axis,
        cases,
        answer,
        preset="bars",
        kind=SpikingMicrocircuit,
        points=POINTS,
        seeds=SEEDS,
        log=log,
    )


def times(published: tuple[str, ...], latent: bool) -> tuple[Case, ...]:
    """Every length of a presentation, in steps that are short beside it; rates fall faster in long, less noisy ones."""
    return tuple(
        Case(
            t,
            {
                "presentation_ms": t,
                "dt_ms": next(step for below, step in STEPS_MS.items() if t < below),
                "latent_equilibrium": latent,
                "rate_decay": 5e-3 if t < LONG_MS else 1e-2,
                "readout_lag_ms": min(0.5 * t, SETTLED_MS),
                "plasticity_onset_ms": min(0.5 * t, SETTLED_MS),
            },
            published=text,
        )
        for t, text in zip(TIMES_MS, published, strict=True)
    )


SPIKING_STUDIES = (
    spiking(
        "presentation-time",
        "How short may a presentation of spikes be?",
        "presentation (ms)",
        times(WITH, latent=True),
        "With latent equilibrium. A dendrite alone needs a few of its time constants of 1 ms to rise.",
        log=True,
    ),
    spiking(
        "presentation-time-original",
        "How short may it be without latent equilibrium?",
        "presentation (ms)",
        times(WITHOUT, latent=False),
        "Without latent equilibrium cells follow with their membranes, 5 ms and more at every hop.",
        log=True,
    ),
    spiking(
        "psi-capacitance",
        "How many spikes does it take, and can slow apical dendrites make up for them?",
        "psi (1/ms), apical capacitance (ms)",
        named(
            *(
                (f"{psi:g}, {c:g}", {**SLOW, "psi": psi, "apical_capacitance": c}, text)
                for psi, c, text in (
                    (5.0, 1.0, "0.73"),
                    (5.0, 10.0, "0.81"),
                    (5.0, 50.0, "0.65"),
                    (10.0, 1.0, "0.70"),
                    (10.0, 10.0, "1.0 from epoch 551"),
                    (10.0, 50.0, "0.64"),
                    (50.0, 1.0, "1.0 from epoch 151"),
                    (50.0, 10.0, "1.0 from epoch 211"),
                    (50.0, 50.0, "0.96"),
                )
            )
        ),
        "The variance that spikes bring to a dendrite falls as 1 / (psi C).",
    ),
    spiking(
        "low-rates",
        "Does it work with rates that cells have?",
        "psi (spikes per ms at rate 1)",
        tuple(Case(p, {**SLOW, "psi": p}) for p in (0.25, 0.5, 1.0, 2.0, 5.0, 20.0)),
        "Presentations of 50 ms and dendrites of 5 ms; rates of soft-relu cells here reach some 2 psi.",
        log=True,
    ),
    spiking(
        "kilohertz",
        "What do cells need to learn at 1 kHz?",
        "dendrites, traces (ms); presentation (ms)",
        named(
            ("5, 1; 50", KILOHERTZ, "needs more than 25 kHz"),
            ("5, 1; 500", {**KILOHERTZ, **LONG}, ""),
            ("5, 30; 500", averaging(5.0), ""),
            ("20, 30; 500", averaging(20.0), ""),
            ("50, 30; 500", averaging(50.0), ""),
        ),
        "psi = 0.25. The potential of a dendrite of 5 ms is mostly noise then, which the transfer function bends "
        "before a long presentation can average it. Slow dendrites and traces average first.",
    ),
    spiking(
        "refractory",
        "Do refractory cells learn?",
        "dead time after a spike (ms)",
        tuple(Case(t, {**SLOW, "psi": 1.0, "refractory_ms": t}) for t in (0.0, 0.5, 1.0, 2.0, 4.0)),
        "psi = 1: a cell at rate r fires r / (1 + r t) times in a ms, so that rates saturate.",
    ),
    spiking(
        "dropout",
        "Do missing synapses matter to spikes?",
        "share of synapses",
        tuple(
            Case(p, {"connection_probability": p}, (40,), text)
            for p, text in ((1.0, ""), (0.85, "100 % from epoch 201"), (0.7, ""), (0.55, ""))
        ),
        "Missing synapses are drawn for each family apart.",
    ),
    spiking(
        "dale",
        "Do interneurons that spike need synapses of both signs?",
        "synapses of interneurons",
        tuple(replace(case, settings={**case.settings, "rate_pi": 0.01}) for case in SPLIT),
        DIVIDED,
    ),
    spiking(
        "reset",
        "Must cells that spike be put to rest between presentations?",
        "reset",
        RESETS,
        "Soft: five random patterns of 3 ms each, without plasticity. Nothing is learnt in the first 4 ms of a bar.",
    ),
    spiking(
        "delays",
        "How late may spikes arrive?",
        "additional delay (ms)",
        tuple(Case(0.5 * n, {**SLOW, "delay_steps": n}) for n in (0, 2, 5, 10, 20)),
        "Every hop takes so much longer; presentations of 50 ms, the first 15 ms without plasticity.",
    ),
    spiking(
        "slope",
        "Should errors carry the factor h(u) of Urbanczik and Senn, or dendrites be prospective too?",
        "plasticity",
        named(
            ("as in the rate network", {}, "used throughout"),
            ("errors times h(u)", {"slope_factor": True}, "should it though?"),
            ("prospective dendrites", {"dendritic_equilibrium": True}, ""),
        ),
        "h(u) = phi'(u) / phi(u) at what the dendrite predicts makes learning ascend the likelihood of the soma's "
        "spikes. Prospective dendrites undo their own filter, and with it what it averages over.",
    ),
)
