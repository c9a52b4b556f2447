"""Experiments on spikes: cases that the rule takes, recordings that rates foretell, noise that formulas foretell."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.networks.microcircuit_steady import steady_state
from apical.probes.spiking_recording import record
from apical.reproduce.microcircuit.lanes import dataset_for, every, made_as
from apical.reproduce.microcircuit.studies import alike
from apical.reproduce.spikes.signal import learnt_in_rates, point
from apical.reproduce.spikes.study_list import SPIKING_STUDIES, TIMES_MS
from apical.rules.spiking_microcircuit import SpikingMicrocircuit


def test_every_case_is_taken_and_no_presentation_is_learnt_before_it_settles():
    dataset = dataset_for("bars", "bars", kind=SpikingMicrocircuit)
    for study in SPIKING_STUDIES:
        rules = [
            made_as(SpikingMicrocircuit, dataset, study.preset, c.hidden, {**study.settings, **c.settings})
            for c in study.cases
        ]
        assert sum(map(len, alike(rules))) == len(study.cases)
        for rule in rules:
            net = rule.network
            assert net.dt_ms <= 0.5 * float(net.presentation_ms), "a presentation has steps"
            assert float(rule.plasticity_onset_ms) < float(net.presentation_ms)
    assert [c.x for c in SPIKING_STUDIES[0].cases] == list(TIMES_MS)


def test_recorded_spikes_are_as_many_as_rates_say_and_somas_go_where_they_settle():
    dataset = dataset_for("bars", "bars", kind=SpikingMicrocircuit)
    rule = made_as(SpikingMicrocircuit, dataset, "bars", (5,), {"psi": 200.0})
    bars = jax.tree.map(lambda a: a[:1], every(dataset.test))
    weights, net = rule.init(jr.key(0), bars).weights, rule.network
    flat, target = bars.x.reshape(1, -1), net.target(bars.y)
    n_steps, settled = 400, 100
    trace = record(net, weights, jnp.tile(flat, (n_steps, 1)), jnp.tile(target, (n_steps, 1)), jr.key(1))
    expected = steady_state(net, weights, flat, net.nudge(target))
    rates = (flat, *map(net.phi.rate, expected.somas), *map(net.phi.rate, expected.inter))
    for counts, rate in zip(trace.spikes, rates, strict=True):
        seen = np.asarray(counts[settled:]).mean(0) / (200.0 * net.dt_ms)
        np.testing.assert_allclose(seen, rate[0], atol=0.03, rtol=0.03)
        assert np.all(np.asarray(counts) == np.rint(counts))
    for soma, where in zip(trace.somas, (*expected.somas, *expected.inter), strict=True):
        np.testing.assert_allclose(np.asarray(soma[settled:]).mean(0), where[0], atol=0.05)


@pytest.mark.long
def test_noise_of_plasticity_and_of_reading_is_that_of_the_formulas_and_falls_with_spikes():
    learnt = learnt_in_rates(200)
    found = [point(psi, window, 128, learnt) for psi, window in ((0.5, 35.0), (5.0, 35.0), (0.5, 350.0))]
    for one in found[1:]:
        np.testing.assert_allclose(one.ratio, one.expected_ratio, rtol=0.2)
        np.testing.assert_allclose(one.ratio / found[0].ratio, np.sqrt(10), rtol=0.25)
        np.testing.assert_allclose(one.wrong, one.expected_wrong, atol=0.05)
    assert found[0].wrong > 0.1 and abs(found[0].wrong - found[0].expected_wrong) < 0.15
