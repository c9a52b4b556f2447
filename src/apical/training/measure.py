"""What is logged between segments: every probe, on one fixed batch of training examples."""

import equinox as eqx
from jaxtyping import Array, PyTree

from apical.core import Batch, PRNGKey, State
from apical.probes.alignment import feedback_alignment, pseudo_inverse_alignment
from apical.probes.credit import PerLayer, angle_to_backprop, ask, gradient, log10_norm_ratio
from apical.probes.dynamics import relative_change, weight_norm
from apical.probes.families import family_probes
from apical.rules.base import AbstractRule


class Snapshot(eqx.Module):
    """Kernels and their directions at the last measurement, which the next one is compared with."""

    kernels: tuple[Array, ...]
    directions: tuple[Array, ...]


def kernels(layers: tuple[PyTree, ...]) -> tuple[Array, ...]:
    """The kernel of each layer, without biases and normalisation."""
    return tuple(layer.kernel for layer in layers)


def measure(
    rule: AbstractRule, state: State, before: Snapshot, batch: Batch, key: PRNGKey
) -> tuple[dict[str, PerLayer], Snapshot]:
    """Measurements by name and layer, and the snapshot for the next time."""
    direction = ask(rule, state, batch, key).direction.forward
    reference = gradient(rule, state, rule.network.blurred(batch, key))  # at the inputs that the rule was shown
    now = Snapshot(kernels(state.weights.forward), kernels(direction))
    pathways = rule.pathways(state.weights)
    measured = {
        "weight_norm": weight_norm(now.kernels),
        "relative_weight_change": relative_change(now.kernels, before.kernels),
        "gradient_change": relative_change(now.directions, before.directions),
        "angle_to_backprop": angle_to_backprop(direction, reference),
        "log10_norm_ratio": log10_norm_ratio(direction, reference),
        "feedback_alignment": feedback_alignment(pathways),
        "pseudo_inverse_alignment": pseudo_inverse_alignment(pathways),
    }
    return measured | family_probes(rule, state, batch, key), now


def first_snapshot(rule: AbstractRule, state: State) -> Snapshot:
    """The snapshot before anything was learnt; changes against it are not defined for directions."""
    now = kernels(state.weights.forward)
    return Snapshot(now, tuple(0 * w for w in now))
