"""What the field records of segregated dendrites: loss, angles to backprop, eigenvalues of the feedback, potentials.

All of it is asked of the network from outside; the rule measures nothing. sigma is the logistic function, C^f a somatic
potential averaged over the window of the forward phase, L the output layer (Guerguiev 2017).
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from apical.core import PRNGKey, Scalar, Weights
from apical.errors import InputError
from apical.networks.dendritic import Dendritic
from apical.networks.dendritic_blocks import rest
from apical.networks.dendritic_phases import Phase, record_phase
from apical.networks.dendritic_state import Cells, History, Means
from apical.neurons.compartments import fire, fire_slope, plateau, plateau_slope
from apical.probes.credit import PerLayer, angle
from apical.rules.segregated_dendrites import SegregatedDendrites

Layers = tuple[Float[Array, "..."], ...]


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


class PhaseRecording(eqx.Module):
    """One phase of one example: potentials (steps, units) of every compartment and spikes, first hidden layer first.

    `times_ms` are the ends of the steps, from the start of the example; the phase lasts from `start_ms` to `end_ms` and
    its means are those from `window_ms` on. Each hidden unit's plateau comes at its time in `plateau_ms`, with its
    value in `plateaus`. Spikes are counts; they are drawn also where a network hears rates alone.
    """

    times_ms: Float[Array, " steps"]
    basal: Layers
    apical: Layers
    somas: Layers
    spikes: Layers
    plateau_ms: Layers
    plateaus: Layers
    start_ms: float = eqx.field(static=True)
    window_ms: float = eqx.field(static=True)
    end_ms: float = eqx.field(static=True)


class Recording(eqx.Module):
    """Both phases of one example."""

    forward: PhaseRecording
    target: PhaseRecording


def record_example(
    net: Dendritic,
    weights: Weights,
    cells: Cells | None,
    x: Float[Array, "*features"],
    y: Int[Array, ""],
    key: PRNGKey,
) -> Recording:
    """Both phases of one example, step by step: the very simulation that `net.show` runs with this key.

    `cells` (batch 1) are as the last example left them; none: at rest.

    **Raises** `InputError` for phases of random lengths.
    """
    if net.random_phase_lengths:
        raise InputError("phases are recorded at their nominal lengths: set random_phase_lengths=false")
    pixels, cells = x.reshape(1, -1), rest(net, 1) if cells is None else cells
    recorded, start_ms = [], 0.0
    for phase in net.phases(y[None], key):
        cells, means, history = record_phase(net, weights, cells, pixels, phase)
        recorded.append(_recorded(net, phase, means, history, start_ms))
        start_ms = recorded[-1].end_ms
    return Recording(*recorded)


def _recorded(net: Dendritic, phase: Phase, means: Means, history: History, start_ms: float) -> PhaseRecording:
    window, dt_ms = phase.window, net.dt_ms
    early = window.early or [jnp.zeros((1, n), int) for n in net.hidden]
    single = lambda layers: tuple(a[:, 0] for a in layers)  # noqa: E731
    return PhaseRecording(
        times_ms=start_ms + dt_ms * jnp.arange(1, window.n_steps + 1).astype(float),
        basal=single(history.basal),
        apical=single(history.apical),
        somas=single(history.somas),
        spikes=single(history.spikes),
        plateau_ms=tuple(start_ms + dt_ms * (window.n_steps - steps[0]).astype(float) for steps in early),
        plateaus=tuple(plateau(a)[0] for a in means.apical),
        start_ms=start_ms,
        window_ms=start_ms + dt_ms * (window.n_steps - window.n_window),
        end_ms=start_ms + dt_ms * window.n_steps,
    )
