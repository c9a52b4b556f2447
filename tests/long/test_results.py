"""Learning results on real data, each against the number it has to meet; `make check-long` runs them."""

import json
from pathlib import Path

import numpy as np
import pytest

from apical.cli.main import main
from apical.data.registry import load
from apical.errors import InputError

pytestmark = pytest.mark.long

SEEDS = 3
MLP = [
    ("mnist", "backprop", 0.980),
    ("mnist", "feedback-alignment", 0.973),
    ("mnist", "direct-feedback-alignment", 0.973),
    ("fashion-mnist", "backprop", 0.885),
    ("cifar10", "backprop", 0.49),
]
SEGREGATED = [("mnist", 0.968, (700, 735)), ("fashion-mnist", 0.840, (700, 760))]
CNN = [("mnist", 0.989), ("fashion-mnist", 0.905), ("cifar10", 0.62)]


@pytest.fixture(autouse=True)
def data(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Skips where the files of a data set are not there."""
    monkeypatch.setenv("APICAL_TRUST_DATA", "1")
    try:
        load(request.node.callspec.params["dataset"])
    except InputError as error:
        pytest.skip(str(error))


def summaries(line: str, rule: str, out: Path) -> list[dict]:
    assert main([*f"compare --rules {rule} --quiet {line}".split(), "--out", str(out)]) == 0
    return [json.loads(path.read_text()) for path in sorted(out.rglob("summary.json"))]


@pytest.mark.parametrize(("dataset", "rule", "least"), MLP)
def test_mlp_ten_epochs(dataset: str, rule: str, least: float, tmp_path: Path) -> None:
    runs = summaries(f"--dataset {dataset} --epochs 10 --seeds {SEEDS} --hidden 500", rule, tmp_path / "out")
    assert len(runs) == SEEDS and np.mean([run["test_accuracy"] for run in runs]) >= least


@pytest.mark.parametrize(("dataset", "least", "norms"), SEGREGATED)
def test_segregated_dendrites_nine_epochs(dataset: str, least: float, norms: tuple[int, int], tmp_path: Path) -> None:
    runs = summaries(f"--dataset {dataset} --epochs 9 --seeds {SEEDS}", "segregated-dendrites", tmp_path / "out")
    assert np.mean([run["test_accuracy"] for run in runs]) >= least
    for path in (tmp_path / "out").rglob("metrics.csv"):
        rows = [line.split(",") for line in path.read_text().splitlines()]
        norm = [float(row[-1]) for row in rows if row[4:6] == ["0", "weight_norm"]]
        assert norm[0] == pytest.approx(632.5, rel=0.01)
        assert norms[0] <= norm[-1] <= norms[1]


@pytest.mark.parametrize(("dataset", "least"), CNN)
def test_cnn_ten_epochs(dataset: str, least: float, tmp_path: Path) -> None:
    runs = summaries(f"--dataset {dataset} --network cnn --epochs 10 --seeds 1", "backprop", tmp_path / "out")
    assert runs[0]["test_accuracy"] >= least
