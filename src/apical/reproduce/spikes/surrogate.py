"""Backprop through time in a network that spikes: the comparator of learning by dendritic potentials."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp

from apical.core import Batch, PRNGKey, State, Weights
from apical.networks.spiking_steps import Cells, read_out
from apical.reproduce.microcircuit.lanes import recast
from apical.rules.microcircuit_plasticity import Families
from apical.rules.spiking_microcircuit import SpikingMicrocircuit


class ThroughTime(SpikingMicrocircuit):
    """The same cells, spikes and optimiser; forward weights descend the surrogate gradient through all `steps`.

    The loss is that of the potentials which a test reads, a spike has the derivative of its mean, and nothing comes
    into apical dendrites.
    """

    steps: int = eqx.field(static=True, kw_only=True)

    def init(self, key: PRNGKey, batch: Batch) -> State:
        state = SpikingMicrocircuit.init(self, key, batch)
        silent = jax.tree.map(jnp.zeros_like, state.weights)
        return replace(state, weights=replace(silent, forward=state.weights.forward))

    def credit(self, weights: Weights, batch: Batch, cells: Cells, key: PRNGKey) -> tuple[Families, Cells]:
        net, x = self.network, batch.x.reshape(len(batch.x), -1)

        def loss(forward: tuple) -> jax.Array:
            read = read_out(net, replace(weights, forward=forward), x, key, self.steps)
            return net.loss(read, batch.y)

        return {"up": jax.grad(loss)(weights.forward)}, cells


def through_time(rule: SpikingMicrocircuit) -> ThroughTime:
    """The comparator of a spiking microcircuit."""
    steps = round(float(rule.network.presentation_ms) / rule.network.dt_ms)
    return recast(ThroughTime, rule, steps=steps)
