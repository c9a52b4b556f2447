"""Runs under another protocol than the default one: what they report, resume to and say on the page."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from apical.cli.main import BAD_INPUT, DONE, main
from apical.data.registry import load
from apical.probes.scores import cross_entropy
from apical.report.comparison import Comparison, compare_runs
from apical.report.notes import ALARM, protocol_sentence, warnings
from apical.report.runs import read_run
from apical.training.config import Config, Request, read_config, resolve
from apical.training.group import Feeds
from apical.training.interrupt import Interrupt
from apical.training.losses import LOSSES
from apical.training.progress import Progress
from apical.training.protocols import PROTOCOLS
from apical.training.train import Summary, train

SMALL = {"hidden": (8,), "epochs": 4, "examples": 200, "batch_size": 10, "log_every": 50}


def config(protocol: str, rule: str = "backprop", settings: dict | None = None, **request: object) -> Config:
    given = SMALL | {"settings": {"protocol": protocol} | (settings or {})} | request
    return resolve(Request(rule, **given), load("digits"))


def trained(config: Config, out: Path, interrupt: Interrupt | None = None) -> Summary:
    with Progress(quiet=True) as progress:
        return train([config], [out], Feeds.of(load("digits")), {}, interrupt or Interrupt(), progress)[0]


def measured(out: Path, part: str, name: str) -> list[float]:
    with open(out / "metrics.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["split"], row["layer"], row["name"]) == (part, "", name)]
    return [float(row["value"]) for row in rows]


def bits(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in ("metrics.csv", "weights.safetensors", "config.toml")]


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """A run that gets worse at the end: its rate is too large."""
    out = tmp_path_factory.mktemp("paper") / "run"
    settings = {"optimiser": "sgd", "rate": 1.0}
    return out, trained(config("paper", settings=settings), out)


@pytest.fixture(scope="module")
def best(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """The same rate, judged where validation data choose; one measurement an epoch."""
    out = tmp_path_factory.mktemp("best") / "run"
    settings = {"optimiser": "sgd", "rate": 1.0}
    return out, trained(config("best-validation", settings=settings, log_every=200), out)


@pytest.fixture(scope="module")
def lange(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    out = tmp_path_factory.mktemp("lange") / "run"
    return out, trained(config("lange-2019", "segregated-dendrites", preset="rate"), out)


def test_paper_reports_the_best_of_what_it_watched(paper: tuple[Path, Summary]) -> None:
    out, summary = paper
    accuracies, losses = measured(out, "test", "accuracy"), measured(out, "test", "loss")
    best = int(np.argmax(accuracies))
    assert len(accuracies) == 17 and accuracies[-1] < accuracies[best]
    assert (summary["test_accuracy"], summary["test_loss"]) == (accuracies[best], losses[best])
    assert summary["validation_accuracy"] is None and not measured(out, "validation", "accuracy")


def test_validation_chooses_the_weights_that_are_judged(best: tuple[Path, Summary], tmp_path: Path) -> None:
    """They are those of a run that ends at the best epoch."""
    out, summary = best
    accuracies = measured(out, "validation", "accuracy")
    epoch = int(np.argmax(accuracies))
    assert 0 < epoch < len(accuracies) - 1 == 4
    assert summary["validation_accuracy"] == accuracies[epoch]
    assert not measured(out, "test", "accuracy")
    settings = {"optimiser": "sgd", "rate": 1.0}
    shorter = trained(config("apical", settings=settings, log_every=200, epochs=epoch), tmp_path)
    assert (tmp_path / "weights.safetensors").read_bytes() == (out / "weights.safetensors").read_bytes()
    assert summary["test_accuracy"] == shorter["test_accuracy"] and summary["test_loss"] == shorter["test_loss"]


def test_a_refit_is_judged_once_at_its_end(paper: tuple[Path, Summary], tmp_path: Path) -> None:
    """The same training as under `paper`, whose last measurement of test data is then the result."""
    summary = trained(config("refit", settings={"optimiser": "sgd", "rate": 1.0}), tmp_path)
    assert summary["test_accuracy"] == measured(paper[0], "test", "accuracy")[-1] != paper[1]["test_accuracy"]
    assert summary["validation_accuracy"] is None
    assert not measured(tmp_path, "test", "accuracy") and not measured(tmp_path, "validation", "accuracy")


def test_the_loss_of_lange_is_what_is_logged(lange: tuple[Path, Summary]) -> None:
    """A correct example counts 0 and a wrong one at most 27.7, so no mean is above what the accuracy allows."""
    out, summary = lange
    pairs = [(summary["test_accuracy"], summary["test_loss"])]
    for part in ("train", "validation"):
        pairs += zip(measured(out, part, "accuracy"), measured(out, part, "loss"), strict=True)
    assert len(pairs) == 1 + 16 + 17
    assert all(0 <= loss <= 27.64 * (1 - accuracy) + 1e-6 for accuracy, loss in pairs)
    assert summary["examples"] == 200 and summary["validation_accuracy"] is not None


def test_the_protocol_decides_on_every_loss_that_is_logged(
    lange: tuple[Path, Summary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LOSSES, "clipped-score", cross_entropy)
    trained(config("lange-2019", "segregated-dendrites", preset="rate", epochs=1), tmp_path)
    for part in ("train", "validation"):
        ours, theirs = measured(tmp_path, part, "loss"), measured(lange[0], part, "loss")[: 4 + (part == "validation")]
        assert measured(tmp_path, part, "accuracy") == measured(lange[0], part, "accuracy")[: len(ours)]
        assert len(ours) == len(theirs) and all(abs(a - b) > 1e-3 for a, b in zip(ours, theirs, strict=True))


def test_lanes_are_split_and_scored_alike(tmp_path: Path) -> None:
    configs = [config("lange-2019", seed=seed, epochs=1) for seed in (0, 1)]
    with Progress(quiet=True) as progress:
        folders = [tmp_path / str(i) for i in (0, 1)]
        together = train(configs, folders, Feeds.of(load("digits")), {}, Interrupt(), progress)
    alone = trained(configs[1], tmp_path / "alone")
    for key in ("train_accuracy", "validation_accuracy", "test_accuracy", "test_loss"):
        assert together[1][key] == pytest.approx(alone[key], rel=0.02) and together[0][key] != alone[key]
    for part in ("train", "validation"):
        ours, theirs = measured(tmp_path / "1", part, "loss"), measured(tmp_path / "alone", part, "loss")
        np.testing.assert_allclose(ours, theirs, rtol=0.02)


def test_summaries_have_the_same_keys(paper: tuple[Path, Summary], lange: tuple[Path, Summary], tmp_path: Path) -> None:
    default = trained(config("apical", epochs=1), tmp_path)
    assert list(default) == list(paper[1]) == list(lange[1])


class Once(Interrupt):
    """Interrupts after three segments: the run `best` right after its best one."""

    def __init__(self) -> None:
        self.left = 3

    @property
    def requested(self) -> bool:
        self.left -= 1
        return self.left < 0


PROTOCOL_OF = {"paper": "paper", "lange": "lange-2019", "best": "best-validation"}


@pytest.mark.parametrize(("which", "protocol"), PROTOCOL_OF.items())
def test_the_file_repeats_the_run_also_when_interrupted(
    which: str, protocol: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    whole, summary = request.getfixturevalue(which)
    again = read_config(whole / "config.toml")
    assert again.protocol == protocol
    first = trained(again, tmp_path / "run", Once())
    assert first["status"] == "interrupted" and first["test_accuracy"] is None
    line = ["train", "--config", str(whole / "config.toml"), "--out", str(tmp_path / "run"), "--resume", "--quiet"]
    assert main(line) == DONE
    assert bits(tmp_path / "run") == bits(whole)
    last = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert {k: v for k, v in last.items() if "second" not in k} == {
        k: v for k, v in summary.items() if "second" not in k
    }


def test_a_folder_of_another_protocol_is_refused(
    paper: tuple[Path, Summary], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    line = f"train --config {paper[0] / 'config.toml'} --set protocol=apical --resume --quiet --out {paper[0]}"
    before = bits(paper[0])
    assert main(line.split()) == BAD_INPUT and "holds another run" in capfd.readouterr().err
    assert bits(paper[0]) == before


def compared(*outs: Path) -> Comparison:
    (found,) = compare_runs([read_run(out) for out in outs])
    return found


def test_the_report_says_what_a_protocol_changes(
    paper: tuple[Path, Summary], lange: tuple[Path, Summary], tmp_path: Path
) -> None:
    for name, (out, _) in (("paper", paper), ("lange-2019", lange)):
        (alarm,) = [text for kind, text in warnings(compared(out)) if kind == ALARM]
        assert alarm.startswith(f"Protocol {name}: {PROTOCOLS[name].meaning}.")
        assert "choose nothing" not in protocol_sentence(compared(out))
    assert "test data chose it" in PROTOCOLS["paper"].meaning
    trained(config("apical", epochs=1), tmp_path)
    alarms = [text for kind, text in warnings(compared(paper[0], lange[0], tmp_path)) if kind == ALARM]
    assert len(alarms) == 3 and alarms[0].startswith("The runs do not share one protocol")
    assert "apical for Backprop" in alarms[0] and "lange-2019 for Segregated dendrites" in alarms[0]
    assert not [text for kind, text in warnings(compared(tmp_path)) if kind == ALARM]
