"""Dendritic microcircuits against closed forms, an independent port, and the limits in which theory knows the answer.

Double precision throughout: limits of weak teachers compare small differences.
"""

import dataclasses
from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from microcircuit_cases import N, begun, examples, made, shown
from microcircuit_port import Port

from apical.core import Batch, State, Weights
from apical.networks.microcircuit_euler import at_rest, euler_step
from apical.networks.microcircuit_state import families
from apical.networks.microcircuit_steady import steady_state
from apical.networks.synapses import Synapses
from apical.probes.credit import angle_to_backprop, gradient
from apical.rules.microcircuit import Microcircuit
from apical.rules.microcircuit_plasticity import direction


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@eqx.filter_jit
def asked(rule: Microcircuit, state: State, batch: Batch) -> tuple[Weights, tuple]:
    """What the rule would descend, and the gradient of the network's loss."""
    return rule.update(state, batch, jr.key(0))[1].direction, gradient(rule, state, batch)


def kernels(weights: Weights) -> dict[str, list[np.ndarray]]:
    return {name: [np.array(w.kernel, float) for w in layers] for name, layers in families(weights).items()}


# Hidden layers, and what is set: every family learns, with or without what makes time different.
TIMES = [
    pytest.param((6,), {"latent_equilibrium": True}, marks=pytest.mark.long),
    ((6, 4), {"latent_equilibrium": False, "tau_delta_ms": 1.5}),
    ((6, 4), {"latent_equilibrium": True, "weight_clip": 0.9, "start": "random"}),
]


@pytest.mark.parametrize(("hidden", "settings"), TIMES)
def test_a_hundred_presentations_are_those_of_a_port_in_numpy(hidden: tuple[int, ...], settings: dict) -> None:
    rates = {"rate_up": 0.05, "rate_ip": 0.04, "rate_pi": 0.03, "rate_down": 0.02}
    rule = made(hidden, presentation_ms=1.0, **rates, **settings)
    batch = examples(100)
    one_by_one = jax.tree.map(lambda a: a[:, None], batch)
    state = begun(rule, jax.tree.map(lambda a: a[:1], batch))
    port = Port(
        **kernels(state.weights),
        eta={f: [rates[f"rate_{f}"]] * (len(hidden) + (f == "up")) for f in ("up", "ip", "pi", "down")},
        latent=settings["latent_equilibrium"],
        tau_delta=settings.get("tau_delta_ms", 0.0),
        clip=settings.get("weight_clip", 4.0),
    )
    for x, target in zip(np.asarray(batch.x), np.asarray(batch.y), strict=True):
        port.rest()
        port.traces = {name: [0 * t for t in traces] for name, traces in port.traces.items()}
        for _ in range(10):
            port.step(x, target)
    start, end = kernels(state.weights), kernels(shown(rule, state, one_by_one).weights)
    for name, layers in end.items():
        for before, ours, theirs in zip(start[name], layers, getattr(port, name), strict=True):
            assert np.abs(ours - before).max() > 1e-3
            np.testing.assert_allclose(ours, theirs, atol=1e-9)


@eqx.filter_jit
def settled(rule: Microcircuit, weights: Weights, batch: Batch, taught: bool) -> tuple:
    net = rule.network
    seen = steady_state(net, weights, batch.x, net.nudge(net.target(batch.y)) if taught else None)
    return seen, direction(net, families(weights), seen)


@eqx.filter_jit
def stepped(rule: Microcircuit, weights: Weights, batch: Batch, n: int) -> tuple:
    """Cells after so many steps from rest with a teacher, and after one more, and what plasticity saw last."""
    net = rule.network
    nudge = net.nudge(net.target(batch.y))
    step = lambda c: euler_step(net, weights, c, batch.x, nudge, jr.key(0))  # noqa: E731
    cells = jax.lax.fori_loop(0, n, lambda _, c: step(c)[0], at_rest(net, len(batch.x)))
    return cells, *step(cells)


def test_the_steady_state_is_that_of_the_equations_and_of_time() -> None:
    rule, batch = made((6, 4), start="random", init_range=0.5), examples()
    weights, phi, net = begun(rule, batch).weights, rule.network.phi.rate, rule.network
    seen, _ = settled(rule, weights, batch, True)
    rates = [batch.x, *map(phi, seen.somas)]
    for k, w in enumerate(weights.forward):
        np.testing.assert_allclose(seen.basal[k], rates[k] @ w.kernel.T, atol=1e-9)
    for k, (down, ip, pi) in enumerate(zip(weights.feedback, *weights.lateral, strict=True)):
        inner = (0.1 * rates[k + 1] @ ip.kernel.T + 0.06 * seen.somas[k + 1]) / 0.19
        np.testing.assert_allclose(seen.inter[k], inner, atol=1e-9)
        apical = rates[k + 2] @ down.kernel.T + phi(inner) @ pi.kernel.T
        np.testing.assert_allclose(seen.apical[k], apical, atol=1e-9)
        np.testing.assert_allclose(seen.somas[k], (0.1 * seen.basal[k] + 0.06 * apical) / 0.19, atol=1e-9)
    share = 0.06 / 0.19
    np.testing.assert_allclose(seen.somas[2], (1 - share) * seen.basal[2] / 1.3 + share * batch.y, atol=1e-9)
    for latent in (True, False):
        timed = dataclasses.replace(rule, network=dataclasses.replace(net, latent_equilibrium=latent))
        cells, *_ = stepped(timed, weights, batch, 2000)
        for ours, theirs in zip(cells.pyramidal, seen.somas, strict=True):
            np.testing.assert_allclose(ours.now, theirs, atol=1e-8)


def test_a_prospective_potential_is_the_steady_state_after_one_step_and_a_soma_decays_to_it() -> None:
    rule, batch = made(), examples()
    weights, net = begun(rule, batch).weights, rule.network
    before, after, seen = stepped(rule, weights, batch, 5)
    inner = (0.1 * seen.dendrites[0] + 0.06 * before.pyramidal[1].acting) / 0.19
    steady = [(0.1 * seen.basal[0] + 0.06 * seen.apical[0]) / 0.19, (0.1 * seen.basal[1] + 0.06 * batch.y) / 0.19]
    for soma, aim in zip((*after.pyramidal, *after.inter), (*steady, inner), strict=True):
        np.testing.assert_allclose(soma.acting, aim, atol=1e-12)
    fine = dataclasses.replace(rule, network=dataclasses.replace(net, dt_ms=0.001))
    silent = jax.tree.map(jnp.zeros_like, weights)
    for n in (1000, 3000):  # 1 and 3 ms: the output follows its teacher with tau = 1 / (g_l + g_B + g_som)
        cells, *_ = stepped(fine, silent, batch, n)
        share = 1 - np.exp(-n / 1000 * 0.19)
        np.testing.assert_allclose(cells.pyramidal[1].now, share * np.asarray(batch.y) * 0.06 / 0.19, atol=1e-4)


@pytest.mark.parametrize("hidden", [*(pytest.param(h, marks=pytest.mark.long) for h in ((6,), (6, 4))), (6, 5, 4)])
def test_nothing_moves_in_the_self_predicting_state(hidden: tuple[int, ...]) -> None:
    rule, batch = made(hidden, bias=True), examples()
    weights = begun(rule, batch).weights
    seen, moves = settled(rule, weights, batch, False)
    for above, inner, apical in zip(seen.somas[1:], seen.inter, seen.apical, strict=True):
        np.testing.assert_allclose(inner, above, atol=1e-12)
        np.testing.assert_allclose(apical, 0, atol=1e-12)
    np.testing.assert_allclose(seen.somas[-1], rule.network.apply(weights.forward, batch.x), atol=1e-12)
    for name in ("up", "ip", "pi"):
        assert max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(moves[name])) < 1e-12
    down = weights.feedback[-1].kernel  # W_down rests where it predicts the soma, which at random it does not
    exact = rule.network.phi.rate(seen.somas[-2]) - rule.network.phi.rate(seen.above[-1] @ down.T)
    np.testing.assert_allclose(moves["down"][-1].kernel, -exact.T @ seen.above[-1] / N, atol=1e-12)


@pytest.mark.long
def test_a_disturbed_self_predicting_state_comes_back() -> None:
    settings = {"engine": "steady-state", "taught": False, "rate_per": "presentation", "rate_up": 0.0}
    rule = made((6, 5), **settings, rate_ip=1.0, rate_pi=0.5, rate_down=None, tolerance=1e-6)
    batch = examples(50)
    state = begun(rule, batch)
    moved = jax.tree.map(lambda w: w + 0.1 * jr.normal(jr.key(1), w.shape), state.weights.lateral)
    state = State(dataclasses.replace(state.weights, lateral=moved), state.optimiser, state.neurons)
    after = shown(rule, state, jax.tree.map(lambda a: jnp.broadcast_to(a, (1000, *a.shape)), batch))
    first, last = (settled(rule, s.weights, batch, False)[0] for s in (state, after))
    for begin, end in zip(first.apical, last.apical, strict=True):
        assert float(jnp.abs(end).mean()) < 0.1 * float(jnp.abs(begin).mean())
    for above, inner, at_first in zip(last.somas[1:], last.inter, first.inter, strict=True):
        assert float(jnp.abs(inner - above).mean()) < 0.1 * float(jnp.abs(at_first - above).mean())


def weak(epsilon: float, engine: str, aligned: bool) -> tuple[list[float], Weights]:
    """Angle of each layer's direction to backprop with conductances of the teacher and the apical dendrite times that.

    Feedback weights are the transposed forward ones (`aligned`), or at random: then to backprop through these.
    """
    conductances = {"g_som": 0.06 * epsilon, "g_apical": 0.06 * epsilon}
    start = "transposed" if aligned else "random"
    rule = made((6, 5), engine=engine, plasticity_steps=1, feedback_start=start, **conductances)
    batch = examples()
    state = begun(rule, batch)
    ours, theirs = asked(rule, state, batch)
    if not aligned:
        theirs = feedback_gradient(rule, state.weights, batch)
    angles = angle_to_backprop(ours.forward, theirs)
    return [float(angles[str(l)]) for l in range(3)], ours


def feedback_gradient(rule: Microcircuit, weights: Weights, batch: Batch) -> tuple[Synapses, ...]:
    """Feedback alignment in the network without a teacher: errors descend through W_down."""
    net = rule.network
    rates, drives = [batch.x], []
    for w, a in zip(weights.forward, net.shares(), strict=True):
        drives.append(a * rates[-1] @ w.kernel.T)
        rates.append(net.phi.rate(drives[-1]))
    delta = -net.phi.slope(drives[-1]) * (batch.y - drives[-1])
    found = [delta]
    for w, u in zip(weights.feedback[::-1], drives[-2::-1], strict=True):
        delta = net.phi.slope(u) * (delta @ w.kernel.T)
        found.insert(0, delta)
    return tuple(Synapses(d.T @ r) for d, r in zip(found, rates[:-1], strict=True))


@pytest.mark.parametrize(
    ("engine", "aligned"),
    [
        pytest.param("two-step", True, marks=pytest.mark.long),
        pytest.param("two-step", False, marks=pytest.mark.long),
        pytest.param("steady-state", False, marks=pytest.mark.long),
        ("steady-state", True),
    ],
)
def test_under_weak_teachers_learning_is_backprop(engine: str, aligned: bool) -> None:
    far, near = (weak(epsilon, engine, aligned)[0] for epsilon in (0.1, 0.01))
    for at_far, at_near in zip(far, near, strict=True):
        assert at_near < 1 and at_near == pytest.approx(at_far / 10, rel=0.15)


def test_engines_agree_where_theory_says_so() -> None:
    """The two passes are the limit of weak feedback; small steps in time are the steady state, times its length."""
    gaps = []
    for epsilon in (0.1, 0.01):
        first, last = weak(epsilon, "two-step", False)[1], weak(epsilon, "steady-state", False)[1]
        pair = first.forward[0].kernel, last.forward[0].kernel
        gaps.append(float(jnp.linalg.norm(pair[0] - pair[1]) / jnp.linalg.norm(pair[1])))
    assert gaps[1] < 1e-4 and gaps[1] == pytest.approx(gaps[0] / 100, rel=0.3)
    rates = {"rate_up": 1e-5, "rate_ip": 1e-5, "rate_pi": 1e-5, "rate_down": 1e-5}
    batch = examples()
    timed = made((6, 5), presentation_ms=200.0, plasticity_onset_ms=20.0, **rates)
    settled = made((6, 5), presentation_ms=180.0, engine="steady-state", **rates)
    ours, theirs = (asked(rule, begun(rule, batch), batch)[0] for rule in (timed, settled))
    for family, in_time in families(ours).items():
        for a, b in zip(in_time, families(theirs)[family], strict=True):
            np.testing.assert_allclose(a.kernel, 180.0 * 1e-5 * b.kernel, atol=2e-6)


def test_euler_is_of_first_order() -> None:
    batch, found = examples(), []
    for dt, n in ((0.4, 25), (0.2, 50), (0.1, 100), (0.002, 5000)):
        rule = made(dt_ms=dt, latent_equilibrium=False)
        found.append(np.asarray(stepped(rule, begun(rule, batch).weights, batch, n)[0].pyramidal[1].now))
    errors = [np.abs(u - found[-1]).max() for u in found[:-1]]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1) and errors[1] / errors[2] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("engine", ["euler", "steady-state"])
def test_a_test_is_free_of_the_teacher(engine: str) -> None:
    """Nothing of the target is left, not even its conductance: outputs are those of the feedforward network."""
    rule, batch = made(engine=engine, presentation_ms=200.0, readout_lag_ms=150.0), examples()
    state = begun(rule, batch)
    other = dataclasses.replace(rule, network=dataclasses.replace(rule.network, target_high=jnp.asarray(7.0)))
    predicted = eqx.filter_jit(lambda rule: rule.predict(state, batch.x, jr.key(0)))
    free = rule.network.apply(state.weights.forward, batch.x)
    np.testing.assert_allclose(predicted(rule), free, rtol=1e-5)
    np.testing.assert_array_equal(predicted(other), predicted(rule))


def test_a_batch_learns_the_mean_of_its_examples() -> None:
    rule, batch = made(engine="two-step"), examples()
    state = begun(rule, batch)
    single = [asked(rule, state, jax.tree.map(lambda a, i=i: a[i : i + 1], batch))[0] for i in range(N)]
    mean = jax.tree.map(lambda *a: sum(a) / N, *single)
    for a, b in zip(jax.tree.leaves(asked(rule, state, batch)[0]), jax.tree.leaves(mean), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-14)


def test_synapses_from_the_input_may_learn_at_a_rate_of_their_own() -> None:
    rates = {"engine": "two-step", "rate_ip": 0.02, "optimiser": "adam"}
    apart, written = (
        made((6, 4), rate_input=0.5, rate_up=(0.2, 0.1), **rates),
        made((6, 4), rate_up=(0.5, 0.2, 0.1), **rates),
    )
    state = begun(apart, examples())
    ours, theirs = (
        shown(rule, state, jax.tree.map(lambda a: a[None], examples())).weights for rule in (apart, written)
    )
    for a, b, before in zip(ours.forward, theirs.forward, state.weights.forward, strict=True):
        np.testing.assert_array_equal(a.kernel, b.kernel)
        assert float(jnp.abs(a.kernel - before.kernel).max()) > 0.05
