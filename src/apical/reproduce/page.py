"""What the pages of reproductions have in common: how a figure was made, claims beside measurements, tables as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from apical.report import markup

Claim = tuple[str, str]


def how(texts: Iterable[str], command: str) -> str:
    """How it was made, in words and by which command, as HTML."""
    words = "".join(map(markup.paragraph, texts))
    return f'<section class="section"><h2>How it was made</h2>{words}<pre>{escape(command)}</pre></section>'


def beside(claims: Sequence[Claim]) -> str:
    """What the paper says, and what was found here, as HTML."""
    found = markup.definitions(claims, long=True)
    return f'<section class="section"><h2>What the paper says, and what is found here</h2>{found}</section>'


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV, numbers with six digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([f"{v:.6g}" if isinstance(v, float) else v for v in row] for row in rows)
    return text.getvalue()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as HTML; the first cell of a row is its name."""
    heads = "".join(f'<th scope="col"{" class=rule" * (not i)}>{escape(name)}</th>' for i, name in enumerate(head))
    body = "".join(
        f'<tr><th class="rule" scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(c)}</td>" for c in cells)
        + "</tr>"
        for name, *cells in rows
    )
    inside = f'<table class="results"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="scroll" tabindex="0" role="region">{inside}</div>'
