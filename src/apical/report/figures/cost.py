"""What accuracy costs: score against training time and against arithmetic per example."""

import numpy as np

from apical.report.comparison import Comparison, Entry
from apical.report.figure import Axis, Figure, Panel, Series

_COSTS = (
    ("seconds", "Against time", "training time (s)"),
    ("flops_per_example", "Against arithmetic", "FLOPs per training example"),
)


def cost(comparison: Comparison) -> Figure | None:
    """Two panels, logarithmic in the cost; one point per rule with the interval of its score."""
    score, panels = comparison.score, []
    unit = f" ({score.unit})" if score.unit else ""
    for key, title, label in _COSTS:
        points = tuple(point for entry in comparison.entries if (point := _point(comparison, entry, key)))
        if points:
            ends = [float(v) for p in points for e in (p.low, p.mean, p.high) if e is not None for v in e]
            panels.append(
                Panel(title, Axis(label, log=True), Axis(f"{score.name}{unit}", limits=score.limits(ends)), points)
            )
    if not panels:
        return None
    machine = "Time is that of training alone, without compilation, on the machine named below"
    flops = "; FLOPs, counted by the compiler, are the arithmetic of one update" if len(panels) > 1 else ""
    good = "up" if score.higher_is_better else "down"
    bars = "" if len(comparison.seeds) == 1 else " Bars: 95% interval over seeds."
    caption = f"Further {good} is better, further left is cheaper. {machine}{flops}.{bars}"
    return Figure("cost", "What does it cost?", caption, tuple(panels))


def _point(comparison: Comparison, entry: Entry, key: str) -> Series | None:
    score, cost = comparison.score, entry.summary(key)
    value = entry.summary(score.key, score.scale)
    if cost is None or value is None or cost.mean <= 0:
        return None
    low, high = (None, None) if value.low is None else (np.array([value.low]), np.array([value.high]))
    style = entry.style
    at, mean = np.array([cost.mean]), np.array([value.mean])
    return Series(entry.label, style.colour, at, mean, low, high, style.dash, style.marker, "point")
