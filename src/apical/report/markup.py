"""Pieces of HTML: paragraphs, notes, lists of settings. Everything is escaped here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from apical.report.swatch import line_swatch
from apical.report.theme import Style


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text, what is between backquotes as code; `kind` is a class of the style sheet."""
    words = re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))
    return f'<p class="{escape(kind)}">{words}</p>' if kind else f"<p>{words}</p>"


def notes(items: Sequence[tuple[str, str]]) -> str:
    """Notes, each (kind, text) with kind `alarm` or `note`; alarms come in a box of their own."""
    loud = "".join(f"<p>{escape(text)}</p>" for kind, text in items if kind == "alarm")
    quiet = "".join(f"<li>{escape(text)}</li>" for kind, text in items if kind != "alarm")
    boxes = f'<div class="alarm" role="note"><b>Read this first</b>{loud}</div>' if loud else ""
    return boxes + (f'<ul class="notes">{quiet}</ul>' if quiet else "")


def details(summary: str, content: str) -> str:
    """Content (HTML) that opens on a click; it is printed open."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def definitions(pairs: Iterable[tuple[str, str]], long: bool = False) -> str:
    """A list of names and their values; on a phone `long` values stand below their names."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)
    return f'<dl class="pairs{" long" if long else ""}">{items}</dl>'


def settings_table(name: str, style: Style, settings: Mapping[str, str]) -> str:
    """The settings of one rule under its name."""
    swatch = line_swatch(style.colour, style.dash)
    return f'<section class="settings"><h3>{swatch}{escape(name)}</h3>{definitions(settings.items())}</section>'
