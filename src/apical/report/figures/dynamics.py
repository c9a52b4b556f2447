"""Learning dynamics per layer: how large the weights are, how much they change, and how much the direction changes."""

from apical.report.comparison import Comparison
from apical.report.curves import all_curves, is_wide, layer_title, measured_layers, progress_axis
from apical.report.figure import Axis, Figure, Panel
from apical.report.figures.words import how_drawn

_QUANTITIES = (
    ("weight_norm", "weight norm"),
    ("relative_weight_change", "relative weight change"),
    ("gradient_change", "relative direction change"),
)


def dynamics(comparison: Comparison) -> Figure | None:
    """Rows: the three quantities; columns: the layers."""
    layers = [layer for layer in measured_layers(comparison, [name for name, _ in _QUANTITIES]) if layer != "total"]
    if not layers:
        return None
    axis, panels = progress_axis(comparison), []
    for name, label in _QUANTITIES:
        row = [all_curves(comparison, "train", layer, name, axis) for layer in layers]
        if not any(row):
            continue
        log = is_wide([curve for curves in row for curve in curves])
        titles = [layer_title(layer, comparison) for layer in layers]
        panels += [Panel(title, axis, Axis(label, log), curves) for title, curves in zip(titles, row, strict=True)]
    caption = (
        "Layer by layer: the size of the weights (Frobenius norm), how far they moved since the measurement before, "
        "relative to that size, and how much the direction of learning changed since then (small: steady, large: "
        "noisy)."
    )
    caption += how_drawn(comparison, panels)
    return Figure("learning-dynamics", "What happens inside?", caption, tuple(panels), len(layers))
