"""Spiking microcircuits against the rate network, the closed form of the own-spike bias, and between engines."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch, State, Weights
from apical.errors import InputError
from apical.networks.spiking_circuit import SpikingCircuit
from apical.networks.spiking_steps import at_rest, draw, fired, prepared, step
from apical.neurons.spikes import draw_words, poisson
from apical.rules.assembly import assemble
from apical.rules.registry import RULES
from apical.rules.spiking_microcircuit import SpikingMicrocircuit

SHAPE, CLASSES, HIDDEN, BATCH = (6,), 3, (5,), 256


def made(**settings: Any) -> SpikingMicrocircuit:
    """A small network at constant potentials from early on, learning slowly."""
    chosen = {"presentation_ms": 30.0, "plasticity_onset_ms": 15.0, "dt_ms": 0.5, "rate_pi": 0.004, **settings}
    rule = assemble(RULES["spiking-microcircuit"], "mlp", SHAPE, CLASSES, HIDDEN, {"start": "random", **chosen})
    assert isinstance(rule, SpikingMicrocircuit)
    return rule


def one_pattern() -> Batch:
    """The same pattern in every lane: the mean over lanes is a mean over spikes."""
    x = jnp.asarray(np.random.default_rng(0).uniform(0, 1, SHAPE), jnp.float32)
    return Batch(jnp.broadcast_to(x, (BATCH, *SHAPE)), jnp.zeros(BATCH, int))


updated = eqx.filter_jit(lambda rule, state, batch, key: rule.update(state, batch, key))


@pytest.fixture(scope="module")
def batch() -> Batch:
    return one_pattern()


def in_rates(state: State, batch: Batch) -> Weights:
    """The direction of the rate network in its steady state, with the same weights and all defaults."""
    other = assemble(RULES["microcircuit"], "mlp", SHAPE, CLASSES, HIDDEN, {"engine": "steady-state"})
    fresh = other.init(jr.key(0), batch)
    return updated(other, State(state.weights, fresh.optimiser, fresh.neurons), batch, jr.key(0))[1].direction


def distance(a: Weights, b: Weights) -> float:
    """Between two directions, over the size of the second."""
    pairs = list(zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))
    return float(np.sqrt(sum(np.sum((x - y) ** 2) for x, y in pairs) / sum(np.sum(y**2) for _, y in pairs)))


def test_the_mean_drift_is_that_of_rates_with_an_error_that_falls_as_the_root_of_psi(batch: Batch) -> None:
    """Over psi, the distance to the rate network falls as 1 / sqrt(psi)."""
    psis, found = np.array([10.0, 160.0, 2560.0]), []
    for psi in psis:
        rule = made(psi=float(psi))
        state = rule.init(jr.key(1), batch)
        few = jax.tree.map(lambda a: a[:16], batch)
        each = [distance(updated(rule, state, few, jr.key(k))[1].direction, in_rates(state, few)) for k in range(4)]
        found.append(np.sqrt(np.mean(np.square(each))))
    slope = np.diff(np.log(found)) / np.diff(np.log(psis))
    np.testing.assert_allclose(slope, -0.5, atol=0.17)
    assert found[-1] < 0.05


@pytest.mark.long
def test_own_spikes_bias_inhibition_as_the_formula_says_until_they_are_subtracted(batch: Batch) -> None:
    """Without the correction W_pi descends r W / (psi (C + tau)) more than with it, in its form for steps."""
    psi, capacitance, dt, tau = 2.0, 1.0, 0.5, 1.0
    rules = {unbiased: made(psi=psi, unbiased_apical=unbiased) for unbiased in (True, False)}
    state = rules[True].init(jr.key(1), batch)
    mean = lambda rule: np.mean(  # noqa: E731
        [np.asarray(updated(rule, state, batch, jr.key(k))[1].direction.lateral[1][0].kernel) for k in range(12)],
        axis=0,
    )
    biased, corrected = mean(rules[False]), mean(rules[True])
    kernel = np.asarray(state.weights.lateral[1][0].kernel)
    d, alpha = np.exp(-dt / tau), 1 - dt / capacitance
    per_spike = (1 - d) / (psi * capacitance) / (1 - d * alpha)  # goes to 1 / (psi (C + tau)) with small steps
    assert per_spike == pytest.approx(1 / (psi * (capacitance + tau)), rel=0.25)
    rate = np.sum((biased - corrected) * kernel, axis=0) / np.sum(kernel**2, axis=0) / per_spike
    seen = np.asarray(in_rates(state, batch).lateral[1][0].kernel)
    scale = np.abs(biased - corrected).max()
    assert np.abs(biased - corrected - per_spike * rate * kernel).max() < 1e-4 * scale + 1e-6
    assert np.all(rate > 0.3) and np.all(rate < 3)
    assert np.linalg.norm(corrected - seen) < 0.5 * np.linalg.norm(biased - seen)


@pytest.mark.long
@pytest.mark.parametrize("lanes", [1, 3])
def test_event_based_plasticity_of_the_network_is_time_driven(lanes: int) -> None:
    """Weights agree at the end of a presentation in which they moved in every step, in double precision."""
    with jax.enable_x64(True):
        chosen = {"psi": 0.3, "rate_up": 0.05, "rate_ip": 0.05, "rate_pi": 0.05, "unbiased_apical": False}
        x = jnp.asarray(np.random.default_rng(0).uniform(0, 1, (lanes, *SHAPE)))
        batch = Batch(x, jnp.zeros(lanes, int))
        after = []
        for engine in ("time-driven", "event-based"):
            rule = made(plasticity_engine=engine, presentation_ms=6.0, plasticity_onset_ms=0.0, **chosen)
            state = rule.init(jr.key(1), batch)
            after.append(updated(rule, state, batch, jr.key(2))[0].weights)
        moved = distance(after[0], state.weights)
        assert moved > 1e-3
        assert distance(*after) < 1e-9


@pytest.mark.long
def test_held_weights_learn_what_moving_ones_do_at_small_rates() -> None:
    """With rates so small that weights hardly move, both give the same change, apart from what is still underway."""
    batch = jax.tree.map(lambda a: a[:8], one_pattern())
    common = {"presentation_ms": 20.0, "plasticity_onset_ms": 0.0, "dt_ms": 0.5, "psi": 50.0}
    tiny = {"rate_up": 1e-4, "rate_ip": 1e-4, "rate_pi": 1e-4}
    held, moving = made(**common, **tiny), made(plasticity_engine="time-driven", **common, **tiny)
    state = held.init(jr.key(1), batch)
    found = []
    for rule in (held, moving):
        each = [updated(rule, State(state.weights, rule.init(jr.key(0), batch).optimiser, None), batch, jr.key(k))[0]
                for k in range(20)]  # fmt: skip
        found.append(
            [
                jax.tree.map(
                    lambda *a: np.mean(a, axis=0), *[jax.tree.map(jnp.subtract, e.weights, state.weights) for e in each]
                )
            ][0]
        )
    changes = [Weights(f.forward, (), f.lateral) for f in found]
    assert distance(*changes) < 0.2


@pytest.mark.long
def test_weights_decay_by_a_share_of_the_rate(batch: Batch) -> None:
    """Beside the same spikes: a share of rate times the 15 ms of plasticity."""
    few = jax.tree.map(lambda a: a[:4], batch)
    rules = [made(weight_decay=share, rate_up=0.02) for share in (0.0, 0.1)]
    state = rules[0].init(jr.key(1), few)
    kept, less = (updated(rule, state, few, jr.key(2))[0].weights for rule in rules)
    for before, a, b in zip(state.weights.forward, kept.forward, less.forward, strict=True):
        np.testing.assert_allclose(a.kernel - b.kernel, 0.02 * 15 * 0.1 * before.kernel, atol=1e-5)
        assert float(jnp.abs(before.kernel).max()) > 0.1


@pytest.mark.parametrize("rate", [0.3, 4.0])
def test_refractory_cells_saturate(rate: float) -> None:
    """Bernoulli with a dead time of k steps: p / (1 + k p) per step, which is r / (1 + r t_ref) for small steps."""
    net = made(psi=1.0, refractory_ms=2.0, dt_ms=0.1).network
    assert isinstance(net, SpikingCircuit)
    n_steps, shape = 3000, (200, 1)
    words = draw_words(jr.key(0), (n_steps, *shape))

    def one(since: jax.Array, words: jax.Array) -> tuple[jax.Array, jax.Array]:
        sent = fired(net, jnp.full(shape, rate), words, since)
        return jnp.where(sent > 0, 1.0, since + 1), sent

    sent = np.asarray(jax.jit(lambda: jax.lax.scan(one, jnp.full(shape, jnp.inf), words)[1])())[200:]
    chance = -np.expm1(-0.1 * rate)
    expected = chance / (1 + 20 * chance) / 0.1
    assert expected == pytest.approx(rate / (1 + 2 * rate), rel=0.06)
    assert sent.mean() == pytest.approx(expected, rel=0.02)


def test_a_dendrite_has_the_mean_and_variance_of_the_formulas() -> None:
    """Mean W r / g, variance W^2 r / (psi g (2 C - g dt)) from one population at a constant rate."""
    net = made(psi=20.0, dt_ms=0.5, basal_capacitance=2.0).network
    assert isinstance(net, SpikingCircuit)
    weights = net.init_weights(jr.key(0))
    x = jnp.full((2000, SHAPE[0]), 0.7)

    def one(i: jax.Array, cells: Any) -> Any:
        words = tuple(w[0] for w in draw(net, jr.fold_in(jr.key(1), i), 1, len(x)))
        return step(net, weights, cells, x, None, words, jr.key(0))[0]

    cells = jax.jit(lambda: jax.lax.fori_loop(0, 60, one, at_rest(net, len(x))))()
    basal, kernel = np.asarray(cells.basal[0]), np.asarray(weights.forward[0].kernel)
    variance = 0.7 * (kernel**2).sum(1) / (20 * (2 * 2.0 - 0.5))
    np.testing.assert_allclose(basal.mean(0), 0.7 * kernel.sum(1), atol=4 * np.sqrt(variance.max() / 2000))
    np.testing.assert_allclose(basal.var(0), variance, rtol=0.15)


def test_the_slope_factor_and_prospective_dendrites_are_what_their_formulas_say() -> None:
    """Errors times phi'(a v) / phi(a v) of a logistic; a prospective dendrite is what just came in, over its leak."""
    settings = {"transfer": "logistic", "beta": 2.0, "dendritic_leak": 0.8}
    plain = made(**settings)
    other = made(**settings, slope_factor=True, dendritic_equilibrium=True)
    net, weights = other.network, other.network.init_weights(jr.key(0))
    assert isinstance(net, SpikingCircuit)
    x = jnp.full((4, SHAPE[0]), 0.7)

    def one(cells: Any, i: jax.Array) -> Any:
        words = tuple(w[0] for w in draw(net, jr.fold_in(jr.key(1), i), 1, len(x)))
        return step(net, weights, cells, x, None, words, jr.key(0))

    _, moments = jax.jit(lambda: jax.lax.scan(one, at_rest(net, len(x)), jnp.arange(3)))()
    came = np.asarray(moments.arriving[0][1]) @ np.asarray(weights.forward[0].kernel).T
    np.testing.assert_allclose(moments.seen.basal[0][2], came / 0.8, rtol=1e-5, atol=1e-6)
    seen = jax.tree.map(lambda a: a[2], moments.seen)
    errors, with_slope = plain.setting.errors(net, seen), other.setting.errors(net, seen)
    shares = {"up": (net.a_hidden, net.a_output), "ip": (net.a_inter,)}
    for name, dendrites in (("up", seen.basal), ("ip", seen.dendrites)):
        for e, h, a, v in zip(errors[name], with_slope[name], shares[name], dendrites, strict=True):
            np.testing.assert_allclose(h, e * 2.0 / (1 + np.exp(2.0 * a * v)), rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(errors["pi"][0], with_slope["pi"][0])


@pytest.mark.parametrize("rate", [0.2, 4.9, 5.1, 30.0, 400.0])
def test_poisson_counts_of_any_rate(rate: float) -> None:
    n = 400_000
    counts = np.asarray(poisson(draw_words(jr.key(3), (n,)), jnp.asarray(rate)))
    assert np.all(np.isfinite(counts)) and counts.min() >= 0
    assert abs(counts.mean() - rate) < 4 * np.sqrt(rate / n) + 1e-4 * rate
    assert counts.var() == pytest.approx(rate, rel=0.015)
    ends = poisson(jnp.asarray([0, 2**31 - 1], jnp.int32), jnp.asarray(rate))
    assert np.all(np.isfinite(ends))


@pytest.mark.long
def test_without_a_reset_two_presentations_are_one_of_twice_the_time() -> None:
    """Of spikes so many that they are rates; after a hard reset there is nothing to go on from."""
    still = {"rate_up": 0.0, "rate_ip": 0.0, "rate_pi": 0.0, "psi": 1e5, "plasticity_onset_ms": 0.0}
    short, long = (made(reset=None, presentation_ms=t, **still) for t in (5.0, 10.0))
    x = jax.tree.map(lambda a: a[:2], one_pattern())
    start = short.init(jr.key(1), x)
    half = updated(short, start, x, jr.key(2))[0]
    twice, once = updated(short, half, x, jr.key(3))[0], updated(long, start, x, jr.key(4))[0]
    for first, second, whole in zip(half.neurons.somas, twice.neurons.somas, once.neurons.somas, strict=True):
        np.testing.assert_allclose(second, whole, atol=0.02)
        assert np.abs(first - whole).max() > 0.05
    assert made().init(jr.key(1), x).neurons is None


@pytest.mark.long
def test_a_soft_reset_ends_in_random_patterns_whatever_was_before() -> None:
    net = made(reset="soft", psi=1e5).network
    assert isinstance(net, SpikingCircuit)
    weights, rest = net.init_weights(jr.key(0)), at_rest(net, 2)
    far = eqx.tree_at(lambda c: c.somas, rest, jax.tree.map(lambda u: u + 1, rest.somas))
    ready = jax.jit(lambda cells: prepared(net, weights, cells, 2, jr.key(1)))
    for one, other in zip(ready(rest).somas, ready(far).somas, strict=True):
        assert np.abs(one - other).max() < 0.3 and np.abs(one).max() > 0.05
    assert np.ptp(ready(rest).input, axis=1).min() > 0.1


@pytest.mark.parametrize(
    "settings,fix",
    [
        ({"engine": "two-step"}, "engine=euler"),
        ({"transfer": "tanh"}, "negative rates"),
        ({"tau_syn_ms": 1.0}, "basal_capacitance"),
        ({"basal_capacitance": 0.2}, "dt_ms"),
        ({"rate_down": 0.1}, "rate_down=none"),
        ({"plasticity_engine": "event-based"}, "unbiased_apical=false"),
        ({"plasticity_engine": "time-driven", "optimiser": "adam"}, "optimiser=sgd"),
    ],
)
def test_what_contradicts_is_refused(settings: dict, fix: str) -> None:
    with pytest.raises(InputError, match=fix):
        made(**settings)
