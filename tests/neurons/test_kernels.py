"""The kernel of postsynaptic potentials: one linear map, in three ways, and its limits."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apical.neurons.compartments import soma_over_time
from apical.neurons.kernels import Kernel, Trace

SPIKES = np.random.default_rng(0).poisson(0.2, (120, 2, 3)).astype(np.float32)


def made(memory: int | None = None, slow: float = 10.0, fast: float = 3.0, dt: float = 1.0) -> Kernel:
    return Kernel(jnp.asarray(slow), jnp.asarray(fast), dt, memory)


def kappa(n: np.ndarray, slow: float = 10.0, fast: float = 3.0, dt: float = 1.0) -> np.ndarray:
    t = n * dt
    return (np.exp(-t / slow) - np.exp(-t / fast)) / (slow - fast)


respond = eqx.filter_jit(Kernel.respond)


def in_blocks(kernel: Kernel, lengths: list[int]) -> tuple[np.ndarray, Trace]:
    """The potentials of the spikes, block by block."""
    trace, psps, start = kernel.rest(2, 3), [], 0
    for length in lengths:
        psp, trace = respond(kernel, trace, jnp.asarray(SPIKES[start : start + length]))
        psps.append(psp.potentials)
        start += length
    return np.concatenate(psps), trace


def convolved(weights: np.ndarray) -> np.ndarray:
    flat = SPIKES.reshape(len(SPIKES), -1)
    columns = [np.convolve(column, weights)[: len(SPIKES)] for column in flat.T]
    return np.stack(columns, axis=1).reshape(SPIKES.shape)


@pytest.mark.parametrize("lengths", [[120], [50, 50, 20], [1] * 120, [3, 1, 97, 19]])
@pytest.mark.parametrize("memory", [None, 1, 2, 10, 60])
def test_blocks_of_any_length_convolve(memory: int | None, lengths: list[int]) -> None:
    weights = kappa(np.arange(1, 121.0))
    if memory is not None:
        weights[memory:] = 0
    psp, _ = in_blocks(made(memory), lengths)
    np.testing.assert_allclose(psp, convolved(weights), atol=2e-6)


def test_recursion_is_the_convolution() -> None:
    """f' = b f + s, p' = a p + kappa(1) f', as the module says."""
    a, b = np.exp(-1 / 10), np.exp(-1 / 3)
    f = p = np.zeros((2, 3))
    for t, spikes in enumerate(SPIKES):
        f = b * f + spikes
        p = a * p + kappa(np.array(1.0)) * f
        if t in (0, 7, 119):
            np.testing.assert_allclose(p, convolved(kappa(np.arange(1, 121.0)))[t], atol=1e-6)
    _, trace = in_blocks(made(), [50, 70])
    np.testing.assert_allclose(trace.past[0], f, rtol=1e-4)
    np.testing.assert_allclose(trace.psp, p, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("memory", [None, 10])
@pytest.mark.parametrize("dt", [1.0, 0.25])
def test_area(memory: int | None, dt: float) -> None:
    """About 1 for the whole kernel, about a half for what the program of 2017 remembers of it."""
    steps = np.arange(1, (memory or 2000) + 1)
    area = float(made(memory, dt=dt).area())
    assert area == pytest.approx(dt * kappa(steps, dt=dt).sum(), rel=1e-5)
    if dt == 1.0:
        assert area == pytest.approx(0.997 if memory is None else 0.51, abs=0.005)


@pytest.mark.parametrize("fast", [10.0, 10.0 * (1 + 1e-6), 9.99])
def test_equal_time_constants_give_the_alpha_function(fast: float) -> None:
    n = np.arange(1, 60.0)
    alpha = n / 100 * np.exp(-n / 10)
    np.testing.assert_allclose(made(fast=fast).at(jnp.arange(1, 60)), alpha, rtol=3e-3 if fast == 9.99 else 2e-5)
    slope = jax.grad(lambda tau: made(fast=tau).at(jnp.asarray(5)))(jnp.asarray(fast))
    assert np.isfinite(slope)


def test_a_slow_synapse_is_a_kernel_too() -> None:
    np.testing.assert_allclose(made(slow=3.0, fast=10.0).at(jnp.arange(1, 9)), kappa(np.arange(1, 9.0)), rtol=1e-5)


def test_somas_over_time_are_euler_steps() -> None:
    drive = np.random.default_rng(1).normal(size=(40, 2, 3)).astype(np.float32)
    soma, pull = np.full((2, 3), 0.7, np.float32), jnp.asarray(1.7)
    together, now = soma_over_time(jnp.asarray(soma), jnp.asarray(drive), pull, 1.0), soma
    for t in range(40):
        now = now + (drive[t] - 1.7 * now)
        np.testing.assert_allclose(together[t], now, rtol=2e-4, atol=2e-5)


def test_euler_converges_with_order_one() -> None:
    """dC/dt = 0.3 - 0.7 C from 2, against its exponential: the error at 8 ms falls in proportion to the step."""
    steps, errors = [1.0, 0.5, 0.25, 0.125, 0.0625], []
    exact = 0.3 / 0.7 + (2 - 0.3 / 0.7) * np.exp(-0.7 * 8)
    with jax.enable_x64(True):
        for dt in steps:
            drive = jnp.full((round(8 / dt), 1, 1), 0.3)
            errors.append(
                abs(float(soma_over_time(jnp.full((1, 1), 2.0), drive, jnp.asarray(0.7), dt)[-1, 0, 0]) - exact)
            )
    orders = np.diff(np.log(errors)) / np.diff(np.log(steps))
    assert orders[-1] == pytest.approx(1, abs=0.1) and np.all(np.diff(errors) < 0)
