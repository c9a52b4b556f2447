"""Optimisers against the published recursions in plain NumPy, over steps, layers and decays."""

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apical.errors import InputError
from apical.hyperparameters import as_real
from apical.rules.optimisers import METHODS, Optimiser, descend
from apical.rules.segregated_dendrites import BasalPlasticity

Weights = tuple[dict[str, jax.Array], ...]
N_STEPS = 3


@pytest.fixture(scope="module", autouse=True)
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def drawn(seed: int) -> Weights:
    """Numbers in the structure of the weights of three layers."""
    generator = np.random.default_rng(seed)
    return tuple(
        {"w": jnp.asarray(generator.normal(size=(3, 2))), "b": jnp.ones(2) * generator.normal()} for _ in "abc"
    )


def sgd(directions: list[np.ndarray]) -> list[np.ndarray]:
    return directions


def momentum(directions: list[np.ndarray]) -> list[np.ndarray]:
    steps, velocity = [], np.zeros_like(directions[0])
    for g in directions:
        velocity = 0.9 * velocity + g
        steps.append(velocity)
    return steps


def nesterov(directions: list[np.ndarray]) -> list[np.ndarray]:
    return [g + 0.9 * v for g, v in zip(directions, momentum(directions), strict=True)]


def adam(directions: list[np.ndarray]) -> list[np.ndarray]:
    """Kingma & Ba 2015, algorithm 1: beta 0.9 and 0.999, epsilon 1e-8."""
    steps, m, v = [], np.zeros_like(directions[0]), np.zeros_like(directions[0])
    for t, g in enumerate(directions, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        steps.append(m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8))
    return steps


def rmsprop(directions: list[np.ndarray]) -> list[np.ndarray]:
    """Tieleman & Hinton 2012: decay 0.9."""
    steps, v = [], np.zeros_like(directions[0])
    for g in directions:
        v = 0.9 * v + 0.1 * g**2
        steps.append(g / np.sqrt(v + 1e-8))
    return steps


# A method that is missing here fails.
EXPECTED: dict[str, Callable[[list[np.ndarray]], list[np.ndarray]]] = {
    f.__name__: f for f in (sgd, momentum, nesterov, adam, rmsprop)
}


def moved(optimiser: Optimiser, weights: Weights) -> list[Weights]:
    """The weights after each step along fixed directions."""
    memory, path = optimiser.init(weights), []
    for step in range(N_STEPS):
        weights, memory = optimiser.update(drawn(10 + step), memory, weights)
        path.append(weights)
    return path


@pytest.mark.parametrize("name", METHODS)
def test_steps_are_those_of_the_paper(name: str) -> None:
    path = moved(Optimiser(rate=0.1, optimiser=name), drawn(0))
    for l in range(3):
        for part in ("w", "b"):
            directions = [np.asarray(drawn(10 + step)[l][part]) for step in range(N_STEPS)]
            expected = np.asarray(drawn(0)[l][part]) - 0.1 * np.cumsum(EXPECTED[name](directions), axis=0)
            for step in range(N_STEPS):
                np.testing.assert_allclose(path[step][l][part], expected[step], rtol=1e-6)


@pytest.mark.parametrize(
    ("rate", "each"),
    [(0.1, (0.1, 0.1, 0.1)), ((0.1, 0.02), (0.1, 0.1, 0.02)), ((0.1, 0.0, 0.3), (0.1, 0.0, 0.3))],
)
@pytest.mark.parametrize("plasticity", ["optimiser", "basal"])
def test_each_layer_has_its_rate(rate: float | tuple, each: tuple[float, ...], plasticity: str) -> None:
    optimiser = Optimiser(rate=rate, optimiser="sgd") if plasticity == "optimiser" else BasalPlasticity(rate)
    before, direction = drawn(0), drawn(1)
    after, _ = optimiser.update(direction, optimiser.init(before), before)
    for l in range(3):
        np.testing.assert_allclose(after[l]["w"], before[l]["w"] - each[l] * direction[l]["w"], rtol=1e-12)


def test_rates_that_fit_no_layers_are_refused() -> None:
    with pytest.raises(InputError, match="4 values for 3 layers"):
        descend(drawn(0), drawn(1), as_real((0.1, 0.2, 0.3, 0.4)))


@pytest.mark.parametrize("name", METHODS)
def test_weight_decay_is_part_of_the_direction(name: str) -> None:
    before, direction = drawn(0), drawn(1)
    decayed = jax.tree.map(lambda d, w: d + 0.3 * w, direction, before)
    plain, decaying = Optimiser(0.1, name), Optimiser(0.1, name, weight_decay=0.3)
    expected, _ = plain.update(decayed, plain.init(before), before)
    after, _ = decaying.update(direction, decaying.init(before), before)
    for a, b in zip(jax.tree.leaves(after), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_the_rate_falls_with_updates() -> None:
    path = [drawn(0), *moved(Optimiser(rate=0.1, optimiser="sgd", rate_decay=0.5), drawn(0))]
    for step in range(N_STEPS):
        expected = path[step][0]["w"] - 0.1 / (1 + 0.5 * step) * drawn(10 + step)[0]["w"]
        np.testing.assert_allclose(path[step + 1][0]["w"], expected, rtol=1e-12)


def test_a_rate_of_zero_moves_nothing() -> None:
    after = moved(Optimiser(rate=0.0, optimiser="adam", weight_decay=0.5), drawn(0))[-1]
    for a, b in zip(jax.tree.leaves(after), jax.tree.leaves(drawn(0)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_rate_falls_to_a_tenth_after_each_of_the_epochs_given() -> None:
    optimiser = Optimiser(rate=as_real((0.5, 0.2)), rate_drops=(2, 3))
    rates = [np.asarray(optimiser.in_epoch(jnp.asarray(epoch)).rate) for epoch in range(5)]
    np.testing.assert_allclose(rates, np.outer([1, 1, 0.1, 0.01, 0.01], [0.5, 0.2]), rtol=1e-12)
    assert Optimiser().in_epoch(jnp.asarray(7)) == Optimiser()
