"""`apical train`: what a run folder holds, and that its configuration repeats it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from apical.cli.main import DONE, main

SMALL = "--epochs 2 --hidden 12 --examples 200 --quiet"
SUMMARY = [
    "rule",
    "dataset",
    "network",
    "seed",
    "epochs",
    "examples",
    "parameters",
    "train_accuracy",
    "validation_accuracy",
    "test_accuracy",
    "test_loss",
    "test_r2",
    "seconds",
    "examples_per_second",
    "status",
]


def train(line: str, out: Path) -> dict:
    assert main([*f"train {line} {SMALL}".split(), "--out", str(out)]) == DONE
    return json.loads((out / "summary.json").read_text())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("train") / "run"
    train("feedback-alignment --seed 3 --set rate=.01 feedback_scale=.5 --set optimiser=momentum", out)
    return out


def test_the_folder_holds_what_tools_rely_on(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    assert set(SUMMARY) <= set(summary)
    assert (summary["status"], summary["seed"], summary["epochs"], summary["examples"]) == ("finished", 3, 2, 200)
    assert summary["parameters"] == 64 * 12 + 12 + 12 * 10 + 10
    assert summary["test_r2"] is None
    assert {p.name for p in run.iterdir()} == {
        "config.toml", "environment.json", "metrics.csv", "summary.json", "weights.safetensors", "checkpoint",
    }  # fmt: skip
    environment = json.loads((run / "environment.json").read_text())
    assert environment["data"]["name"] == "digits" and environment["data"]["checksums"]
    assert environment["command"].startswith("apical ")


def test_metrics_are_in_long_form(run: Path) -> None:
    with open(run / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "examples", "epoch", "split", "layer", "name", "value"]
    last = [row for row in rows if int(row["step"]) == 8]
    assert {(r["split"], r["name"]) for r in last if not r["layer"]} == {
        (s, n) for s in ("train", "validation") for n in ("accuracy", "loss")
    }
    layers = {r["name"]: {q["layer"] for q in last if q["name"] == r["name"]} for r in last if r["layer"]}
    assert layers["angle_to_backprop"] == {"0", "1", "total"} and layers["weight_norm"] == {"0", "1"}
    assert layers["feedback_alignment"] == {"0"}


def test_the_configuration_repeats_the_run(run: Path, tmp_path: Path) -> None:
    train(f"--config {run / 'config.toml'}", tmp_path / "again")
    assert (tmp_path / "again" / "metrics.csv").read_bytes() == (run / "metrics.csv").read_bytes()
    assert (tmp_path / "again" / "config.toml").read_bytes() == (run / "config.toml").read_bytes()
    ours, theirs = load_file(run / "weights.safetensors"), load_file(tmp_path / "again" / "weights.safetensors")
    assert ours.keys() == theirs.keys() and all(np.array_equal(ours[k], theirs[k]) for k in ours)


def test_an_option_goes_before_the_configuration(run: Path, tmp_path: Path) -> None:
    again = train(f"--config {run / 'config.toml'} --seed 4 --set rate=.02", tmp_path / "again")
    text = (tmp_path / "again" / "config.toml").read_text()
    assert again["seed"] == 4 and "rate = 0.02" in text and "feedback_scale = 0.5" in text


def test_resuming_a_finished_run_changes_nothing(run: Path) -> None:
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file() and p.name != "environment.json"}
    line = "train feedback-alignment --seed 3 --set rate=.01 feedback_scale=.5 optimiser=momentum"
    assert main([*f"{line} {SMALL} --resume".split(), "--out", str(run)]) == DONE
    assert {p: p.read_bytes() for p in before} == before


def test_another_run_is_not_resumed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*f"train backprop {SMALL} --resume".split(), "--out", str(run)]) == 2
    assert "holds another run" in capsys.readouterr().err


def test_a_diverged_run_says_so(tmp_path: Path) -> None:
    summary = train("backprop --set optimiser=sgd rate=1e30", tmp_path / "run")
    assert summary["status"] == "diverged" and summary["test_loss"] is None
