"""The audit as a page: the table, what differs from the literature's, and the evidence behind every cell."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from apical.audit.audit import Finding
from apical.audit.base import NO, NOT_APPLICABLE, YES, Property
from apical.audit.literature import SOURCE, TABLE, Disagreement, disagreements
from apical.audit.registry import PROPERTIES
from apical.audit.subject import BATCH, HIDDEN
from apical.audit.tables import MARKS, audit_csv, audit_tex, by_cell, rules_of
from apical.files import write_atomically
from apical.report import markup, write_page
from apical.report.page import Block
from apical.report.theme import rule_name

TITLE = "What each rule needs"
LEAD = (
    "Whether a learning rule could be a brain's is often argued with a table of ticks. Here every tick is measured: "
    "weights, labels and noise are changed, and what follows in the rule's own program is compared. Point at a cell to "
    "see its number, threshold and method. Where the table in the literature has another verdict, it stands in "
    "brackets."
)
HOW = (
    f"Each rule learns on a network of {len(HIDDEN)} hidden layers ({', '.join(map(str, HIDDEN))} units) in the "
    f"setting that comparisons use; it is asked about one batch of {BATCH} examples, before learning and at rest "
    "unless a property says otherwise, in double precision, so that what is no more than rounding is below 1e-6."
)


def write_audit_page(findings: Sequence[Finding], command: str, path: Path) -> Path:
    """Writes the page; returns its path."""
    blocks: list[Block] = [
        markup.paragraph(LEAD, "lead"),
        section("The table", audit_html(findings)),
        section("Where it differs from the table in the literature", differences(findings)),
        section("Evidence", markup.paragraph(HOW) + "".join(evidence(one, findings) for one in PROPERTIES)),
        section("Repeat it", f"<pre>{escape(command)}</pre>"),
    ]
    return write_page(TITLE, blocks, path)


def section(title: str, content: str) -> str:
    """A section of the page, its content as HTML."""
    return f'<section class="section"><h2>{escape(title)}</h2>{content}</section>'


def audit_html(findings: Sequence[Finding], properties: Sequence[Property] = PROPERTIES) -> str:
    """The table as HTML, the evidence of a cell as its title."""
    rules, values = rules_of(findings), by_cell(findings)
    heads = "".join(f'<th scope="col">{escape(rule_name(rule))}</th>' for rule in rules)
    rows = "".join(_row(one, [values[rule, one.name] for rule in rules]) for one in properties)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table of properties"><table class="results audit">'
        f'<thead><tr><th class="rule" scope="col">Property</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(one: Property, found: Sequence[Finding]) -> str:
    cells = "".join(map(_cell, found))
    return f'<tr><th class="rule" scope="row" title="{escape(one.question)}">{escape(one.title)}</th>{cells}</tr>'


def _cell(f: Finding) -> str:
    """What was measured, below it in brackets what the literature's table has where it differs."""
    theirs = TABLE.get((f.rule, f.property), f.value)
    other = "" if theirs == f.value else f"<small>({escape(_shown(theirs))})</small>"
    kind, title = escape(f.value.split()[0]), escape(f"{f.value}: {f.evidence}")
    return f'<td class="{kind}" title="{title}">{escape(_shown(f.value))}{other}</td>'


def _shown(value: str) -> str:
    return MARKS[value] if value in (YES, NO, NOT_APPLICABLE) else value


def differences(findings: Sequence[Finding]) -> str:
    """The disagreements with the literature's table, explained."""
    found = disagreements({(f.rule, f.property): (f.value, f.evidence) for f in findings})
    if not found:
        return markup.paragraph(f"Nowhere: every cell that the table has ({SOURCE}) is what was measured.")
    lead = markup.paragraph(f"In these cells of {SOURCE} the measurement says something else.")
    return lead + "".join(map(_difference, found))


def _difference(one: Disagreement) -> str:
    head = f"{rule_name(one.rule)}, {one.title.lower()}: {one.theirs} there, {one.ours} here"
    return f"<h3>{escape(head)}</h3>{markup.paragraph(one.why)}{markup.paragraph('Measured: ' + one.evidence + '.')}"


def evidence(one: Property, findings: Sequence[Finding]) -> str:
    """A property's definition and the evidence of every rule."""
    pairs = [(f"{rule_name(f.rule)}: {f.value}", f.evidence) for f in findings if f.property == one.name]
    content = markup.paragraph(one.question + " " + one.definition) + markup.definitions(pairs, long=True)
    return markup.details(one.title, content)


def write_audit(findings: Sequence[Finding], command: str, out: Path) -> Path:
    """Writes audit.csv, audit.tex and the page into `out`; returns the path of the page."""
    write_atomically(out / "audit.csv", audit_csv(findings))
    write_atomically(out / "audit.tex", audit_tex(findings))
    return write_audit_page(findings, command, out / "audit.html")
