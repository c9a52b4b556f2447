"""The page: one self-contained HTML file with style, script and plotly inside, and every other address forbidden."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

from apical.files import write_atomically
from apical.report.figure import AnyFigure, Figure, ImageGrid
from apical.report.interactive import render_interactive


@dataclass(frozen=True)
class Part:
    """The beginning of a part of the page: the name to link to, and its title."""

    name: str
    title: str


Block = str | AnyFigure | Part


def write_page(title: str, blocks: Sequence[Block], path: Path) -> Path:
    """Write a page of blocks to `path`; returns the path.

    A block is a figure, the beginning of a part, or a piece of HTML such as `markup` makes. The contents at the top
    link to the parts, or where there are none to the figures.

    The page needs no network: its policy lets a browser load nothing from anywhere else.
    """
    return write_atomically(path, page(title, blocks))


def page(title: str, blocks: Sequence[Block]) -> str:
    """The page as text."""
    body = "\n".join(map(_html, blocks))
    drawn = any(isinstance(block, Figure) for block in blocks)
    return Template(_asset("page.html")).substitute(
        title=escape(title),
        style=_asset("page.css"),
        contents=_contents(blocks),
        body=body,
        plotly=get_plotlyjs() if drawn else "",
        script=_asset("page.js"),
    )


def _html(block: Block) -> str:
    if isinstance(block, Part):
        return f'<h2 class="part" id="{escape(block.name)}">{escape(block.title)}</h2>'
    return block if isinstance(block, str) else render_interactive(block)


def _contents(blocks: Sequence[Block]) -> str:
    """Links to the parts, or where there are none to the figures; nothing where there are not two."""
    places = [(block.name, block.title) for block in blocks if isinstance(block, Part)]
    figures = [block.name for block in blocks if isinstance(block, Figure | ImageGrid)]
    places = places or [(name, name.replace("-", " ").capitalize()) for name in figures]
    links = "".join(f'<a href="#{escape(name)}">{escape(title)}</a>' for name, title in places)
    return f'<nav aria-label="Contents">{links}</nav>' if len(places) > 1 else ""


def _asset(name: str) -> str:
    return files("apical.report").joinpath("assets", name).read_text(encoding="utf-8")
