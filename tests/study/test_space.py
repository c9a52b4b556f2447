"""Spaces: places and values, dimensions that are there only sometimes, and the spaces by name."""

import numpy as np
import pytest

from apical.data.registry import load
from apical.errors import InputError
from apical.study.dimension import Condition, Dimension
from apical.study.evaluation import Evaluator
from apical.study.plan import Plan
from apical.study.space import Space
from apical.training.config import Request

MIXED = Space(
    [
        Dimension("rate", "real", 1e-4, 1e-1, log=True),
        Dimension("width", "integer", 3, 7),
        Dimension("step", "real", 0.1, 1.0, fraction=True),
        Dimension("depth", "integer", 1, 3),
        Dimension("second", "integer", 10, 20, when=(Condition("depth", 2, at_least=True),)),
        Dimension("on", "switch", levels=(False, True)),
        Dimension("noise", "real", 0.0, 1.0, when=(Condition("on", True),)),
        Dimension("loud", "switch", levels=(False, True), when=(Condition("quiet", False),)),
        Dimension("quiet", "switch", levels=(False, True), when=(Condition("on", True),)),
    ]
)


def evaluator(rule: str, space: str, trials: int = 5, **request: object) -> Evaluator:
    return Evaluator(Plan(Request(rule, **request), trials, 3, space), load("digits"))


def names(found: Evaluator) -> set[str]:
    return {d.name for d in found.space.dimensions}


def test_values_are_within_bounds_and_come_back_from_their_places() -> None:
    for row in MIXED.uniform(np.random.default_rng(0), 300):
        point = MIXED.point(row)
        assert MIXED.point(MIXED.row(point)) == pytest.approx(point)
        assert 1e-4 <= point["rate"] <= 1e-1 and 3 <= point["width"] <= 7 and isinstance(point["width"], int)
        assert 1 / point["step"] == pytest.approx(round(1 / point["step"]))


def test_what_is_not_there_has_no_value_and_parents_are_there() -> None:
    seen = [MIXED.point(row) for row in MIXED.uniform(np.random.default_rng(1), 300)]
    for point in seen:
        assert ("second" in point) == (point["depth"] >= 2)
        assert ("noise" in point) == ("quiet" in point) == point["on"]
        assert ("loud" in point) == (point["on"] and not point["quiet"])
    shares = np.mean([[p["depth"] == 1, p["on"], p["width"] == 3] for p in seen], axis=0)
    np.testing.assert_allclose(shares, [1 / 3, 1 / 2, 1 / 5], atol=0.08)


def test_a_kernel_sees_values_in_use_alone() -> None:
    rows = MIXED.uniform(np.random.default_rng(2), 200)
    again = MIXED.rows([MIXED.point(row) for row in rows])
    np.testing.assert_allclose(MIXED.snapped(rows), MIXED.snapped(again), atol=1e-12)
    off = dict(rate=0.01, width=4, step=0.5, depth=1, on=False)
    moved = MIXED.row(off)
    moved[[i for i, d in enumerate(MIXED.dimensions) if d.name in ("second", "noise", "quiet", "loud")]] = 0.9
    np.testing.assert_array_equal(MIXED.snapped(moved[None]), MIXED.snapped(MIXED.row(off)[None]))


def test_the_published_spaces() -> None:
    perceptron = evaluator("backprop", "lange-2019").space.dimensions
    found = {d.name: (d.low, d.high, d.log) for d in perceptron}
    assert found["batch_size"] == (50, 500, False) and found["rate"] == (1e-4, 0.05, False)
    assert found["layers"] == (1, 6, False) and {found[f"units_{i}"] for i in range(1, 7)} == {(30, 500, False)}
    assert len(found) == 9
    draft = evaluator("backprop", "lange-2019-draft").space.dimensions
    assert {d.name: d.low for d in draft}["batch_size"] == 10
    image = {d.name: (d.low, d.high) for d in evaluator("backprop", "lange-2019", network="cnn").space.dimensions}
    assert [image[f"{part}_6"] for part in ("channels", "kernels", "strides", "padding")] == [
        (3, 64), (2, 10), (1, 3), (1, 3)
    ]  # fmt: skip


def test_the_compartmental_space_under_both_protocols() -> None:
    free = names(evaluator("segregated-dendrites", "lange-2019", preset="lange-2019"))
    published = names(
        evaluator("segregated-dendrites", "lange-2019", preset="lange-2019", settings={"protocol": "lange-2019"})
    )
    assert free - published == {"spike_memory", "test_steps", "g_apical"}, "what the program fixes is not searched"
    switches = {"sparse_feedback", "conductances", "broadcast", "spiking_feedback", "spiking_feedforward"}
    assert switches < published and "batch_size" not in published
    numbers = names(evaluator("segregated-dendrites", "lange-2019-numbers", preset="guerguiev-2017"))
    assert not switches & numbers and {"tau_s_ms", "spike_memory"} < numbers, "spikes are on, so theirs matter"
    rate = names(evaluator("segregated-dendrites", "lange-2019-numbers", preset="rate"))
    assert not {"tau_s_ms", "spike_memory", "g_apical", "feedback_rate"} & rate, "what does nothing is not searched"


def test_the_window_keeps_its_share_unless_the_protocol_reads_one_ms() -> None:
    corrected = evaluator("segregated-dendrites", "lange-2019", preset="lange-2019")
    row = corrected.space.uniform(np.random.default_rng(0), 1)[0]
    point = corrected.space.point(row) | {"forward_steps": 50, "target_steps": 20}
    assert corrected.config(point).settings["settling_steps"] == 50 - 8
    settings = {"protocol": "lange-2019"}
    published = evaluator("segregated-dendrites", "lange-2019", preset="lange-2019", settings=settings)
    kept = {k: v for k, v in point.items() if k in names(published)}
    found = published.config(kept).settings
    assert (found["settling_steps"], found["test_steps"]) == (49, 50)


def test_what_the_user_gives_is_not_searched() -> None:
    assert names(evaluator("backprop", "own", hidden=(50,), settings={"rate": 1e-3})) == {"batch_size"}
    assert names(evaluator("backprop", "own", batch_size=20, hidden=(50,))) == {"rate"}
    with pytest.raises(InputError, match="nothing to search"):
        evaluator("backprop", "own", batch_size=20, hidden=(50,), settings={"rate": 1e-3})


def test_sizes_reach_the_network() -> None:
    found = evaluator("backprop", "lange-2019", network="cnn")
    point = {"layers": 2, "batch_size": 60, "rate": 0.001}
    point |= {f"{part}_{i}": v for i in (1, 2) for part, v in (("channels", 3 + i), ("kernels", 2 + i))}
    point |= {f"{part}_{i}": 1 for i in (1, 2) for part in ("strides", "padding")}
    config, _ = found.rule(point)
    assert config.settings["channels"] == (4, 5) and config.settings["kernels"] == (3, 4) and config.batch_size == 60
    too_much = point | {"kernels_2": 10}
    assert found.is_valid(point) and not found.is_valid(too_much)


def test_folds_are_stratified_disjoint_and_cover() -> None:
    found = evaluator("backprop", "own", examples=600)
    labels = found.examples.labels
    validation = np.concatenate([part.validation for part in found.parts])
    np.testing.assert_array_equal(np.sort(validation), np.arange(600))
    for part in found.parts:
        assert not set(part.training) & set(part.validation) and len(part.training) + len(part.validation) == 600
        counts = np.bincount(labels[part.validation], minlength=10) - np.bincount(labels, minlength=10) / 3
        assert abs(counts).max() <= 1
