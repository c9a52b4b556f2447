"""Spiking microcircuits by the step of one pattern, and the neuron of Urbanczik and Senn beside live NEST."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.random as jr
import numpy as np

from apical.hyperparameters import Value
from apical.neurons.urbanczik_senn import UrbanczikSenn
from apical.reproduce.urbanczik_senn_example import (
    ETA,
    MOST,
    N_INPUTS,
    PATTERN_MS,
    START,
    TAU_DELTA_MS,
    Example,
    repeated,
)
from ours import epoch, images

RULE = "spiking-microcircuit"
LARGE, SMALL = ((28, 28, 1), 10, (300, 100)), ((3, 3, 1), 3, (30,))
ONLINE = {"plasticity_engine": "time-driven", "optimiser": "sgd", "rate_up": 1e-4, "rate_ip": 1e-4, "rate_pi": 1e-4}
Size = tuple[tuple[int, ...], int, tuple[int, ...]]


def steps(
    size: Size, preset: str, n_steps: int, batch_size: int, n_batches: int, settings: Mapping[str, Value] | None = None
) -> Callable[[], int]:
    """A program that trains, and returns the steps of all patterns that it went through."""
    shape, classes, hidden = size
    data = images(batch_size * n_batches, shape, classes=classes)
    program = epoch(RULE, data, batch_size, hidden=hidden, preset=preset, classes=classes, settings=settings)
    return lambda: n_steps * program()


def example() -> tuple[Example, Callable[[int], Callable[[], int]]]:
    """The single-neuron example, and a program that goes through so many repetitions of its pattern."""
    made = Example.drawn(UrbanczikSenn(), jr.key(0))

    def program(n: int) -> Callable[[], int]:
        keys = jr.split(jr.key(1), n)

        def run() -> int:
            jax.block_until_ready(repeated(made, made.begin(), keys))
            return n

        return run

    return made, program


def in_nest(made: Example, n: int, n_runs: int) -> Callable[[], int]:
    """The same repetitions in NEST: generators and parrots, plastic synapses, somatic conductances in every step."""
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    cell = _built(nest, made, n * (n_runs + 1))  # one to warm up; what is timed is simulation alone

    def run() -> int:
        nest.Simulate(n * PATTERN_MS)
        assert np.isfinite(cell.get("soma")["V_m"])
        return n

    return run


def _built(nest: Any, made: Example, n: int) -> Any:
    dt, c = made.neuron.dt_ms, float(made.neuron.capacitance)
    nest.ResetKernel()
    nest.set(resolution=dt, local_num_threads=1)
    cell = nest.Create("pp_cond_exp_mc_urbanczik", params={"soma": {"E_in": -75.0}})
    ports = cell.get("receptor_types")
    plastic = {
        "synapse_model": "urbanczik_synapse",
        "receptor_type": ports["dendritic_exc"],
        "tau_Delta": TAU_DELTA_MS,
        "eta": ETA,
        "weight": START * c,
        "Wmin": 0.0,
        "Wmax": MOST * c,
        "delay": dt,
    }
    pattern = np.asarray(made.inputs)
    starts = PATTERN_MS * np.arange(n)[:, None]
    for j in range(N_INPUTS):
        times = (starts + dt * (1 + np.flatnonzero(pattern[:, j]))).ravel()
        generator, parrot = nest.Create("spike_generator", params={"spike_times": times}), nest.Create("parrot_neuron")
        nest.Connect(generator, parrot, syn_spec={"delay": dt})
        nest.Connect(parrot, cell, syn_spec=plastic)
    every = dt * np.arange(1, n * len(pattern))
    for port, opened in (("soma_exc", made.excitation), ("soma_inh", made.inhibition)):
        weights = np.tile(np.asarray(opened), n)[1:]
        generator = nest.Create("spike_generator", params={"spike_times": every, "spike_weights": weights})
        nest.Connect(generator, cell, syn_spec={"receptor_type": ports[port], "weight": 1.0, "delay": dt})
    return cell
