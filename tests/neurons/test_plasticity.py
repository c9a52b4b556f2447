"""Plasticity of dendritic prediction: two engines that agree, the convolution they compute, bounds without wind-up."""

from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apical.neurons.events import Events
from apical.neurons.plasticity import Dense, LowPass

LANES, CELLS, INPUTS, STEPS, DT = 2, 3, 5, 400, 0.1
TRACES = {"single": ([1.0], [1.0]), "double": ([10.0, 3.0], [1.0, -1.0])}


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    """Double precision, so that what agrees agrees to twelve digits."""
    with jax.enable_x64(True):
        yield


def made(trace: str = "single", tau: float = 1.0, bound: float = np.inf) -> LowPass:
    times, signs = TRACES[trace]
    numbers = (jnp.asarray(a) for a in (tau, times, signs, 0.03, -bound, bound))
    return LowPass(*numbers, dt_ms=DT)


def drawn(seed: int = 0, steps: int = STEPS) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Weights, errors of every step, and spikes, several in some steps; the last input is silent."""
    draw = np.random.default_rng(seed)
    spikes = draw.poisson([0.02, 0.1, 0.5, 1.5, 0.0], (steps, LANES, INPUTS)).astype(float)
    return tuple(map(jnp.asarray, (draw.normal(size=(CELLS, INPUTS)), draw.normal(size=(steps, LANES, CELLS)), spikes)))


@eqx.filter_jit
def weights_over_time(rule: LowPass, state: Dense | Events, errors: jax.Array, spikes: jax.Array) -> jax.Array:
    """The weights that each step leaves, as the engine holds them."""

    def step(state: Dense | Events, given: tuple[jax.Array, jax.Array]) -> tuple[Dense | Events, jax.Array]:
        state = state.step(rule, *given)
        return state, state.weights

    return jax.lax.scan(step, state, (errors, spikes))[1]


@eqx.filter_jit
def after(rule: LowPass, state: Events, errors: jax.Array, spikes: jax.Array) -> Events:
    """Event-based synapses after all steps, brought up to date."""
    state = jax.lax.scan(lambda s, given: (s.step(rule, *given), None), state, (errors, spikes))[0]
    return state.caught_up(rule)


def products(rule: LowPass, errors: jax.Array, spikes: jax.Array) -> np.ndarray:
    """P_n = E_n s_n, averaged over lanes, with traces summed spike by spike: (steps, cells, inputs)."""
    n = np.arange(len(errors))
    age = n[:, None] - n[None]
    signs, times = np.asarray(rule.trace_sign), np.asarray(rule.trace_ms)
    kernel = sum(sign * np.exp(-age * DT / tau) for sign, tau in zip(signs, times, strict=True))
    trace = np.einsum("nm,mbj->nbj", np.where(age >= 1, kernel, 0.0), np.asarray(spikes))
    return np.einsum("nbc,nbj->ncj", np.asarray(errors), trace) / LANES


@pytest.mark.parametrize("n_history", [1, 16])
@pytest.mark.parametrize("trace", TRACES)
def test_event_based_is_time_driven_whenever_a_weight_is_read(trace: str, n_history: int) -> None:
    rule, (weights, errors, spikes) = made(trace), drawn()
    dense = weights_over_time(rule, Dense.rest(rule, weights, LANES), errors, spikes)
    events = weights_over_time(rule, Events.rest(rule, weights, n_history, LANES), errors, spikes)
    for j in range(INPUTS):
        at = np.flatnonzero(np.asarray(spikes)[..., j].sum(1))
        np.testing.assert_allclose(events[at][..., j], dense[at][..., j], rtol=1e-12, atol=1e-12)
    caught_up = after(rule, Events.rest(rule, weights, n_history, LANES), errors, spikes)
    np.testing.assert_allclose(caught_up.weights, dense[-1], rtol=1e-12, atol=1e-12)
    assert np.abs(dense[-1] - weights)[:, :4].min() > 1e-3


@pytest.mark.parametrize("trace", TRACES)
def test_weights_are_the_convolution(trace: str) -> None:
    """w = w_0 + eta sum over m of P_m times what kappa has let through since, 1 - exp(-(n - m) dt / tau)."""
    rule, (weights, errors, spikes) = made(trace, tau=2.5), drawn(1)
    dense = weights_over_time(rule, Dense.rest(rule, weights, LANES), errors, spikes)
    for n in (10, 200, STEPS - 1):
        through = -np.expm1(-(n - np.arange(n + 1)) * DT / 2.5)
        change = 0.03 * np.einsum("m,mij->ij", through, products(rule, errors, spikes)[: n + 1])
        np.testing.assert_allclose(dense[n], weights + change, rtol=1e-12, atol=1e-12)


def test_the_change_between_two_times_follows_from_integrals_between_them() -> None:
    """DW(t, T) = eta [I1(t,T) - I2(t,T) + I2(0,t) (1 - e^{-(T-t)/tau})], and I2 is forgotten by e^{-D/tau}."""
    rule, (weights, errors, spikes) = made(), drawn(2)
    p, decay = products(rule, errors, spikes), np.exp(-DT / 1.0)

    def second(start: int, stop: int) -> np.ndarray:
        return np.einsum("m,mij->ij", decay ** (stop - np.arange(start + 1, stop + 1)), p[start + 1 : stop + 1])

    dense = weights_over_time(rule, Dense.rest(rule, weights, LANES), errors, spikes)
    for t, later in ((5, 6), (40, 90), (100, 399)):
        kept = second(-1, t) * -np.expm1(-(later - t) * DT)
        change = 0.03 * (p[t + 1 : later + 1].sum(0) - second(t, later) + kept)
        np.testing.assert_allclose(dense[later] - dense[t], change, rtol=1e-9, atol=1e-12)
        assembled = decay ** (later - t) * second(-1, t) + second(t, later)
        np.testing.assert_allclose(assembled, second(-1, later), rtol=1e-12, atol=1e-12)


def test_a_weight_leaves_its_bound_as_soon_as_its_changes_turn() -> None:
    """Driven up for long, then down as strongly: with wind-up it would hang for as long again."""
    rule, up, down = made(bound=0.5), 300, 40
    errors = jnp.concatenate([jnp.ones((up, 1, 1)), -jnp.ones((down, 1, 1))])
    spikes = jnp.ones((up + down, 1, 1))
    events = Events.rest(rule, jnp.zeros((1, 1)), 16)
    for state in (Dense.rest(rule, jnp.zeros((1, 1))), events):
        weights = np.asarray(weights_over_time(rule, state, errors, spikes))[:, 0, 0]
        assert weights[100] == weights[up] == 0.5
        assert weights[up + 20] < 0.5 and weights[-1] < -0.49


def silent(rule: LowPass, n_steps: int) -> tuple[Dense, Events, Events]:
    """Both engines after a first spike of one of two inputs and then none; and the event-based one as it was before."""

    def step(i: jax.Array, both: tuple[Dense, Events]) -> tuple[Dense, Events]:
        error, spikes = jnp.sin(0.01 * i)[None, None], jnp.where(i == 0, jnp.asarray([[1.0, 0.0]]), 0.0)
        return both[0].step(rule, error, spikes), both[1].step(rule, error, spikes)

    weights = jnp.zeros((1, 2))
    start = Dense.rest(rule, weights), Events.rest(rule, weights, 32)
    dense, events = eqx.filter_jit(lambda: jax.lax.fori_loop(0, n_steps, step, start))()
    return dense, events, start[1]


@pytest.mark.parametrize("n_steps", [3_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_silent_inputs_cost_no_memory(n_steps: int) -> None:
    rule = made("double", tau=100.0)
    dense, events, before = silent(rule, n_steps)
    n_bytes = [sum(leaf.nbytes for leaf in jax.tree.leaves(state)) for state in (before, events)]
    assert n_bytes[0] == n_bytes[1] < 1000
    assert int(events.now) == n_steps and np.all(np.asarray(events.now - events.read) < 32)
    np.testing.assert_allclose(events.caught_up(rule).weights, dense.weights, rtol=1e-9, atol=1e-12)
    assert abs(float(dense.weights[0, 0])) > 1e-3 and float(dense.weights[0, 1]) == 0
