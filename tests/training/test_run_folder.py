"""What a run folder says, in files that other programs read, and what is said of one that is broken."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from apical.core import Batch
from apical.data.registry import load
from apical.errors import InputError
from apical.rules.registry import RULES
from apical.training.config import Request, resolve
from apical.training.group import Feeds, segments
from apical.training.interrupt import Interrupt
from apical.training.progress import Progress
from apical.training.run_folder import Row, RunFolder
from apical.training.train import Summary, train

ROWS = [
    Row(0, 0, 0.0, "validation", "", "loss", 2.3025851249694824),
    Row(10, 100, 0.333333, "train", "0", "angle_to_backprop", math.nan),
    Row(20, 200, 0.666667, "train", "total", "log10_norm_ratio", -math.inf),
    Row(30, 300, 1.0, "train", "", "accuracy", 1 / 3),
]


def test_metrics_come_back_to_the_bit(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_metrics(ROWS)
    assert repr(folder.read_metrics(30)) == repr(ROWS)
    assert repr(folder.read_metrics(19)) == repr(ROWS[:2]), "rows behind the checkpoint are measured again"


def strict(text: str) -> dict:
    """JSON as other languages read it: without NaN and Infinity."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_a_summary_holds_null_for_what_is_not_finite(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.summary() is None
    plain = folder.write_summary({"a": math.nan, "b": math.inf, "c": 0.1, "d": None, "e": "finished"})
    assert plain == {"a": None, "b": None, "c": 0.1, "d": None, "e": "finished"}
    assert strict((tmp_path / "summary.json").read_text()) == folder.summary() == plain


@pytest.mark.parametrize("spoilt", ["", "step,examples\n1,2\n", "{}", None])
def test_broken_files_are_refused_with_the_remedy(tmp_path: Path, spoilt: str | None) -> None:
    folder = RunFolder(tmp_path)
    if spoilt is not None:
        (tmp_path / "summary.json").write_text(spoilt.replace("{}", "{"))
        with pytest.raises(InputError, match="start again"):
            folder.summary()
    if spoilt not in ("", "{}"):
        if spoilt is not None:
            (tmp_path / "metrics.csv").write_text(spoilt)
        with pytest.raises(InputError, match="start again"):
            folder.read_metrics(30)


def trained(out: Path, **request: object) -> Summary:
    digits = load("digits")
    small = {"hidden": (8,), "epochs": 3, "examples": 100, "batch_size": 10, "log_every": 40} | request
    config = resolve(Request(**{"rule": "backprop", **small}), digits)
    with Progress(quiet=True) as progress:
        return train([config], [out], Feeds.of(digits), {}, Interrupt(), progress)[0]


QUICK = {"backprop", "difference-target-propagation"}  # the others in the long run: each compiles all of a run, twice
SEEDED = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.long) for name in RULES]


@pytest.mark.parametrize("name", SEEDED)
def test_the_same_seed_gives_the_same_bits_twice(name: str, tmp_path: Path) -> None:
    for attempt in ("a", "b"):
        trained(tmp_path / attempt, rule=name)
    for file in ("metrics.csv", "weights.safetensors", "config.toml"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_another_run_does_not_go_on_in_the_folder(tmp_path: Path) -> None:
    trained(tmp_path / "run")
    files = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    for other in ({"seed": 1}, {"epochs": 4}, {"rule": "feedback-alignment"}, {"settings": {"rate": 0.1}}):
        with pytest.raises(InputError, match="holds another run"):
            trained(tmp_path / "run", **other)
    assert {path: path.read_bytes() for path in files} == files


def test_weights_are_named_by_group_and_layer(tmp_path: Path) -> None:
    summary = trained(tmp_path / "run", rule="feedback-alignment")
    weights = load_file(tmp_path / "run" / "weights.safetensors")
    assert {name.split("[")[0] for name in weights} == {"forward", "feedback"}
    assert sum(w.size for name, w in weights.items() if name.startswith("forward")) == summary["parameters"]
    assert weights["forward[0].layer.kernel"].shape == (8, 64) and weights["feedback[0]"].shape == (10, 8)


@pytest.mark.parametrize("rule", ["backprop", pytest.param("segregated-dendrites", marks=pytest.mark.long)])
def test_a_diverged_run_leaves_files_that_can_be_read(rule: str, tmp_path: Path) -> None:
    """Segregated dendrites saturate rather than diverge: nothing there may be other than finite."""
    settings = {"backprop": {"optimiser": "sgd", "rate": 1e25}, "segregated-dendrites": {"forward_rate": 1e6}}[rule]
    summary = trained(tmp_path / "run", rule=rule, settings=settings)
    assert summary["status"] == {"backprop": "diverged", "segregated-dendrites": "finished"}[rule]
    written = strict((tmp_path / "run" / "summary.json").read_text())
    assert written == summary and (written["test_loss"] is None) == (rule == "backprop")
    found = RunFolder(tmp_path / "run").read_metrics(10**9)
    assert {row.step for row in found} == ({0, 4} if rule == "backprop" else {0, 4, 8, 10, 14, 18, 20, 24, 28, 30})
    load_file(tmp_path / "run" / "weights.safetensors")


@pytest.mark.parametrize(
    ("n_steps", "batch", "log_every", "lengths"),
    [(10, 10, 40, [4, 4, 2]), (10, 10, 10_000, [10]), (10, 10, 1, [1] * 10), (3, 50, 120, [2, 1]), (0, 5, 10, [])],
)
def test_segments_cover_each_epoch(n_steps: int, batch: int, log_every: int, lengths: list[int]) -> None:
    config = resolve(Request("backprop", epochs=2, batch_size=batch, log_every=log_every), load("digits"))
    found = segments(config, n_steps)
    for epoch in (0, 1):
        own = [(start, stop) for e, start, stop in found if e == epoch]
        assert [stop - start for start, stop in own] == lengths
        assert [step for start, stop in own for step in range(start, stop)] == list(range(n_steps))


def test_a_batch_of_zeros_stands_for_the_shapes() -> None:
    digits = load("digits")
    feeds = Feeds.of(digits)
    assert isinstance(feeds.train.batch, Batch) and len(feeds.train.batch.y) == len(digits.train)
    np.testing.assert_array_equal(feeds.test.batch.y, digits.test.labels)
