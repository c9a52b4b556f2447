"""A run that was killed, interrupted or stopped, and resumed, ends with the bits of one that never was."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apical.data.registry import load
from apical.training.config import Config, Request, resolve
from apical.training.group import Feeds
from apical.training.interrupt import Interrupt
from apical.training.progress import Progress
from apical.training.train import train

N_EPOCHS = 200
LINE = f"train feedback-alignment --hidden 30 --epochs {N_EPOCHS} --examples 600 --quiet --resume".split()
FILES = ("metrics.csv", "weights.safetensors", "config.toml")


def start(out: Path) -> subprocess.Popen:
    """The command in a process of its own that saves its state after every segment; compiled programs are kept."""
    cache = {"JAX_COMPILATION_CACHE_DIR": str(out.parent.parent / "compiled")}
    always = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
    environment = os.environ | {"APICAL_CHECKPOINT_EVERY_S": "0"} | cache | always
    command = [sys.executable, "-m", "apical", *LINE, "--out", str(out)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def wait_for(out: Path, process: subprocess.Popen, n: int) -> None:
    """Until a running process has written its state `n` times."""
    path, until, seen = out / "checkpoint" / "state.safetensors", time.monotonic() + 90, set()
    seen.add(path.stat().st_mtime_ns if path.exists() else None)
    while len(seen) <= n:
        assert process.poll() is None, "the run ended before it could be stopped"
        assert time.monotonic() < until, "no checkpoint was written"
        seen.add(path.stat().st_mtime_ns if path.exists() else None)


def finish(out: Path) -> None:
    process = start(out)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said


def bits(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("unbroken") / "run"
    finish(out)
    return bits(out)


@pytest.mark.parametrize("n_kills", [1, pytest.param(3, marks=pytest.mark.long)])
def test_killed_at_random_moments(n_kills: int, unbroken: dict[str, bytes], tmp_path: Path) -> None:
    out, moments = tmp_path / "run", random.Random(0)
    for _ in range(n_kills):
        process = start(out)
        wait_for(out, process, moments.randrange(1, 20))
        time.sleep(moments.uniform(0, 0.02))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL and not (out / "summary.json").exists()
    finish(out)
    assert bits(out) == unbroken


def test_interrupted_with_ctrl_c(unbroken: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = start(out)
    wait_for(out, process, 2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert '"status": "interrupted"' in (out / "summary.json").read_text()
    finish(out)
    assert bits(out) == unbroken


class After(Interrupt):
    """Interrupts once it was asked `n` times."""

    def __init__(self, n: int) -> None:
        self.n = n

    @property
    def requested(self) -> bool:
        self.n -= 1
        return self.n < 0


def configurations(rule: str) -> list[Config]:
    digits = load("digits")
    request = {"hidden": (8,), "epochs": 3, "examples": 100, "batch_size": 10, "log_every": 40}
    return [resolve(Request(rule, seed=seed, **request), digits) for seed in (0, 1)]


def run(configs: list[Config], out: Path, *stops: int) -> list[dict]:
    """Trains lanes together, interrupted after so many segments each time, then to the end."""
    folders = [out / str(config.seed) for config in configs]
    feeds = Feeds.of(load("digits"))
    for n in (*stops, 10**6):
        with Progress(quiet=True) as progress:
            summaries = train(configs, folders, feeds, {}, After(n), progress, out / "state.safetensors")
    return summaries


@pytest.mark.parametrize("rule", ["backprop", pytest.param("segregated-dendrites", marks=pytest.mark.long)])
def test_lanes_stopped_between_segments(rule: str, tmp_path: Path) -> None:
    configs = configurations(rule)
    whole = run(configs, tmp_path / "whole")
    parts = run(configs, tmp_path / "parts", 0, 1, 3)
    for a, b in zip(whole, parts, strict=True):
        assert (a["status"], b["status"]) == ("finished", "finished")
        assert {k: v for k, v in a.items() if "second" not in k} == {k: v for k, v in b.items() if "second" not in k}
    for seed in "01":
        assert bits(tmp_path / "whole" / seed) == bits(tmp_path / "parts" / seed)


def test_an_interrupted_run_has_no_test_score(tmp_path: Path) -> None:
    config, digits = configurations("backprop")[0], Feeds.of(load("digits"))
    with Progress(quiet=True) as progress:
        (summary,) = train([config], [tmp_path / "run"], digits, {}, After(2), progress)
    assert summary["status"] == "interrupted" and summary["test_accuracy"] is None
    assert summary["validation_accuracy"] is not None
