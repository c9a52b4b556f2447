"""How well the cells of a microcircuit predict each other: in activity and in weights.

Activity is the steady state for each example. Layers are numbered from the first hidden one.
"""

import jax.numpy as jnp
from jaxtyping import Array

from apical.core import Batch, PRNGKey, State, Weights
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_dale import whole
from apical.networks.microcircuit_init import self_predicting
from apical.networks.microcircuit_state import Nudge
from apical.networks.microcircuit_steady import steady_state
from apical.networks.spiking_circuit import SpikingCircuit
from apical.probes.credit import PerLayer
from apical.rules.microcircuit import Microcircuit
from apical.rules.spiking_microcircuit import SpikingMicrocircuit

AnyMicrocircuit = Microcircuit | SpikingMicrocircuit


def prediction_probes(
    rule: AnyMicrocircuit, state: State, batch: Batch, key: PRNGKey, nudge: Nudge | None = None
) -> dict[str, PerLayer]:
    """Every measurement of this page, by name and by hidden layer; without a teacher, unless `nudge` is given."""
    net, weights = rule.network, state.weights
    seen = steady_state(net, weights, batch.x.reshape(len(batch.x), -1), nudge)
    return {
        "apical_error": _by_layer([jnp.abs(v).mean() for v in seen.apical]),
        "interneuron_error": _by_layer(
            [((i - u) ** 2).mean() for i, u in zip(seen.inter, seen.somas[1:], strict=True)]
        ),
        **weight_errors(net, weights),
    }


def weight_errors(net: Circuit, weights: Weights) -> dict[str, PerLayer]:
    """Mean squared distance of W_ip and of W_pi to the self-predicting state of these forward and feedback weights."""
    ip, pi = self_predicting(net, weights.forward, weights.feedback)
    pairs = {"feedforward_error": zip(weights.lateral[0], ip, strict=True)}
    pairs["feedback_error"] = zip(whole(weights), pi, strict=True)
    return {
        name: _by_layer([((w.kernel - ideal.kernel) ** 2).mean() for w, ideal in layers])
        for name, layers in pairs.items()
    }


def free_output_error(net: Circuit, weights: Weights, batch: Batch) -> Array:
    """Mean squared distance of free output potentials to the taught ones: over outputs and examples."""
    return ((net.apply(weights.forward, batch.x) - net.target(batch.y)) ** 2).mean()


def highest_rate(net: Circuit, weights: Weights, batch: Batch) -> Array:
    """The highest rate of any cell for any example, inputs among them; in spikes per ms where cells spike."""
    flat = batch.x.reshape(len(batch.x), -1)
    seen = steady_state(net, weights, flat, None)
    highest = jnp.stack([flat.max(), *(net.phi.rate(u).max() for u in (*seen.somas, *seen.inter))]).max()
    return net.psi * highest if isinstance(net, SpikingCircuit) else highest


def _by_layer(values: list[Array]) -> PerLayer:
    return {str(l): value for l, value in enumerate(values)}
