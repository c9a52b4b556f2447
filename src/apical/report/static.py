"""Figures for print: each description drawn by matplotlib, as PDF with embedded fonts and as PNG."""

import io
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from apical.files import write_atomically
from apical.report.figure import (
    MUTED,
    AnyFigure,
    Figure,
    ImageGrid,
    Interval,
    IntervalPanel,
    Panel,
    Reference,
    Series,
    Span,
    legend_entries,
    visible_points,
)
from apical.report.ticks import tick_text, x_range, x_ticks, y_range, y_ticks

_DPI = 200
_STEPS = [1, 2, 2.5, 5, 10]
_DASHES = {"solid": "-", "dash": (0, (4.5, 2.0)), "dot": (0, (1.2, 1.6)), "dashdot": (0, (5, 1.8, 1.2, 1.8))}
_MARKERS = {"circle": "o", "square": "s", "diamond": "D", "triangle": "^", "bar": "|"}
_INK, _MUTED, _GRID = "#1d2530", MUTED, "#e6e9ee"
_HALO = [withStroke(linewidth=1.5, foreground="white")]
_ROW_INCHES, _LETTER_INCHES, _HANDLE_INCHES, _NAME_LETTERS = 0.2, 0.056, 0.62, 36
_TITLE_LETTER_INCHES, _TICK_LETTER_INCHES, _AXIS_INCHES = 0.07, 0.06, 0.5
_MOST_TICKS = 5


def render_static(figure: AnyFigure, path_stem: Path) -> tuple[Path, Path]:
    """Draw `figure` to `path_stem`.pdf and .png, making the folder; returns both paths. Same figure, same bytes."""
    with rc_context(_settings()):
        canvas = _draw_images(figure) if isinstance(figure, ImageGrid) else _draw_panels(figure)
        png = _save(canvas, path_stem, "png")
        canvas.set_layout_engine("none")  # the layout is found by now, and finding it is what takes long
        return _save(canvas, path_stem, "pdf"), png


def _settings() -> dict[Any, Any]:
    installed = set(font_manager.get_font_names())
    families = [name for name in ("Helvetica", "Arial", "Liberation Sans") if name in installed]
    return {
        "font.family": [*families[:1], "DejaVu Sans"], "font.size": 8, "pdf.fonttype": 42,
        "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _MUTED, "axes.linewidth": 0.6,
        "axes.titlesize": 8.5, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.labelsize": 8,
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
        "grid.color": _GRID, "grid.linewidth": 0.6, "xtick.color": _MUTED, "ytick.color": _MUTED,
        "xtick.labelcolor": _INK, "ytick.labelcolor": _INK, "xtick.labelsize": 7.5, "ytick.labelsize": 7.5,
        "xtick.major.size": 2.5, "ytick.major.size": 2.5, "xtick.minor.size": 0, "ytick.minor.size": 0,
        "legend.frameon": False, "legend.fontsize": 8, "lines.linewidth": 1.3, "savefig.facecolor": "white",
    }  # fmt: skip


def _save(canvas: Canvas, stem: Path, kind: str) -> Path:
    buffer = io.BytesIO()
    metadata = {"CreationDate": None} if kind == "pdf" else {"Software": None}
    canvas.savefig(buffer, format=kind, dpi=_DPI, metadata=metadata)
    return write_atomically(stem.with_name(f"{stem.name}.{kind}"), buffer.getvalue())


def _draw_panels(figure: Figure) -> Canvas:
    n_rows = -(-len(figure.panels) // figure.columns)
    legend, width = legend_entries(figure), _width(figure)
    columns = _legend_columns(legend, width)
    n_legend_rows = -(-len(legend) // columns)
    height = sum(_row_height(row) for row in _rows(figure)) + 0.19 * n_legend_rows + (0.1 if legend else 0)
    canvas = Canvas(figsize=(width, height), layout="constrained")
    heights = [_row_height(row) for row in _rows(figure)]
    grid = canvas.subplots(n_rows, figure.columns, squeeze=False, gridspec_kw={"height_ratios": heights})
    named: list[str] = []
    for axes, panel in zip(grid.flat, figure.panels, strict=False):
        panel = replace(panel, title=textwrap.fill(panel.title, _title_letters(figure), break_on_hyphens=False))
        if isinstance(panel, Panel):
            _draw_panel(axes, panel)
        else:
            _draw_intervals(axes, panel, named)
            named = [_wrapped(row.label) for row in panel.intervals]
    for axes in list(grid.flat)[len(figure.panels) :]:
        axes.set_axis_off()
    if legend:
        handles = [_handle(series) for series in legend]
        canvas.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=2.6, columnspacing=1.6)
    return canvas


def _rows(figure: Figure) -> list[Sequence[Panel | IntervalPanel]]:
    starts = range(0, len(figure.panels), figure.columns)
    return [figure.panels[start : start + figure.columns] for start in starts]


def _row_height(row: Sequence[Panel | IntervalPanel]) -> float:
    longest = max((len(panel.intervals) for panel in row if isinstance(panel, IntervalPanel)), default=0)
    lines = max(
        (_wrapped(i.label).count("\n") for p in row if isinstance(p, IntervalPanel) for i in p.intervals), default=0
    )
    return 1.0 + (_ROW_INCHES + 0.13 * lines) * longest if longest else 1.95


def _wrapped(label: str) -> str:
    return textwrap.fill(label, _NAME_LETTERS)


def _width(figure: Figure) -> float:
    return {1: 4.2, 2: 7.0}.get(figure.columns, 2.35 * figure.columns)


def _title_letters(figure: Figure) -> int:
    """How many letters of a title have room above a panel."""
    return int((_width(figure) / figure.columns - _AXIS_INCHES) / _TITLE_LETTER_INCHES)


def _legend_columns(legend: Sequence[Series], width: float) -> int:
    longest = max((len(series.label) for series in legend), default=1)
    return max(1, min(len(legend), int(width / (_LETTER_INCHES * longest + _HANDLE_INCHES))))


def _handle(series: Series) -> Line2D:
    if series.kind == "point":
        return Line2D([], [], color=series.colour, linestyle="", marker=_MARKERS[series.marker], label=series.label)
    return Line2D([], [], color=series.colour, linestyle=_DASHES[series.dash], label=series.label)


def _draw_panel(axes: Axes, panel: Panel) -> None:
    _label_axes(axes, panel.title, panel.x.label, panel.y.label)
    for series in panel.series:
        _draw_series(axes, visible_points(series, panel.x.log, panel.y.log))
    for line in panel.references:
        _draw_reference(axes, line)
    for span in panel.spans:
        _draw_span(axes, span)
    if any(span.text for span in panel.spans):
        axes.set_title(panel.title, pad=15)
    if not panel.series:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=_MUTED)
    _scale(axes, panel)


def _draw_reference(axes: Axes, line: Reference) -> None:
    """The line, with its text to the left of its end on the right or at the top."""
    look = {"color": _MUTED, "linewidth": 0.8, "linestyle": (0, (2, 2)), "zorder": 1.5}
    text = {"ha": "right", "fontsize": 6.5, "color": _MUTED, "textcoords": "offset points"}
    text |= {"path_effects": _HALO, "zorder": 1.6}
    if line.along == "x":
        axes.axvline(line.value, **look)
        place = {"xy": (line.value, 1), "xycoords": ("data", "axes fraction"), "xytext": (-2, -2), "va": "top"}
    else:
        axes.axhline(line.value, **look)
        place = {"xy": (1, line.value), "xycoords": ("axes fraction", "data"), "xytext": (-2, 2)}
    axes.annotate(line.text, **text, **place)


def _draw_span(axes: Axes, span: Span) -> None:
    axes.axvspan(span.low, span.high, color=span.colour, alpha=span.opacity, linewidth=0, zorder=0.4)
    place = {"xy": ((span.low + span.high) / 2, 1), "xycoords": ("data", "axes fraction"), "ha": "center"}
    axes.annotate(span.text, xytext=(0, 3), textcoords="offset points", fontsize=6.5, color=_MUTED, **place)


def _scale(axes: Axes, panel: Panel) -> None:
    _scale_x(axes, panel)
    if panel.y.log:
        axes.set(yscale="log", ylim=y_range(panel))
    elif panel.y.limits:
        axes.set_ylim(*panel.y.limits)
    _set_ticks(axes.yaxis, y_ticks(panel), panel.y.log)


def _scale_x(axes: Axes, panel: Panel | IntervalPanel) -> None:
    if panel.x.log:
        axes.set(xscale="log", xlim=x_range(panel))
    elif panel.x.limits:
        axes.set_xlim(*panel.x.limits)
    _set_ticks(axes.xaxis, x_ticks(panel), panel.x.log)


def _set_ticks(axis: XAxis | YAxis, ticks: Sequence[float] | None, log: bool) -> None:
    locator = (_Roomy if isinstance(axis, XAxis) else MaxNLocator)(_MOST_TICKS, steps=_STEPS)
    axis.set_major_locator(locator if ticks is None else FixedLocator(ticks))
    if log and ticks is not None:
        axis.set_major_formatter(FixedFormatter([tick_text(tick) for tick in ticks]))
        axis.set_minor_locator(NullLocator())


class _Roomy(MaxNLocator):
    """Round numbers side by side, fewer of them where their labels would touch."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        ticks: Any = []
        for n in range(_MOST_TICKS, 1, -1):
            self.set_params(nbins=n)
            ticks = super().tick_values(vmin, vmax)
            letters = sum(1 + max(len(f"{other:.6g}") for other in ticks) for tick in ticks if vmin <= tick <= vmax)
            if letters * _TICK_LETTER_INCHES <= self._inches():
                break
        return ticks

    def _inches(self) -> float:
        axes: Any = self.axis.axes  # type: ignore[union-attr]
        return axes.get_window_extent().width / axes.figure.dpi


def _draw_series(axes: Axes, series: Series) -> None:
    if series.x.size == 0:
        return
    colour, low, high = series.colour, series.low, series.high
    if series.kind == "point":
        errors = None if low is None or high is None else np.stack([series.mean - low, high - series.mean])
        size = 2.5 if series.is_crowded else 5
        axes.errorbar(series.x, series.mean, errors, color=colour, fmt=_MARKERS[series.marker], ms=size, elinewidth=1)
        return
    alone = series.x.size == 1
    axes.plot(series.x, series.mean, color=colour, linestyle=_DASHES[series.dash], marker="o" if alone else "", ms=3)
    if low is not None and high is not None:
        axes.fill_between(series.x, low, high, color=colour, alpha=0.14, linewidth=0)
    for x, y in series.stops:
        axes.plot([x], [y], color=colour, marker="x", ms=5, mew=1.4, linestyle="", clip_on=False)


def _draw_intervals(axes: Axes, panel: IntervalPanel, named: Sequence[str]) -> None:
    """Draw the rows; their names are left out where the panel to the left has the same ones."""
    _label_axes(axes, panel.title, panel.x.label, "")
    for place, row in enumerate(panel.intervals):
        _draw_interval(axes, place, row)
    for line in panel.references:
        axes.axvline(line.value, color=_MUTED, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1.5)
    names = [_wrapped(row.label) for row in panel.intervals]
    axes.set_yticks(range(len(names)), [] if names == list(named) else names)
    axes.set_ylim(len(panel.intervals) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    _scale_x(axes, panel)


def _draw_interval(axes: Axes, place: int, row: Interval) -> None:
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [place, place], color=row.colour, linewidth=1.2)
    if row.box:
        axes.plot(row.box, [place, place], color=row.colour, alpha=0.3, linewidth=7, solid_capstyle="butt")
    if row.dots:
        axes.plot(row.dots, [place] * len(row.dots), "o", color=row.colour, alpha=0.45, ms=2.4, mew=0)
    axes.plot([row.mean], [place], "o", color=row.colour, ms=4, clip_on=False)


def _label_axes(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def _draw_images(figure: ImageGrid) -> Canvas:
    n_columns = max(len(row.tiles) for row in figure.rows)
    stacks = [max(len(tile.images) for tile in row.tiles) for row in figure.rows]
    size = float(np.clip(5.6 / n_columns, 0.7, 1.4))
    canvas = Canvas(figsize=(size * n_columns, sum(size * n + 0.25 for n in stacks)), layout="constrained")
    canvas.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)  # type: ignore[union-attr]
    grid = canvas.subplots(sum(stacks), n_columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    top = 0
    for row, height in zip(figure.rows, stacks, strict=True):
        for column, tile in enumerate(row.tiles):
            grid[top, column].set_title(tile.name, loc="center", fontsize=7, fontweight="normal", pad=3)
            for place, image in enumerate(tile.images):
                shown = image.squeeze(-1) if image.shape[-1] == 1 else image
                _draw_image(grid[top + place, column], shown)
        grid[top + (height - 1) // 2, 0].set_ylabel(row.label, fontweight="bold")
        top += height
    return canvas


def _draw_image(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=_GRID, linewidth=0.5)
