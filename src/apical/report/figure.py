"""One neutral description of a figure: what to draw, not how; `static` and `interactive` each draw all of it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8

Points = Float[np.ndarray, "points"]
Dash = Literal["solid", "dash", "dot", "dashdot"]
Marker = Literal["circle", "square", "diamond", "triangle", "bar"]
MUTED = "#5b6675"
_CROWD = 24


@dataclass(frozen=True)
class Axis:
    """What an axis means: `label` with its unit, whether it is logarithmic; limits and ticks (None: from the data)."""

    label: str
    log: bool = False
    limits: tuple[float, float] | None = None
    ticks: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Reference:
    """A thin line across a panel at `value` of its axis `along`; a panel of intervals has lines along x alone."""

    value: float
    text: str = ""
    along: Literal["x", "y"] = "y"


@dataclass(frozen=True)
class Span:
    """A stretch of the x axis, `low` to `high`, shaded over the whole height of a panel, with `text` above it."""

    low: float
    high: float
    text: str = ""
    colour: str = MUTED
    opacity: float = 0.1


@dataclass(frozen=True, eq=False)
class Series:
    """One curve, or with `kind="point"` separate points: `mean` over `x`, with the band or error bar `low` to `high`.

    Points with the marker "bar" are events: short upright strokes, of which the place in x alone means something.
    `stops` are the places (x, y) where single seeds ended early; they are drawn as crosses. A value that is not finite
    is left out.
    """

    label: str
    colour: str
    x: Points
    mean: Points
    low: Points | None = None
    high: Points | None = None
    dash: Dash = "solid"
    marker: Marker = "circle"
    kind: Literal["line", "point"] = "line"
    stops: tuple[tuple[float, float], ...] = ()

    @property
    def is_crowded(self) -> bool:
        """Whether there are so many points that smaller ones show more."""
        return self.marker != "bar" and self.x.size > _CROWD


@dataclass(frozen=True)
class Interval:
    """One row of a chart of intervals: a mean, its interval (None: not known), and the single seeds behind it.

    `box` is a stretch drawn as a bar, as the quartiles are; `spread` and `dot` say what interval and dots are.
    """

    label: str
    colour: str
    mean: float
    low: float | None = None
    high: float | None = None
    dots: tuple[float, ...] = ()
    box: tuple[float, float] | None = None
    spread: str = "95% interval"
    dot: str = "one seed"


@dataclass(frozen=True)
class Panel:
    """One pair of axes with series over a common x; what `spans` shade lies below everything else."""

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    references: tuple[Reference, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class IntervalPanel:
    """One x axis with intervals as rows, from top to bottom; references are vertical lines."""

    title: str
    x: Axis
    intervals: tuple[Interval, ...]
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True)
class Figure:
    """Panels in rows of `columns`, with a caption that says what is shown and how to read it."""

    name: str
    title: str
    caption: str
    panels: tuple[Panel | IntervalPanel, ...]
    columns: int = 2


@dataclass(frozen=True, eq=False)
class Tile:
    """A name over a stack of images, each uint8 of shape (height, width, channels) with 1 or 3 channels."""

    name: str
    images: tuple[UInt8[np.ndarray, "height width channels"], ...]


@dataclass(frozen=True)
class TileRow:
    """A row of tiles, with a label of its own ("" for none)."""

    label: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class ImageGrid:
    """A figure of images in rows of tiles."""

    name: str
    title: str
    caption: str
    rows: tuple[TileRow, ...]


AnyFigure = Figure | ImageGrid


def visible_points(series: Series, x_log: bool, y_log: bool) -> Series:
    """The series without the points an axis cannot show: not finite, or not positive on a logarithmic axis."""
    low = series.mean if series.low is None else series.low
    high = series.mean if series.high is None else series.high
    keep = np.isfinite(series.x) & np.isfinite(series.mean) & np.isfinite(low) & np.isfinite(high)
    if x_log:
        keep &= series.x > 0
    if y_log:
        keep &= low > 0
    return Series(
        series.label,
        series.colour,
        series.x[keep],
        series.mean[keep],
        None if series.low is None else low[keep],
        None if series.high is None else high[keep],
        series.dash,
        series.marker,
        series.kind,
        tuple(stop for stop in series.stops if not y_log or stop[1] > 0),
    )


def legend_entries(figure: Figure) -> tuple[Series, ...]:
    """The first series of each label, in the order of the panels: what a legend has to name."""
    entries: dict[str, Series] = {}
    for panel in figure.panels:
        for series in panel.series if isinstance(panel, Panel) else ():
            entries.setdefault(series.label, series)
    return tuple(entries.values())
