"""Studies from the command line: the promised result, resuming, and that nothing is lost or doubled."""

import csv
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

pytest.importorskip("optuna")

from apical.cli.main import BAD_INPUT, DONE, main
from apical.data.registry import load
from apical.study import folds
from apical.study.evaluation import DIVERGED, STOPPED, Evaluator
from apical.study.plan import Plan
from apical.training.config import Request

SMALL = "study backprop --folds 2 --epochs 1 --examples 200 --batch-size 20 --hidden 30 --sampler random --quiet"


def rows(out: Path) -> list[dict[str, str]]:
    with open(out / "trials.csv", newline="") as file:
        return list(csv.DictReader(file))


def settings(out: Path) -> list[tuple[str, str]]:
    """Settings and values of all trials, without times."""
    return [(row["rate"], row["value"]) for row in rows(out)]


def small(out: Path, trials: int, *words: str) -> int:
    return main([*SMALL.split(), "--trials", str(trials), "--out", str(out), *words])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "done"
    assert small(out, 5) == DONE
    return out


def test_trials_are_complete(finished: Path) -> None:
    found, about = rows(finished), json.loads((finished / "study.json").read_text())
    assert list(found[0]) == ["trial", "state", "value", "fold_values", "seconds", "rate"]
    assert [int(row["trial"]) for row in found] == list(range(5))
    for row in found:
        folds = json.loads(row["fold_values"])
        assert len(folds) == 2 and float(row["value"]) == pytest.approx(np.mean(folds), abs=2e-6)
    best = max(float(row["value"]) for row in found)
    assert about["status"] == "finished" and about["best_value"] == pytest.approx(best, abs=1e-6)


def test_a_study_in_two_parts_makes_the_trials_of_one(finished: Path, tmp_path: Path) -> None:
    assert small(tmp_path, 2, "--resume") == DONE, "an empty folder"
    assert small(tmp_path, 5, "--resume") == DONE, "a partial one"
    assert settings(tmp_path) == settings(finished)
    before = (tmp_path / "trials.csv").read_text()
    assert small(tmp_path, 5, "--resume") == DONE, "a finished one"
    assert (tmp_path / "trials.csv").read_text() == before


def test_another_study_is_refused(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert small(finished, 5, "--resume", "--seed", "1") == BAD_INPUT
    assert "holds another study" in capsys.readouterr().err


def evaluator(**plan: object) -> Evaluator:
    request = Request("backprop", hidden=(20,), batch_size=20, epochs=2, examples=200)
    return Evaluator(Plan(request, 1, 2, **plan), load("digits"))


def test_a_diverged_trial_counts_as_chance_and_numbers_compile_nothing_new(monkeypatch: pytest.MonkeyPatch) -> None:
    found = evaluator()
    traces = 0
    cls = type(found.rule({"rate": 1e-3})[1])
    assign = cls.assign_credit

    def counted(*arguments: object) -> object:
        nonlocal traces
        traces += 1
        return assign(*arguments)

    monkeypatch.setattr(cls, "assign_credit", counted)
    good = found({"rate": 1e-2})
    first = traces
    again = found({"rate": 3e-3})
    assert good and again and traces == first and good.value != again.value
    bad = found({"rate": 1e38})
    assert bad and bad.state == DIVERGED and bad.value == pytest.approx(0.1) and "not finite" in bad.reason
    assert traces == first


def test_lanes_and_folds_in_turns_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = evaluator()({"rate": 1e-2})
    monkeypatch.setattr(folds, "side_by_side", lambda: True)
    together = evaluator()({"rate": 1e-2})
    assert together and alone
    np.testing.assert_allclose(together.fold_values, alone.fold_values, atol=0.021)  # two of 100 images


def test_a_trial_over_its_time_is_judged_as_it_stands() -> None:
    found = evaluator(time_limit=0.001)({"rate": 1e-2})
    assert found and found.state == STOPPED and "50%" in found.reason


@pytest.mark.long
def test_the_promised_accuracy(tmp_path: Path) -> None:
    words = f"study backprop --dataset digits --trials 12 --folds 3 --epochs 3 --quiet --out {tmp_path / 'out'}"
    assert main(words.split()) == DONE
    assert len(rows(tmp_path / "out")) == 12 and max(float(row["value"]) for row in rows(tmp_path / "out")) > 0.9


def start(out: Path, trials: int, *words: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "apical", *SMALL.split(), "--trials", str(trials), "--out", str(out), *words]
    return subprocess.Popen([*command, "--resume"], stderr=subprocess.DEVNULL)


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


@pytest.mark.long
def test_killed_ten_times_at_random_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """Coordinators and workers in turn; the trials are those of a study that nobody disturbed."""
    whole, out, generator = tmp_path / "whole", tmp_path / "out", random.Random(0)
    assert small(whole, 30) == DONE
    for i in range(10):
        process = start(out, 30, "--workers", "2")
        time.sleep(generator.uniform(4, 25))
        workers = children(process.pid)
        os.kill(generator.choice(workers) if i % 2 and workers else process.pid, signal.SIGKILL)
        if i % 2:
            time.sleep(generator.uniform(0, 5))
            process.kill()
        process.wait()
    process = start(out, 30, "--workers", "2")
    assert process.wait(600) == DONE
    assert [int(row["trial"]) for row in rows(out)] == list(range(30))
    assert [rate for rate, _ in settings(out)] == [rate for rate, _ in settings(whole)]


@pytest.mark.long
def test_dask_with_a_worker_killed(tmp_path: Path, lacking: Callable[[str], NoReturn]) -> None:
    try:
        from distributed import LocalCluster
    except ImportError:
        lacking("install apical[cluster] to run this test")
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        process = start(tmp_path / "out", 12, "--dask", cluster.scheduler_address)
        deadline = time.monotonic() + 300
        while not (tmp_path / "out" / "trials.csv").exists() or len(rows(tmp_path / "out")) < 2:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.5)
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        assert process.wait(600) == DONE
    assert [int(row["trial"]) for row in rows(tmp_path / "out")] == list(range(12))


@pytest.fixture
def database(lacking: Callable[[str], NoReturn]) -> Iterator[str]:
    """The address of a PostgreSQL server of our own on loopback."""
    if importlib.util.find_spec("psycopg") is None:
        lacking("pip install 'psycopg[binary]' to run this test")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    folder = found[-1].parent if found else Path(shutil.which("initdb") or lacking("install postgresql")).parent
    home = Path(tempfile.mkdtemp(prefix="postgres-"))  # pytest's folders are closed to the server's own user
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    run = lambda *words: subprocess.run([*user, *map(str, words)], check=True, capture_output=True, cwd="/")  # noqa: E731
    run(folder / "initdb", "-D", home / "data", "-A", "trust", "-U", "apical")
    options = f"-p 54329 -c listen_addresses=127.0.0.1 -k {home}"
    run(folder / "pg_ctl", "-D", home / "data", "-o", options, "-l", home / "log", "-w", "start")
    yield "postgresql://apical@127.0.0.1:54329/postgres"
    run(folder / "pg_ctl", "-D", home / "data", "-m", "immediate", "stop")
    shutil.rmtree(home)


@pytest.mark.long
def test_two_coordinators_share_a_database(tmp_path: Path, database: str) -> None:
    folders = [tmp_path / place / "shared" for place in "ab"]
    processes = [start(out, 12, "--storage", database) for out in folders]
    assert [process.wait(600) for process in processes] == [DONE, DONE]
    for out in folders:
        assert [int(row["trial"]) for row in rows(out)] == list(range(12))
    assert settings(folders[0]) == settings(folders[1]) and len({rate for rate, _ in settings(folders[0])}) == 12
