"""One or several neurons of Urbanczik and Senn learning from a teacher that drives their somas, step by step."""

from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from apical.core import PRNGKey
from apical.neurons.events import Events
from apical.neurons.plasticity import Dense, LowPass
from apical.neurons.urbanczik_senn import Potentials, UrbanczikSenn

LONG_AGO = 1e9  # ms since the last spike of a neuron that has never fired


Engine = TypeVar("Engine", Dense, Events)


class Drive(eqx.Module):
    """What neurons receive, step by step: presynaptic spikes, and what reaches somatic conductances, in nS.

    With `spikes` given, the neurons fire these and none of their own.
    """

    inputs: Float[Array, "*steps inputs"]
    excitation: Float[Array, "*steps cells"]
    inhibition: Float[Array, "*steps cells"]
    spikes: Float[Array, "*steps cells"] | None = None


class Neurons(eqx.Module):
    """All that goes on to the next step: potentials, time since a spike, the currents of two steps on their way."""

    potentials: Potentials
    since_spike_ms: Float[Array, " cells"]
    arriving: tuple[Float[Array, " cells"], Float[Array, " cells"]]


class Learnt(eqx.Module):
    """Every step of it, taken at its end: somas and dendrites in mV, spikes."""

    soma: Float[Array, "*steps cells"]
    dendrite: Float[Array, "*steps cells"]
    spikes: Float[Array, "*steps cells"]


def at_rest(neuron: UrbanczikSenn, n_cells: int) -> Neurons:
    """Neurons that have never been driven."""
    still = jnp.zeros(n_cells, neuron.e_leak.dtype)
    return Neurons(neuron.rest(n_cells), still + LONG_AGO, (still, still))


def learn(
    neuron: UrbanczikSenn, rule: LowPass, start: tuple[Neurons, Engine], drive: Drive, key: PRNGKey
) -> tuple[tuple[Neurons, Engine], Learnt]:
    """Goes through the steps of a drive; a rule without a learning rate only predicts.

    A spike meets the errors from the next step on, carries the weight of its own step, and arrives two steps later:
    as in NEST with a delay of one step, where it is sent one step after what the plasticity sees of it.

    All that neurons carry goes on as one array: a step of few neurons takes as long as the number of its arrays.
    """
    packed, unpacked = ravel_pytree(start[0])

    def step(now: tuple[Array, Engine], given: tuple[Drive, Array]) -> tuple[tuple[Array, Engine], Learnt]:
        neurons, synapses = unpacked(now[0]), now[1]
        incoming, uniform = given
        first, second = neurons.arriving
        potentials = neuron.step(neurons.potentials, first, incoming.excitation, incoming.inhibition)
        since = neurons.since_spike_ms + neuron.dt_ms
        if incoming.spikes is None:
            chance = neuron.spike_probability(potentials.soma, since)
            spikes = (uniform < chance).astype(chance.dtype)
        else:
            spikes = incoming.spikes
        synapses = synapses.step(rule, neuron.error(potentials, spikes)[None], incoming.inputs[None])
        after = Neurons(potentials, jnp.where(spikes > 0, 0.0, since), (second, synapses.weights @ incoming.inputs))
        return (ravel_pytree(after)[0], synapses), Learnt(potentials.soma, potentials.dendrite, spikes)

    chances = jr.uniform(key, drive.excitation.shape, drive.excitation.dtype)
    (packed, synapses), seen = jax.lax.scan(step, (packed, start[1]), (drive, chances))
    return (unpacked(packed), synapses), seen
