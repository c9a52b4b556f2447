"""Measurements over training, put together over the seeds of an entry."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from apical.report.comparison import Comparison, Entry
from apical.report.figure import Axis, Series, visible_points
from apical.report.runs import Run, Trace
from apical.report.ticks import log_range

_WIDE = 20.0


def progress_axis(comparison: Comparison) -> Axis:
    """Epochs, where every point of every run has its own epoch number; otherwise the number of examples seen."""
    traces = [trace for run in comparison.runs for trace in run.traces.values()]
    distinct = all(len(np.unique(trace.epoch)) == len(np.unique(trace.examples)) for trace in traces)
    axis = Axis("epochs" if distinct else "training examples seen")
    end = max((float(_position(trace, axis).max()) for trace in traces), default=0.0)
    return replace(axis, limits=(0.0, end) if end > 0 else None)


def shared_limits(
    series: Sequence[Series], log: bool, low: float = -np.inf, high: float = np.inf
) -> tuple[float, float] | None:
    """Limits that show all series with some room, but reach no further than `low` and `high`; None without values."""
    shown = [visible_points(curve, False, log) for curve in series]
    drawn = [values for curve in shown for values in (curve.mean, curve.low, curve.high) if values is not None]
    values = np.concatenate(drawn) if drawn else np.zeros(0)
    if values.size == 0:
        return None
    if log:
        return log_range(values.tolist())
    least, most = float(values.min()), float(values.max())
    room = 0.04 * (most - least) or 0.1 * abs(most) or 1.0
    return max(least - room, low), min(most + room, high)


def seed_curve(entry: Entry, split: str, layer: str, name: str, axis: Axis, scale: float = 1.0) -> Series | None:
    """Mean over seeds with the band from the lowest to the highest seed; None where nothing finite was measured.

    Seeds measured at other places are interpolated, each within its own range. A seed that ends before the others, or
    diverged, is marked where it stops.
    """
    found = [(run, trace) for run in entry.runs if (trace := run.trace(split, layer, name)) is not None]
    lines = [(run, *_finite(trace, axis, scale)) for run, trace in found]
    lines = [(run, x, y) for run, x, y in lines if x.size]
    if not lines:
        return None
    grid = np.unique(np.concatenate([x for _, x, _ in lines]))
    table = np.stack([np.interp(grid, x, y, left=np.nan, right=np.nan) for _, x, y in lines])
    covered = np.isfinite(table).any(axis=0)
    grid, table = grid[covered], table[:, covered]
    end = max(_position(trace, axis).max() for _, trace in found)
    band = (np.nanmin(table, axis=0), np.nanmax(table, axis=0)) if len(lines) > 1 else (None, None)
    stops = tuple((float(x[-1]), float(y[-1])) for run, x, y in lines if _stopped(run, float(x[-1]), float(end)))
    style = entry.style
    return Series(
        entry.label, style.colour, grid, np.nanmean(table, axis=0), *band, style.dash, style.marker, "line", stops
    )


def all_curves(
    comparison: Comparison, split: str, layer: str, name: str, axis: Axis, scale: float = 1.0
) -> tuple[Series, ...]:
    """The curves of all entries that have this measurement."""
    curves = (seed_curve(entry, split, layer, name, axis, scale) for entry in comparison.entries)
    return tuple(curve for curve in curves if curve is not None)


def is_wide(series: Sequence[Series]) -> bool:
    """Whether positive values spread so far that a logarithmic axis shows them better."""
    means = [curve.mean[np.isfinite(curve.mean) & (curve.mean > 0)] for curve in series]
    values = np.concatenate(means) if means else np.zeros(0)
    return values.size > 0 and bool(values.max() > _WIDE * values.min())


def measured_layers(comparison: Comparison, names: Sequence[str]) -> list[str]:
    """The layers for which any of `names` was measured with a finite value, in order, `total` last."""
    layers = {
        layer
        for run in comparison.runs
        for (_, layer, name), trace in run.traces.items()
        if name in names and layer and np.isfinite(trace.value).any()
    }
    return sorted(layers, key=lambda layer: (layer == "total", int(layer) if layer.isdecimal() else 0, layer))


def layer_title(layer: str, comparison: Comparison) -> str:
    """What a layer is called: hidden layers are counted from 1, and the last layer any run measured is the output."""
    if not layer.isdecimal():
        return "All layers" if layer == "total" else layer
    measured = {name for run in comparison.runs for _, name, _ in run.traces}
    last = max(int(name) for name in measured if name.isdecimal())
    return "Output layer" if int(layer) == last else f"Hidden layer {int(layer) + 1}"


def _position(trace: Trace, axis: Axis) -> Float[np.ndarray, " points"]:
    return trace.epoch if axis.label == "epochs" else trace.examples


def _finite(trace: Trace, axis: Axis, scale: float) -> tuple[np.ndarray, np.ndarray]:
    keep = np.isfinite(trace.value)
    return _position(trace, axis)[keep], scale * trace.value[keep]


def _stopped(run: Run, last: float, end: float) -> bool:
    return run.status == "diverged" or last < end
