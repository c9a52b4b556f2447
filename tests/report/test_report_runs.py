"""Run folders read back, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apical.errors import InputError
from apical.report.runs import find_run_folders, read_metrics, read_run

HEADER = "step,examples,epoch,split,layer,name,value\n"


def test_a_run_is_read_back(folder: Path) -> None:
    run = read_run(folder / "runs" / "feedback-alignment" / "seed-2")
    assert (run.rule, run.seed, run.dataset, run.network, run.status) == (
        "feedback-alignment", 2, "digits", "mlp", "finished",
    )  # fmt: skip
    loss = run.trace("validation", "", "loss")
    assert loss is not None and loss.epoch.tolist() == list(range(11)) and loss.examples[-1] == 11_500
    assert run.trace("train", "7", "weight_norm") is None
    assert run.number("parameters") == 4810
    assert run.number("test_r2") is None


def test_numbers_missing_in_a_summary_come_from_comparison_csv(folder: Path) -> None:
    run = read_run(folder / "runs" / "feedback-alignment" / "seed-0")
    assert (run.number("angle_to_backprop_mean"), run.number("flops_per_example")) == (62.0, 29_000.0)


def test_an_unfinished_run_has_metrics_but_no_summary(tmp_path: Path, write_run: Callable[..., Any]) -> None:
    write_run(tmp_path / "run", "backprop", 0)
    (tmp_path / "run" / "summary.json").unlink()
    run = read_run(tmp_path / "run")
    assert run.status == "unfinished"
    assert run.number("test_accuracy") is None
    assert run.trace("train", "", "accuracy") is not None


def test_a_line_cut_off_by_an_interruption_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(HEADER + "0,0,0,train,,loss,2.5\n1,32,0.1,train,,loss,2.0\n2,64,0.2,tra")
    trace = read_metrics(path)["train", "", "loss"]
    assert trace.value.tolist() == [2.5, 2.0]


def test_metrics_come_in_order_and_keep_what_is_undefined(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(HEADER + "2,64,0.2,train,0,x,3\n0,0,0,train,0,x,nan\n1,32,0.1,train,0,x,\n")
    trace = read_metrics(path)["train", "0", "x"]
    assert trace.examples.tolist() == [0, 32, 64]
    np.testing.assert_array_equal(trace.value, [np.nan, np.nan, 3.0])


def test_runs_are_found_at_any_depth_and_once(folder: Path) -> None:
    inner = folder / "runs" / "backprop"
    assert len(find_run_folders([inner])) == 3
    assert find_run_folders([folder, inner, inner / "seed-0", folder / "runs" / ".."]) == find_run_folders([folder])
    assert len(find_run_folders([folder])) == 12


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("config.toml", "rule = ", "not valid TOML"),
        ("config.toml", 'rule = "backprop"\n', "lacks rule, dataset or seed"),
        ("summary.json", "{", "not valid JSON"),
        ("summary.json", "[1]", "does not hold an object"),
        ("environment.json", "nope", "not valid JSON"),
        ("metrics.csv", "a,b\n1,2\n", "does not begin with step,examples"),
        ("metrics.csv", HEADER + "1,2,3\n", "line 2"),
        ("metrics.csv", HEADER + "1,2,3,train,,loss,high\n", "line 2"),
    ],
)
def test_a_malformed_file_is_named(
    tmp_path: Path, write_run: Callable[..., Any], name: str, content: str, said: str
) -> None:
    write_run(tmp_path / "run", "backprop", 0)
    (tmp_path / "run" / name).write_text(content)
    with pytest.raises(InputError, match=said) as caught:
        read_run(tmp_path / "run")
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_folders_without_runs_are_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match="holds no run"):
        find_run_folders([folder, tmp_path])
    with pytest.raises(InputError, match="there is no folder"):
        find_run_folders([tmp_path / "nowhere"])
