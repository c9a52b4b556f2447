"""Small drawings that stand for a rule in legends and tables."""

from html import escape

from apical.report.figure import Dash, Marker

_STROKES = {"solid": "", "dash": "7 3", "dot": "2 2.5", "dashdot": "8 3 2 3"}
_SHAPES = {
    "circle": '<circle cx="14" cy="6" r="4.2"/>',
    "square": '<rect x="10" y="2" width="8" height="8"/>',
    "diamond": '<path d="M14 .8 19.2 6 14 11.2 8.8 6Z"/>',
    "triangle": '<path d="M14 1.2 19 10.2 9 10.2Z"/>',
    "bar": '<path d="M8 1h1.6v10H8ZM13 1h1.6v10H13ZM20 1h1.6v10H20Z"/>',
}


def line_swatch(colour: str, dash: Dash) -> str:
    """A short line, as in the curves."""
    stroke = f'stroke="{escape(colour)}" stroke-width="2.5" stroke-dasharray="{_STROKES[dash]}"'
    line = f'<line x1="1" y1="6" x2="27" y2="6" {stroke}/>'
    return f'<svg class="swatch" width="28" height="12" aria-hidden="true">{line}</svg>'


def point_swatch(colour: str, marker: Marker) -> str:
    """A point, as in the charts of points."""
    shape = _SHAPES[marker]
    return f'<svg class="swatch" width="28" height="12" fill="{escape(colour)}" aria-hidden="true">{shape}</svg>'
