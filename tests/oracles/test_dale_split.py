"""Interneurons divided into excitation and inhibition: what they do together, signs that stay, in rates and spikes."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch, State, Weights
from apical.errors import InputError
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_dale import divided, joined
from apical.networks.microcircuit_steady import steady_state
from apical.networks.synapses import Synapses
from apical.rules.assembly import assemble
from apical.rules.base import AbstractRule
from apical.rules.registry import RULES

SHAPE, OUTPUTS, HIDDEN, INHIBITORY = (6,), 3, (5, 4), 2
IN_TIME = {"presentation_ms": 12.0, "plasticity_onset_ms": 4.0, "dt_ms": 0.5, "rate_per": "presentation"}


def made(rule: str, hidden: tuple[int, ...] = HIDDEN, **settings: Any) -> AbstractRule:
    """A small network whose interneurons are divided."""
    split = {"dale_split": True, "dale_cells": INHIBITORY, "rate_pi": 0.1, **settings}
    return assemble(RULES[rule], "mlp", SHAPE, OUTPUTS, hidden, split)


def examples(n: int = 4) -> Batch:
    keys = jr.split(jr.key(0), 2)
    return Batch(jr.uniform(keys[0], (n, *SHAPE)), jr.uniform(keys[1], (n, OUTPUTS)))


@eqx.filter_jit
def asked(rule: AbstractRule, batch: Batch) -> tuple[Weights, Weights, Weights]:
    """Weights before and after an update, and what was descended."""
    state = rule.init(jr.key(1), batch)
    after, info = rule.update(state, batch, jr.key(2))
    return state.weights, after.weights, info.direction


@pytest.mark.parametrize("n_cells", [1, 7])
def test_divided_synapses_keep_their_signs_and_do_together_what_they_did(n_cells: int) -> None:
    draw = np.random.default_rng(0)
    mixed = Synapses(jnp.asarray(draw.normal(size=(5, 3)), float))
    relay = Synapses(jnp.asarray(draw.uniform(size=(n_cells, 3)), float))
    both = divided(mixed, relay)
    excitation, inhibition = np.split(np.asarray(both.kernel), [3], axis=1)
    assert excitation.min() >= 0 and excitation.max() > 0 and inhibition.max() <= 0 and inhibition.min() < 0
    np.testing.assert_allclose(excitation + inhibition @ relay.kernel, mixed.kernel, atol=1e-5)
    np.testing.assert_allclose(joined(both, relay).kernel, mixed.kernel, atol=1e-5)


def test_in_rates_apical_dendrites_hear_what_the_formula_says_and_learn_from_it() -> None:
    """v_A = W_down r + W+ r_I + W- M r_I, in the steady state, and W descends v_A (r_I, M r_I)^T within its sign."""
    rule, batch = made("microcircuit", engine="steady-state", start="random", tolerance=1e-7), examples()
    net = rule.network
    assert isinstance(net, Circuit) and net.inhibiting == (4 + 2 * 5, 3 + 2 * 4)
    before, after, direction = asked(rule, batch)
    seen = eqx.filter_jit(lambda w: steady_state(net, w, batch.x, net.nudge(net.target(batch.y))))(before)
    silent = eqx.filter_jit(lambda w: steady_state(net, w, batch.x, None))(
        made("microcircuit", engine="steady-state").init(jr.key(1), batch).weights
    )
    for k, n_inter in enumerate(net.sizes[2:]):
        np.testing.assert_allclose(silent.apical[k], 0, atol=1e-5)
        rate, relay = np.asarray(net.phi.rate(seen.inter[k])), np.asarray(before.lateral[2][k].kernel)
        assert relay.min() >= 0 and relay.max() > 0
        sent = np.concatenate([rate, rate @ relay.T], axis=1)
        above = np.asarray(net.phi.rate(seen.somas[k + 1]))
        heard = above @ np.asarray(before.feedback[k].kernel).T + sent @ np.asarray(before.lateral[1][k].kernel).T
        np.testing.assert_allclose(seen.apical[k], heard, atol=1e-4)
        descended = np.einsum("bn,bs->ns", heard, sent) / len(heard)
        np.testing.assert_allclose(direction.lateral[1][k].kernel, descended, atol=1e-4)
        moved = np.asarray(before.lateral[1][k].kernel) - 50 * 0.1 * descended  # 50 ms at 0.1 / ms
        within = np.concatenate([moved[:, :n_inter].clip(0, 4), moved[:, n_inter:].clip(-4, 0)], axis=1)
        np.testing.assert_allclose(after.lateral[1][k].kernel, within, atol=1e-3)
        assert np.any(within == 0) and np.any(within != moved)
        np.testing.assert_array_equal(after.lateral[2][k].kernel, relay)


@pytest.mark.long
def test_in_spikes_the_mean_is_that_of_rates() -> None:
    """With psi large a presentation descends what the rate network does, inhibitory cells firing on their own."""
    same = {"start": "random", "init_range": 0.5}
    spiking, batch = made("spiking-microcircuit", (5,), psi=1e5, **IN_TIME, **same), examples(8)
    before, _, descended = asked(spiking, batch)
    rates = made("microcircuit", (5,), engine="steady-state", **same)
    fresh = rates.init(jr.key(0), batch)
    exact = eqx.filter_jit(rates.update)(State(before, fresh.optimiser, fresh.neurons), batch, jr.key(0))[1].direction
    for ours, theirs in zip(jax.tree.leaves(descended), jax.tree.leaves(exact), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.05 * float(jnp.abs(theirs).max()))


@pytest.mark.long
@pytest.mark.parametrize("engine", ["held", "time-driven", "event-based"])
def test_in_spikes_signs_stay_whatever_the_engine(engine: str) -> None:
    settings = {**IN_TIME, "rate_pi": 50.0, "plasticity_engine": engine, "unbiased_apical": False, "psi": 1.0}
    before, after, _ = asked(made("spiking-microcircuit", (5,), **settings), examples(1))
    excitation, inhibition = np.split(np.asarray(after.lateral[1][0].kernel), [OUTPUTS], axis=1)
    assert excitation.min() == 0 and inhibition.max() == 0
    assert np.abs(np.asarray(before.lateral[1][0].kernel) - after.lateral[1][0].kernel).max() > 0.1


@pytest.mark.parametrize(
    ("settings", "fix"), [({"transfer": "tanh"}, "transfer"), ({"connection_probability": 0.8}, "probability=1")]
)
def test_what_has_no_sign_is_refused(settings: dict, fix: str) -> None:
    with pytest.raises(InputError, match=fix):
        made("microcircuit", **settings)
