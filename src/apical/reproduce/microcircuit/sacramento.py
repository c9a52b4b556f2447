"""Sacramento's regression: a microcircuit learns what a nonlinear teacher network answers, a shallow learner cannot."""

from apical.report import Axis, Figure, Panel, Reference, Series
from apical.report.statistics import paired_difference
from apical.report.theme import DEGREE
from apical.reproduce.angles import ANGLE, RIGHT_ANGLE
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, curve, experiment, spread
from apical.reproduce.microcircuit.lanes import History, dataset_for, made, train_lanes
from apical.reproduce.microcircuit.measures import regression_probe

PRESET = "sacramento-2018-regression"
BATCH, EXAMPLES = 10, 10_000
SEEDS, EPOCHS = 5, (1, 2, 5, 10, 20, 40, 80)
QUICK_SEEDS, QUICK_EPOCHS, QUICK_EXAMPLES = 2, (2, 10, 30, 60), 2000
KINDS = {"all layers learn": {}, "the output layer alone": {"rate_up": (0.0, 3000.0)}}

CAPTION = (
    "30-50-10 cells learn the answers of a random teacher of 30-20-10 to random inputs, with all layers plastic or "
    "only the synapses onto output cells. Left and middle: error and R² on test examples, the teacher's pull "
    "removed. Right: angle between the synapses onto output cells and the transpose of the fixed random ones that "
    "carry the output down. Means over seeds, with the range from the lowest to the highest."
)
DIFFERENCE = (
    "The paper shows learning curves over some ten million trials of 1,000 ms and prints no number; a shallow "
    "learner stays clearly worse and the angle goes to about 45 degrees. Ten million trials of ten thousand Euler "
    "steps are out of reach, so here every trial is the steady state of latent equilibrium, updates are averaged "
    "over 10 patterns, rates are larger, and the microcircuit starts self-predicting."
)


def run(request: Request) -> Findings:
    """Both learners from every seed."""
    n_seeds, epochs = (QUICK_SEEDS, QUICK_EPOCHS) if request.quick else (SEEDS, EPOCHS)
    n_examples = QUICK_EXAMPLES if request.quick else EXAMPLES
    dataset = dataset_for("teacher", PRESET, {"n_examples": n_examples})
    found = {
        kind: train_lanes(
            [made(dataset, PRESET, settings=settings)], range(n_seeds), dataset, BATCH, epochs, regression_probe
        )
        for kind, settings in KINDS.items()
    }
    deep, shallow = found.values()
    return Findings(
        _headline(deep, shallow),
        (_figure(found),),
        ("learner", "seed", "epoch", "mse", "r2", "angle"),
        _rows(found),
        (
            Beside("shallow learner: test R²", "not printed", spread(shallow.last("r2"))),
            Beside("all layers: test R²", "not printed, clearly better", spread(deep.last("r2"))),
            Beside(
                "all layers: test error over the shallow learner's",
                "not printed, below 1",
                spread(deep.last("mse") / shallow.last("mse")),
            ),
            Beside(
                "angle of W_up to W_downᵀ, degrees",
                "about 45",
                f"{spread(deep.measured['angle_0'][0])} to {spread(deep.last('angle_0'))}",
            ),
        ),
        (
            f"{n_seeds} seeds, {epochs[-1]} epochs of {n_examples:,} examples in batches of {BATCH}, preset {PRESET}. "
            "One teacher for all seeds.",
            DIFFERENCE,
        ),
    )


def _headline(deep: History, shallow: History) -> str:
    ours, theirs = (dict(enumerate(map(float, h.last("r2")))) for h in (deep, shallow))
    gained = paired_difference(ours, theirs)
    said = f"With all layers plastic the test R² is {spread(deep.last('r2'))}"
    said += f", of the output layer alone {spread(shallow.last('r2'))}"
    if gained is None or gained.low is None:
        return f"{said}."
    return f"{said}: a difference of {gained.mean:.3f}, 95 % interval {gained.low:.3f} to {gained.high:.3f}."


def _figure(found: dict[str, History]) -> Figure:
    def drawn(name: str) -> tuple[Series, ...]:
        pairs = zip(found.items(), COLOURS, strict=False)
        return tuple(curve(kind, c, h.epochs[1:], h.measured[name][1:]) for (kind, h), c in pairs)

    x = Axis("epochs", log=True)
    panels = (
        Panel("Error", x, Axis("test squared error", log=True), drawn("mse")),
        Panel("Variance explained", x, Axis("test R²", limits=(-0.05, 1.03)), drawn("r2"), (Reference(0.0),)),
        Panel(
            "Alignment of weights",
            x,
            ANGLE,
            drawn("angle_0"),
            (Reference(45.0, f"published, about 45{DEGREE}"), RIGHT_ANGLE),
        ),
    )
    return Figure("sacramento-regression", "Do hidden layers learn?", CAPTION, panels, 3)


def _rows(found: dict[str, History]) -> list[tuple]:
    return [(kind, *row) for kind, h in found.items() for row in h.rows("mse", "r2", "angle_0")]


SACRAMENTO = experiment(
    "microcircuit-sacramento-regression", "A microcircuit learns a nonlinear teacher", "Sacramento 2018, Figure 2", run
)
