"""Both renderers draw what a figure describes: matplotlib's artists and plotly's traces hold its numbers."""

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib import rc_context
from matplotlib.colors import to_hex
from PIL import Image

from apical.report import (
    Axis,
    Figure,
    ImageGrid,
    Interval,
    IntervalPanel,
    Panel,
    Reference,
    Series,
    Span,
    Tile,
    TileRow,
    render_interactive,
    render_static,
)  # fmt: skip
from apical.report.interactive import plot
from apical.report.static import _draw_panels, _settings

X = np.array([0.0, 1.0, 2.0])
LINE = Series("One", "#0072b2", X, X + 1, X + 0.5, X + 2, stops=((2.0, 3.0),))
OTHER = Series("<i>Two</i>", "#d55e00", X, 10 * X, dash="dot")
POINT = Series("Three", "#009e73", X[1:2], X[1:2], X[1:2] - 0.5, X[1:2] + 1, marker="square", kind="point")
LINEAR = Panel("Left", Axis("epochs"), Axis("loss"), (LINE, OTHER), (Reference(2.0, "chance"),))
LOGARITHMIC = Panel("Right", Axis("seconds", log=True), Axis("norm", log=True), (POINT, OTHER))
STROKES = Series("Events", "#1d2530", X[:2], np.zeros(2), marker="bar", kind="point")
SPANS = (Span(0.0, 0.5, "<first>", "#5b6675", 0.1), Span(0.5, 2.0, "second", "#e69f00", 0.2))
TIMED = Panel("Time", Axis("ms"), Axis("potential"), (LINE, STROKES), (Reference(1.5, "now", along="x"),), SPANS)
ROWS = (Interval("One", "#0072b2", 3.0, 2.0, 5.0, (2.5, 3.5)), Interval("<i>Two</i>", "#d55e00", 1.0))
INTERVALS = IntervalPanel("Rows", Axis("accuracy (%)"), ROWS, (Reference(2.0),))
FIGURE = Figure("curves", "Curves & more", "What it <shows>.", (LINEAR, LOGARITHMIC))
GREY = np.array([[[0], [255]], [[128], [64]]], dtype=np.uint8)
COLOUR = np.array([[[255, 0, 0], [0, 255, 0]]], dtype=np.uint8)
GRID = ImageGrid(
    "tiles", "Tiles", "Images.", (TileRow("grey", (Tile("<b>", (GREY, GREY)),)), TileRow("", (Tile("c", (COLOUR,)),)))
)


def test_static_files_are_a_pdf_and_a_png_that_repeat_to_the_bit(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in render_static(FIGURE, tmp_path / "deep" / "curves")]
    again = [path.read_bytes() for path in render_static(FIGURE, tmp_path / "deep" / "curves")]
    assert first == again
    assert first[0].startswith(b"%PDF-") and first[1].startswith(b"\x89PNG")
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["curves.pdf", "curves.png"]


def test_static_curves_bands_and_crosses_hold_the_numbers() -> None:
    canvas = _draw_panels(FIGURE)
    left, right = canvas.axes
    lines = {to_hex(line.get_color()): line for line in left.lines if len(line.get_xdata()) == 3}
    assert lines["#0072b2"].get_ydata().tolist() == [1.0, 2.0, 3.0]
    assert lines["#d55e00"].get_ydata().tolist() == [0.0, 10.0, 20.0]
    band = left.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (0.5, 4.0)
    assert [tuple(line.get_xydata()[0]) for line in left.lines if line.get_marker() == "x"] == [(2.0, 3.0)]
    assert (right.get_xscale(), right.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in canvas.legends[0].get_texts()] == ["One", "<i>Two</i>", "Three"]


def test_static_rows_are_named_once_and_drawn_from_the_top(tmp_path: Path) -> None:
    left, right = _draw_panels(Figure("rows", "Rows", "Rows.", (INTERVALS, INTERVALS))).axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["One", "<i>Two</i>"]
    assert not any(label.get_text() for label in right.get_yticklabels())
    assert left.yaxis_inverted()
    bars = [line.get_xdata() for line in left.lines if list(line.get_xdata()) == [2.0, 5.0]]
    assert len(bars) == 1


def test_labels_of_ticks_have_room_between_them() -> None:
    rows = (Interval("divided, one inhibitory cell each", "#0072b2", 0.012, 0.001, 0.024),)
    narrow = replace(INTERVALS, x=Axis("potential", limits=(0.0, 0.025)), intervals=rows, references=())
    with rc_context(_settings()):
        canvas = _draw_panels(Figure("rows", "Rows", "Rows.", (narrow,) * 3, 3))
        canvas.draw_without_rendering()
    for axes in canvas.axes:
        boxes = [text.get_window_extent() for text in axes.get_xticklabels()]
        assert len(boxes) >= 2 and all(one.x1 + 4 < other.x0 for one, other in itertools.pairwise(boxes))


def test_static_images_keep_their_colours(tmp_path: Path) -> None:
    _, png = render_static(GRID, tmp_path / "tiles")
    pixels = {tuple(int(v) for v in pixel) for pixel in np.asarray(Image.open(png).convert("RGB")).reshape(-1, 3)}
    assert {(255, 0, 0), (0, 255, 0), (0, 0, 0)} <= pixels


def test_static_spans_events_and_upright_lines_are_where_they_belong() -> None:
    (axes,) = _draw_panels(Figure("time", "Time", "Time.", (TIMED,), 1)).axes
    ends = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
    looks = [(to_hex(patch.get_facecolor()), patch.get_alpha()) for patch in axes.patches]
    assert ends == [(0.0, 0.5), (0.5, 2.0)] and looks == [("#5b6675", 0.1), ("#e69f00", 0.2)]
    places = {text.get_text(): text.xy for text in axes.texts}
    assert places == {"<first>": (0.25, 1), "second": (1.25, 1), "now": (1.5, 1)}
    assert [1.5, 1.5] in [list(line.get_xdata()) for line in axes.lines]
    assert [line.get_xdata().tolist() for line in axes.lines if line.get_marker() == "|"] == [[0.0, 1.0]]


@pytest.mark.parametrize("panel", [LINEAR, LOGARITHMIC, INTERVALS, TIMED], ids=["linear", "log", "intervals", "timed"])
def test_plots_are_what_plotly_knows(panel: Panel | IntervalPanel) -> None:
    """Plotly's own schema refuses a key or value that it would silently ignore on the page."""
    go.Figure(plot(panel))


def test_interactive_traces_hold_the_numbers() -> None:
    traces = plot(LINEAR)["data"]
    one = [trace for trace in traces if trace["meta"] == "One"]
    low, high, line, stops = one
    assert (low["y"], high["y"], line["y"]) == ([0.5, 1.5, 2.5], [2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
    assert high["fill"] == "tonexty" and line["line"]["color"] == "#0072b2"
    assert (stops["x"], stops["y"]) == ([2.0], [3.0])
    assert [shape["y0"] for shape in plot(LINEAR)["layout"]["shapes"]] == [2.0]


def test_interactive_spans_events_and_upright_lines_are_where_they_belong() -> None:
    drawn = plot(TIMED)
    first, second, line = drawn["layout"]["shapes"]
    assert (first["x0"], first["x1"], first["fillcolor"], first["opacity"]) == (0.0, 0.5, "#5b6675", 0.1)
    assert (second["x0"], second["x1"], second["yref"], second["layer"]) == (0.5, 2.0, "paper", "below")
    assert (line["x0"], line["x1"], line["yref"]) == (1.5, 1.5, "paper")
    places = {note["text"]: (note["x"], note["yanchor"]) for note in drawn["layout"]["annotations"]}
    assert places == {"now": (1.5, "top"), "&lt;first&gt;": (0.25, "bottom"), "second": (1.25, "bottom")}
    (strokes,) = [trace for trace in drawn["data"] if trace["meta"] == "Events"]
    assert strokes["x"] == [0.0, 1.0] and strokes["marker"]["line"]["color"] == "#1d2530"
    assert "%{y" not in strokes["hovertemplate"]
    assert drawn["layout"]["margin"]["t"] > plot(LINEAR)["layout"]["margin"]["t"]
    html = render_interactive(Figure("time", "Time", "Time.", (TIMED,), 1))
    assert html.count("<path") == 1 and "<first>" not in html  # the swatch of events


def test_interactive_log_axes_leave_out_what_they_cannot_show_and_have_plain_ticks() -> None:
    drawn = plot(LOGARITHMIC)
    two = next(trace for trace in drawn["data"] if trace["meta"] == "<i>Two</i>")
    assert two["x"] == [1.0, 2.0]
    assert drawn["layout"]["xaxis"]["type"] == "log" and drawn["layout"]["xaxis"]["ticktext"]
    point = next(trace for trace in drawn["data"] if trace["meta"] == "Three")
    assert (point["error_y"]["array"], point["error_y"]["arrayminus"]) == ([1.0], [0.5])


def test_interactive_rows_hold_means_intervals_and_seeds() -> None:
    drawn = plot(INTERVALS)
    dots, point, alone = drawn["data"]
    assert dots["x"] == [2.5, 3.5] and point["x"] == [3.0] and alone["x"] == [1.0]
    assert (point["error_x"]["arrayminus"], point["error_x"]["array"]) == ([1.0], [2.0])
    assert "error_x" not in alone
    assert drawn["layout"]["yaxis"]["ticktext"] == ["One", "&lt;i&gt;Two&lt;/i&gt;"]


def test_markup_is_escaped_and_carries_valid_json() -> None:
    html = render_interactive(FIGURE)
    assert "<i>" not in html and "What it &lt;shows&gt;." in html and "Curves &amp; more" in html
    scripts = re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert [json.loads(script)["layout"]["xaxis"]["title"]["text"] for script in scripts] == ["epochs", "seconds"]
    assert re.findall(r'data-label="([^"]*)"', html) == ["One", "&lt;i&gt;Two&lt;/i&gt;", "Three"]


def test_interactive_images_are_inside_the_page() -> None:
    html = render_interactive(GRID)
    assert html.count('src="data:image/png;base64,') == 3
    assert "<b>" not in html and 'alt="&lt;b&gt;"' in html


def test_a_panel_without_curves_says_so(tmp_path: Path) -> None:
    empty = Figure("empty", "Empty", "Nothing.", (Panel("Nothing", Axis("x"), Axis("y", log=True), ()),), 1)
    assert "not measured" in render_interactive(empty)
    assert all(path.stat().st_size > 1000 for path in render_static(empty, tmp_path / "empty"))


def test_a_long_title_has_room() -> None:
    title = "Apical dendrites of the first hidden layer, no teacher"
    with rc_context(_settings()):
        canvas = _draw_panels(Figure("wide", "Wide", "Wide.", (replace(LINEAR, title=title),) * 3, 3))
        canvas.draw_without_rendering()
    right = canvas.axes[-1].get_title(loc="left")
    assert " ".join(right.split()) == title
    assert canvas.axes[-1]._left_title.get_window_extent().x1 <= canvas.bbox.x1  # type: ignore[attr-defined]


def test_a_crowd_of_points_is_drawn_small() -> None:
    many = np.arange(100.0)
    crowd, few = (Series("Points", "#0072b2", x, x, kind="point") for x in (many, many[:10]))
    panels = tuple(Panel("Points", Axis("x"), Axis("y"), (series,)) for series in (crowd, few))
    small, large = (axes.lines[0].get_markersize() for axes in _draw_panels(Figure("f", "F", "F.", panels)).axes)
    assert small < large
    assert plot(panels[0])["data"][0]["marker"]["size"] < plot(panels[1])["data"][0]["marker"]["size"]
