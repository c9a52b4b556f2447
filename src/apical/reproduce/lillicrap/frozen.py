"""Layers frozen in turn: what feedback B puts into the lower weights, and what the upper ones take from there."""

from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array

from apical.files import write_atomically
from apical.report import Axis, Figure, Panel, Series, Span, render_static, write_page
from apical.report.markup import paragraph
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.lillicrap.drawing import BAND, COLUMNS, Points, angles, curve, degrees, median, panel, rows
from apical.reproduce.lillicrap.linear_task import FEEDBACK, HIDDEN, INITIAL, INPUTS, OUTPUTS, Measured, learnt
from apical.reproduce.page import Claim, as_csv, beside, how

NAME = "lillicrap-frozen"
SEEDS, QUICK_SEEDS = 20, 5
BETWEEN = 50
LOWER_LOGS, UPPER_LOGS = 20, 60
LOWER_RATE, UPPER_RATE, ALONE_RATE = 1e-3, 2e-4, 0.5
WAYS = ("lower-learnt-first", "lower-at-rest")
LABELS = ("W0 has learnt before", "W0 has rested")
COLOURS = ("#0072b2", "#c8659b")
LEARNT, RESTED = 0, 1

CAPTION = (
    "At first the lower weights W0 learn through B and the upper ones, W1, rest (shaded); then W0 rests and W1 learns. "
    "For comparison W0 rests all the time. Left: the share of the squared output that is still wrong. Middle: W1 turns "
    "to Bᵀ, which it has never heard, only if W0 has learnt; later it goes on to the pseudo-inverse of B. Right: with "
    "it the errors B e turn to those of backprop, W1ᵀ e. Over {seeds} seeds: " + BAND + "."
)


def make(request: Request) -> Path:
    """Learns with and without the first phase, and writes figure, table and page."""
    n = QUICK_SEEDS if request.quick else SEEDS
    found, x = run(n), np.arange(LOWER_LOGS + UPPER_LOGS + 1.0) * BETWEEN
    figure = Figure(NAME, "One layer learns at a time", CAPTION.format(seeds=n), drawn(found, x), 3)
    render_static(figure, request.out / "figures" / figure.name)
    write_atomically(request.out / f"{NAME}.csv", as_csv(COLUMNS, rows(WAYS, found, x)))
    blocks = [paragraph(seen(found), "headline"), figure, beside(claims(found)), how([conditions(n)], request.command)]
    return write_page("Layers frozen in turn", blocks, request.out / f"{NAME}.html")


def run(n_seeds: int) -> Measured:
    """Everything measured, (ways, seeds, points), in the order of WAYS."""
    phases = jnp.array([[[LOWER_RATE, 0.0], [0.0, UPPER_RATE]], [[0.0, 0.0], [0.0, ALONE_RATE]]])
    lengths = jnp.array([LOWER_LOGS, UPPER_LOGS])
    rates = jnp.repeat(phases, lengths, 1, total_repeat_length=LOWER_LOGS + UPPER_LOGS)
    return learnt(jr.split(jr.key(0), n_seeds), jnp.zeros(len(WAYS), bool), rates, BETWEEN)


def drawn(found: Measured, x: Points) -> tuple[Panel, ...]:
    """Errors and angles, with and without learning in the lower weights."""
    phase = (Span(0.0, float(LOWER_LOGS * BETWEEN), "W0 learns"),)
    both = list(zip(LABELS, COLOURS, strict=True))

    def pair(values: Array) -> list[Series]:
        return [curve(label, colour, "solid", x, v) for (label, colour), v in zip(both, values, strict=True)]

    pseudo = curve("W1 to pinv(B)", COLOURS[LEARNT], "dot", x, found.weights_to_pseudo_inverse[LEARNT])
    return (
        panel("Error that is left", Axis("squared error / squared output", log=True), pair(found.error), phase),
        angles("Upper weights W1 to Bᵀ", [*pair(found.weights_to_feedback), pseudo], phase),
        angles("Errors B e to W1ᵀ e", pair(found.error_to_backprop), phase),
    )


def nearest(found: Measured) -> int:
    """The point at which W1, taught after W0, lies nearest to Bᵀ."""
    return int(np.median(np.asarray(found.weights_to_feedback[LEARNT]), axis=0).argmin())


def seen(found: Measured) -> str:
    """What one sees, in numbers."""
    point = nearest(found)
    with_w0, without = (degrees(found.weights_to_feedback[way], point) for way in (LEARNT, RESTED))
    return (
        f"After {(point - LOWER_LOGS) * BETWEEN:,} examples of its own W1 lies at {with_w0} to Bᵀ where W0 has learnt "
        f"before, at {without} where W0 has rested."
    )


def claims(found: Measured) -> tuple[Claim, ...]:
    """The paper's claims and what was measured."""
    before, after = (median(found.error[LEARNT], point) for point in (LOWER_LOGS, -1))
    return (
        (
            "While W0 learns and W1 rests, the error hardly falls: B's information gathers in W0.",
            f"At the end of that phase {before:.2f} of the squared output is wrong.",
        ),
        ("W1 then learns from what W0 has become, aligns with Bᵀ, and the error falls.", seen(found)),
        (
            "At last W1 acts like a pseudo-inverse of B.",
            f"W1 ends at {degrees(found.weights_to_pseudo_inverse[LEARNT])} from pinv(B), and {after:.2g} of the "
            f"squared output is wrong; where W0 has rested, {median(found.error[RESTED]):.2f}.",
        ),
    )


def conditions(n_seeds: int) -> str:
    """How it was done."""
    return (
        f"{INPUTS}, {HIDDEN} and {OUTPUTS} linear units learn y = T x from one new x at a time by plain gradient "
        f"descent. T is uniform within 1, x standard normal. Forward weights begin within {INITIAL}, B within "
        f"{FEEDBACK}. Rates: {LOWER_RATE:g} for W0; {UPPER_RATE:g} for W1, and {ALONE_RATE:g} where W0 rests at its "
        f"small first values. {n_seeds} seeds; each draws its own T, weights and examples. {NAME}.csv holds every "
        "number drawn."
    )


LILLICRAP_FROZEN = Reproduction(NAME, "Layers frozen in turn", "Lillicrap 2016", make)
