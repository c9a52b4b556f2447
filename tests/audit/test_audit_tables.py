"""The audit's files: every finding is in them, with its evidence, and differences to the literature are explained."""

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console

from apical.audit.audit import Finding
from apical.audit.base import FINAL, NO, YES
from apical.audit.literature import COLUMNS, TABLE, UNFORESEEN, disagreements
from apical.audit.page import write_audit
from apical.audit.registry import LITERATURE, PROPERTIES
from apical.audit.tables import SHORT, audit_table, audit_tex
from apical.cli.main import main
from apical.rules.registry import RULES

RULES_SHOWN = ("backprop", "difference-target-propagation")
FINDINGS = [
    Finding(rule, one.name, FINAL if "transport" in one.name else NO, f"<{rule} {one.name}> at 5 %")
    for rule in RULES_SHOWN
    for one in PROPERTIES
]


def test_csv_page_and_tex_hold_every_finding(tmp_path: Path) -> None:
    page = write_audit(FINDINGS, "apical audit --out there", tmp_path).read_text()
    rows = list(csv.DictReader(io.StringIO((tmp_path / "audit.csv").read_text())))
    assert [tuple(row.values()) for row in rows] == [(f.rule, f.property, f.value, f.evidence) for f in FINDINGS]
    assert list(rows[0]) == ["rule", "property", "value", "evidence"]
    assert page.count("&lt;backprop no_transposes&gt; at 5 %") == 2 and "apical audit --out there" in page
    tex = (tmp_path / "audit.tex").read_text()
    assert tex == audit_tex(FINDINGS) and tex.count(r"\\") == len(PROPERTIES) + 1
    assert r"No weight transport & final layer & final layer \\" in tex


def test_the_terminal_shows_all_rules_in_80_columns() -> None:
    rules = dict.fromkeys((*SHORT, *RULES))
    findings = [Finding(rule, one.name, FINAL, "") for rule in rules for one in PROPERTIES]
    console = Console(width=80, file=io.StringIO())
    console.print(audit_table(findings))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert "\u2026" not in "".join(lines)
    for one in PROPERTIES:
        (line,) = (line for line in lines if line.startswith(f" {one.title} "))
        assert line.count(" F ") + line.endswith(" F") >= len(rules) - 1


def test_differences_to_the_literature_are_found_and_explained() -> None:
    same = {cell: (value, "measured") for cell, value in TABLE.items()}
    assert disagreements(same) == []
    found = disagreements(same | {("backprop", "no_separate_pathways"): (NO, "0.5")})
    assert [(one.rule, one.theirs, one.ours, one.evidence) for one in found] == [("backprop", YES, NO, "0.5")]
    assert found[0].why != UNFORESEEN
    assert len(TABLE) == len(COLUMNS) * len(LITERATURE)


def test_an_unknown_rule_is_bad_input_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "--rules", "backdrop", "--out", str(tmp_path / "out")]) == 2
    assert "did you mean 'backprop'?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
