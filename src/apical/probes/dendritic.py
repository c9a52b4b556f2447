"""What the field measures of segregated dendrites: loss, angles to backprop, eigenvalues of the feedback.

All of it is asked of the network from outside; the rule measures nothing. sigma is the logistic function, C^f a somatic
potential averaged over the window of the forward phase, L the output layer (Guerguiev 2017).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apical.core import Batch, PRNGKey, Scalar, State, Weights
from apical.networks.dendritic import Dendritic
from apical.networks.dendritic_state import Means
from apical.neurons.compartments import fire, fire_slope, plateau_slope
from apical.probes.credit import PerLayer, angle
from apical.rules.segregated_dendrites import SegregatedDendrites


def dendritic_probes(rule: SegregatedDendrites, state: State, batch: Batch, key: PRNGKey) -> dict[str, PerLayer]:
    """What training logs of this page, on one batch with cells at rest; nothing of a network without hidden layers."""
    net, weights = rule.network, state.weights
    if not net.hidden:
        return {}
    free, taught, _ = net.show(weights, net.rest(batch.x), batch, key)
    eigenvalues, last = feedback_eigenvalues(net, weights, free.somas[-1]), str(len(net.hidden) - 1)
    return {
        "rate_loss": {str(len(net.hidden)): example_loss(net, free, taught).mean()},
        "example_angle_to_backprop": example_angles(rule, weights, free, taught),
        "feedback_eigenvalue": {last: eigenvalues.local},
        "feedback_eigenvalue_of_weights": {last: eigenvalues.weights},
    }


def example_loss(net: Dendritic, free: Means, taught: Means) -> Float[Array, " batch"]:
    """The paper's loss of every example: the mean over output cells of (lambda^t - max_rate sigma(C^f))^2, 1/ms^2."""
    return jnp.mean((taught.rate - fire(free.somas[-1], net.max_rate)) ** 2, axis=-1)


def backprop_errors(net: Dendritic, weights: Weights, free: Means, output_error: Array) -> list[Array]:
    """What backprop would have every layer's basal potentials descend along, (batch, units), from the input up.

    From `output_error`, (batch, outputs), downwards: E_l = (W_{l+1}^T E_{l+1}) k_B max_rate sigma'(C_l^f).
    """
    errors = [output_error]
    for above, soma in zip(weights.forward[:0:-1], free.somas[-2::-1], strict=True):
        sent = jnp.einsum("na,ab->nb", errors[0], above.kernel)
        errors.insert(0, sent * net.k_basal * fire_slope(soma, net.max_rate))
    return errors


def hidden_angles(rule: SegregatedDendrites, weights: Weights, free: Means, taught: Means) -> PerLayer:
    """The angle between the rule's update of each hidden layer's basal weights and backprop's, in degrees.

    Both start from the rule's own output error on the same examples, and both are averaged over the batch; a batch of
    one gives the angle on one example. Scales of errors do not matter. Not a number where one of them is zero.
    """
    ours = rule.errors(free, taught)
    theirs = backprop_errors(rule.network, weights, free, ours[-1])
    hidden = zip(ours[:-1], theirs[:-1], free.psps[:-1], strict=True)
    return {str(l): angle(a.T @ psp, b.T @ psp) for l, (a, b, psp) in enumerate(hidden)}


def example_angles(rule: SegregatedDendrites, weights: Weights, free: Means, taught: Means) -> PerLayer:
    """The mean over examples of `hidden_angles` of each example alone.

    An example's update is an outer product with the same presynaptic side in both rules: its angle is that of errors.
    """
    ours = rule.errors(free, taught)
    theirs = backprop_errors(rule.network, weights, free, ours[-1])
    pairs = enumerate(zip(ours[:-1], theirs[:-1], strict=True))
    return {str(l): jnp.nanmean(jax.vmap(angle)(a, b)) for l, (a, b) in pairs}


class Eigenvalues(eqx.Module):
    """The largest eigenvalue of (I-U)^T (I-U), with U the way from the output down the feedback and up again.

    `local`: U is the mean over examples of J_beta J_gamma, the slopes of both ways at those examples. Below 1 it is
    enough for a small step of the last hidden layer's rates along the change of its plateaus to lower the output loss.
    `weights`: U = k_D W Y, the weights alone.
    """

    local: Scalar
    weights: Scalar


def feedback_eigenvalues(net: Dendritic, weights: Weights, somas: Float[Array, "examples outputs"]) -> Eigenvalues:
    """The eigenvalues of the last hidden layer's feedback Y and the output weights W, at potentials of output cells.

    `somas` are C_L^f of the last (the paper: 100) training examples, each before its update. With one row for each
    cell, J_beta = max_rate sigma'(C_L^f) k_D W and J_gamma = sigma'(Y max_rate sigma(C_L^f)) Y. There must be a hidden
    layer.
    """
    up, synapses = net.k_output * weights.forward[-1].kernel, weights.feedback[-1]
    slopes_up = fire_slope(somas, net.max_rate)
    slopes_down = plateau_slope(synapses.potential(fire(somas, net.max_rate)))
    together = jnp.einsum("ni,nh->ih", slopes_up, slopes_down) / len(somas)  # of each pair of an output and a unit
    return Eigenvalues(_largest((together * up) @ synapses.kernel), _largest(up @ synapses.kernel))


def _largest(loop: Float[Array, "outputs outputs"]) -> Scalar:
    """The largest eigenvalue of (I-U)^T (I-U): the square of the largest singular value of I-U."""
    return jnp.linalg.norm(jnp.eye(len(loop)) - loop, ord=2) ** 2
