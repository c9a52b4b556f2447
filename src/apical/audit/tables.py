"""The audit as tables: CSV, LaTeX, and for a terminal."""

import csv
import io
from collections.abc import Sequence

from rich.box import SIMPLE
from rich.table import Table

from apical.audit.audit import Finding
from apical.audit.base import FINAL, LIMIT, NO, NOT_APPLICABLE, PARTLY, SIGNS, YES
from apical.audit.registry import PROPERTIES
from apical.report.tables import tex
from apical.report.theme import rule_name

MARKS = {
    YES: "\u2713",
    NO: "\u2717",
    NOT_APPLICABLE: "\u2013",
    PARTLY: "\u00b1",
    LIMIT: "L",
    FINAL: "F",
    SIGNS: "S",
}
LEGEND = (
    "\u2713 yes, \u2717 no, \u2013 does not apply, \u00b1 in part, L in a limit, F but for the final layer, S but for "
    "the signs of the weights"
)
TEX_MARKS = {YES: r"\checkmark", NO: r"$\times$", NOT_APPLICABLE: "--", PARTLY: r"\checkmark/$\times$"}
SHORT = {
    "backprop": "BP",
    "feedback-alignment": "FA",
    "direct-feedback-alignment": "DFA",
    "sign-symmetry": "SS",
    "kolen-pollack": "KP",
    "weight-mirror": "WM",
    "target-propagation": "TP",
    "difference-target-propagation": "DTP",
    "direct-dtp": "DDTP",
    "simplified-dtp": "SDTP",
    "ao-sdtp": "AO",
    "segregated-dendrites": "SD",
    "microcircuit": "MC",
    "spiking-microcircuit": "SMC",
}


def audit_csv(findings: Sequence[Finding]) -> str:
    """One row for each rule and property."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("rule", "property", "value", "evidence"))
    writer.writerows((f.rule, f.property, f.value, f.evidence) for f in findings)
    return text.getvalue()


def audit_tex(findings: Sequence[Finding]) -> str:
    """A `tabular` with a row for each property, for a paper that loads booktabs and amssymb; below it the names."""
    rules, values = rules_of(findings), by_cell(findings)
    lines = [rf"\begin{{tabular}}{{l{'c' * len(rules)}}}", r"\toprule"]
    lines += [" & ".join(["", *(tex(short(rule)) for rule in rules)]) + r" \\", r"\midrule"]
    for one in PROPERTIES:
        marks = [TEX_MARKS.get(value, tex(value)) for value in (values[rule, one.name].value for rule in rules)]
        lines.append(" & ".join([tex(one.title), *marks]) + r" \\")
    names = "% " + ", ".join(f"{short(rule)}: {tex(rule_name(rule))}" for rule in rules)
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", names, ""])


def audit_table(findings: Sequence[Finding]) -> Table:
    """The table for a terminal of 80 columns: a row for each property, a column for each rule."""
    rules, values = rules_of(findings), by_cell(findings)
    names = ", ".join(f"{short(rule)} {rule_name(rule)}" for rule in rules)
    table = Table(caption=f"{LEGEND}. {names}", caption_justify="left", box=SIMPLE, padding=0)
    table.add_column("property", no_wrap=True)
    for rule in rules:
        table.add_column(short(rule), justify="center", no_wrap=True)
    for one in PROPERTIES:
        table.add_row(one.title, *(mark(values[rule, one.name].value) for rule in rules))
    return table


def rules_of(findings: Sequence[Finding]) -> list[str]:
    """The rules in their order, once each."""
    return list(dict.fromkeys(finding.rule for finding in findings))


def by_cell(findings: Sequence[Finding]) -> dict[tuple[str, str], Finding]:
    """Findings by rule and property."""
    return {(finding.rule, finding.property): finding for finding in findings}


def mark(value: str) -> str:
    """A value as short as a table needs it."""
    return MARKS.get(value, value)


def short(rule: str) -> str:
    """A rule's abbreviation; of one that has none its initials."""
    return SHORT.get(rule) or "".join(part[0] for part in rule.split("-") if part).upper()
