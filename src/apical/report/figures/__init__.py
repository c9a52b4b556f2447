"""The figures of a report, each declared once: a function from a comparison to a description, or None where the runs
hold nothing to show."""

from collections.abc import Callable

from apical.report.comparison import Comparison
from apical.report.figure import AnyFigure
from apical.report.figures.cost import cost
from apical.report.figures.credit import angles, dendrites, feedback, targets
from apical.report.figures.dynamics import dynamics
from apical.report.figures.learning import learning_curves
from apical.report.figures.results import results
from apical.report.figures.samples import samples

FIGURES: tuple[Callable[[Comparison], AnyFigure | None], ...] = (
    results,
    samples,
    learning_curves,
    angles,
    feedback,
    targets,
    dendrites,
    dynamics,
    cost,
)
