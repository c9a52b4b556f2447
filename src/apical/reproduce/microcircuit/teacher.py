"""Students of a random teacher network: the published regression task, tested without a teacher's pull."""

from dataclasses import dataclass

from apical.report import Axis, Figure, Panel
from apical.reproduce.angles import ANGLE, RIGHT_ANGLE
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, curve, experiment, spread
from apical.reproduce.microcircuit.lanes import History, dataset_for, made_as, train_lanes
from apical.reproduce.microcircuit.measures import regression_probe
from apical.rules.base import AbstractRule
from apical.rules.microcircuit import Microcircuit

PRESET, BATCH = "teacher", 10
PUBLISHED = {
    5: ("0.43", "0.86", "-0.13"),
    10: ("0.42", "0.83", "-0.18"),
    15: ("0.40", "0.91", "-0.24"),
    20: ("0.32", "0.93", "0.19"),
}
QUICK_SEEDS, QUICK_EPOCHS, QUICK_EXAMPLES = 2, (1, 3, 10), 2000

CAPTION = (
    "Students of 15 inputs, as many hidden cells as the colour says and 5 outputs learn what a random network of "
    "15-15-5 answers. Left: R² over test examples and outputs, the teacher's pull removed; what lies below 0 is left "
    "out. Right: angle between the synapses from hidden to output cells and the transpose of the fixed random ones "
    "that carry the output down."
)
PULLED = (
    "Published R² was measured with the output cells still pulled towards 0, which shrinks what they say by a factor "
    "of 0.684; the published weights of the student of 20 give 0.40 once the pull is removed."
)


@dataclass(frozen=True)
class Students:
    """Students of one kind under its preset of that name, of every width and from every seed."""

    name: str
    title: str
    about: str
    kind: type[AbstractRule] = Microcircuit
    seeds: int = 5
    epochs: tuple[int, ...] = (1, 2, 5, 10, 20, 40)
    quick_widths: tuple[int, ...] = (5, 20)

    def reproduction(self) -> Reproduction:
        """The students as `apical reproduce` has them."""
        return experiment(self.name, self.title, "Gille 2023, function approximation", self.run)

    def run(self, request: Request) -> Findings:
        """All widths, one after the other."""
        widths = self.quick_widths if request.quick else tuple(PUBLISHED)
        options = {"n_examples": QUICK_EXAMPLES} if request.quick else {}
        dataset = dataset_for("teacher", PRESET, options, self.kind)
        seeds, epochs = (QUICK_SEEDS, QUICK_EPOCHS) if request.quick else (self.seeds, self.epochs)
        rules = {n: made_as(self.kind, dataset, PRESET, (n,)) for n in widths}
        found = {
            n: train_lanes([rule], range(seeds), dataset, BATCH, epochs, regression_probe) for n, rule in rules.items()
        }
        best = widths[-1]
        return Findings(
            f"A student of 15-{best}-5 reaches an R² of {spread(found[best].last('r2'))} ({seeds} seeds); the "
            f"published one of that width {PUBLISHED[best][-1]}.",
            (_figure(self.name, found),),
            ("hidden", "seed", "epoch", "r2", "mse", "argmax", "angle"),
            _rows(found),
            tuple(pair for n in widths for pair in _beside(n, found[n])),
            (
                f"{seeds} seeds, batches of {BATCH}, {epochs[-1]} epochs of {len(dataset.train):,} examples, preset "
                f"{PRESET}. One teacher for all seeds.",
                self.about,
                PULLED,
            ),
        )


def _figure(name: str, found: dict[int, History]) -> Figure:
    def curves(measure: str) -> tuple:
        pairs = zip(found.items(), COLOURS, strict=False)
        return tuple(curve(f"{n} hidden cells", c, h.epochs[1:], h.measured[measure][1:]) for (n, h), c in pairs)

    panels = (
        Panel(
            "Without the teacher's pull",
            Axis("epochs", log=True),
            Axis("test R²", limits=(0.0, 1.03)),
            curves("r2"),
        ),
        Panel(
            "Alignment of weights",
            Axis("epochs", log=True),
            ANGLE,
            curves("angle_0"),
            (RIGHT_ANGLE,),
        ),
    )
    return Figure(name.removeprefix("microcircuit-"), "Do students learn the teacher?", CAPTION, panels)


def _rows(found: dict[int, History]) -> list[tuple]:
    names = ("r2", "mse", "argmax", "angle_0")
    return [(n, *row) for n, h in found.items() for row in h.rows(*names)]


def _beside(n: int, h: History) -> list[Beside]:
    loss, argmax, r2 = PUBLISHED[n]
    return [
        Beside(f"15-{n}-5: test R²", r2, spread(h.last("r2"))),
        Beside(f"15-{n}-5: test MSE", loss, spread(h.last("mse"))),
        Beside(f"15-{n}-5: the largest output is the teacher's", argmax, spread(h.last("argmax"))),
    ]


TEACHER = Students(
    "microcircuit-teacher",
    "Students of a random teacher network",
    "The steady state of latent equilibrium, one step of plasticity for a batch. In the published program hidden "
    "weights moved by 0.00125 of the error in a presentation of 50 ms, here by 1 in a batch of 10, as the error that "
    "reaches a hidden cell is some 15 times smaller than the output's.",
).reproduction()
