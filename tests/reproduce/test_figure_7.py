"""Figure 7: the same settings meet in paired cells, a search goes on where it stood, and the words are the numbers."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("optuna")

from apical.cli.main import BAD_INPUT, DONE, main
from apical.data.registry import load
from apical.report.studies.read import Study
from apical.reproduce.robustness import cells, verdict
from apical.study.evaluation import Evaluator

COMMAND = ["reproduce", "figure-7", "--quick", "--out"]


def column(path: Path, name: str) -> list[str]:
    with open(path, newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def test_both_readings_are_tried_at_the_same_settings() -> None:
    last, means = (m for m in cells.MODELS if m.key == cells.DENDRITES)
    size = cells.Size(("digits",), 200, 1, 1, "lange-2019", "random")
    spaces = [Evaluator(cells.plan(m, "digits", size, 1), load("digits")).space for m in (last, means)]
    a, b = (space.point(space.uniform(np.random.default_rng(3), 1)[0]) for space in spaces)
    shared = a.keys() & b.keys()
    assert len(shared) > 15 and {k: a[k] for k in shared} == {k: b[k] for k in shared}
    assert "test_steps" in b and "test_steps" not in a


def test_a_search_goes_on_and_the_page_says_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MODELS", cells.MODELS[:1])
    small = cells.Size(("digits",), 200, 1, 2, "lange-2019-small", "random", hidden=(10,), folds=2)
    monkeypatch.setattr(cells, "QUICK", small)
    assert main([*COMMAND, str(tmp_path)]) == DONE
    trials = tmp_path / "studies" / "digits-mlp" / "trials.csv"
    before, values = trials.read_text(), [float(v) for v in column(trials, "value")]
    assert len(values) == 2
    assert main([*COMMAND, str(tmp_path)]) == BAD_INPUT, "not empty"
    assert main([*COMMAND, str(tmp_path), "--resume"]) == DONE and trials.read_text() == before
    below = float(column(tmp_path / "figure-7.csv", "share_below_2_chance")[0])
    assert below == pytest.approx(np.mean(np.array(values) < 0.2))
    assert f"Backprop, fully connected {below:.2f}" in (tmp_path / "figure-7.html").read_text()
    assert (tmp_path / "figures" / "figure-7.pdf").exists()


def test_options_that_do_nothing_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "figure-4", "--resume", "--out", str(tmp_path / "no")]) == BAD_INPUT
    assert "--resume does nothing for figure-4" in capsys.readouterr().err and not (tmp_path / "no").exists()


def test_a_folder_with_something_in_it_is_gone_on_with_only_where_that_is_possible(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for name, resumable in (("figure-4", False), ("figure-7", True)):
        assert main(["reproduce", name, "--out", str(tmp_path)]) == BAD_INPUT
        line = capsys.readouterr().err
        assert "is not empty" in line and ("--resume" in line) == resumable and line.count("\n") == 1


def test_without_the_extra_the_list_is_there_and_the_rest_says_what_is_missing(tmp_path: Path) -> None:
    lacking = "import sys; sys.modules.update(optuna=None, bayes_opt=None); from apical.cli.main import main; "
    words = [[*COMMAND, str(tmp_path / "out")], ["reproduce", "--list"]]
    tries = "; ".join(f"print(main({w}))" for w in words)
    done = subprocess.run([sys.executable, "-c", lacking + tries], capture_output=True, text=True)
    assert done.stdout.startswith("2\n") and done.stdout.endswith("\n0\n") and "figure-7" in done.stdout
    assert "apical[study]" in done.stderr and not (tmp_path / "out").exists()


def study(values: list[float], sends: list[bool], rates: list[float]) -> Study:
    columns = {"spiking_feedforward": tuple(sends), "spiking_feedback": (False,) * len(values), "rate": tuple(rates)}
    nothing = np.zeros((len(values), 1))
    about = {"chance": 0.1, "dataset": "mnist"}
    return Study(Path(), about, np.array(values), nothing, nothing[:, 0], ("finished",) * len(values), columns)


def test_pairs_are_the_settings_that_both_have() -> None:
    last = study([0.1, 0.1, 0.5], [True, False, False], [1.0, 2.0, 3.0])
    means = study([0.4, 0.4, 0.5], [True, False, False], [1.0, 2.0, 4.0])
    assert verdict.paired(last, means) == "means gain 0.300 [0.300, 0.300] over 2 settings in both"
    assert verdict.paths(last) == "1 of 1 with spikes are within 1.2 times chance, 1 of 2 without"
    assert float(verdict.low(last)(last.values)) == pytest.approx(2 / 3)
