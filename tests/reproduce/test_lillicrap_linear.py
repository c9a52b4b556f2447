"""The linear task: gradient descent through the right matrices, and a page that says what was found."""

import csv
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Weights
from apical.reproduce.base import Request
from apical.reproduce.lillicrap import frozen, linear, linear_task
from apical.reproduce.lillicrap.drawing import curve
from apical.reproduce.lillicrap.linear_task import RULE, Measured, errors, learnt
from apical.reproduce.lillicrap.ways import WAYS, step

KEYS = jr.split(jr.key(1), 4)
LOGS, BETWEEN = 20, 100
drawn, measured = eqx.filter_jit(linear_task.drawn), eqx.filter_jit(linear_task.measured)
erred = eqx.filter_jit(errors)
stepped = eqx.filter_jit(lambda task, weights, x, *rest: step(RULE, weights, *errors(task, weights, x), *rest))


def rates(hidden: float, output: float, logs: int = LOGS) -> jax.Array:
    return jnp.tile(jnp.array([hidden, output]), (1, logs, 1))


def degrees(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))))


@pytest.fixture(scope="module")
def aligned() -> Measured:
    """Feedback alignment on four seeds."""
    return learnt(KEYS, jnp.array([False]), rates(2e-3, 2e-3), BETWEEN)


@pytest.mark.parametrize("tied", [False, True])
def test_a_step_is_gradient_descent_through_the_carrier(tied: bool) -> None:
    task, weights = drawn(KEYS[0])
    x = task.tests[:3]
    moved = stepped(task, weights, x, jnp.array(tied), jnp.array([0.1, 0.2]))
    (w0, w1), b = (np.asarray(block.kernel) for block in weights.forward), np.asarray(weights.feedback[0])
    h = np.asarray(x) @ w0.T
    e = h @ w1.T - np.asarray(x @ task.function.T)
    np.testing.assert_allclose(moved.forward[1].kernel, w1 - 0.2 * e.T @ h, atol=1e-5)
    np.testing.assert_allclose(
        moved.forward[0].kernel, w0 - 0.1 * (e @ (w1 if tied else b)).T @ np.asarray(x), atol=1e-5
    )
    np.testing.assert_array_equal(moved.feedback[0], b)


def test_a_missing_synapse_stays_missing() -> None:
    task, weights = drawn(KEYS[0])
    kernel = weights.forward[0].kernel.at[:, ::2].set(0.0)
    blocks = (jax.tree.map(lambda w: kernel if w.shape == kernel.shape else w, weights.forward[0]), weights.forward[1])
    weights = Weights(blocks, weights.feedback)
    moved = stepped(task, weights, task.tests[:3], jnp.array(False), jnp.full(2, 0.1)).forward[0].kernel
    assert (moved[:, ::2] == 0).all() and (moved[:, 1::2] != kernel[:, 1::2]).all()


def test_what_is_measured_are_the_angles_it_names() -> None:
    task, weights = drawn(KEYS[1])
    found = measured(task, weights, jnp.array(False))
    w, b = np.asarray(weights.forward[1].kernel), np.asarray(weights.feedback[0])
    e = np.asarray(erred(task, weights, task.tests)[1])
    through = lambda way: np.mean([degrees(one @ b, one @ way) for one in e])  # noqa: E731
    assert found.error_to_backprop == pytest.approx(through(w), abs=1e-2)
    assert found.error_to_pseudo_inverse == pytest.approx(through(np.linalg.pinv(w).T), abs=1e-2)
    assert found.weights_to_feedback == pytest.approx(degrees(w, b), abs=1e-2)
    assert found.weights_to_pseudo_inverse == pytest.approx(degrees(w, np.linalg.pinv(b.T)), abs=1e-2)
    assert found.error == pytest.approx(
        (e**2).sum() / ((np.asarray(task.tests) @ np.asarray(task.function).T) ** 2).sum()
    )


def test_random_feedback_learns_the_function_and_the_weights_align(aligned: Measured) -> None:
    assert (aligned.error[0, :, 0] > 0.9).all() and (aligned.error[0, :, -1] < 1e-3).all()
    assert (aligned.error_to_backprop[0, :, -1] < 50).all()
    assert (aligned.weights_to_pseudo_inverse[0, :, -1] < aligned.weights_to_feedback[0, :, -1]).all()


def test_upper_weights_align_only_where_lower_ones_have_learnt() -> None:
    found = frozen.run(4)
    start, end = frozen.LOWER_LOGS, frozen.nearest(found)
    assert (jnp.abs(found.weights_to_feedback[:, :, start] - 90) < 15).all()  # W1 has rested
    assert (jnp.abs(found.error[:, :, start] - 1) < 0.05).all()
    assert (found.weights_to_feedback[frozen.LEARNT, :, end] < 45).all()
    assert (jnp.abs(found.weights_to_feedback[frozen.RESTED, :, end] - 90) < 15).all()


def test_a_band_is_of_percentiles_and_one_seed_has_none() -> None:
    values = np.arange(11.0)[:, None] * np.ones(3)
    drawn_curve = curve("a", "#000000", "solid", np.arange(3.0), values)
    assert drawn_curve.low is not None and drawn_curve.high is not None
    assert (drawn_curve.low[0], drawn_curve.mean[0], drawn_curve.high[0]) == (1, 5, 9)
    assert curve("a", "#000000", "solid", np.arange(3.0), values[:1]).low is None


def found(ways: int, points: int) -> Measured:
    """Measurements of two seeds, all different."""
    names = Measured.__dataclass_fields__
    return Measured(**{n: 1 + i + jr.uniform(jr.key(i), (ways, 2, points)) for i, n in enumerate(names)})


@pytest.mark.parametrize("module", [linear, frozen])
def test_a_page_figure_and_table_say_what_was_found(module: object, tmp_path: Path) -> None:
    name = module.NAME  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "QUICK_SEEDS", 2)
        shape = (len(WAYS), linear.LOGS + 1) if module is linear else (2, frozen.LOWER_LOGS + frozen.UPPER_LOGS + 1)
        patch.setattr(module, "run", lambda n: found(*shape) if n == 2 else None)
        reproduction = getattr(module, name.upper().replace("-", "_"))
        page = reproduction.make(Request(tmp_path, quick=True, command=f"apical reproduce {name} --quick"))
    assert page == tmp_path / f"{name}.html"
    text = page.read_text()
    assert f"apical reproduce {name} --quick" in text and "2 seeds" in text
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {f"{name}.pdf", f"{name}.png"}
    with open(tmp_path / f"{name}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    ways = {row["way"] for row in rows}
    points = {row["examples"] for row in rows}
    assert len(rows) == 5 * 2 * len(ways) * len(points)
