"""Writes docs/numbers.md from docs/numbers.toml, and fills the latter from run folders.

python docs/make_numbers.py                              writes the page
python docs/make_numbers.py measure GROUP ROW DIR...     puts mean and interval of these runs into a row, then writes it
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from apical.report.statistics import summarise

HERE = Path(__file__).parent
TABLE, PAGE = HERE / "numbers.toml", HERE / "numbers.md"
HEAD = """# Ours and the papers' numbers

Last weights, judged once on test data unless a protocol says otherwise; mean and 95 % t interval where there are
several seeds. A command is that of seed 0 and of the first row of its table; a row says what it changes. This page is
made from `docs/numbers.toml`.
"""
FOOT = """
A: `rate=3e-4 feedback_rate=5e-4 rate_decay=5e-5 noise=0.1 label_smoothing=0.23 target_step=0.1`; B: `rate=4e-4
feedback_rate=1e-4 rate_decay=3e-4 feedback_rate_decay=3e-4 noise=0.36 label_smoothing=0.23`; D: `rate=4e-4
feedback_rate=1e-4 rate_decay=2e-4 feedback_rate_decay=3e-4 noise=0.36 label_smoothing=0.23 weight_decay=2e-5`; G: D
with `auxiliary_width=128 reconstruction_loss=difference rate_decay=1e-4 rate_drops=40,52 weight_decay=5e-5`. What was
tried on the way, what fell short and all settings are in [measured results](results.md).
"""


def table() -> list[dict[str, Any]]:
    """The groups of rows."""
    return tomllib.loads(TABLE.read_text())["group"]


def page(groups: Iterable[dict[str, Any]]) -> str:
    """The page, as Markdown."""
    return HEAD + "".join(map(section, groups)) + FOOT


def section(group: dict[str, Any]) -> str:
    """One paper: its table and its command."""
    lines = ["| what | theirs | ours | seeds | why they differ |", "|---|---|---|---|---|"]
    lines += [f"| {r['what']} | {r['theirs']} | {r['ours']} | {r['seeds']} | {r['why']} |" for r in group["rows"]]
    return f"\n## {group['paper']}\n\n" + "\n".join(lines) + f"\n\n```text\n{group['command']}\n```\n"


def measured(row: dict[str, Any], folders: Sequence[Path]) -> tuple[str, int]:
    """Mean with interval, in percent, of a row's key over run folders, and how many there are."""
    values = [100 * json.loads((folder / "summary.json").read_text())[row["key"]] for folder in folders]
    found = summarise(100 - value if "error" in row["what"] else value for value in values)
    assert found is not None, f"no run has a {row['key']}"
    return found.text(".2f"), found.n


def measure(group: str, row: str, folders: Sequence[Path]) -> None:
    """Replaces what a row of the table says of us."""
    ours, seeds = measured(next(r for g in table() if g["id"] == group for r in g["rows"] if r["id"] == row), folders)
    before = rf'\[\[group\]\]\nid = "{re.escape(group)}"\n.*?\n  \{{ id = "{re.escape(row)}", [^\n]*?'
    cell = re.compile(rf'({before})ours = "[^"]*", seeds = \d+', re.DOTALL)
    TABLE.write_text(cell.sub(rf'\g<1>ours = "{ours}", seeds = {seeds}', TABLE.read_text(), count=1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(sys.argv[2], sys.argv[3], [Path(folder) for folder in sys.argv[4:]])
    PAGE.write_text(page(table()))
