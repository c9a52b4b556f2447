"""The neuron of Urbanczik and Senn against closed forms, and the setting of NEST's own test worked out by hand."""

from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.neurons.dendritic_prediction import Drive, Learnt, Neurons, at_rest, learn
from apical.neurons.events import Events
from apical.neurons.plasticity import Dense, LowPass
from apical.neurons.urbanczik_senn import UrbanczikSenn

START, ETA, TAU_DELTA = 100.0, 0.75, 100.0


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@pytest.fixture
def neuron() -> UrbanczikSenn:
    """The neuron of NEST's test, made in double precision."""
    return UrbanczikSenn(beta=1 / 3)


def rule_of(neuron: UrbanczikSenn) -> LowPass:
    return neuron.plasticity(*map(jnp.asarray, (ETA, TAU_DELTA, 0.0, 1350.0)))


@eqx.filter_jit
def run(neuron: UrbanczikSenn, rule: LowPass, start: tuple, drive: Drive) -> tuple[tuple[Neurons, Dense], Learnt]:
    return learn(neuron, rule, start, drive, jr.key(0))


def test_rates_and_their_sensitivity(neuron: UrbanczikSenn) -> None:
    """h is the slope of log phi, in the implementation's scale; V* is where soma and dendrite settle."""
    potentials = jnp.linspace(-80.0, -30.0, 11)
    slopes = jax.vmap(jax.grad(lambda u: jnp.log(neuron.rate(u))))(potentials)
    np.testing.assert_allclose(neuron.sensitivity(potentials), 15 * slopes, rtol=1e-10)
    assert float(neuron.rate(jnp.asarray(200.0))) == pytest.approx(0.15)
    flow = 30.0 * (-70.0 - neuron.prediction(potentials)) + 600.0 * (potentials - neuron.prediction(potentials))
    np.testing.assert_allclose(flow, 0.0, atol=1e-9)


def test_the_soma_converges_to_its_steady_state_with_fourth_order(neuron: UrbanczikSenn) -> None:
    """Under a constant dendrite the soma relaxes with (g_L + g_D) / C, which Runge-Kutta of order four follows."""
    rate, errors = 630.0 / 300.0, []
    for dt in (0.4, 0.2):
        stepped = UrbanczikSenn(dt_ms=dt)
        now = eqx.tree_at(lambda p: p.soma, stepped.rest(1), jnp.full(1, -50.0))
        for _ in range(round(1.2 / dt)):
            now = stepped.step(now, *(jnp.zeros(1),) * 3)
        errors.append(abs(float(now.soma[0]) + 70 - 20 * np.exp(-1.2 * rate)))
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.5)


def test_the_change_of_weight_in_the_setting_of_nests_test(neuron: UrbanczikSenn) -> None:
    """One presynaptic spike, somatic excitation, given output spikes: PSP in closed form, a cumulative low-pass."""
    dt, steps = 0.1, 1000
    inputs = jnp.zeros((steps, 1)).at[9].set(1.0)
    excitation = jnp.zeros((steps, 1)).at[100:500].set(10.0)
    fired = jnp.zeros((steps, 1)).at[np.array([237, 303, 404, 487, 523])].set(1.0)
    drive = Drive(inputs, excitation, jnp.zeros((steps, 1)), fired)
    for state in (Dense.rest, lambda rule, weights: Events.rest(rule, weights, 128)):
        start = at_rest(neuron, 1), state(rule_of(neuron), jnp.full((1, 1), START))
        (_, synapses), _ = run(neuron, rule_of(neuron), start, drive)
        ours = synapses.weights if isinstance(synapses, Dense) else synapses.caught_up(rule_of(neuron)).weights
        t = dt * np.arange(1, steps + 1)
        arrived, traced = np.maximum(t - 1.2, 0), np.maximum(t - 1.0, 0)
        dendrite = -70 + START * 3 / (30 * 7) * (np.exp(-arrived / 10) - np.exp(-arrived / 3))
        v = (30 * -70 + 600 * dendrite) / 630
        phi, h = 0.15 / (1 + 0.5 * np.exp((-55 - v) / 3)), 5 / (1 + np.exp((-55 - v) / -3) / 0.5)
        psp = np.exp(-traced / 10) - np.exp(-traced / 3)
        flow = (np.asarray(fired)[:, 0] - phi * dt) * h * psp * ETA * 15 * 300 * 3 / (30 * 7)
        expected = np.sum(flow * -np.expm1(-(t[-1] - t) / TAU_DELTA))
        assert expected > 10
        np.testing.assert_allclose(float(ours[0, 0]) - START, expected, rtol=1e-9)


def test_spikes_follow_the_rate_and_its_dead_time(neuron: UrbanczikSenn) -> None:
    """Held far above threshold it fires at r / (1 + r t_ref), t_ref counted in whole steps after the spike."""
    neuron = UrbanczikSenn(max_rate=0.5)
    steps, cells = 4000, 50
    open_ = jnp.full((steps, cells), 50.0)
    drive = Drive(jnp.zeros((steps, 1)), open_, jnp.zeros((steps, cells)))
    rule = rule_of(neuron)
    start = at_rest(neuron, cells), Dense.rest(rule, jnp.zeros((cells, 1)))
    spikes = np.asarray(run(neuron, rule, start, drive)[1].spikes)[200:]
    chance = -np.expm1(-0.5 * 0.1)
    expected = chance / (1 + 30 * chance)
    assert abs(spikes.mean() - expected) < 4 * np.sqrt(expected / spikes.size)
    gaps = np.concatenate([np.diff(np.flatnonzero(train)) for train in spikes.T])
    assert gaps.min() == 31
