"""Rules over data sets: what is learnt is scored on test data, and claims are set beside differences."""

from pathlib import Path

import pytest

from apical.data.registry import load
from apical.reproduce import scalability
from apical.reproduce.base import Request
from apical.reproduce.representations.learners import Size


def test_a_binary_task_is_learnt() -> None:
    (accuracy,) = scalability.accuracies(load("two-moons"), Size(1_000, 40, 3, 1, ("backprop",)))["backprop"]
    assert accuracy > 0.8


def test_the_page_says_how_far_behind_backprop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"backprop": [0.9], "feedback-alignment": [0.8], "segregated-dendrites": [0.75]}
    monkeypatch.setattr(scalability, "accuracies", lambda dataset, size: made)
    page = scalability.make(Request(tmp_path, quick=True, command="apical reproduce scalability")).read_text()
    assert page.count("15.0 points behind backprop") == 2 and "Two moons: not tried" in page
    assert "Digits 75.0 % (backprop 90.0 %)" in page and "apical reproduce scalability" in page
    assert len((tmp_path / "scalability.csv").read_text().splitlines()) == 1 + 2 * 3
