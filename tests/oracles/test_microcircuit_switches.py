"""What makes time different in a microcircuit, and what is missing or pulls in it, against closed forms."""

from collections.abc import Iterator
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from microcircuit_cases import INPUTS, OUTPUTS, begun, examples, made

from apical.core import Batch, State, Weights
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_euler import Cells, at_rest, euler_step, prepared
from apical.networks.microcircuit_init import self_predicting, thinned
from apical.networks.microcircuit_state import Activity, Nudge, families
from apical.networks.microcircuit_steady import steady_state
from apical.networks.synapses import Synapses
from apical.probes.microcircuit_recording import record
from apical.rules.microcircuit import Microcircuit

DT = 0.1
LEAK, BASAL, PULL = 0.03, 0.1, 0.06
HIDDEN_PULL, OUTPUT_PULL = LEAK + BASAL + PULL, LEAK + BASAL


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@eqx.filter_jit
def alone(net: Circuit, weights: Weights, x: jax.Array, n: int) -> Cells:
    """The cells after so many steps from rest without a teacher."""
    step = lambda i, cells: euler_step(net, weights, cells, x, None, jr.fold_in(jr.key(5), i))[0]  # noqa: E731
    return jax.lax.fori_loop(0, n, step, at_rest(net, len(x)))


@eqx.filter_jit
def settled(net: Circuit, weights: Weights, x: jax.Array, nudge: Nudge | None) -> Activity:
    return steady_state(net, weights, x, nudge)


@eqx.filter_jit
def learnt(rule: Microcircuit, state: State, batch: Batch) -> State:
    return rule.update(state, batch, jr.key(0))[0]


@pytest.fixture(scope="module")
def plain() -> Weights:
    """Weights of 5-6-3, none missing."""
    with jax.enable_x64(True):
        return begun(made(), examples(1)).weights


@pytest.fixture(scope="module")
def sparse() -> tuple[Microcircuit, State]:
    """With missing synapses, filtered plasticity, a teacher of conductances, and no reset: one program for all."""
    settings = {"connection_probability": 0.6, "tau_delta_ms": 1.5, "target_mode": "conductance", "reset": None}
    with jax.enable_x64(True):
        rule = made(presentation_ms=1.0, **settings)
        return rule, begun(rule, examples())


def covariance(decay: np.ndarray, noise: float, n: int) -> np.ndarray:
    """Of u after n steps from 0 of u <- decay u + noise xi."""
    found = np.zeros_like(decay)
    for _ in range(n):
        found = decay @ found @ decay.T + noise**2 * np.eye(len(decay))
    return found


def test_noisy_potentials_vary_as_the_process_of_ornstein_and_uhlenbeck_in_steps(plain: Weights) -> None:
    """sigma^2 / (2 g) for small steps; an interneuron hears the noise of its cell above beside its own."""
    sigma, n, lanes = 0.3, 150, 2000
    rule = made(noise_sigma=sigma, latent_equilibrium=False)
    cells = alone(rule.network, jax.tree.map(jnp.zeros_like, plain), jnp.zeros((lanes, INPUTS)), n)
    hidden, output, inter = (np.asarray(u.now) for u in (*cells.pyramidal, *cells.inter))
    step = sigma * np.sqrt(DT)
    lonely = covariance(np.array([[1 - DT * HIDDEN_PULL]]), step, n)[0, 0]
    assert lonely == pytest.approx(sigma**2 / (2 * HIDDEN_PULL), rel=0.02)
    assert hidden.var() == pytest.approx(lonely, rel=0.06)
    pair = covariance(np.array([[1 - DT * OUTPUT_PULL, 0], [DT * PULL, 1 - DT * HIDDEN_PULL]]), step, n)
    np.testing.assert_allclose(np.cov(output.ravel(), inter.ravel()), pair, rtol=0.06, atol=0.06 * pair[1, 1])
    assert abs(np.corrcoef(hidden[:, :3].ravel(), output.ravel())[0, 1]) < 0.06


@pytest.mark.long
def test_prospective_potentials_pass_noise_on_unfiltered(plain: Weights) -> None:
    """sigma^2 / (dt g^2), white: what an interneuron hears of the cell above is that of the step before."""
    sigma, lanes = 0.3, 2000
    rule = made(noise_sigma=sigma)
    cells = alone(rule.network, jax.tree.map(jnp.zeros_like, plain), jnp.zeros((lanes, INPUTS)), 20)
    output, inter = (np.asarray(u.acting).ravel() for u in (cells.pyramidal[1], cells.inter[0]))
    above = sigma**2 / DT / OUTPUT_PULL**2
    assert output.var() == pytest.approx(above, rel=0.06)
    assert inter.var() == pytest.approx((sigma**2 / DT + PULL**2 * above) / HIDDEN_PULL**2, rel=0.06)
    assert abs(np.corrcoef(output, inter)[0, 1]) < 0.06


def test_a_delay_of_d_steps_shifts_every_hop_by_d(plain: Weights) -> None:
    """Against no delay and an input that comes later: d for the first layer, 2 d for the next, 3 d coming down."""
    delay, steps = 3, 40
    settings = {"transfer": "tanh", "g_apical": 0.0}  # at rest no rates, and no way back
    late, prompt = (made(**settings, delay_steps=d) for d in (delay, 0))
    x = jr.normal(jr.key(1), (steps, INPUTS))
    found = record(late.network, plain, x, None, jr.key(0)).activity
    for hops, names in (
        (1, ("below:0", "basal:0", "somas:0")),
        (2, BEYOND),
        (3, ("above:0", "inhibition:0", "apical:0")),
    ):
        shifted = jnp.concatenate([jnp.zeros((hops * delay, INPUTS)), x[: -hops * delay]])
        seen = record(prompt.network, plain, shifted, None, jr.key(0)).activity
        for name in names:
            kind, _, layer = name.partition(":")
            ours, theirs = (np.asarray(getattr(a, kind)[int(layer)]) for a in (found, seen))
            np.testing.assert_allclose(ours, theirs, atol=1e-12, err_msg=name)
            assert np.abs(theirs).max() > 0.01, name


BEYOND = ("below:1", "basal:1", "somas:1", "dendrites:0", "inter:0")


def test_filters_of_input_and_synapses_answer_a_step_exponentially(plain: Weights) -> None:
    """1 - (tau_s e^{-t/tau_s} - tau_i e^{-t/tau_i}) / (tau_s - tau_i) in its form for steps; rates decay from rest."""
    tau_input, tau_syn, n = 2.0, 5.0, 60
    rule = made(tau_input_ms=tau_input, tau_syn_ms=tau_syn)
    x = examples(1).x[0]
    seen = record(rule.network, plain, jnp.tile(x, (n, 1)), None, jr.key(0)).activity
    i, s, k = np.exp(-DT / tau_input), np.exp(-DT / tau_syn), np.arange(1, n + 1)
    felt = 1 - s**k - (1 - s) * i * (s**k - i**k) / (s - i)
    continuous = 1 - (tau_syn * s**k - tau_input * i**k) / (tau_syn - tau_input)
    np.testing.assert_allclose(felt, continuous, atol=0.02)
    np.testing.assert_allclose(seen.basal[0], felt[:, None] * (plain.forward[0].kernel @ x), atol=1e-12)
    for arriving, sender in ((seen.below[1], seen.somas[0]), (seen.inhibition[0], seen.inter[0])):
        sent = np.log1p(np.exp(np.concatenate([np.zeros((1, sender.shape[1])), sender[:-1]])))
        expected, value = [], sent[0]
        for rate in sent:
            value = rate + s * (value - rate)
            expected.append(value)
        np.testing.assert_allclose(arriving, expected, atol=1e-12)


@pytest.mark.long
def test_a_soft_reset_is_five_random_patterns_of_three_ms() -> None:
    """A soma that hears one input alone: what is left of its past, and mean and variance over uniform patterns."""
    lanes, start = 4000, 2.0
    net = made((INPUTS,), reset="soft", latent_equilibrium=False).network
    weights = jax.tree.map(jnp.zeros_like, net.init_weights(jr.key(0)))
    weights = replace(weights, forward=(Synapses(jnp.eye(INPUTS)), *weights.forward[1:]))
    cells = at_rest(net, lanes)
    first = replace(cells.pyramidal[0], now=jnp.full((lanes, INPUTS), start))
    cells = replace(cells, pyramidal=(first, *cells.pyramidal[1:]))
    after = np.asarray(eqx.filter_jit(prepared)(net, weights, cells, jr.key(1)).pyramidal[0].now)
    pattern = (1 - DT * HIDDEN_PULL) ** 30
    shares = BASAL / HIDDEN_PULL * (1 - pattern) * pattern ** np.arange(5)
    assert after.mean() == pytest.approx(start * pattern**5 + shares.sum() / 2, abs=0.005)
    assert after.var() == pytest.approx((shares**2).sum() / 12, rel=0.05)


def test_without_a_reset_two_presentations_are_one_of_twice_the_length(sparse: tuple[Microcircuit, State]) -> None:
    """Potentials, weights and filtered plasticity go on."""
    (short, state), batch = sparse, examples()
    long = replace(short, network=replace(short.network, presentation_ms=jnp.asarray(2.0)))
    twice, once = learnt(short, learnt(short, state, batch), batch), learnt(long, state, batch)
    for ours, theirs, before in zip(*map(jax.tree.leaves, (twice.weights, once.weights, state.weights)), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
        assert np.abs(theirs - before).max() > 1e-5
    np.testing.assert_allclose(twice.neurons.pyramidal[0].now, once.neurons.pyramidal[0].now, atol=1e-12)


def test_synapses_are_missing_by_chance_and_apart_for_each_family() -> None:
    """A share of 1 - p; W_ip and the W_up that it copies differ where one of the two is missing: 2 p (1 - p)."""
    p, n = 0.7, 300
    net, sizes = made((n,), connection_probability=p).network, ((n, INPUTS), (OUTPUTS, n), (OUTPUTS, n), (n, OUTPUTS))
    first, last, ip, down = (Synapses(jnp.ones(shape)) for shape in sizes)
    found = eqx.filter_jit(thinned)(net, jr.key(0), Weights((first, last), (down,), ((ip,), (down,))))
    exist = {name: np.asarray(layers[-1].kernel) for name, layers in families(found).items()}
    for kernel in (*exist.values(), found.forward[0].kernel):
        assert set(np.unique(kernel)) == {0, 1} and np.mean(kernel) == pytest.approx(p, abs=0.05)
    for pair in (("up", "ip"), ("pi", "down")):
        apart = np.mean(exist[pair[0]] != exist[pair[1]])
        assert apart == pytest.approx(2 * p * (1 - p), abs=0.06)


@pytest.mark.parametrize("engine", ["euler", pytest.param("two-step", marks=pytest.mark.long)])
def test_a_synapse_that_does_not_exist_never_comes_to_be(engine: str, sparse: tuple[Microcircuit, State]) -> None:
    (rule, state), batch = sparse, examples()
    if engine == "two-step":
        rule = made(engine=engine, optimiser="adam", connection_probability=0.6)
        state = State(state.weights, begun(rule, batch).optimiser, None)
    after = learnt(rule, learnt(rule, state, batch), batch).weights
    for w, before in zip(*map(jax.tree.leaves, (after, state.weights)), strict=True):
        np.testing.assert_array_equal(w == 0, before == 0)
        assert 0 < np.mean(np.asarray(before == 0)) < 1 and np.all(np.abs(w - before)[before != 0] > 0)


def test_missing_synapses_spoil_self_prediction_unless_interneurons_miss_the_same(
    sparse: tuple[Microcircuit, State],
) -> None:
    (rule, state), x = sparse, examples().x
    net, weights, free = rule.network, state.weights, Nudge(*jnp.zeros((2, len(x), 3)))
    assert float(jnp.abs(settled(net, weights, x, free).apical[0]).mean()) > 0.1
    alike = replace(weights, lateral=self_predicting(net, weights.forward, weights.feedback))
    seen = settled(net, alike, x, free)
    np.testing.assert_allclose(seen.apical[0], 0, atol=1e-12)
    np.testing.assert_allclose(seen.inter[0], seen.somas[1], atol=1e-12)


def test_conductances_of_a_teacher_pull_to_one_and_minus_one(sparse: tuple[Microcircuit, State]) -> None:
    """Within [-1, 1] as a current does, lambda of the target and the rest of the free output; beyond, to the end."""
    (rule, state), x = sparse, examples().x
    target = np.array([[-0.4, 0.3, 1.7], [-2.5, 1.0, -1.0], [0.0, 9.0, 0.5], [0.9, -0.9, -1.1]])
    seen = settled(rule.network, state.weights, x, rule.network.nudge(jnp.asarray(target)))
    excited, inhibited = PULL * np.clip((1 + target) / 2, 0, None), PULL * np.clip((1 - target) / 2, 0, None)
    basal, pull = BASAL * np.asarray(seen.basal[1]), OUTPUT_PULL + excited + inhibited
    np.testing.assert_allclose(seen.somas[1], (basal + excited - inhibited) / pull, atol=1e-12)
    share, within = PULL / HIDDEN_PULL, np.abs(target) <= 1
    mixed = (1 - share) * basal / OUTPUT_PULL + share * target
    np.testing.assert_allclose(np.asarray(seen.somas[1])[within], mixed[within], atol=1e-12)
    assert np.abs(np.asarray(seen.somas[1]) - mixed)[~within].min() > 1e-3


@pytest.mark.parametrize("engine", ["two-step", pytest.param("euler", marks=pytest.mark.long)])
def test_weights_that_nothing_holds_decay(engine: str) -> None:
    """In the self-predicting state, without a teacher, by a share of the rate in a step, or in every dt."""
    rates = {"rate_up": (0.02, 0.01), "rate_ip": 0.03, "rate_pi": 0.04, "rate_down": None}
    times = {"presentation_ms": 3.0, "plasticity_onset_ms": 1.0}
    rule, batch = made(engine=engine, taught=False, weight_decay=0.1, **times, **rates), examples()
    state = begun(rule, batch)
    before, after = (families(s.weights) for s in (state, learnt(rule, state, batch)))
    for name, etas in {"up": (0.02, 0.01), "ip": (0.03,), "pi": (0.04,)}.items():
        for w, start, eta in zip(after[name], before[name], etas, strict=True):
            left = 1 - 3.0 * eta * 0.1 if engine == "two-step" else (1 - DT * eta * 0.1) ** 20
            tolerance = 1e-12 if engine == "two-step" else 1e-4  # in time unequal decay has begun to be felt
            np.testing.assert_allclose(w.kernel, left * start.kernel, atol=tolerance)
    np.testing.assert_array_equal(after["down"][0].kernel, before["down"][0].kernel)


@pytest.mark.parametrize("engine", ["two-step", "euler"])
def test_after_an_epoch_given_every_family_moves_a_tenth_as_far(engine: str) -> None:
    """Exactly where weights move once in a presentation, and as nearly as these rates are small in time."""
    rates = {"rate_input": 1e-3, "rate_up": (4e-4, 2e-4), "rate_ip": 3e-4, "rate_pi": 4e-4, "rate_down": 1e-4}
    rule = made(engine=engine, start="random", presentation_ms=2.0, rate_drops=(2, 3), **rates)
    batch = examples()
    state = begun(rule, batch)

    def moved(epoch: int) -> list[jax.Array]:
        after = learnt(rule.in_epoch(jnp.asarray(epoch)), state, batch)
        return jax.tree.leaves(jax.tree.map(jnp.subtract, after.weights, state.weights))

    plain = moved(1)
    assert all(np.abs(step).max() > 0 for step in plain)
    for epoch, left in ((2, 0.1), (3, 0.01)):
        for step, less in zip(plain, moved(epoch), strict=True):
            tolerance = 1e-12 if engine == "two-step" else 0.05 * left * float(np.abs(step).max())
            np.testing.assert_allclose(less, left * np.asarray(step), atol=tolerance)


def test_noise_on_inputs_is_felt_while_learning_alone() -> None:
    """A layer without a hidden one answers a_N W x: with noise on x of this mean and covariance."""
    sigma, n = 0.3, 4000
    rule = made((), engine="two-step", input_noise=sigma, rate_down=None)
    one = examples(1)
    batch = jax.tree.map(lambda a: jnp.tile(a, (n, 1)), one)
    state = begun(rule, batch)
    scores = np.asarray(eqx.filter_jit(lambda: rule.update(state, batch, jr.key(0))[1].scores)())
    effect = BASAL / OUTPUT_PULL * np.asarray(state.weights.forward[0].kernel)
    spread = sigma**2 * effect @ effect.T
    np.testing.assert_allclose(scores.mean(0), effect @ one.x[0], atol=4 * np.sqrt(spread.max() / n))
    np.testing.assert_allclose(np.cov(scores.T), spread, atol=0.08 * spread.max())
    np.testing.assert_allclose(rule.predict(state, one.x, jr.key(0))[0], effect @ one.x[0], atol=1e-12)
