"""How credit is assigned: the angle of each rule's direction to backprop's, its size, and the feedback pathway."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from apical.report.comparison import Comparison
from apical.report.curves import all_curves, layer_title, measured_layers, progress_axis, shared_limits
from apical.report.figure import Axis, Figure, Panel, Reference, Series
from apical.report.figures.words import how_drawn


class Quantity(NamedTuple):
    """A row of panels: the name in metrics.csv, the label of the axis, a line for comparison, and if it is an angle."""

    name: str
    label: str
    reference: Reference | None
    is_angle: bool = True


_DEGREES = (0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0)
_UNRELATED = Reference(90.0, "90\u00b0: unrelated")
_CREDIT = (
    Quantity("angle_to_backprop", "angle to backprop (\u00b0)", _UNRELATED),
    Quantity("log10_norm_ratio", "norm ratio (log10)", Reference(0.0, "same size"), is_angle=False),
)
_FEEDBACK = (
    Quantity("feedback_alignment", "angle to feedback (\u00b0)", _UNRELATED),
    Quantity("pseudo_inverse_alignment", "angle to its pseudo-inverse (\u00b0)", _UNRELATED),
)
_TARGETS = (
    Quantity("reconstruction_error", "error of the inverse", Reference(1.0, "no better than the mean"), is_angle=False),
    Quantity("target_distance", "distance of the target", None, is_angle=False),
    Quantity("angle_to_gauss_newton", "angle to Gauss-Newton (\u00b0)", _UNRELATED),
)
_DENDRITES = (
    Quantity("rate_loss", "loss of output rates (1/ms\u00b2)", None, is_angle=False),
    Quantity("example_angle_to_backprop", "angle on one example (\u00b0)", _UNRELATED),
    Quantity("feedback_eigenvalue", "eigenvalue at these slopes", Reference(1.0, "1: criterion"), False),
    Quantity("feedback_eigenvalue_of_weights", "eigenvalue of weights", None, False),
)


def angles(comparison: Comparison) -> Figure | None:
    """Rows: angle to backprop, and the ratio of norms where measured; columns: all layers together, then each."""
    caption = (
        "The angle between a rule's direction of learning and backprop's, for the same weights and the same batch: "
        "0\u00b0 is backprop itself, below 90\u00b0 a small step lowers the loss, at 90\u00b0 the two are unrelated."
    )
    if any(name == "log10_norm_ratio" for run in comparison.runs for _, _, name in run.traces):
        caption += " The norm ratio compares their lengths: 0 is equal, 1 is ten times as long, \u22121 a tenth."
    return _by_layer(comparison, "angle-to-backprop", "How close is the credit to backprop?", caption, _CREDIT)


def feedback(comparison: Comparison) -> Figure | None:
    """Rows: angle of forward weights to feedback weights and to their pseudo-inverse, where they were measured."""
    caption = (
        "The angle between forward weights and the feedback weights beside them: at 0\u00b0 feedback is what backprop "
        "would use, at 90\u00b0 it is unrelated. The pseudo-inverse is that of the feedback; learning through fixed "
        "feedback tends to drive the forward weights towards it."
    )
    return _by_layer(comparison, "feedback-alignment", "Do feedback and forward weights align?", caption, _FEEDBACK)


def targets(comparison: Comparison) -> Figure | None:
    """Rows: error of the learnt inverses, distance of targets, angle to ideal ones, where they were measured."""
    caption = (
        "Rules that give layers targets: how badly the learnt inverse gives back the activity of a layer (0: exactly, "
        "1: no better than always its mean), how far the target lies from the activity, as a share of it, and the "
        "angle between that step and the damped Gauss-Newton step on the output."
    )
    return _by_layer(comparison, "targets", "How good are the targets?", caption, _TARGETS)


def dendrites(comparison: Comparison) -> Figure | None:
    """Rows: the papers' loss, angle on single examples, and both eigenvalues of the feedback, where measured."""
    caption = (
        "Segregated dendrites: the paper's loss between output rates and taught ones; the angle of an example's own "
        "update to backprop's, mean over examples; and the largest eigenvalue of (I\u2212U)\u1d40(I\u2212U), with U "
        "the way from the output down the feedback of the last hidden layer and up again. Below 1 a small step of that "
        "layer lowers the loss."
    )
    rows = [_row(comparison, quantity, measured_layers(comparison, [quantity.name])) for quantity in _DENDRITES]
    panels = tuple(itertools.chain(*rows))
    if not panels:
        return None
    title = "Do plateau potentials teach the right thing?"
    return Figure("dendrites", title, caption + how_drawn(comparison, panels), panels, min(2, len(panels)))


def _by_layer(
    comparison: Comparison, name: str, title: str, caption: str, quantities: Sequence[Quantity]
) -> Figure | None:
    layers = measured_layers(comparison, [quantity.name for quantity in quantities])
    layers = sorted(layers, key=lambda layer: layer != "total")
    panels = [panel for quantity in quantities for panel in _row(comparison, quantity, layers)]
    if not panels:
        return None
    columns = len(layers) if len(layers) > 1 else len(panels)
    return Figure(name, title, caption + how_drawn(comparison, panels), tuple(panels), columns)


def _row(comparison: Comparison, quantity: Quantity, layers: Sequence[str]) -> list[Panel]:
    """One panel per layer, all on the same scale; no panel where the quantity was measured nowhere."""
    progress = progress_axis(comparison)
    curves = {layer: all_curves(comparison, "train", layer, quantity.name, progress) for layer in layers}
    every = [curve for group in curves.values() for curve in group]
    if not every:
        return []
    if quantity.is_angle:
        axis = Axis(quantity.label, limits=_angle_limits(every), ticks=_DEGREES)
    else:
        axis = Axis(quantity.label, limits=_limits_with(quantity.reference, every))
    references = () if quantity.reference is None else (quantity.reference,)
    return [Panel(layer_title(layer, comparison), progress, axis, curves[layer], references) for layer in layers]


def _limits_with(reference: Reference | None, curves: Sequence[Series]) -> tuple[float, float] | None:
    """Limits that show all curves and the line they are compared with."""
    limits = shared_limits(curves, log=False)
    if limits is None or reference is None:
        return limits
    room = 0.04 * (limits[1] - limits[0])
    return min(limits[0], reference.value - room), max(limits[1], reference.value + room)


def _angle_limits(curves: Sequence[Series]) -> tuple[float, float] | None:
    """From zero, so that what is close to backprop looks close, to all angles and the line at 90 degrees with room."""
    limits = shared_limits(curves, log=False)
    return None if limits is None else (-3.0, max(limits[1], 103.0))
