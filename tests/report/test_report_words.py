"""What the report says in words follows from the numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apical.report.comparison import Comparison, compare_runs
from apical.report.headline import headline, introduction, listing, page_title
from apical.report.notes import ALARM, NOTE, protocol_sentence, warnings
from apical.report.runs import find_run_folders, read_run

Write, Read = Callable[..., Any], Callable[..., Comparison]


@pytest.fixture
def make(tmp_path: Path, write_run: Write, read: Read) -> Callable[..., Comparison]:
    """`make({rule: accuracies by seed}, **changes)`."""

    def runs(accuracies: dict[str, list[float]], **changes: Any) -> Comparison:
        for rule, values in accuracies.items():
            for seed, value in enumerate(values):
                write_run(tmp_path / rule / str(seed), rule, seed, **({"test_accuracy": value} | changes))
        return read(tmp_path)

    return runs


def test_headline_of_a_comparison(make: Callable[..., Comparison]) -> None:
    """Differences: microcircuit -.010, -.011, -.012 (clear); mirror +.01, -.01, 0 (not); ao-sdtp -.5 each (clear)."""
    text = headline(
        make(
            {
                "backprop": [0.96, 0.97, 0.98],
                "microcircuit": [0.95, 0.959, 0.968],
                "weight-mirror": [0.97, 0.96, 0.98],
                "ao-sdtp": [0.46, 0.47, 0.48],
            }
        )
    )
    assert text.startswith(
        "Backprop, the reference, classifies 97.0% of the test examples correctly (mean of 3 seeds)."
    )
    assert "Of the 3 other rules Weight mirror does best with 97.0%" in text and "no clear difference" in text
    assert "Auxiliary-output SDTP comes last with 47.0%." in text
    assert text.endswith("By their 95% intervals 2 are clearly worse than backprop and 1 is not clearly different.")


def test_headline_of_one_seed_claims_no_interval(make: Callable[..., Comparison]) -> None:
    text = headline(make({"backprop": [0.96], "microcircuit": [0.93]}))
    assert "(one seed)" in text
    assert "reaches 93.0%, 3.0 points below backprop (one seed: no interval)." in text
    assert "95%" not in text


def test_headline_without_backprop_names_the_best(make: Callable[..., Comparison]) -> None:
    text = headline(make({"weight-mirror": [0.9, 0.91], "microcircuit": [0.8, 0.81]}))
    assert text.startswith("Weight mirror classifies 90.5% of the test examples correctly (mean of 2 seeds).")
    assert "backprop" not in text.lower()


def test_headline_of_runs_without_results(make: Callable[..., Comparison]) -> None:
    assert headline(make({"backprop": [0.0]}, test_accuracy=None, test_loss=None)) == "No run has a test result yet."


def test_headline_of_a_loss_counts_less_as_better(make: Callable[..., Comparison]) -> None:
    losses = {"backprop": [0.1, 0.1, 0.1], "microcircuit": [0.2, 0.21, 0.2], "weight-mirror": [0.01, 0.02, 0.01]}
    comparison = make(losses, test_accuracy=None)
    for entry in comparison.entries:
        for run in entry.runs:
            dict.__setitem__(run.numbers, "test_loss", losses[entry.rule][run.seed])  # type: ignore[arg-type]
    text = headline(comparison)
    assert "reaches a test loss of 0.100" in text
    assert "1 is clearly worse than backprop and 1 is clearly better" in text


def test_a_difference_too_small_for_one_digit_gets_a_second(make: Callable[..., Comparison]) -> None:
    text = headline(make({"backprop": [0.96, 0.97], "microcircuit": [0.9604, 0.9705]}))
    assert "0.05 points above backprop" in text or "0.04 points above backprop" in text


def test_introduction_and_title(make: Callable[..., Comparison]) -> None:
    comparison = make({"backprop": [0.9, 0.9], "microcircuit": [0.8, 0.8]}, hidden=[500, 100])
    assert introduction(comparison) == (
        "2 rules for assigning credit each trained a fully connected network with 2 hidden layers of 500 and 100 units "
        "on Digits for 10 epochs, from 2 random seeds."
    )
    assert page_title([comparison]) == "2 learning rules on Digits"


def test_title_of_one_rule_on_several_data_sets(tmp_path: Path, write_run: Write) -> None:
    for dataset in ("digits", "mnist", "cifar10"):
        write_run(tmp_path / dataset, "weight-mirror", 0, dataset=dataset)
    comparisons = compare_runs([read_run(run) for run in find_run_folders([tmp_path])])
    assert page_title(comparisons) == "Weight mirror on CIFAR-10, Digits and MNIST"


@pytest.mark.parametrize("changes", [{"protocol": "paper"}, {"settings": {"protocol": "paper"}}])
def test_a_protocol_that_lets_test_data_choose_is_an_alarm(
    make: Callable[..., Comparison], changes: dict[str, Any]
) -> None:
    comparison = make({"backprop": [0.9]}, **changes)
    assert [text for kind, text in warnings(comparison) if kind == ALARM and text.startswith("Protocol paper:")]
    assert "choose nothing" not in protocol_sentence(comparison)


def test_the_default_protocol_is_stated_without_alarm(make: Callable[..., Comparison]) -> None:
    comparison = make({"backprop": [0.9, 0.9, 0.9]})
    assert warnings(comparison) == []
    assert "test data are judged once" in protocol_sentence(comparison)


def test_warnings_of_the_data_are_alarms(make: Callable[..., Comparison]) -> None:
    found = warnings(make({"backprop": [0.9, 0.9, 0.9]}, data_warnings=["checksum differs"]))
    assert found == [(ALARM, "Data: checksum differs")]


def test_unequal_settings_and_missing_seeds_are_noted(tmp_path: Path, write_run: Write, read: Read) -> None:
    write_run(tmp_path / "a", "backprop", 0, epochs=10)
    write_run(tmp_path / "b", "backprop", 1, epochs=10)
    write_run(tmp_path / "c", "microcircuit", 0, epochs=3)
    notes = [text for kind, text in warnings(read(tmp_path)) if kind == NOTE]
    assert "The rules do not share one setting of epochs: 10 for Backprop; 3 for Dendritic microcircuit." in notes
    assert any(text.startswith("Not every rule has every seed") for text in notes)


def test_listing() -> None:
    assert [listing(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
