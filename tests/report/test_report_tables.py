"""The numbers of the tables against a plain computation from comparison.csv."""

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apical.report.comparison import Comparison, compare_runs
from apical.report.results_table import results_table
from apical.report.runs import find_run_folders, read_run
from apical.report.statistics import Summary
from apical.report.tables import interval, number, result_rows, results_csv, results_tex, short, spread, status_note

Write, Read = Callable[..., Any], Callable[..., Comparison]
T_2 = 4.302652729911275
"""The 97.5 % point of Student's t with two degrees of freedom, from a printed table (4.303)."""


def rows_of(text: str) -> dict[str, dict[str, str]]:
    """The rows of a results.csv by rule."""
    return {row["rule"]: row for row in csv.DictReader(text.splitlines())}


def accuracies(folder: Path, rule: str) -> list[float]:
    """Test accuracies of a rule by seed, read without any of the code under test."""
    with (folder / "comparison.csv").open(newline="") as file:
        return [float(row["test_accuracy"]) for row in csv.DictReader(file) if row["rule"] == rule]


@pytest.mark.parametrize("rule", ["backprop", "feedback-alignment", "target-propagation"])
def test_the_written_table_holds_mean_spread_and_interval(folder: Path, report: Path, rule: str) -> None:
    values = accuracies(folder, rule)
    mean = sum(values) / 3
    sd = math.sqrt(sum((value - mean) ** 2 for value in values) / 2)
    row = rows_of((report / "tables" / "results.csv").read_text())[rule]
    assert float(row["test_accuracy"]) == pytest.approx(mean)
    assert float(row["test_accuracy_sd"]) == pytest.approx(sd)
    assert float(row["test_accuracy_low"]) == pytest.approx(mean - T_2 * sd / math.sqrt(3))
    assert float(row["test_accuracy_high"]) == pytest.approx(mean + T_2 * sd / math.sqrt(3))


def test_the_written_table_holds_differences_paired_by_seed(folder: Path, report: Path) -> None:
    ours, theirs = accuracies(folder, "feedback-alignment"), accuracies(folder, "backprop")
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    mean = sum(differences) / 3
    sd = math.sqrt(sum((value - mean) ** 2 for value in differences) / 2)
    rows = rows_of((report / "tables" / "results.csv").read_text())
    row = rows["feedback-alignment"]
    assert float(row["difference"]) == pytest.approx(mean)
    assert float(row["difference_high"]) == pytest.approx(mean + T_2 * sd / math.sqrt(3))
    assert rows["backprop"]["difference"] == ""
    assert float(row["flops_ratio"]) == pytest.approx(29 / 28)
    assert row["bytes_ratio"] == "" and float(row["time_ratio"]) == 1


def test_a_difference_uses_only_the_seeds_that_both_have(tmp_path: Path, write_run: Write, read: Read) -> None:
    for seed, accuracy in ((0, 0.5), (1, 0.75), (2, 0.9)):
        write_run(tmp_path / f"backprop-{seed}", "backprop", seed, test_accuracy=accuracy)
    for seed, accuracy in ((1, 0.5), (2, 0.4), (3, 0.99)):
        write_run(tmp_path / f"mirror-{seed}", "weight-mirror", seed, test_accuracy=accuracy)
    row = result_rows(read(tmp_path))[1]
    assert row.difference is not None and row.difference.n == 2
    assert row.difference.mean == pytest.approx((-0.25 - 0.5) / 2)


def test_what_did_not_finish_is_marked_and_counted(tmp_path: Path, write_run: Write, read: Read) -> None:
    write_run(tmp_path / "a", "backprop", 0)
    write_run(tmp_path / "b", "backprop", 1, status="diverged", test_accuracy=None)
    write_run(tmp_path / "c", "backprop", 2, status="interrupted", test_accuracy=None)
    comparison = read(tmp_path)
    assert status_note(comparison.entries[0]) == "1 of 3 diverged, 1 of 3 interrupted"
    (row,) = result_rows(comparison)
    assert (row.seeds, row.n_scored) == (3, 1)
    html = results_table(comparison)
    assert "1 of 3 diverged, 1 of 3 interrupted" in html and ">1 of 3<" in html


def test_one_seed_has_no_interval_and_says_so(tmp_path: Path, write_comparison: Write, read: Read) -> None:
    comparison = read(write_comparison(tmp_path / "one", ("backprop", "microcircuit"), 1))
    html = results_table(comparison)
    assert "one seed: no interval" in html
    assert "\u00b1" not in html and "[" not in html.split("</table>")[0]
    assert rows_of(results_csv([comparison]))["microcircuit"]["test_accuracy_low"] == ""


def test_columns_that_no_run_fills_are_left_out(tmp_path: Path, write_run: Write, read: Read) -> None:
    nothing = dict.fromkeys(["test_accuracy", "train_accuracy", "validation_accuracy"])
    write_run(tmp_path / "run", "backprop", 0, **nothing)
    html = results_table(read(tmp_path))
    assert "Train" not in html and "accuracy" not in html and "Test loss" in html


def test_latex_escapes_and_keeps_one_row_per_rule(tmp_path: Path, write_run: Write) -> None:
    for rule in ("backprop", "my_rule & co"):
        write_run(tmp_path / rule, rule, 0)
    comparisons = compare_runs([read_run(run) for run in find_run_folders([tmp_path])])
    table = results_tex(comparisons)
    assert r"My_rule" not in table and r"My\_rule \& co" in table
    rows = [line for line in table.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 3 and len({line.count(" & ") for line in rows}) == 1
    assert table.isascii()


def test_numbers_are_written_for_people() -> None:
    assert number(0.9634, 100.0) == "96.34" and number(None) == ""
    assert number(-0.0123, 100.0, 1, signed=True) == "\u22121.2" and number(0.01, 100.0, 1, signed=True) == "+1.0"
    assert number(-0.0001, 1.0, 2, signed=True) == "0.00"
    assert spread(Summary(3, 0.5, 0.01, 0.4, 0.6), 100.0, 1) == "50.0 \u00b1 1.0"
    assert interval(Summary(3, 0.5, 0.01, -0.4, 0.6), 1.0, 1, signed=True) == "[\u22120.4, +0.6]"
    assert [short(value) for value in (0.0822, 95.0, 4810.0, 28e3, 1.2e6, 3e9)] == [
        "0.0822", "95", "4.81 k", "28.0 k", "1.20 M", "3.00 G",
    ]  # fmt: skip
