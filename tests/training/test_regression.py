"""Values instead of labels, from the data set to the summary."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error, r2_score

from apical.cli.main import BAD_INPUT, DONE, main
from apical.data.dataset import Dataset
from apical.data.registry import load
from apical.training.compare import Plan
from apical.training.config import Config, Request, read_config, resolve
from apical.training.group import Feeds
from apical.training.interrupt import Interrupt
from apical.training.lane import split_for
from apical.training.progress import Progress
from apical.training.run_folder import RunFolder
from apical.training.train import Summary, check, train

OPTIONS = {"n_inputs": 4, "n_outputs": 2, "n_examples": 400, "teacher_hidden": (3,)}
LEARNERS = [
    "backprop",
    "feedback-alignment",
    "direct-feedback-alignment",
    "sign-symmetry",
    "kolen-pollack",
    "weight-mirror",
    "target-propagation",
    "difference-target-propagation",
]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load("teacher", options=OPTIONS)


def run(configs: list[Config], dataset: Dataset, out: Path) -> list[Summary]:
    folders = [out / str(config.seed) for config in configs]
    with Progress(quiet=True) as progress:
        return train(configs, folders, Feeds.of(dataset), {}, Interrupt(), progress, out / "state.safetensors")


def test_a_student_without_hidden_layer_ends_at_least_squares(dataset: Dataset, tmp_path: Path):
    """Two seeds as lanes: each ends at the fit of its own training part, and is scored as scikit-learn scores it."""
    settings = {"optimiser": "sgd", "rate": 0.1}
    requests = [Request("backprop", "teacher", hidden=(), epochs=30, seed=s, settings=settings) for s in (0, 1)]
    configs = [resolve(request, dataset) for request in requests]
    test = dataset.test.take(np.arange(len(dataset.test)))
    for config, summary in zip(configs, run(configs, dataset, tmp_path), strict=True):
        training = split_for(config, dataset).training
        assert len(training) == 360
        fit = LinearRegression().fit(dataset.train.take(training), dataset.train.labels[training])
        answers, truth = fit.predict(test), dataset.test.labels
        assert summary["test_loss"] == pytest.approx(mean_squared_error(truth, answers), rel=0.02)
        assert summary["test_r2"] == pytest.approx(r2_score(truth, answers, multioutput="variance_weighted"), abs=0.005)
        assert {summary[f"{part}_accuracy"] for part in ("train", "validation", "test")} == {None}
        rows = RunFolder(tmp_path / str(config.seed)).read_metrics(10**9)
        validation = [row.value for row in rows if (row.split, row.name) == ("validation", "r2")]
        assert len(validation) == 31 and validation[-1] > 0.5 > validation[0]


def test_every_rule_says_which_tasks_it_learns(dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture):
    plan = Plan.of(None, 1, Request("", "teacher", hidden=(5, 5), batch_size=40), dataset)
    assert set(LEARNERS) <= set(plan.configs)
    assert {"simplified-dtp", "ao-sdtp", "segregated-dendrites"} <= set(plan.left_out)
    assert not set(plan.configs) & set(plan.left_out)
    for configs in plan.configs.values():
        check(configs[0], dataset)
    line = f"train segregated-dendrites --dataset teacher --out {tmp_path / 'out'}"
    assert main(line.split()) == BAD_INPUT and not (tmp_path / "out").exists()
    assert capsys.readouterr().err == (
        "apical: error: teacher is a task of regression; segregated-dendrites learns classification alone: choose "
        "another\n"
    )


def test_backprop_learns_the_teacher_and_its_configuration_repeats_it(tmp_path: Path, capsys: pytest.CaptureFixture):
    """Options of the data set and hyperparameters come by one `--set`; under paper the best measurement is kept."""
    options = "n_inputs=4 n_outputs=2 n_examples=2000 rate=.01 protocol=paper"
    first, again = tmp_path / "first", tmp_path / "again"
    line = f"train backprop --dataset teacher --hidden 30 --epochs 8 --quiet --set {options}"
    assert main([*line.split(), "--out", str(first)]) == DONE
    summary = json.loads((first / "summary.json").read_text())
    assert summary["test_r2"] > 0.95 and summary["examples"] == 2000 and summary["test_accuracy"] is None
    assert f"R2 test {summary['test_r2']:.4f};" in capsys.readouterr().out
    with (first / "metrics.csv").open() as file:
        watched = [float(row["value"]) for row in csv.DictReader(file) if (row["split"], row["name"]) == ("test", "r2")]
    assert max(watched) == summary["test_r2"]

    config = read_config(first / "config.toml")
    assert config.data["n_inputs"] == 4 and config.data["teacher_hidden"] == (15,) and "n_inputs" not in config.settings
    repeat = f"train --config {first / 'config.toml'} --quiet --set n_examples=100 --epochs 0 --out {again}"
    assert main(repeat.split()) == DONE
    repeated = read_config(again / "config.toml")
    assert (repeated.data["n_examples"], repeated.data["n_inputs"], repeated.settings["rate"]) == (100, 4, 0.01)


def test_a_batch_is_not_larger_than_the_data_unless_asked_for():
    bars = load("bars")
    assert resolve(Request("backprop", "bars"), bars).batch_size == 8
    assert resolve(Request("backprop", "bars", batch_size=3), bars).batch_size == 3
