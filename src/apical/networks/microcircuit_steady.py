"""Activity of a microcircuit without time: one pass up and one down, or passes until nothing changes.

With exact time constants a prospective potential is the steady state for the rates that arrive (Haider 2021), so with
latent equilibrium a presentation is a few passes in place of hundreds of steps.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apical.core import Scalar, Weights
from apical.networks.microcircuit_dale import sideways
from apical.networks.microcircuit_settings import MicrocircuitSettings
from apical.networks.microcircuit_state import Activity, Layers, Nudge, Potentials
from apical.networks.synapses import Synapses

Input = Float[Array, "batch inputs"]


def feedforward(net: MicrocircuitSettings, forward: Layers, x: Input) -> Float[Array, "batch outputs"]:
    """Output somas without a teacher where apical dendrites are silent: u_k = a_k W_up r_{k-1}, layer by layer."""
    rate, phi = x, net.phi
    for layer in forward[:-1]:
        rate = phi.rate((net.g_basal * _dendrite(net, layer, rate) + net.injected_current) / net.pull_hidden)
    return (net.g_basal * _dendrite(net, forward[-1], rate) + net.injected_current) / net.pull_output


def one_pass(net: MicrocircuitSettings, weights: Weights, x: Input, nudge: Nudge | None) -> Activity:
    """Sacramento's (2018) two steps: all layers from the input up as if apical dendrites were silent, then down."""
    first = _dendrite(net, weights.forward[0], x)
    silent = tuple(jnp.zeros((len(x), n), x.dtype) for n in net.hidden)
    return _pass(net, weights, x, first, silent, nudge)


def steady_state(net: MicrocircuitSettings, weights: Weights, x: Input, nudge: Nudge | None) -> Activity:
    """The steady state under a constant input, by passes up and down until apical potentials change no more.

    At most `sweeps` passes; where feedback is too strong for them to settle, the last one counts.
    """
    first = _dendrite(net, weights.forward[0], x)

    def more(carry: tuple[Potentials, Scalar, Array]) -> Array:
        _, moved, n = carry
        return (moved > net.tolerance) & (n < net.sweeps)

    def again(carry: tuple[Potentials, Scalar, Array]) -> tuple[Potentials, Scalar, Array]:
        apical, _, n = carry
        found = _pass(net, weights, x, first, apical, nudge).apical
        moved = [jnp.max(jnp.abs(a - b), initial=0.0) for a, b in zip(found, apical, strict=True)]
        return found, jnp.max(jnp.stack(moved)) if moved else jnp.zeros(()), n + 1

    silent = tuple(jnp.zeros((len(x), n), x.dtype) for n in net.hidden)
    apical, *_ = jax.lax.while_loop(more, again, (silent, jnp.full((), jnp.inf), jnp.zeros((), dtype=int)))
    return _pass(net, weights, x, first, apical, nudge)


def _pass(
    net: MicrocircuitSettings, weights: Weights, x: Input, first: Array, apical: Potentials, nudge: Nudge | None
) -> Activity:
    """Up with these apical potentials, then down with those that follow."""
    phi, current = net.phi, net.injected_current
    ip, pi, n_hidden = *weights.lateral[:2], len(net.hidden)
    basal, below, dendrites = [first], [x], []
    for k in range(n_hidden):
        soma = (net.g_basal * basal[k] + net.g_apical * apical[k] + current) / net.pull_hidden
        below.append(phi.rate(soma))
        basal.append(_dendrite(net, weights.forward[k + 1], below[-1]))
        dendrites.append(_dendrite(net, ip[k], below[-1]))
    drive, pull = net.g_basal * basal[-1] + current, net.pull_output
    somas = [drive / pull if nudge is None else (drive + nudge.drive) / (pull + nudge.pull)]
    found, above, inhibition, inter = [], [], [], []
    for k in reversed(range(n_hidden)):
        inter.insert(0, (net.g_dendrite * dendrites[k] + net.g_som * somas[0] + current) / net.pull_inter)
        inhibition.insert(0, sideways(weights, k, phi.rate(inter[0])))
        above.insert(0, phi.rate(somas[0]))
        heard = _dendrite(net, weights.feedback[k], above[0]) + _dendrite(net, pi[k], inhibition[0])
        found.insert(0, heard)
        somas.insert(0, (net.g_basal * basal[k] + net.g_apical * heard + current) / net.pull_hidden)
    return Activity(*map(tuple, (below, basal, somas, found, above, inhibition, inter, dendrites)))


def _dendrite(net: MicrocircuitSettings, synapses: Synapses, rate: Array) -> Array:
    return synapses.potential(rate) / net.dendritic_leak
