"""The review's table of the literature (its Figure 1), measured: the audit of its seven rules and seven properties."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

from apical.audit.audit import Finding, audit
from apical.audit.literature import COLUMNS, SOURCE, TABLE
from apical.audit.page import audit_html, differences, section
from apical.audit.registry import LITERATURE
from apical.audit.tables import MARKS, by_cell, rules_of
from apical.files import write_atomically
from apical.report import markup, write_page
from apical.report.figure import MUTED
from apical.report.theme import rule_name
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.page import as_csv, how
from apical.rules.registry import RULES

HEAD = ("rule", "property", "theirs", "ours", "evidence")
SAME, OTHER = "#1d2530", "#c2410c"
LONG = 8  # letters of a cell that is words, set smaller
LEAD = (
    "The review judges seven ways to assign credit by seven properties, by hand. Here each cell is measured from the "
    "rule's own program; point at a cell for its number, threshold and method. `apical audit` measures more "
    "properties of all rules."
)
CAPTION = "Where the review has another verdict, it stands in brackets; in the figure such a cell is orange."
KEY = "\u2713 yes   \u2717 no   \u2013 does not apply   \u00b1 in part   orange: other than the review (in brackets)"


def make(request: Request) -> Path:
    """Measures the table, and writes figure, CSV and page; as fast in a hurry as not."""
    rules = [name for name in COLUMNS if name in RULES]
    findings = [finding for found in audit(rules, LITERATURE) for finding in found]
    draw(findings, request.out / "figures" / "table-1")
    write_atomically(request.out / "table-1.csv", as_csv(HEAD, [_row(finding) for finding in findings]))
    blocks = [
        markup.paragraph(LEAD, "lead"),
        section("The table", audit_html(findings, LITERATURE)),
        section("Where it differs from the review's", differences(findings)),
        how((f"Source of the other table: {SOURCE}. {CAPTION}",), request.command),
    ]
    return write_page("The review's table of the literature, measured", blocks, request.out / "table-1.html")


def _row(finding: Finding) -> tuple[str, ...]:
    theirs = TABLE[finding.rule, finding.property]
    return finding.rule, finding.property, theirs, finding.value, finding.evidence


def draw(findings: Sequence[Finding], path: Path) -> None:
    """The table as PDF and PNG."""
    rules, values = rules_of(findings), by_cell(findings)
    canvas = Canvas(figsize=(1.25 * len(rules) + 2.2, 3.6), layout="constrained")
    axes = canvas.add_subplot()
    axes.set(xlim=(-0.5, len(rules) - 0.5), ylim=(len(LITERATURE) - 0.5, -0.5), frame_on=False)
    axes.set_xticks(range(len(rules)), [rule_name(rule).replace(" ", "\n") for rule in rules], fontsize=8)
    axes.set_yticks(range(len(LITERATURE)), [one.title for one in LITERATURE], fontsize=9)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.set_xlabel(KEY, loc="left", fontsize=7.5, color=MUTED, family="DejaVu Sans", labelpad=8)
    for y, one in enumerate(LITERATURE):
        axes.axhline(y + 0.5, color="#e2e6ec", linewidth=0.8)
        for x, rule in enumerate(rules):
            text, colour = _shown(values[rule, one.name])
            size = 10 if len(text) < LONG else 7.5
            axes.text(x, y, text, ha="center", va="center", color=colour, fontsize=size, family="DejaVu Sans")
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"pdf.fonttype": 42}):
        canvas.savefig(path.with_suffix(".pdf"))
        canvas.savefig(path.with_suffix(".png"), dpi=200)


def _shown(finding: Finding) -> tuple[str, str]:
    theirs, ours = (_mark(value) for value in (TABLE[finding.rule, finding.property], finding.value))
    if ours == theirs:
        return ours, SAME
    between = " " if len(theirs) == 1 else "\n"
    return f"{ours}{between}({' '.join(theirs.split())})", OTHER


def _mark(value: str) -> str:
    mark = MARKS.get(value, value)
    return value.replace(" ", "\n") if mark.isalpha() else mark


TABLE_1 = Reproduction("table-1", "The table of the literature, every cell measured", SOURCE, make)
