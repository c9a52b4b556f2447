"""Figures for the page: each description as HTML with one plotly plot per panel, drawn by `page.js`.

The markup carries the data as JSON beside each plot. Panels are laid out by the page's style sheet, so that they stack
on a phone; legends are buttons, which switch a rule on and off in every figure at once.
"""

import base64
import io
import json
import textwrap
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from apical.report.figure import (
    MUTED,
    AnyFigure,
    Axis,
    Figure,
    ImageGrid,
    Interval,
    IntervalPanel,
    Panel,
    Points,
    Reference,
    Series,
    Span,
    legend_entries,
    visible_points,
)
from apical.report.swatch import line_swatch, point_swatch
from apical.report.ticks import tick_text, x_range, x_ticks, y_range, y_ticks

_INK, _MUTED, _GRID = "#1d2530", MUTED, "#e9ecf1"
_DASHES = {"solid": "solid", "dash": "7px,3px", "dot": "2px,2.5px", "dashdot": "8px,3px,2px,3px"}
_MARKERS = {"circle": "circle", "square": "square", "diamond": "diamond", "triangle": "triangle-up", "bar": "line-ns"}
_PANEL_HEIGHT, _ROW_HEIGHT, _NAME_LETTERS = 236, 26, 30
_HINT = "Click a name to hide or show it in every figure, double-click to see it alone."


def render_interactive(figure: AnyFigure) -> str:
    """`figure` as one HTML `<figure>` element; the page around it must hold plotly and the page's script."""
    body = _images(figure) if isinstance(figure, ImageGrid) else _panels(figure)
    title, caption, name = escape(figure.title), escape(figure.caption), escape(figure.name)
    shown = " legend-shown" if isinstance(figure, Figure) and legend_entries(figure) else ""
    return (
        f'<figure id="{name}" class="figure{shown}"><h2>{title}</h2>{body}'
        f'<figcaption>{caption} <span class="file">figures/{name}.pdf</span></figcaption></figure>'
    )


def plot(panel: Panel | IntervalPanel) -> dict[str, Any]:
    """A panel as plotly's `data` and `layout`."""
    return _series_plot(panel) if isinstance(panel, Panel) else _interval_plot(panel)


def _panels(figure: Figure) -> str:
    cells = "".join(_cell(panel) for panel in figure.panels)
    kind = {1: " single", 2: ""}.get(figure.columns, " wide")
    return f'{_legend(figure)}<div class="panels{kind}" style="--columns:{figure.columns}">{cells}</div>'


def _cell(panel: Panel | IntervalPanel) -> str:
    heading = f"<b>{escape(panel.title)}</b>"
    if isinstance(panel, Panel):
        heading += f" <span>{escape(panel.y.label)}</span>"
    data = json.dumps(plot(panel), allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    empty = isinstance(panel, Panel) and not panel.series
    drawing = '<p class="empty">not measured</p>' if empty else '<div class="plot"></div>'
    script = "" if empty else f'<script type="application/json">{data}</script>'
    return f'<div class="panel"><div class="panel-title">{heading}</div>{drawing}{script}</div>'


def _legend(figure: Figure) -> str:
    entries = legend_entries(figure)
    keys = "".join(
        f'<button type="button" class="key" data-label="{escape(series.label)}" aria-pressed="true">'
        f"{_swatch(series)}{escape(series.label)}</button>"
        for series in entries
    )
    hint = f'<p class="hint">{_HINT}</p>' if len(entries) > 1 else ""
    return f'<div class="legend" role="group" aria-label="Legend">{keys}</div>{hint}' if keys else ""


def _swatch(series: Series) -> str:
    point = series.kind == "point"
    return point_swatch(series.colour, series.marker) if point else line_swatch(series.colour, series.dash)


def _series_plot(panel: Panel) -> dict[str, Any]:
    shown = [visible_points(series, panel.x.log, panel.y.log) for series in panel.series]
    traces = [trace for series in shown for trace in _traces(series, panel.x)]
    layout = _layout(panel.x, panel.y, _PANEL_HEIGHT)
    layout["xaxis"] |= _scale(x_ticks(panel), x_range(panel) if panel.x.log else None)
    layout["yaxis"] |= _scale(y_ticks(panel), y_range(panel) if panel.y.log else None)
    layout["shapes"] = [*map(_shade, panel.spans), *(_line(line.value, line.along) for line in panel.references)]
    layout["annotations"] = [*map(_reference_text, panel.references), *map(_span_text, panel.spans)]
    if any(span.text for span in panel.spans):
        layout["margin"] |= {"t": 24}
        layout["height"] += 14
    return {"data": traces, "layout": layout}


def _reference_text(line: Reference) -> dict[str, Any]:
    """To the left of the end of its line, on the right or at the top."""
    along_x = {"x": line.value, "y": 1, "yref": "paper", "yanchor": "top"}
    along_y = {"x": 1, "xref": "paper", "y": line.value, "yanchor": "bottom"}
    return _text(line.text) | {"xanchor": "right"} | (along_x if line.along == "x" else along_y)


def _span_text(span: Span) -> dict[str, Any]:
    return _text(span.text) | {"x": (span.low + span.high) / 2, "y": 1, "yref": "paper", "yanchor": "bottom"}


def _text(text: str) -> dict[str, Any]:
    return {"text": escape(text), "showarrow": False, "font": {"size": 10.5, "color": _MUTED}}


def _shade(span: Span) -> dict[str, Any]:
    """The stretch of a span, over the whole height."""
    drawn = {"type": "rect", "layer": "below", "line": {"width": 0}, "fillcolor": span.colour, "opacity": span.opacity}
    return drawn | {"x0": span.low, "x1": span.high, "y0": 0, "y1": 1, "yref": "paper"}


def _traces(series: Series, x: Axis) -> list[dict[str, Any]]:
    common = {"meta": series.label, "type": "scatter", "x": _numbers(series.x), "showlegend": False}
    spread = "" if series.low is None else "<br>%{customdata[0]:.4~g} to %{customdata[1]:.4~g}"
    hover = f"<b>{escape(series.label)}</b><br>%{{y:.4~g}} at %{{x:.4~s}} {escape(x.label)}{spread}<extra></extra>"
    if series.marker == "bar":
        hover = f"<b>{escape(series.label)}</b><br>at %{{x:.4~s}} {escape(x.label)}<extra></extra>"
    main = common | {"y": _numbers(series.mean), "hovertemplate": hover}
    if series.low is not None and series.high is not None:
        main["customdata"] = list(zip(_numbers(series.low), _numbers(series.high), strict=True))
    if series.kind == "point":
        return [main | _points(series)]
    line = {"color": series.colour, "dash": _DASHES[series.dash], "width": 2}
    mode = "lines" if series.x.size > 1 else "markers"
    traces = [main | {"mode": mode, "line": line, "marker": {"color": series.colour, "size": 6}}]
    return _band(series, common) + traces + _stops(series, common)


def _points(series: Series) -> dict[str, Any]:
    drawn: dict[str, Any] = {"mode": "markers"}
    size = 6 if series.is_crowded else 11
    drawn["marker"] = {"color": series.colour, "size": size, "symbol": _MARKERS[series.marker]}
    if series.marker == "bar":
        drawn["marker"] |= {"line": {"color": series.colour, "width": 1.5}}
    if series.low is not None and series.high is not None:
        up, down = _numbers(series.high - series.mean), _numbers(series.mean - series.low)
        drawn["error_y"] = {"type": "data", "array": up, "arrayminus": down, "thickness": 1.3, "width": 0}
        drawn["error_y"] |= {"color": series.colour, "symmetric": False}
    return drawn


def _band(series: Series, common: dict[str, Any]) -> list[dict[str, Any]]:
    if series.low is None or series.high is None:
        return []
    edge = common | {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    red, green, blue = (int(series.colour[start : start + 2], 16) for start in (1, 3, 5))
    fill = {"fill": "tonexty", "fillcolor": f"rgba({red},{green},{blue},0.13)"}
    return [edge | {"y": _numbers(series.low)}, edge | {"y": _numbers(series.high)} | fill]


def _stops(series: Series, common: dict[str, Any]) -> list[dict[str, Any]]:
    if not series.stops:
        return []
    x, y = np.array(series.stops).T
    marker = {"symbol": "x-thin", "size": 8, "line": {"color": series.colour, "width": 2}}
    hover = f"<b>{escape(series.label)}</b><br>a seed stopped here<extra></extra>"
    drawn = {
        "x": _numbers(x),
        "y": _numbers(y),
        "mode": "markers",
        "marker": marker,
        "hovertemplate": hover,
        "cliponaxis": False,
    }
    return [common | drawn]


def _interval_plot(panel: IntervalPanel) -> dict[str, Any]:
    traces = [trace for place, row in enumerate(panel.intervals) for trace in _interval(place, row)]
    n_rows = len(panel.intervals)
    names = [[escape(line) for line in textwrap.wrap(row.label, _NAME_LETTERS)] for row in panel.intervals]
    n_lines = max(len(lines) for lines in names)
    layout = _layout(panel.x, Axis(""), 64 + (_ROW_HEIGHT + 15 * (n_lines - 1)) * n_rows)
    layout["yaxis"] |= {
        "tickvals": list(range(n_rows)),
        "ticktext": ["<br>".join(lines) for lines in names],
        "range": [n_rows - 0.5, -0.5],
    }
    layout["yaxis"] |= {"showgrid": False, "ticks": "", "fixedrange": True, "tickfont": {"size": 12.5, "color": _INK}}
    layout["xaxis"] |= _scale(x_ticks(panel), x_range(panel) if panel.x.log else None)
    layout["shapes"] = [_line(line.value, "x") for line in panel.references]
    return {"data": traces, "layout": layout}


def _interval(place: int, row: Interval) -> list[dict[str, Any]]:
    name = f"<b>{escape(row.label)}</b><br>"
    common = {"meta": row.label, "type": "scatter", "mode": "markers", "showlegend": False}
    known = row.low is not None and row.high is not None
    spread = f"<br>{row.spread} {_brief(row.low)} to {_brief(row.high)}" if known else ""
    point = common | {"x": _numbers(np.array([row.mean])), "y": [place]}
    point |= {"hovertemplate": f"{name}{_brief(row.mean)}{spread}<extra></extra>"}
    point["marker"] = {"color": row.colour, "size": 8}
    if row.low is not None and row.high is not None:
        up, down = np.array([row.high - row.mean]), np.array([row.mean - row.low])
        point["error_x"] = {"type": "data", "array": _numbers(up), "arrayminus": _numbers(down), "symmetric": False}
        point["error_x"] |= {"color": row.colour, "thickness": 1.8, "width": 0}
    dots = common | {"x": _numbers(np.array(row.dots)), "y": [place] * len(row.dots)}
    dots |= {"marker": {"color": row.colour, "size": 4, "opacity": 0.5}}
    dots |= {"hovertemplate": f"{name}{row.dot}: %{{x:.4~g}}<extra></extra>"}
    bars = [_bar(place, row, common)] if row.box else []
    return [*bars, dots, point] if row.dots else [*bars, point]


def _bar(place: int, row: Interval, common: dict[str, Any]) -> dict[str, Any]:
    drawn = {"mode": "lines", "line": {"color": row.colour, "width": 11}, "opacity": 0.3, "hoverinfo": "skip"}
    return common | {"x": _numbers(np.array(row.box)), "y": [place, place]} | drawn


def _layout(x: Axis, y: Axis, height: int) -> dict[str, Any]:
    return {
        "height": height,
        "margin": {"l": 44, "r": 14, "t": 10, "b": 40},
        "font": {"family": "Helvetica Neue, Segoe UI, Roboto, Helvetica, Arial, sans-serif", "size": 12, "color": _INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": "#c9d0da", "align": "left", "font": {"color": _INK}},
        "xaxis": _axis(x) | {"title": {"text": escape(x.label), "standoff": 6, "font": {"size": 12, "color": _MUTED}}},
        "yaxis": _axis(y) | {"automargin": True},
    }


def _axis(axis: Axis) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "type": "linear", "gridcolor": _GRID, "zeroline": False, "linecolor": "#aab2be",
        "tickcolor": "#aab2be", "tickfont": {"size": 11.5, "color": _MUTED}, "ticks": "outside", "ticklen": 3,
        "nticks": 6, "exponentformat": "power", "showline": True,
    }  # fmt: skip
    if axis.limits and not axis.log:
        drawn["range"] = list(axis.limits)
    return drawn


def _scale(ticks: Sequence[float] | None, log_range: tuple[float, float] | None) -> dict[str, Any]:
    """Ticks, and what makes an axis logarithmic where it has such a range."""
    places = {} if ticks is None else {"tickvals": list(ticks)}
    if log_range is None or ticks is None:
        return places
    extent = [float(np.log10(end)) for end in log_range]
    return places | {"type": "log", "range": extent, "ticktext": [tick_text(tick) for tick in ticks]}


def _line(value: float, along: str) -> dict[str, Any]:
    """A dashed line at `value` of the axis `along`, across the whole of the other one."""
    other = "x" if along == "y" else "y"
    drawn = {"type": "line", "layer": "below", "line": {"color": _MUTED, "width": 1.3, "dash": "4px,3px"}}
    drawn |= {f"{along}0": value, f"{along}1": value, f"{other}0": 0, f"{other}1": 1, f"{other}ref": "paper"}
    return drawn


def _numbers(values: Points) -> list[float]:
    """Five significant digits: more than a screen shows, and a page half the size."""
    return [float(f"{value:.5g}") for value in values]


def _brief(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}".replace("-", "\u2212")


def _images(figure: ImageGrid) -> str:
    rows = []
    for row in figure.rows:
        label = f"<h3>{escape(row.label)}</h3>" if row.label else ""
        tiles = "".join(
            f'<div class="tile"><span>{escape(tile.name)}</span>'
            + "".join(f'<img alt="{escape(tile.name)}" src="{_data_uri(image)}">' for image in tile.images)
            + "</div>"
            for tile in row.tiles
        )
        rows.append(f'{label}<div class="tiles" style="--columns:{len(row.tiles)}">{tiles}</div>')
    return "".join(rows)


def _data_uri(image: np.ndarray) -> str:
    grey = image.shape[-1] == 1
    picture = Image.fromarray(255 - image[:, :, 0] if grey else image)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
