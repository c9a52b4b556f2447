"""Whether small disturbances of a microcircuit die out: of its potentials, of its weights, and the shape of its loss.

Without latent equilibrium somas obey tau du/dt = F(u) - u, F the potential that each would settle at for the others as
they are; with it, prospective potentials are F of themselves a step earlier, whatever u is. Jacobians are of one
example; the slow one is of the mean change of all plastic weights, activity in its steady state.
"""

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from apical.core import Batch, Weights
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_dale import whole
from apical.networks.microcircuit_state import Nudge, assembled, families
from apical.networks.microcircuit_steady import steady_state
from apical.rules import microcircuit_plasticity as plasticity
from apical.rules.microcircuit import Microcircuit
from apical.rules.optimisers import descend

Somas = tuple[tuple[Array, ...], tuple[Array, ...]]
Square = Float[Array, "n n"]


def settling(net: Circuit, weights: Weights, x: Float[Array, " inputs"], nudge: Nudge | None, somas: Somas) -> Somas:
    """F: where pyramidal cells, from the first hidden layer to the output, and interneurons would settle."""
    up, ip, pi, down = weights.forward, weights.lateral[0], whole(weights), weights.feedback
    cells, inter = somas
    rates, inhibition = [x, *map(net.phi.rate, cells)], [*map(net.phi.rate, inter)]
    basal = [w.potential(r) / net.dendritic_leak for w, r in zip(up, rates, strict=False)]
    heard = [
        (down[k].potential(rates[k + 2]) + pi[k].potential(inhibition[k])) / net.dendritic_leak
        for k in range(len(inter))
    ]
    predicted = [w.potential(r) / net.dendritic_leak for w, r in zip(ip, rates[1:], strict=False)]
    hidden = [(net.g_basal * b + net.g_apical * a) / net.pull_hidden for b, a in zip(basal, heard, strict=False)]
    drive, pull = net.g_basal * basal[-1], net.pull_output
    output = drive / pull if nudge is None else (drive + nudge.drive) / (pull + nudge.pull)
    found = [(net.g_dendrite * d + net.g_som * u) / net.pull_inter for d, u in zip(predicted, cells[1:], strict=True)]
    return (*hidden, output), tuple(found)


def potentials(net: Circuit, weights: Weights, x: Float[Array, " inputs"], nudge: Nudge | None) -> Somas:
    """The steady state: the potentials that are where F says."""
    seen = steady_state(net, weights, x[None], nudge)
    return tuple(u[0] for u in seen.somas), tuple(u[0] for u in seen.inter)


def gain(net: Circuit, weights: Weights, x: Float[Array, " inputs"], nudge: Nudge | None) -> Square:
    """dF/du in the steady state for an input: where its spectral radius is below 1, latent equilibrium settles."""
    flat, shaped = ravel_pytree(potentials(net, weights, x, nudge))
    return jax.jacfwd(lambda u: ravel_pytree(settling(net, weights, x, nudge, shaped(u)))[0])(flat)


def time_constants(net: Circuit, nudge: Nudge | None) -> Float[Array, " n"]:
    """The time constant of every soma in ms, in the order of `gain`."""
    *hidden, n_output = net.sizes[1:]
    pull = net.pull_output if nudge is None else net.pull_output + nudge.pull
    inter = [jnp.full(n, 1 / net.pull_inter) for n in net.sizes[2:]]
    return jnp.concatenate([*(jnp.full(n, 1 / net.pull_hidden) for n in hidden), jnp.full(n_output, 1 / pull), *inter])


def jacobian(net: Circuit, weights: Weights, x: Float[Array, " inputs"], nudge: Nudge | None) -> Square:
    """Of the equations without latent equilibrium, per ms: stable where no eigenvalue has a positive real part."""
    matrix = gain(net, weights, x, nudge)
    return (matrix - jnp.eye(len(matrix))) / time_constants(net, nudge)[:, None]


def slow_jacobian(rule: Microcircuit, weights: Weights, batch: Batch, taught: bool) -> Square:
    """Of the mean change per ms of all plastic weights, with respect to them."""
    net, plastic = rule.network, rule.plastic(weights)
    nudge = net.nudge(net.target(batch.y)) if taught else None
    flat, shaped = ravel_pytree(plastic)
    rates, still = plasticity.rates(net, rule.optimisers), jax.tree.map(jnp.zeros_like, plastic)

    def change(vector: Array) -> Array:
        now = {**families(weights), **shaped(vector)}
        seen = steady_state(net, assembled(now), batch.x.reshape(len(batch.x), -1), nudge)
        steps = plasticity.direction(net, {name: now[name] for name in plastic}, seen)
        return ravel_pytree({name: descend(still[name], steps[name], rates[name]) for name in plastic})[0]

    return jax.jacfwd(change)(flat)


def hessian(net: Circuit, weights: Weights, batch: Batch) -> Square:
    """Second derivatives of the network's loss with respect to the forward weights, without a teacher."""
    flat, shaped = ravel_pytree(weights.forward)
    return jax.hessian(lambda vector: net.loss(net.apply(shaped(vector), batch.x), batch.y))(flat)
