"""`apical compare`: one row for each rule and seed, the report, and going on after an interruption."""

import csv
from pathlib import Path

import pytest

from apical.cli.main import DONE, main
from apical.report.theme import rule_name
from apical.rules.registry import RULES

COMPARED = ("backprop", "feedback-alignment", "segregated-dendrites")
LINE = f"compare --rules {','.join(COMPARED)} --seeds 2 --epochs 2 --hidden 12,10 --examples 300 --quiet"


def rows(out: Path) -> list[dict[str, str]]:
    with open(out / "comparison.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("compare") / "out"
    assert main([*LINE.split(), "--out", str(out)]) == DONE
    return out


def test_every_rule_has_a_row_for_each_seed(compared: Path) -> None:
    assert [(r["rule"], r["seed"]) for r in rows(compared)] == [(name, s) for name in COMPARED for s in "01"]
    for row in rows(compared):
        assert row["status"] == "finished" and float(row["flops_per_example"]) > 0
        assert 0 <= float(row["angle_to_backprop_mean"]) <= 180
    angles = {r["rule"]: float(r["angle_to_backprop_mean"]) for r in rows(compared)}
    assert angles["backprop"] < 0.1 < min(angle for name, angle in angles.items() if name != "backprop")


@pytest.mark.long
def test_without_names_every_registered_rule_is_compared(tmp_path: Path) -> None:
    line = "compare --seeds 1 --epochs 1 --hidden 12,10 --examples 100 --quiet --out"
    assert main([*line.split(), str(tmp_path / "out")]) == DONE
    assert [row["rule"] for row in rows(tmp_path / "out")] == list(RULES)


def test_the_report_and_its_figures_are_there(compared: Path) -> None:
    page = (compared / "report.html").read_text()
    assert all(rule_name(name) in page for name in COMPARED)
    assert {"results.pdf", "learning-curves.png", "samples.png"} <= {p.name for p in (compared / "figures").iterdir()}


def test_every_seed_has_a_run_folder_that_can_be_repeated(compared: Path, tmp_path: Path) -> None:
    """The seed alone agrees with the seed as a lane: same split, same keys, same order of examples."""
    config = compared / "runs" / "segregated-dendrites" / "seed-1" / "config.toml"
    assert main(["train", "--config", str(config), "--quiet", "--out", str(tmp_path / "alone")]) == DONE
    ours, theirs = (Path(f) / "metrics.csv" for f in (tmp_path / "alone", config.parent))
    with open(ours) as a, open(theirs) as b:
        for x, y in zip(csv.DictReader(a), csv.DictReader(b), strict=True):
            assert (x["step"], x["name"], x["layer"]) == (y["step"], y["name"], y["layer"])
            if x["name"] in ("loss", "weight_norm"):
                assert float(x["value"]) == pytest.approx(float(y["value"]), rel=1e-3)


def test_resume_keeps_what_is_finished_and_trains_what_is_missing(compared: Path) -> None:
    kept = compared / "runs" / "backprop" / "seed-0" / "summary.json"
    before, table = kept.read_bytes(), (compared / "comparison.csv").read_bytes()
    for name in ("summary.json", "weights.safetensors"):
        (compared / "runs" / "feedback-alignment" / "seed-1" / name).unlink()
    assert main([*LINE.split(), "--resume", "--out", str(compared)]) == DONE
    assert kept.read_bytes() == before
    assert (compared / "comparison.csv").read_bytes() == table


@pytest.mark.long
def test_a_network_leaves_out_the_rules_that_have_none(tmp_path: Path) -> None:
    line = "compare --seeds 1 --epochs 1 --examples 100 --network cnn --quiet --rules backprop"
    assert main([*line.split(), "--out", str(tmp_path / "out")]) == DONE
    assert [(r["rule"], r["network"]) for r in rows(tmp_path / "out")] == [("backprop", "cnn")]
