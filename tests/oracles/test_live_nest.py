"""Our neuron and synapse of Urbanczik and Senn beside NEST's own, run here and now."""

import contextlib
import importlib
import io
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import NamedTuple, NoReturn

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.neurons.dendritic_prediction import Drive, Learnt, at_rest, learn
from apical.neurons.events import Events
from apical.neurons.plasticity import Dense
from apical.neurons.urbanczik_senn import UrbanczikSenn

DT, MS, N_INPUTS, SEEDS = 0.1, 200.0, 4, 20
START, ETA, TAU_DELTA, MOST = 100.0, 0.75, 100.0, 1350.0
STEPS = round(MS / DT)


class Trial(NamedTuple):
    """A run of NEST: potentials at every step, output spikes, and weights as the spikes of each input read them."""

    soma: np.ndarray
    dendrite: np.ndarray
    spikes: np.ndarray
    read: list[tuple[np.ndarray, np.ndarray]]


@pytest.fixture(scope="module")
def nest(lacking: Callable[[str], NoReturn]) -> ModuleType:
    """NEST, quiet."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            found = importlib.import_module("nest")
    except ImportError:
        lacking("NEST is not installed: pip install 'apical[nest]'")
    found.verbosity = found.VerbosityLevel.ERROR
    return found


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def trains(seed: int) -> list[np.ndarray]:
    """Random spike times of every input, in steps: never two of one input in a step."""
    draw = np.random.default_rng(seed)
    return [np.unique(draw.integers(10, STEPS - 10, 15)) for _ in range(N_INPUTS)]


def excitation(seed: int) -> np.ndarray:
    """What opens in the soma in every step, in nS: a random walk that stays above zero."""
    draw = np.random.default_rng([seed, 1])
    return np.abs(5 + np.cumsum(draw.normal(size=STEPS)) / 4).round(3)


def theirs(nest: ModuleType, seed: int, inputs: list[np.ndarray], opened: np.ndarray) -> Trial:
    """NEST's run; a generator's spike passes through a parrot, so a synapse sends it one step later."""
    nest.ResetKernel()
    nest.set(resolution=DT, rng_seed=seed + 1)
    cell = nest.Create("pp_cond_exp_mc_urbanczik", params={"soma": {"E_in": -75.0}})
    ports = cell.get("receptor_types")
    meter, recorder, weights = (nest.Create(f) for f in ("multimeter", "spike_recorder", "weight_recorder"))
    meter.set(record_from=["V_m.s", "V_m.p"], interval=DT)
    nest.Connect(meter, cell)
    nest.Connect(cell, recorder)
    nest.CopyModel("urbanczik_synapse", f"plastic_{seed}", {"weight_recorder": weights[0]})
    learnt = {"tau_Delta": TAU_DELTA, "eta": ETA, "weight": START, "Wmin": 0.0, "Wmax": MOST, "delay": DT}
    senders = []
    for train in inputs:
        generator, parrot = (
            nest.Create("spike_generator", params={"spike_times": train * DT}),
            nest.Create("parrot_neuron"),
        )
        nest.Connect(generator, parrot, syn_spec={"delay": DT})
        synapse = {"synapse_model": f"plastic_{seed}", "receptor_type": ports["dendritic_exc"], **learnt}
        nest.Connect(parrot, cell, syn_spec=synapse)
        senders.append(parrot.global_id)
    times = {"spike_times": DT * np.arange(1, STEPS), "spike_weights": opened[1:]}
    somatic = nest.Create("spike_generator", params=times)
    nest.Connect(somatic, cell, syn_spec={"receptor_type": ports["soma_exc"], "weight": 1.0, "delay": DT})
    nest.Simulate(MS)
    seen, told = meter.get("events"), weights.get("events")
    spikes = np.zeros(STEPS)
    spikes[np.rint(recorder.get("events")["times"] / DT).astype(int) - 1] = 1.0
    steps = np.rint(told["times"] / DT).astype(int)
    read = [(steps[told["senders"] == s], told["weights"][told["senders"] == s]) for s in senders]
    return Trial(seen["V_m.s"], seen["V_m.p"], spikes, read)


@eqx.filter_jit
def replayed(neuron: UrbanczikSenn, drive: Drive, event_based: bool) -> tuple[Learnt, jax.Array]:
    """Our run with the output spikes of the other, and the weights that every step leaves, (steps, inputs)."""
    rule = neuron.plasticity(*map(jnp.asarray, (ETA, TAU_DELTA, 0.0, MOST)))
    weights = jnp.full((1, N_INPUTS), START)
    synapses = Events.rest(rule, weights, 64) if event_based else Dense.rest(rule, weights)

    def step(now: tuple, drive: Drive) -> tuple:
        now, seen = learn(neuron, rule, now, jax.tree.map(lambda a: a[None], drive), jr.key(0))
        return now, (seen, now[1].weights[0])

    seen, weights = jax.lax.scan(step, (at_rest(neuron, 1), synapses), drive)[1]
    return jax.tree.map(lambda a: a[:, 0, 0], seen), weights


def ours(trial: Trial, inputs: list[np.ndarray], opened: np.ndarray, event_based: bool) -> tuple[Learnt, np.ndarray]:
    sent = np.zeros((STEPS, N_INPUTS))
    for j, train in enumerate(inputs):
        sent[train - 1, j] = 1.0
    given = (sent, np.append(0.0, opened[1:])[:, None], np.zeros((STEPS, 1)), trial.spikes[:, None])
    seen, weights = replayed(UrbanczikSenn(beta=1 / 3), Drive(*map(jnp.asarray, given)), event_based)
    return seen, np.asarray(weights)


@pytest.mark.parametrize("event_based", [False, True])
def test_neuron_and_synapse_are_those_of_nest(nest: ModuleType, event_based: bool) -> None:
    """On random spike trains of 20 seeds: potentials to 1 uV, every weight that a spike read to 1e-5 of its change."""
    moved = []
    for seed in range(SEEDS):
        inputs, opened = trains(seed), excitation(seed)
        trial = theirs(nest, seed, inputs, opened)
        seen, weights = ours(trial, inputs, opened, event_based)
        np.testing.assert_allclose(seen.soma[: len(trial.soma)], trial.soma, atol=1e-3)
        np.testing.assert_allclose(seen.dendrite[: len(trial.soma)], trial.dendrite, atol=1e-6)
        for j, (steps, read) in enumerate(trial.read):
            change = np.ptp(read)
            np.testing.assert_allclose(weights[steps - 2, j], read, atol=1e-5 * change)
            moved.append(change)
    assert np.median(moved) > 10


def test_nests_own_numbers(nest: ModuleType) -> None:
    """The setting of NEST's test of its synapse: the change of weight at the second spike to 1e-3, and much closer."""
    inputs = [np.array([10, 980]), *[np.array([5])] * (N_INPUTS - 1)]
    opened = np.zeros(STEPS)
    opened[100:500] = 10.0
    trial = theirs(nest, 0, inputs, opened)
    _, weights = ours(trial, inputs, opened, False)
    steps, read = trial.read[0]
    assert len(read) == 2 and abs(read[1] - START) > 1
    assert (weights[steps[1] - 2, 0] - START) / (read[1] - START) == pytest.approx(1, abs=1e-6)
