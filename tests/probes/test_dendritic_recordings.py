"""What is recorded of segregated dendrites, against plain NumPy, closed forms, and the paper's own claim about it."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch, Weights
from apical.errors import InputError
from apical.networks.dendritic import Dendritic
from apical.networks.dendritic_state import Means
from apical.networks.layers import Dense
from apical.networks.synapses import Synapses
from apical.neurons.compartments import fire
from apical.probes.dendritic import (
    backprop_errors,
    example_angles,
    example_loss,
    feedback_eigenvalues,
    hidden_angles,
)
from apical.probes.recording import record_example
from apical.rules.assembly import assemble
from apical.rules.registry import RULES
from apical.rules.segregated_dendrites import RATES, SegregatedDendrites

INPUTS, CLASSES = 9, 4
SHORT = {"random_phase_lengths": False, "forward_steps": 12, "target_steps": 15, "test_steps": 12, "settling_steps": 7}


def made(hidden: tuple[int, ...], **settings: object) -> SegregatedDendrites:
    rule = assemble(RULES["segregated-dendrites"], "mlp", (INPUTS,), CLASSES, hidden, settings)
    assert isinstance(rule, SegregatedDendrites)
    return rule


def examples(n: int) -> Batch:
    return Batch(jr.uniform(jr.key(7), (n, INPUTS)), jnp.arange(n) % CLASSES)


def one(batch: Batch) -> tuple[jax.Array, jax.Array]:
    """The image and the label of the first example."""
    return batch.x[0], batch.y[0]


def sigma(x: Any) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(x, float)))


def slope(x: Any) -> np.ndarray:
    return sigma(x) * (1 - sigma(x))


show = eqx.filter_jit(Dendritic.show)
recorded = eqx.filter_jit(record_example)


def drawn_weights(rule: SegregatedDendrites) -> Weights:
    return eqx.filter_jit(rule.init_weights)(jr.key(1))


def shown(rule: SegregatedDendrites, batch: Batch) -> tuple[Weights, Means, Means]:
    weights = drawn_weights(rule)
    free, taught, _ = show(rule.network, weights, None, batch, jr.key(2))
    return weights, free, taught


def test_loss_is_the_mean_squared_change_of_rates_of_every_example() -> None:
    rule = made((6,), **RATES)
    somas, taught = jnp.asarray([[0.0, 1.0, -1.0, 40.0], [0.0, 0.0, 0.0, 0.0]]), jnp.full((2, CLASSES), 0.1)
    free = Means((), (somas,), fire(somas, rule.network.max_rate), (), ())
    found = example_loss(rule.network, free, dataclasses.replace(free, rate=taught))
    rest = (0.1 - 0.2 / (1 + np.exp(-1.0))) ** 2  # the same for 1 and -1
    np.testing.assert_allclose(found, [(2 * rest + 0.01) / 4, 0], atol=1e-7)


@pytest.mark.parametrize("apical_conductance", [False, True])
def test_backprop_errors_are_those_of_plain_numpy(apical_conductance: bool) -> None:
    rule = made((8, 5), **RATES, apical_conductance=apical_conductance)
    weights, free, taught = shown(rule, examples(3))
    found = backprop_errors(rule.network, weights, free, rule.errors(free, taught)[-1])
    k_B = 0.6 / (0.1 + 0.6 + (0.05 if apical_conductance else 0))
    W = [np.asarray(layer.kernel, float) for layer in weights.forward]
    E = np.asarray(rule.errors(free, taught)[-1], float)
    for l in (1, 0):
        E = (E @ W[l + 1]) * k_B * 0.2 * slope(free.somas[l])
        np.testing.assert_allclose(found[l], E, rtol=1e-4, atol=1e-6)


def test_the_chain_rule_gives_the_same_errors() -> None:
    """Without spikes the errors are the gradient of the output error's projection through the forward phase."""
    rule, batch = made((8, 5), **RATES), examples(3)
    net = rule.network
    weights, free, taught = shown(rule, batch)
    top = rule.errors(free, taught)[-1]

    def projected(forward: tuple[Dense, ...]) -> jax.Array:
        soma = net.steady_phase(Weights(forward), batch.x).somas[-1]
        return (soma / net.k_output * top).sum()  # the basal potential of the output, against its error

    gradient = jax.grad(projected)(weights.forward)
    for l, errors in enumerate(backprop_errors(net, weights, free, top)):
        np.testing.assert_allclose(errors.T @ free.psps[l], gradient[l].kernel, rtol=1e-4, atol=1e-5)


def test_angles_are_those_of_weight_updates_averaged_over_the_batch() -> None:
    rule = made((8, 5), **RATES)
    weights, free, taught = shown(rule, examples(3))
    found = hidden_angles(rule, weights, free, taught)
    ours = rule.errors(free, taught)
    theirs = backprop_errors(rule.network, weights, free, ours[-1])
    assert list(found) == ["0", "1"]
    for l in (0, 1):
        a, b = (np.asarray(e[l], float).T @ np.asarray(free.psps[l], float) for e in (ours, theirs))
        cosine = (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())
        assert float(found[str(l)]) == pytest.approx(np.degrees(np.arccos(cosine)), abs=0.05)


def test_the_angle_on_single_examples_is_that_of_batches_of_one() -> None:
    rule, batch = made((8, 5), **RATES), examples(3)
    weights, free, taught = shown(rule, batch)
    found = example_angles(rule, weights, free, taught)
    alone = []
    for i in range(3):
        one_free, one_taught, _ = show(
            rule.network, weights, None, Batch(batch.x[i : i + 1], batch.y[i : i + 1]), jr.key(2)
        )
        alone.append(hidden_angles(rule, weights, one_free, one_taught))
    for l in found:
        assert float(found[l]) == pytest.approx(np.mean([float(angles[l]) for angles in alone]), abs=0.05)


@pytest.mark.parametrize(("sign", "degrees"), [(1, 0), (-1, 180)])
def test_feedback_through_the_transpose_is_backprop(sign: int, degrees: float) -> None:
    """With Y small and every output at slope 1/4, alpha^t - alpha^f is Y (lambda^t - lambda^f) / 4: along W^T E."""
    rule = made((8,), **RATES)
    drawn, batch = drawn_weights(rule), examples(1)
    hidden, output = drawn.forward
    flat = (hidden, Dense(1e-4 * output.kernel, jnp.zeros(CLASSES)))
    weights = Weights(flat, (Synapses(sign * 1e-2 * output.kernel.T),))
    free, taught, _ = show(rule.network, weights, None, batch, jr.key(2))
    assert float(hidden_angles(rule, weights, free, taught)["0"]) == pytest.approx(degrees, abs=1)


@pytest.mark.filterwarnings("ignore:broadcast=false")
@pytest.mark.parametrize("broadcast", [True, False])
@pytest.mark.parametrize("feedback_bias", [False, True])
@pytest.mark.parametrize("hidden", [(7, 5), *(pytest.param(h, marks=pytest.mark.long) for h in ((6,), (5, 3, 6)))])
def test_eigenvalues_are_those_of_plain_numpy(hidden: tuple[int, ...], broadcast: bool, feedback_bias: bool) -> None:
    rule = made(hidden, broadcast=broadcast, feedback_bias=feedback_bias)
    weights = drawn_weights(rule)
    somas = 2 * jr.normal(jr.key(3), (20, CLASSES))
    found = feedback_eigenvalues(rule.network, weights, somas)
    k_D = 0.6 / 0.7
    W, Y = np.asarray(weights.forward[-1].kernel, float), np.asarray(weights.feedback[-1].kernel, float)
    c = np.asarray(weights.feedback[-1].bias, float) if feedback_bias else np.zeros(hidden[-1])
    U = np.zeros((CLASSES, CLASSES))
    for C in np.asarray(somas, float):
        J_beta = (0.2 * slope(C))[:, None] * (k_D * W)
        J_gamma = slope(Y @ (0.2 * sigma(C)) + c)[:, None] * Y
        U += J_beta @ J_gamma / len(somas)
    for value, loop in ((found.local, U), (found.weights, k_D * W @ Y)):
        gap = np.eye(CLASSES) - loop
        assert float(value) == pytest.approx(np.linalg.eigvalsh(gap.T @ gap)[-1], rel=1e-4)


def test_feedback_that_inverts_the_output_weights_has_eigenvalue_zero() -> None:
    rule = made((7, 6))
    drawn = drawn_weights(rule)
    inverse = np.linalg.pinv(np.asarray(rule.network.k_output * drawn.forward[-1].kernel, float))
    weights = Weights(drawn.forward, (drawn.feedback[0], Synapses(jnp.asarray(inverse, jnp.float32))))
    assert float(feedback_eigenvalues(rule.network, weights, jnp.zeros((1, CLASSES))).weights) < 1e-6


def hidden_step(mix: float, seed: int, rate: float = 1e-3) -> tuple[float, float]:
    """The eigenvalue, and how the loss changes by a small hidden update, for feedback between W^T and noise.

    Small hidden weights keep all slopes of the hidden layer equal, so that rates move along the change of plateaus.
    """
    rule, batch = made((8,), **RATES), examples(4)
    batch = Batch(batch.x[seed % 4][None], batch.y[seed % 4][None])
    keys = jr.split(jr.key(seed), 2)
    W, noise = jr.normal(keys[0], (CLASSES, 8)), jr.normal(keys[1], (8, CLASSES))
    forward = (Dense(jnp.zeros((8, INPUTS)), jnp.zeros(8)), Dense(W, jnp.zeros(CLASSES)))
    weights = Weights(forward, (Synapses(0.1 * ((1 - abs(mix)) * noise + mix * W.T)),))
    free, taught, _ = show(rule.network, weights, None, batch, jr.key(0))
    errors = rule.errors(free, taught)[0]
    moved = Dense(forward[0].kernel - rate * errors.T @ free.psps[0], forward[0].bias - rate * errors.sum(0))
    after = show(rule.network, Weights((moved, forward[1]), weights.feedback), None, batch, jr.key(0))[0]
    change = example_loss(rule.network, after, taught) - example_loss(rule.network, free, taught)
    return float(feedback_eigenvalues(rule.network, weights, free.somas[-1]).local), float(change[0])


def test_an_eigenvalue_below_one_is_enough_for_a_hidden_update_to_lower_the_loss() -> None:
    """The paper's criterion. Transposed feedback meets it, its opposite does not and raises the loss."""
    with jax.enable_x64(True):
        eigenvalue, change = hidden_step(1.0, seed=0)
        assert eigenvalue < 1 and change < 0
        eigenvalue, change = hidden_step(-1.0, seed=0)
        assert eigenvalue > 1 and change > 0
        found = [hidden_step(mix, seed) for mix in (0.2, 0.5, 0.7, 0.85) for seed in range(8)]
    met = [change < 0 for eigenvalue, change in found if eigenvalue < 1]
    assert len(met) >= 5 and all(met)
    assert any(change > 0 for eigenvalue, change in found if eigenvalue > 1)


QUICK = ("spikes", "rates")
CASES: dict[str, tuple[tuple[int, ...], dict[str, object]]] = {
    "spikes": ((6, 5), {}),
    "several blocks": ((6,), {"forward_steps": 70, "target_steps": 120, "test_steps": 70, "settling_steps": 30}),
    "plateaus at times of their own": ((6, 5), {"random_plateau_times": True}),
    "apical conductance": ((6, 5), {"apical_conductance": True, "broadcast": False, "spike_memory": 4}),
    "half a step": ((6,), {"dt_ms": 0.5, "units_per_class": 2, "feedback_bias": True}),
    "rates": ((6,), {"spiking_feedforward": False, "spiking_feedback": False}),
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.long) for n in CASES])
def test_recordings_are_the_simulation_that_training_runs(name: str) -> None:
    """From cells in use, the means that `show` reports with the same key are those of what is recorded."""
    hidden, settings = CASES[name]
    rule, batch, key = made(hidden, **{**SHORT, **settings}), examples(1), jr.key(4)
    net, weights = rule.network, drawn_weights(rule)
    assert isinstance(net, Dendritic)
    show = eqx.filter_jit(net.show)
    used = show(weights, net.rest(batch.x), batch, jr.key(3))[2]
    free, taught, _ = show(weights, used, batch, key)
    recording = jax.tree.map(np.asarray, recorded(net, weights, used, *one(batch), key))
    lengths = (net.forward_steps, net.target_steps)
    start = 0.0
    for phase, means, length in zip((recording.forward, recording.target), (free, taught), lengths, strict=True):
        window = phase.times_ms > phase.window_ms
        assert (phase.start_ms, phase.end_ms, window.sum()) == (start, start + length, net.n_window)
        assert len(phase.times_ms) == len(phase.basal[0]) == net.n_steps(length)
        np.testing.assert_allclose(phase.times_ms[-1], phase.end_ms)
        np.testing.assert_allclose(0.2 * sigma(phase.somas[-1])[window].mean(0), means.rate[0], rtol=1e-4)
        for soma, mean in zip(phase.somas, means.somas, strict=True):
            np.testing.assert_allclose(soma[window].mean(0), mean[0], rtol=1e-4, atol=1e-5)
        for l, (apical, mean) in enumerate(zip(phase.apical, means.apical, strict=True)):
            times, last = phase.times_ms[:, None], phase.plateau_ms[l] + 1e-6
            own = (times > last - net.n_window * net.dt_ms) & (times <= last)
            assert (own.sum(0) == net.n_window).all()
            np.testing.assert_allclose((apical * own).sum(0) / net.n_window, mean[0], rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(phase.plateaus[l], sigma(mean[0]), rtol=1e-5)
        start = phase.end_ms
    early = {float(t) for times in recording.forward.plateau_ms for t in recording.forward.end_ms - times}
    assert (early == {0.0}) != (name == "plateaus at times of their own")


def test_basal_potentials_and_spikes_belong_to_their_layer() -> None:
    """Without spikes and conductances a soma is its basal potential times k, at every step."""
    rule, batch = made((6, 5), **RATES), examples(1)
    recording = recorded(rule.network, drawn_weights(rule), None, *one(batch), jr.key(0))
    for l, k in enumerate((0.6 / 0.7,) * 3):
        np.testing.assert_allclose(recording.forward.somas[l], k * recording.forward.basal[l], rtol=1e-5)
    assert [s.shape for s in recording.target.spikes] == [(2, 6), (2, 5), (2, CLASSES)]
    drive = 0.6 * recording.target.basal[-1] + jnp.asarray([8.0, -8.0, -8.0, -8.0])
    np.testing.assert_allclose(recording.target.somas[-1], drive / 1.7, rtol=1e-5)


def test_phases_of_random_lengths_are_not_recorded() -> None:
    rule, batch = made((6,)), examples(1)
    with pytest.raises(InputError, match="random_phase_lengths=false"):
        record_example(rule.network, drawn_weights(rule), None, *one(batch), jr.key(0))
