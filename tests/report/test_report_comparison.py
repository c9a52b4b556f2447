"""Runs put in order: groups, labels, ranks, and repeated runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apical.report.comparison import Comparison, compare_runs, flat_settings, show_setting
from apical.report.runs import find_run_folders, read_run

Write, Read = Callable[..., Any], Callable[..., Comparison]


def test_rules_keep_the_order_of_the_registry_and_seeds_their_own(folder: Path, read: Read) -> None:
    comparison = read(folder)
    assert [entry.label for entry in comparison.entries] == [
        "Backprop", "Feedback alignment", "Direct feedback alignment", "Target propagation",
    ]  # fmt: skip
    assert [[run.seed for run in entry.runs] for entry in comparison.entries] == [[0, 1, 2]] * 4
    assert comparison.reference is comparison.entries[0]


def test_ranks_put_backprop_first_and_the_best_next(tmp_path: Path, write_run: Write, read: Read) -> None:
    for rule, accuracy in (("microcircuit", 0.99), ("backprop", 0.9), ("weight-mirror", 0.5), ("ao-sdtp", None)):
        write_run(tmp_path / rule, rule, 0, test_accuracy=accuracy)
    assert [entry.rule for entry in read(tmp_path).ranked()] == ["backprop", "microcircuit", "weight-mirror", "ao-sdtp"]


def test_low_loss_ranks_high(tmp_path: Path, write_run: Write, read: Read) -> None:
    for rule, loss in (("backprop", 0.2), ("microcircuit", 0.3), ("weight-mirror", 0.1)):
        write_run(tmp_path / rule, rule, 0, test_accuracy=None, test_loss=loss)
    comparison = read(tmp_path)
    assert comparison.score.key == "test_loss"
    assert [entry.rule for entry in comparison.ranked()] == ["backprop", "weight-mirror", "microcircuit"]


def test_one_rule_with_two_settings_makes_two_entries_named_by_what_differs(
    tmp_path: Path, write_run: Write, read: Read
) -> None:
    for seed in (0, 1):
        write_run(tmp_path / f"a{seed}", "backprop", seed)
        write_run(
            tmp_path / f"b{seed}", "backprop", seed, settings={"rate": 0.3, "optimiser": "adam", "activation": "tanh"}
        )
    comparison = read(tmp_path)
    assert [entry.label for entry in comparison.entries] == ["Backprop \u00b7 rate 0.001", "Backprop \u00b7 rate 0.3"]
    assert [len(entry.runs) for entry in comparison.entries] == [2, 2]
    assert comparison.entries[0].style != comparison.entries[1].style


def test_the_same_run_twice_is_counted_once_and_said(tmp_path: Path, write_run: Write, read: Read) -> None:
    for name in ("a", "b"):
        write_run(tmp_path / name, "backprop", 0)
    comparison = read(tmp_path)
    assert [run.folder.name for run in comparison.runs] == ["a"] and comparison.n_repeated == 1


def test_data_sets_are_never_mixed_and_share_colours(tmp_path: Path, write_run: Write) -> None:
    for dataset in ("mnist", "digits"):
        for rule in ("backprop", "new-rule"):
            write_run(tmp_path / dataset / rule, rule, 0, dataset=dataset)
    first, second = compare_runs([read_run(run) for run in find_run_folders([tmp_path])])
    assert (first.dataset, second.dataset) == ("digits", "mnist")
    assert [entry.style for entry in first.entries] == [entry.style for entry in second.entries]


def test_an_axis_of_shares_ends_at_0_and_100(folder: Path, read: Read) -> None:
    limits = read(folder).score.limits([49.0, 84.0, 120.0])
    assert limits is not None and 40 < limits[0] < 49 and 100 < limits[1] < 105


def test_settings_are_flattened_without_the_seed() -> None:
    assert flat_settings({"rule": "x", "seed": 3, "settings": {"rate": 0.1}}) == {"rule": "x", "rate": 0.1}


@pytest.mark.parametrize(
    ("value", "shown"),
    [([500, 100], "500,100"), (True, "true"), (None, "not set"), (1e-4, "0.0001"), (3, "3"), ("adam", "adam")],
)
def test_settings_are_shown_as_one_types_them(value: object, shown: str) -> None:
    assert show_setting(value) == shown
