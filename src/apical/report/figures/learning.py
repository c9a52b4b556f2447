"""Learning curves: accuracy and loss over training, on training, validation or watched test data."""

from apical.report.comparison import Comparison
from apical.report.curves import all_curves, is_wide, progress_axis, shared_limits
from apical.report.figure import Axis, Figure, Panel
from apical.report.figures.words import how_drawn
from apical.report.notes import foreign_protocols
from apical.training.protocols import PROTOCOLS

_MEASURES = (("accuracy", "accuracy (%)", 100.0), ("r2", "R\u00b2", 1.0), ("loss", "loss", 1.0))
_SPLITS = (("train", "Training data"), ("validation", "Validation data"), ("test", "Test data, watched"))


def learning_curves(comparison: Comparison) -> Figure | None:
    """Rows: accuracy (where the task has one) and loss; columns: training and validation (or watched test) data."""
    axis, panels = progress_axis(comparison), []
    for name, label, scale in _MEASURES:
        curves = {split: all_curves(comparison, split, "", name, axis, scale) for split, _ in _SPLITS}
        log = name == "loss" and is_wide([curve for group in curves.values() for curve in group])
        every = [curve for group in curves.values() for curve in group]
        limits = shared_limits(every, log, 0.0, 100.0 + 1.5) if name == "accuracy" else shared_limits(every, log)
        panels += [
            Panel(title, axis, Axis(_label(comparison, name, label), log, limits), curves[split])
            for split, title in _SPLITS
            if curves[split]
        ]
    if not panels:
        return None
    caption = (
        "Training data are scored just before the network learns from them, each point averaging the stretch since "
        "the one before; validation data are held out and scored at the point. A training curve much better than its "
        "validation curve is overfitting."
    )
    return Figure("learning-curves", "How do they learn?", caption + how_drawn(comparison, panels), tuple(panels))


def _label(comparison: Comparison, name: str, label: str) -> str:
    foreign = [PROTOCOLS.get(name) for name in foreign_protocols(comparison)]
    plain = all(protocol and protocol.loss == "cross-entropy" for protocol in foreign)
    if name != "loss" or comparison.score.key != "test_accuracy":
        return "squared error" if name == "loss" else label
    return "cross-entropy (nats)" if plain else label
