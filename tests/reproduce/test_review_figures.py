"""Figures 5 and 6, the measured table of the literature and costs: what is drawn and claimed is what was measured."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from apical.audit.audit import Finding
from apical.audit.base import NO, YES, Property
from apical.audit.literature import COLUMNS, TABLE
from apical.audit.page import _cell
from apical.data.registry import load
from apical.report.runs import Run, Trace
from apical.reproduce import complexity, figure_5, figure_6, learning_runs, table_1
from apical.reproduce.base import Request
from apical.reproduce.complexity_sizes import Cost, Size, Variant
from apical.reproduce.learning_runs import Learner, Learnt
from apical.reproduce.registry import find
from apical.training.run_folder import INTERRUPTED


def table(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def fake(dataset: str, learner: Learner, level: float) -> Learnt:
    """A run whose measurements all follow from one number."""
    examples = np.arange(0.0, 60_000.0, 5_000.0)
    values = level * (1 + 0.001 * np.arange(12.0))
    names = [(split, "", name) for split in ("train", "validation") for name in ("accuracy", "loss")]
    names += [("train", "0", name) for name in figure_6.MEASURES]
    traces = {name: Trace(examples, examples / 48_000, values) for name in names}
    run = Run(Path(), learner.rule, dataset, learner.network, 0, "finished", {}, {}, {"test_accuracy": level}, traces)
    return Learnt(dataset, learner, run)


def levels(learners: Sequence[Learner]) -> list[Learnt]:
    """Runs on CIFAR-10: backprop at 0.4, segregated dendrites at 0.3 or, with few units, 0.2."""
    known = {
        ("backprop", 500): 0.4,
        ("backprop", 100): 0.4,
        ("segregated-dendrites", 500): 0.3,
        ("backprop", None): 0.6,
    }
    return [fake("cifar10", one, known.get((one.rule, one.hidden), 0.2)) for one in learners]


def test_the_last_measurements_are_ten_or_a_third_where_there_are_few() -> None:
    assert [learning_runs.n_last(n) for n in (1, 2, 9, 12, 30, 96)] == [1, 1, 3, 4, 10, 10]


def test_figure_5_sets_both_sizes_beside_his(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_5, "learnt", lambda learners, request: levels(learners))
    page = figure_5.FIGURE_5.make(Request(tmp_path, command="apical reproduce figure-5")).read_text()
    assert "validation 30.3 % with 500 units, 20.2 % with 100; test 30.0 % with 500" in page
    assert "points of validation accuracy below Backprop, convolutional: 30.3, Backprop: 10.1" in page
    assert "so it is here" in page and "apical reproduce figure-5" in page
    rows = table(tmp_path / "figure-5.csv")
    assert len(rows) == 5 * 7 * 12
    assert {row["hidden"] for row in rows} == {"", "100", "500"}
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {"figure-5.pdf", "figure-5.png"}


def test_figure_6_compares_norms_and_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_6, "learnt", lambda learners, request: levels(learners))
    page = figure_6.FIGURE_6.make(Request(tmp_path, command="apical reproduce figure-6")).read_text()
    assert "632.5 at first, 644 after 10,000 examples, 788 at the end" in page
    ours = levels(learning_runs.both(500))
    assert figure_6.ratio(*ours) == pytest.approx(0.75)
    assert "the last relative change is 0.303, backprop&#x27;s 0.404" in page
    assert "the mean relative change of direction is 0.302, backprop&#x27;s 0.402" in page


def test_nothing_is_drawn_of_half_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning_runs, "load", lambda name, **where: load("digits"))
    monkeypatch.setattr(learning_runs, "run", lambda config, dataset, out: {"status": INTERRUPTED})
    for make in (figure_5.make, figure_6.make):
        with pytest.raises(KeyboardInterrupt):
            make(Request(tmp_path, quick=True))
    assert not list(tmp_path.iterdir())


def test_table_1_marks_what_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def audited(rules: list[str], properties: Sequence[Property]) -> list[list[Finding]]:
        return [[Finding(rule, p.name, TABLE.get((rule, p.name), YES), "seen") for p in properties] for rule in rules]

    monkeypatch.setattr(table_1, "audit", audited)
    assert find("figure-1") is find("table-1") is table_1.TABLE_1
    page = table_1.TABLE_1.make(Request(tmp_path, command="apical reproduce table-1")).read_text()
    assert "Nowhere: every cell" in page
    rows = table(tmp_path / "table-1.csv")
    assert len(rows) == 7 * len(COLUMNS) and all(row["theirs"] == row["ours"] for row in rows)
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {"table-1.pdf", "table-1.png"}
    assert "<small>(" not in page
    found = Finding("backprop", "no_separate_pathways", NO, "")
    assert table_1._shown(found) == ("\u2717 (\u2713)", table_1.OTHER)
    limit = Finding("microcircuit", "exact_gradients", NO, "")
    assert table_1._shown(limit) == ("\u2717\n(in the limit)", table_1.OTHER)
    assert "\u2717<small>(\u2713)</small></td>" in _cell(found)


def test_exponents_and_ratios_of_costs_are_those_of_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    two = (Variant("backprop", "default"), Variant("segregated-dendrites", "rate"))
    monkeypatch.setattr(complexity, "variants", lambda: two)
    costs = [
        Cost(v, Size(w, 2), 50, factor * float(w) ** 1.5, 1.0, 6.0, 0)
        for v, factor in zip(two, (1.0, 3.0), strict=True)
        for w in (64, 256, 1024)
    ]
    assert complexity.exponent(costs, two[1]) == pytest.approx(1.5)
    assert "3.00 times as many" in complexity.seen(costs)
    panels = complexity.panels(costs)
    assert {p.title for p in panels} == {
        "Arithmetic against width",
        "Arithmetic against depth",
        "Waiting against depth",
        "Traffic against depth",
    }
    np.testing.assert_allclose(panels[0].series[1].mean, 3 * np.array([64, 256, 1024.0]) ** 1.5)
