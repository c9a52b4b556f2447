"""Curves over seeds against numbers worked out by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apical.report.comparison import Comparison
from apical.report.curves import is_wide, layer_title, measured_layers, progress_axis, seed_curve, shared_limits
from apical.report.figure import Series

Write, Read = Callable[..., Any], Callable[..., Comparison]
HEADER = "step,examples,epoch,split,layer,name,value\n"


@pytest.fixture
def curve(tmp_path: Path, write_run: Write, read: Read) -> Callable[..., Series | None]:
    """`curve(points of seed 0, points of seed 1, ...)`: the curve of these (examples, value) of one measurement."""

    def make(*seeds: list[tuple[int, float]], status: str = "finished", scale: float = 1.0) -> Series | None:
        for seed, points in enumerate(seeds):
            run = tmp_path / f"seed-{seed}"
            write_run(run, "backprop", seed, status=status)
            rows = "".join(f"{x},{x},{x / 100},validation,,loss,{y}\n" for x, y in points)
            (run / "metrics.csv").write_text(HEADER + rows)
        comparison = read(tmp_path)
        return seed_curve(comparison.entries[0], "validation", "", "loss", progress_axis(comparison), scale)

    return make


def test_mean_and_band(curve: Callable[..., Series]) -> None:
    found = curve([(0, 4.0), (100, 1.0)], [(0, 2.0), (100, 2.0)], [(0, 0.0), (100, 6.0)])
    assert found.x.tolist() == [0.0, 1.0]
    assert found.mean.tolist() == [2.0, 3.0]
    assert found.low is not None and found.low.tolist() == [0.0, 1.0]
    assert found.high is not None and found.high.tolist() == [4.0, 6.0]
    assert found.stops == ()


def test_scale_turns_shares_into_percent(curve: Callable[..., Series]) -> None:
    assert curve([(0, 0.25), (100, 0.5)], scale=100.0).mean.tolist() == [25.0, 50.0]


def test_one_seed_has_no_band(curve: Callable[..., Series]) -> None:
    found = curve([(0, 4.0), (100, 1.0)])
    assert found.low is None and found.high is None


def test_seeds_measured_elsewhere_are_interpolated_within_their_own_range(curve: Callable[..., Series]) -> None:
    """At 0.5 seed 0 lies at 2 on its line and seed 1 at 4; beyond its last point seed 0 says nothing."""
    found = curve([(0, 3.0), (100, 1.0)], [(0, 3.0), (50, 4.0), (200, 7.0)])
    assert found.x.tolist() == [0.0, 0.5, 1.0, 2.0]
    assert found.mean.tolist() == pytest.approx([3.0, 3.0, 3.0, 7.0])


def test_a_seed_that_diverges_is_marked_where_it_ends(curve: Callable[..., Series]) -> None:
    found = curve([(0, 3.0), (100, float("nan"))], [(0, 1.0), (100, 1.0)])
    assert found.stops == ((0.0, 3.0),)
    assert found.mean.tolist() == [2.0, 1.0]


def test_runs_that_diverged_together_are_marked_too(curve: Callable[..., Series]) -> None:
    assert curve([(0, 3.0), (100, 9.0)], [(0, 1.0), (100, 8.0)], status="diverged").stops == ((1.0, 9.0), (1.0, 8.0))


def test_what_was_never_finite_makes_no_curve(curve: Callable[..., Series | None]) -> None:
    assert curve([(0, float("nan")), (100, float("nan"))]) is None


def test_examples_take_the_place_of_epochs_that_do_not_tell_points_apart(
    tmp_path: Path, write_run: Write, read: Read
) -> None:
    write_run(tmp_path / "run", "backprop", 0)
    path = tmp_path / "run" / "metrics.csv"
    path.write_text(HEADER + "1,32,0,train,,loss,2\n2,64,0,train,,loss,1\n")
    axis = progress_axis(read(tmp_path))
    assert axis.label == "training examples seen" and axis.limits == (0.0, 64.0)
    path.write_text(HEADER + "1,32,0.5,train,,loss,2\n2,64,1,train,,loss,1\n")
    axis = progress_axis(read(tmp_path))
    assert axis.label == "epochs" and axis.limits == (0.0, 1.0)


def test_layers_are_sorted_as_numbers_with_the_total_last(tmp_path: Path, write_run: Write, read: Read) -> None:
    write_run(tmp_path / "run", "backprop", 0)
    rows = "".join(f"1,32,1,train,{layer},weight_norm,2\n" for layer in ("10", "total", "2", "0"))
    undefined = "1,32,1,train,5,weight_norm,nan\n"
    (tmp_path / "run" / "metrics.csv").write_text(HEADER + rows + undefined)
    comparison = read(tmp_path)
    layers = measured_layers(comparison, ["weight_norm"])
    assert layers == ["0", "2", "10", "total"]
    assert [layer_title(layer, comparison) for layer in layers] == [
        "Hidden layer 1", "Hidden layer 3", "Output layer", "All layers",
    ]  # fmt: skip


def test_only_what_spreads_widely_is_put_on_a_logarithmic_axis() -> None:
    def line(*values: float) -> Series:
        return Series("a", "#000000", np.arange(len(values), dtype=float), np.array(values))

    assert not is_wide([line(1.0, 10.0), line(2.0, 3.0)])
    assert is_wide([line(1.0, 10.0), line(0.1, 3.0)])
    assert not is_wide([line(-5.0, 0.0), line(float("nan"), 1.0)])
    assert shared_limits([line(0.0, 100.0)], False, 0.0, 101.5) == (0.0, 101.5)
    assert shared_limits([], False) is None
