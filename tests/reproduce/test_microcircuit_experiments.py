"""The microcircuit's experiments: lanes are runs alone, and what closed forms say of their networks."""

import csv
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_steady import steady_state
from apical.networks.synapses import Synapses
from apical.probes.credit import gradient
from apical.reproduce.base import Request
from apical.reproduce.microcircuit import chain, deep_bars, interneurons, presentation_time, self_predicting
from apical.reproduce.microcircuit.frame import spread
from apical.reproduce.microcircuit.lanes import INIT, History, dataset_for, made, train_lanes
from apical.reproduce.microcircuit.learners import Learner
from apical.reproduce.microcircuit.measures import bars_probe, first_perfect, reached
from apical.reproduce.microcircuit.step_response import STEP_RESPONSE
from apical.reproduce.microcircuit.studies import Case, Outcome, Study, alike
from apical.rules.microcircuit import Microcircuit

SETTINGS = {"engine": "steady-state", "sweeps": 3, "readout_lag_ms": 0.0, "tau_delta_ms": None}


def rule(g_som: float, **settings: object) -> Microcircuit:
    return made(dataset_for("bars", "gille-2023"), "gille-2023", (4,), {**SETTINGS, "g_som": g_som, **settings})


def trained(rules: list[Microcircuit], seeds: tuple[int, ...]) -> History:
    return train_lanes(rules, seeds, dataset_for("bars", "gille-2023"), 8, (2, 5), bars_probe)


@pytest.fixture(scope="module")
def together() -> History:
    return trained([rule(0.06), rule(0.3)], (0, 1))


@pytest.mark.long
def test_lanes_are_rule_by_rule_what_each_is_alone(together: History):
    alone = trained([rule(0.3)], (1,))
    for name, values in alone.measured.items():
        np.testing.assert_allclose(together.measured[name][:, 3], values[:, 0], rtol=2e-4, atol=1e-6, err_msg=name)
    assert list(together.epochs) == [0, 2, 5]
    np.testing.assert_allclose(together.measured["mse"][0, 0], together.measured["mse"][0, 2], rtol=1e-6)
    assert len(set(together.measured["mse"][2].round(6))) == 4, "every lane learns in its own way"


def test_lanes_learn_as_the_epoch_has_it():
    """A rate of which a tenth is left after the first epoch is the whole one before."""
    dataset = dataset_for("bars", "gille-2023")
    plain, falling = (
        train_lanes([made(dataset, "gille-2023", settings=settings)], (0,), dataset, 8, (1, 2), bars_probe).measured
        for settings in ({}, {"rate_drops": (1,)})
    )
    np.testing.assert_array_equal(plain["mse"][:2], falling["mse"][:2])
    assert plain["mse"][2] != falling["mse"][2]


def test_only_rules_that_differ_in_numbers_are_lanes_of_one_program():
    rules = [rule(0.06), rule(0.1, start="random"), rule(0.2), rule(0.3, start="random", noise_sigma=0.1)]
    assert alike(rules) == [[0, 2], [1], [3]]


def test_the_first_perfect_epoch_is_the_first_measured_one():
    accuracy = np.array([[0.3, 0.4, 1.0], [1.0, 0.9, 0.9], [0.9, 0.9, 1.0]])
    np.testing.assert_array_equal(first_perfect(np.array([0, 5, 10]), accuracy), [5, np.inf, 0])


def test_a_lane_that_was_never_perfect_is_said_so():
    assert reached(np.array([np.inf, 20.0])) == "20, never"


def test_a_case_that_diverged_is_named_and_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fine, lost = np.array([0.1, 0.2]), np.array([0.1, np.nan])
    lanes = [(lost,) * 5, (fine,) * 5]
    study = Study("study", "Which?", "nobody", "leak", (Case(0.5), Case(1.0)), "This one.", log=True)
    monkeypatch.setattr(Study, "trained", lambda *about: lanes)
    page = study.reproduction().make(Request(tmp_path, quick=True, command="apical reproduce study")).read_text()
    assert "Not drawn, as it diverged: 0.5 (1 of 2 seeds)." in page
    (series,) = study.figure([Outcome(c, *v) for c, v in zip(study.cases, lanes, strict=True)]).panels[1].series
    assert series.x.tolist() == [1.0]
    assert study.figure([Outcome(study.cases[0], *lanes[0])]).panels[0].series == ()


def test_two_seeds_are_told_and_not_made_an_interval():
    assert spread(np.array([0.9, 0.5])) == "0.5 and 0.9"
    assert (
        spread(np.array([0.5, 0.7, 0.9]))
        == f"0.7 [{0.7 - 0.2 * 4.302653 / 3**0.5:.3g}, {0.7 + 0.2 * 4.302653 / 3**0.5:.3g}]"
    )


def test_rows_of_a_study_have_the_mean_that_their_axis_shows():
    values = np.array([1e-4, 1e-2])
    cases = [Case(float(i), label=name) for i, name in enumerate(("hard", "soft"))]
    study = Study("study", "Which?", "nobody", "reset", tuple(cases), "This one.")
    found = [Outcome(case, *(values,) * 5) for case in cases]
    accuracy, error, _ = study.figure(found).panels
    assert accuracy.intervals[0].mean == pytest.approx(0.00505)
    assert error.x.log and error.intervals[0].mean == pytest.approx(1e-3)


def test_with_latent_equilibrium_the_chain_is_one_step_behind_and_the_page_says_so(tmp_path: Path):
    page = STEP_RESPONSE.make(Request(tmp_path, command="apical reproduce microcircuit-step-response")).read_text()
    with open(tmp_path / "microcircuit-step-response.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["cells"] == "with latent equilibrium"]
    output, settled = (np.array([float(row[name]) for row in rows]) for name in ("output", "settled"))
    np.testing.assert_allclose(output[1:], settled[:-1], rtol=1e-4)
    assert settled.std() > 0.05 and "apical reproduce microcircuit-step-response" in page
    assert {p.suffix for p in (tmp_path / "figures").iterdir()} == {".pdf", ".png"}


def test_backprop_in_the_same_network_descends_its_loss_and_moves_nothing_else():
    made = rule(0.06, rate_up=(0.4, 0.1), rate_per="presentation")
    learner = Learner("", backprop=True).of_kind(made)
    batch = Batch(jr.uniform(jr.key(0), (5, 3, 3, 1)), jnp.arange(5) % 3)

    @eqx.filter_jit
    def learnt():
        state = learner.init(jr.key(1), batch)
        return state.weights, gradient(made, state, batch), learner.update(state, batch, jr.key(2))[0].weights

    before, descended, after = learnt()
    for rate, w, g, moved in zip((0.4, 0.1), before.forward, descended, after.forward, strict=True):
        np.testing.assert_allclose(moved.kernel, w.kernel - rate * g.kernel, atol=1e-6)
        assert float(jnp.abs(g.kernel).max()) > 1e-3
    jax.tree.map(np.testing.assert_array_equal, (before.lateral, before.feedback), (after.lateral, after.feedback))


def test_two_hidden_layers_learn_the_bars_where_interneurons_follow():
    """With interneurons ten times slower two of the three seeds fail."""
    dataset = dataset_for("bars", deep_bars.PRESET)
    rule = made(dataset, deep_bars.PRESET, deep_bars.HIDDEN, deep_bars.ONE_RATE)
    history = train_lanes([rule], (0, 1, 2), dataset, 1, (20,), bars_probe)
    np.testing.assert_array_equal(history.last("accuracy"), 1.0)
    assert history.last("mse").max() < 0.03


@pytest.mark.long
def test_slow_cells_learn_the_bars_once_plasticity_waits_for_them():
    """Without latent equilibrium, 100 ms: what is learnt while cells settle is what stops them."""
    dataset = dataset_for("bars", presentation_time.PRESET)
    rules = [made(dataset, presentation_time.PRESET, settings=k.settings(100.0)) for k in presentation_time.KINDS[1:]]
    at_once, waits = train_lanes(rules, (2,), dataset, 1, (350,), bars_probe).last("accuracy")
    assert at_once < 0.8 and waits == 1


def test_a_chain_with_the_weights_called_its_teachers_answers_as_the_teacher():
    dataset = dataset_for("teacher", chain.PRESET, {**chain.TEACHER, "n_examples": 50})
    weights = tuple(Synapses(jnp.full((1, 1), w)) for w in chain.reachable(dataset))
    net = made(dataset, chain.PRESET, (1,)).network
    answers = net.apply(weights, jnp.asarray(dataset.train.take(np.arange(50))))
    np.testing.assert_allclose(answers, dataset.train.labels, rtol=1e-4)
    assert dataset.train.labels.std() > 0.1


@pytest.mark.parametrize("n_seeds", [chain.SEEDS, chain.QUICK_SEEDS])
def test_seeds_of_the_chain_hear_feedback_of_both_signs(n_seeds: int):
    dataset = dataset_for("teacher", chain.PRESET, {**chain.TEACHER, "n_examples": 50})
    net = made(dataset, chain.PRESET, (1,)).network
    drawn = [net.init_weights(jr.fold_in(jr.key(seed), INIT)).feedback[0].kernel.item() for seed in range(n_seeds)]
    assert min(drawn) < 0 < max(drawn)


@pytest.mark.long
def test_apical_potentials_are_the_propagated_error_to_first_order_and_interneurons_off_by_the_closed_form():
    x, target = self_predicting.asked(20)
    weights = self_predicting.circuit().init_weights(jr.key(0))

    @eqx.filter_jit
    def both(net: Circuit) -> tuple:
        return steady_state(net, weights, x, net.nudge(target)), self_predicting.propagated(net, weights, x, target)

    far, near = (self_predicting.distances(s.apical, e) for s, e in map(both, map(self_predicting.circuit, (1.0, 0.1))))
    for at_far, at_near in zip(far, near, strict=True):
        assert at_near < 0.03 and at_near == pytest.approx(at_far / 10, rel=0.2)
    net = self_predicting.circuit()
    seen, _ = both(eqx.tree_at(lambda n: n.g_som, net, jnp.zeros(())))  # nothing is pulled: as without a teacher
    slopes = {name: u / seen.somas[1] for name, u in interneurons.kinds(net, seen).items()}
    np.testing.assert_allclose(slopes["straight current"], 1 + 0.06 / 0.13, rtol=1e-3)
    np.testing.assert_allclose(slopes["no factor"], 1 + 0.06 / 0.19, rtol=1e-3)
