"""Networks of cells with segregated dendrites: steady states, limits, and what each switch changes."""

import dataclasses
import functools
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

from apical.core import Batch, State
from apical.errors import InputError
from apical.networks import dendritic_phases as simulation
from apical.networks.dendritic import Dendritic
from apical.networks.dendritic_blocks import Window, rest
from apical.networks.dendritic_phases import Phase, draw_extra_steps, draw_plateau_times, run_phase
from apical.rules.assembly import assemble
from apical.rules.base import AbstractRule
from apical.rules.registry import RULES

SHAPE, CLASSES = (9,), 3
RATES = {"spiking_feedforward": False, "spiking_feedback": False, "random_phase_lengths": False}
QUIET = {"random_phase_lengths": False}


def net(hidden: tuple[int, ...] = (7, 5), **settings: object) -> Dendritic:
    return Dendritic(shape=SHAPE, classes=CLASSES, hidden=hidden, **settings)


def made(hidden: tuple[int, ...] = (7, 5), **settings: object) -> AbstractRule:
    return assemble(RULES["segregated-dendrites"], "mlp", SHAPE, CLASSES, hidden, settings)


def batch(n: int = 4) -> Batch:
    return Batch(jr.uniform(jr.key(9), (n, *SHAPE)), jnp.arange(n) % CLASSES)


def started(one: AbstractRule, data: Batch) -> State:
    """The state before the first update, as one compiled program."""
    return eqx.filter_jit(one.init)(jr.key(0), data)


def leaves_close(a: object, b: object, **tolerance: float) -> None:
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, **tolerance)


@pytest.mark.parametrize("apical_conductance", [False, True])
@pytest.mark.parametrize("taught", [False, True])
def test_every_compartment_settles_where_the_closed_form_says(apical_conductance: bool, taught: bool) -> None:
    one = made(hidden=(7,), **RATES, apical_conductance=apical_conductance, g_apical=0.2)
    network, data = one.network, batch()
    weights = started(one, data).weights
    target = network.target(data.y) if taught else None
    settled = Window(400, 1)
    _, means = eqx.filter_jit(run_phase)(network, weights, rest(network, 4), data.x, Phase(settled, jr.key(0), target))
    if not apical_conductance:
        leaves_close(means, network.steady_phase(weights, data.x, target), rtol=2e-4, atol=2e-4)
        return
    hidden, output = means.somas
    g_L, g_B, g_A, forward = 0.1, 0.6, 0.2, weights.forward
    B, A = np.asarray(forward[0](means.psps[0])), np.asarray(means.apical[0])
    np.testing.assert_allclose(hidden, (g_B * B + g_A * A) / (g_L + g_B + g_A), rtol=2e-4, atol=2e-4)
    np.testing.assert_allclose(A, means.heard[0] @ weights.feedback[0].kernel.T, rtol=1e-4)
    g_E, g_I = (0, 0) if target is None else (np.asarray(target), 1 - np.asarray(target))
    drive = g_B * np.asarray(forward[1](means.psps[1])) + g_E * 8.0 - g_I * 8.0
    np.testing.assert_allclose(output, drive / (g_L + g_B + g_E + g_I), rtol=2e-4, atol=2e-4)


def test_a_phase_in_blocks_is_the_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    one, data = made(**RATES), batch()
    weights, window = started(one, data).weights, Window(130, 77)
    found = []
    for longest in (simulation.LONGEST_BLOCK, 1000):
        monkeypatch.setattr(simulation, "LONGEST_BLOCK", longest)
        run = eqx.filter_jit(lambda *given: run_phase(*given))  # a new function: traced with this length
        found.append(run(one.network, weights, rest(one.network, 4), data.x, Phase(window, jr.key(0))))
    leaves_close(*found, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("broadcast", [True, pytest.param(False, marks=pytest.mark.long)])
@pytest.mark.filterwarnings("ignore:broadcast=false")
def test_step_by_step_is_layer_by_layer(broadcast: bool) -> None:
    """An apical conductance of zero leaves nothing to feel, but the network is gone through in another order."""
    data, found = batch(), []
    for felt in (False, True):
        one = made(**QUIET, broadcast=broadcast, apical_conductance=felt, g_apical=0.0)
        weights = started(one, data).weights
        cells = rest(one.network, 4)
        found.append(eqx.filter_jit(run_phase)(one.network, weights, cells, data.x, Phase(Window(50, 20), jr.key(1))))
    leaves_close(*found, rtol=2e-4, atol=2e-4)


@pytest.mark.long
def test_rates_are_the_limit_of_spikes_averaged_over_ever_more_steps() -> None:
    """The error of the mean falls as one over the root of the number of steps, in every layer, and leaves no rest.

    Weights are small, so that noise passes the logistic function as a small thing does: straight.
    """
    errors = []
    for n_steps in (250, 1000, 4000, 16000):
        one = made(**QUIET)
        data = batch(20)
        weights = started(one, data).weights
        weights = eqx.tree_at(lambda w: w.forward, weights, jax.tree.map(lambda a: 0.05 * a, weights.forward))
        steady = one.network.steady_phase(weights, data.x)
        window = Window(n_steps, n_steps - 50)
        _, means = eqx.filter_jit(run_phase)(
            one.network, weights, rest(one.network, 20), data.x, Phase(window, jr.key(2))
        )
        pairs = zip((*means.somas, *means.apical), (*steady.somas, *steady.apical), strict=True)
        errors.append([float(jnp.sqrt(jnp.mean((a - b) ** 2))) for a, b in pairs])
    slopes = np.polyfit(np.log([250, 1000, 4000, 16000]), np.log(errors), 1)[0]
    np.testing.assert_allclose(slopes, -0.5, atol=0.12)


def test_windows_close_where_they_should() -> None:
    steps, early = jnp.arange(10), (jnp.array([[0, 2, 5]]),)
    np.testing.assert_allclose(Window(10, 4).weights(steps), [0] * 6 + [0.25] * 4)
    weights = np.asarray(Window(10, 4, early).apical(0, steps))[:, 0]
    np.testing.assert_allclose(
        weights.T, [[0] * 6 + [0.25] * 4, [0] * 4 + [0.25] * 4 + [0] * 2, [0] + [0.25] * 4 + [0] * 5]
    )


def test_plateau_times_have_the_law_of_the_program() -> None:
    """min(|int(N(0, 3))|, 5): whole numbers towards zero."""
    (times,) = draw_plateau_times(net((2000,)), jr.key(0), 20)
    cut = stats.norm(0, 3)
    expected = [2 * (cut.cdf(k + 1) - cut.cdf(k)) for k in range(5)] + [2 * cut.sf(5)]
    seen = np.bincount(np.asarray(times).ravel(), minlength=6)
    assert stats.chisquare(seen, np.array(expected) * 40_000).pvalue > 1e-3


@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_phases_are_longer_by_an_inverse_gaussian(dt: float) -> None:
    network = net(dt_ms=dt)
    extra = np.asarray(jax.vmap(lambda k: draw_extra_steps(network, k))(jr.split(jr.key(1), 40_000)))
    law = stats.invgauss(2.0, scale=1.0)  # mean 2, scale 1
    edges = dt * np.arange(9)
    expected = np.append(np.diff(law.cdf(edges)), law.sf(edges[-1]))
    seen = np.bincount(np.minimum(extra, 8), minlength=9)
    assert stats.chisquare(seen, expected * 40_000).pvalue > 1e-3


@pytest.mark.long
def test_random_lengths_move_the_cells_on_and_leave_fixed_ones_alone() -> None:
    data, found = batch(1), {}
    for random in (False, True):
        one = made(random_phase_lengths=random)
        state = started(one, data)
        show = eqx.filter_jit(one.network.show)
        found[random] = [show(state.weights, state.neurons, data, jr.key(k))[0].somas[0] for k in range(8)]
    same = [np.array_equal(a, b) for a, b in zip(*found.values(), strict=True)]
    assert 0 < sum(same) < 8, "about half of the phases are not longer at all"


# --- what each switch changes in one step, and what it leaves alone


def once(settings: dict, hidden: tuple[int, ...] = (7, 5)) -> tuple[State, State, tuple]:
    """The state before and after an update, and the directions."""
    return _once(hidden, **settings)


@functools.cache
def _once(hidden: tuple[int, ...], **settings: object) -> tuple[State, State, tuple]:
    one, data = made(hidden, **{**QUIET, **settings}), batch(1)
    before = started(one, data)
    after, info = eqx.filter_jit(one.update)(before, data, jr.key(1))
    return before, after, info.direction.forward


def same(a: object, b: object) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


def test_learned_feedback_moves_feedback_alone() -> None:
    before, fixed, _ = once({})
    _, learnt, _ = once({"learn_feedback": True, "feedback_rate": 0.5})
    assert same(fixed.weights.forward, learnt.weights.forward)
    assert same(before.weights.feedback, fixed.weights.feedback)
    for old, new in zip(before.weights.feedback, learnt.weights.feedback, strict=True):
        assert new.bias is None and not np.array_equal(old.kernel, new.kernel)


@pytest.mark.long
def test_feedback_bias_adds_a_bias_and_nothing_else() -> None:
    (plain, *_), (biased, *_) = once({}), once({"feedback_bias": True})
    for a, b in zip(plain.weights.feedback, biased.weights.feedback, strict=True):
        assert a.bias is None and np.array_equal(a.kernel, b.kernel)
        assert np.abs(np.asarray(b.bias) - 0.8).max() < 0.0035
    _, learnt, _ = once({"feedback_bias": True, "learn_feedback": True, "feedback_rate": 0.5})
    assert not np.array_equal(learnt.weights.feedback[0].bias, biased.weights.feedback[0].bias)


@pytest.mark.parametrize("symmetric", [pytest.param(False, marks=pytest.mark.long), True])
def test_sparse_feedback_survives_learning_and_is_rescaled_once(symmetric: bool) -> None:
    extra = {"symmetric_feedback": True} if symmetric else {"learn_feedback": True, "feedback_rate": 0.5}
    (dense, *_), (before, after, _) = once(extra, (60, 50)), once({**extra, "sparse_feedback": True}, (60, 50))
    for full, old, new in zip(*(s.weights.feedback for s in (dense, before, after)), strict=True):
        missing = np.asarray(old.kernel) == 0
        assert missing.mean() == pytest.approx(0.8, abs=0.1)
        np.testing.assert_array_equal(np.asarray(new.kernel) == 0, missing)
        np.testing.assert_allclose(old.kernel[~missing], 5 * np.asarray(full.kernel)[~missing], rtol=1e-5)
        size = np.linalg.norm(new.kernel) / np.linalg.norm(old.kernel)
        assert 0.5 < size < 2, "multiplied once more"


@pytest.mark.parametrize("broadcast", [True, False])
@pytest.mark.filterwarnings("ignore:broadcast=false")
def test_symmetric_feedback_is_the_product_of_the_layers_above_after_every_update(broadcast: bool) -> None:
    for state in once({"symmetric_feedback": True, "broadcast": broadcast})[:2]:
        _, second, third = (np.asarray(f.kernel) for f in state.weights.forward)
        lower, upper = (np.asarray(y.kernel) for y in state.weights.feedback)
        np.testing.assert_allclose(lower, (third @ second).T if broadcast else second.T, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(upper, third.T)


def test_noise_on_symmetric_copies_is_elementwise_and_fresh() -> None:
    settings = {"symmetric_feedback": True, "noisy_symmetric_feedback": True}
    before, after, _ = once(settings, (300,))
    noises = [np.asarray(s.weights.feedback[0].kernel - s.weights.forward[1].kernel.T) for s in (before, after)]
    for noise in noises:
        assert noise.std() == pytest.approx(0.05, rel=0.05) and abs(noise.mean()) < 0.005
    assert abs(np.corrcoef(*map(np.ravel, noises))[0, 1]) < 0.1


def test_broadcast_says_whom_apical_dendrites_hear() -> None:
    assert net((7, 5), broadcast=True).sources == (3, 3)
    assert net((7, 5), broadcast=False).sources == (2, 3)


def test_lower_layers_learn_without_broadcast_only_through_an_apical_conductance() -> None:
    with pytest.warns(UserWarning, match="lower ones do not learn"):
        made(broadcast=False)
    made(broadcast=False, apical_conductance=True)  # a warning would be an error here


def test_units_of_a_class_are_averaged_and_taught_alike() -> None:
    network = net(units_per_class=2)
    np.testing.assert_array_equal(network.target(jnp.array([1])), [[0, 0, 1, 1, 0, 0]])
    np.testing.assert_allclose(network.scores(jnp.array([[1.0, 3.0, 0.0, 0.0, -1.0, 2.0]])), [[2.0, 0.0, 0.5]])
    before, after, _ = once({"units_per_class": 2})
    assert before.weights.forward[-1].kernel.shape == (6, 5) and not same(before.weights, after.weights)


def test_no_hidden_layer_learns_its_output() -> None:
    before, after, _ = once({}, ())
    assert before.weights.feedback == () and not same(before.weights.forward, after.weights.forward)


def test_plain_initial_weights() -> None:
    (optimised, *_), (plain, *_) = once({}), once({"optimised_init": False})
    limits = [float(jnp.abs(f.kernel).max()) for f in plain.weights.forward]
    assert max(limits) <= 0.1 < float(jnp.abs(optimised.weights.forward[0].kernel).max())
    centred = net((4000,), feedback_mean=0.0)
    (y,) = centred.init_feedback(jr.key(0), centred.init(jr.key(1)))
    assert abs(float(y.kernel.mean())) < 4 * float(y.kernel.std()) / y.kernel.size**0.5


SPIKE_SWITCHES: dict[str, Callable[[State], object]] = {
    "spiking_feedforward": lambda s: (s.neurons.input, [c.trace for c in s.neurons.layers[:-1]]),
    "spiking_feedback": lambda s: s.neurons.layers[-1].trace,
}


@pytest.mark.parametrize("name", SPIKE_SWITCHES)
def test_a_path_without_spikes_keeps_no_traces(name: str) -> None:
    _, spiking, _ = once({})
    _, rates, _ = once({name: False})
    assert jax.tree.leaves(SPIKE_SWITCHES[name](spiking)) and not jax.tree.leaves(SPIKE_SWITCHES[name](rates))


@pytest.mark.long
def test_predictions_start_from_rest() -> None:
    """What was shown before leaves no mark on a prediction, and a prediction none on what is shown next."""
    one, data = made(test_steps=60), batch()
    state = started(one, data)
    moved, _ = eqx.filter_jit(one.update)(state, data, jr.key(1))
    carried = dataclasses.replace(state, neurons=moved.neurons)
    predict = eqx.filter_jit(one.predict)
    np.testing.assert_array_equal(predict(state, data.x, jr.key(2)), predict(carried, data.x, jr.key(2)))
    assert not same(state.neurons, moved.neurons)


REFUSED = {
    "does not divide forward_steps": {"dt_ms": 0.3},
    "leaves nothing of forward_steps": {"settling_steps": 50},
    "leaves nothing of test_steps": {"test_steps": 30},
    "target_steps=10 is shorter": {"target_steps": 10},
    "too long for these conductances": {"g_basal": 0.95},
    "needs 5 steps of settling": {"random_plateau_times": True, "settling_steps": 4},
    "set symmetric_feedback=true too": {"noisy_symmetric_feedback": True},
    "contradicts symmetric_feedback": {"learn_feedback": True, "symmetric_feedback": True},
    "max_rate=0": {"max_rate": 0.0},
    "max_rate=1.5": {"max_rate": 1.5},
    "spike_memory=0": {"spike_memory": 0},
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_makes_no_sense_is_refused_with_a_reason(reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        made(**REFUSED[reason])
