"""Sentences that captions share."""

from collections.abc import Sequence

from apical.report.comparison import Comparison
from apical.report.figure import Panel


def how_drawn(comparison: Comparison, panels: Sequence[Panel]) -> str:
    """What lines, bands and crosses stand for in these panels."""
    several = any(len(entry.runs) > 1 for entry in comparison.entries)
    lines = " Lines: means over seeds; bands: lowest to highest seed." if several else " Lines: one seed each."
    stopped = any(series.stops for panel in panels for series in panel.series)
    return lines + (" Crosses: runs that diverged or stopped early." if stopped else "")
