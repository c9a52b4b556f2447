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
