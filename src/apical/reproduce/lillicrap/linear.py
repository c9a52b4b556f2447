"""The linear task: does learning through random feedback keep up with backprop, and what aligns with what?"""

from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np

from apical.files import write_atomically
from apical.report import Axis, Figure, Panel, render_static, write_page
from apical.report.markup import paragraph
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.lillicrap.drawing import BAND, COLUMNS, Points, angles, curve, degrees, median, panel, rows
from apical.reproduce.lillicrap.linear_task import FEEDBACK, HIDDEN, INITIAL, INPUTS, OUTPUTS, Measured, learnt
from apical.reproduce.lillicrap.ways import WAYS
from apical.reproduce.page import Claim, as_csv, beside, how

NAME = "lillicrap-linear"
RATES = {"feedback-alignment": 2e-3, "backprop": 2e-3, "output-alone": 0.5}
SEEDS, QUICK_SEEDS = 20, 5
LOGS, BETWEEN = 40, 100
ALIGNED = 0  # feedback alignment among the ways
TRANSPOSE, PSEUDO = "#0072b2", "#d55e00"

CAPTION = (
    "Left: the share of the squared output that is still wrong, on inputs that were not learnt from. Middle: the angle "
    "of the error that feedback alignment gives the hidden units, B e, to that of backprop, Wᵀ e, and to pinv(W) e, "
    "which would make a Gauss-Newton step; the mean over test inputs. Right: the forward weights W come to lie like "
    "Bᵀ, and more so like the pseudo-inverse of B. Over {seeds} seeds: " + BAND + "."
)


def make(request: Request) -> Path:
    """Learns the task in every way, and writes figure, table and page."""
    n = QUICK_SEEDS if request.quick else SEEDS
    found, x = run(n), np.arange(LOGS + 1.0) * BETWEEN
    figure = Figure(
        NAME, "A linear function learnt through random feedback", CAPTION.format(seeds=n), drawn(found, x), 3
    )
    render_static(figure, request.out / "figures" / figure.name)
    write_atomically(request.out / f"{NAME}.csv", as_csv(COLUMNS, rows([way.name for way in WAYS], found, x)))
    blocks = [paragraph(seen(found), "headline"), figure, beside(claims(found)), how([conditions(n)], request.command)]
    return write_page("A linear function learnt through random feedback", blocks, request.out / f"{NAME}.html")


def run(n_seeds: int) -> Measured:
    """Everything measured, (ways, seeds, logs + 1), in the order of WAYS."""
    of_layers = jnp.array([[RATES[way.name] if way.deep else 0.0, RATES[way.name]] for way in WAYS])
    rates = jnp.repeat(of_layers[:, None], LOGS, 1)
    return learnt(jr.split(jr.key(0), n_seeds), jnp.array([way.tied for way in WAYS]), rates, BETWEEN)


def drawn(found: Measured, x: Points) -> tuple[Panel, ...]:
    """Errors of all ways; angles of feedback alignment."""
    errors = [curve(way.label, way.colour, way.dash, x, e) for way, e in zip(WAYS, found.error, strict=True)]
    return (
        panel("Error that is left", Axis("squared error / squared output", log=True), errors),
        angles("Errors of the hidden units", [
            curve("B e to Wᵀ e", TRANSPOSE, "solid", x, found.error_to_backprop[ALIGNED]),
            curve("B e to pinv(W) e", PSEUDO, "solid", x, found.error_to_pseudo_inverse[ALIGNED]),
        ]),
        angles("Forward weights", [
            curve("W to Bᵀ", TRANSPOSE, "dash", x, found.weights_to_feedback[ALIGNED]),
            curve("W to pinv(B)", PSEUDO, "dash", x, found.weights_to_pseudo_inverse[ALIGNED]),
        ]),
    )  # fmt: skip


def seen(found: Measured) -> str:
    """What one sees, in numbers."""
    aligned, backprop, alone = map(median, found.error)
    return (
        f"After {LOGS * BETWEEN:,} examples feedback alignment leaves {aligned:.1e} of the squared output wrong, "
        f"backprop {backprop:.1e}, the output layer alone {alone:.2f}."
    )


def claims(found: Measured) -> tuple[Claim, ...]:
    """The paper's claims and what was measured."""
    to_backprop, to_pseudo = degrees(found.error_to_backprop[ALIGNED]), degrees(found.error_to_pseudo_inverse[ALIGNED])
    transpose = degrees(found.weights_to_feedback[ALIGNED])
    pseudo = degrees(found.weights_to_pseudo_inverse[ALIGNED])
    return (
        ("It learns as well as backprop does, where a shallow learner fails.", seen(found)),
        ("Its errors turn to within 90 degrees of backprop's.", f"They end at {to_backprop}."),
        ("They come nearer to those through the pseudo-inverse of W.", f"They end at {to_pseudo} from these."),
        (
            "From small weights, W comes to be like a pseudo-inverse of B.",
            f"W ends at {pseudo}; at {transpose} from Bᵀ.",
        ),
    )


def conditions(n_seeds: int) -> str:
    """How it was done."""
    rates = ", ".join(f"{way.label[0].lower()}{way.label[1:]} {RATES[way.name]:g}" for way in WAYS)
    return (
        f"{INPUTS}, {HIDDEN} and {OUTPUTS} linear units learn y = T x from one new x at a time by plain gradient "
        f"descent. T is uniform within 1, x standard normal. Forward weights begin within {INITIAL}, B within "
        f"{FEEDBACK}. Rates: {rates}. Where the output layer learns alone it hears the first weights, which are small, "
        f"so its rate is much larger; at six times that it diverges. {n_seeds} seeds; each draws its own T, weights "
        f"and examples. {NAME}.csv holds every number drawn, and the same angles for the other ways."
    )


LILLICRAP_LINEAR = Reproduction(NAME, "A linear function learnt through random feedback", "Lillicrap 2016", make)
