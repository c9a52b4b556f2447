"""Local plasticity: is a synapse's change its own presynaptic activity times a signal in its own postsynaptic cell?"""

import numpy as np

from apical.audit.base import NOT_APPLICABLE, Cell, Property, numbers, verdict
from apical.audit.subject import Subject

LOCAL = 0.05
SPIKING = (
    "cells spike in this setting: changes follow the times of spikes, of which the mean activity recorded says nothing"
)


def residue(subject: Subject, layer: int) -> float:
    """The share of a layer's direction that is no combination of what its input cells fire on the batch."""
    direction = np.asarray(subject.direction.forward[layer].kernel)
    fired = presynaptic(subject, layer)
    basis = np.linalg.svd(fired, full_matrices=False)[2][: np.linalg.matrix_rank(fired)]
    size = np.linalg.norm(direction)
    return float(np.linalg.norm(direction - (direction @ basis.T) @ basis) / size) if size else 0.0


def presynaptic(subject: Subject, layer: int) -> np.ndarray:
    """What the input cells of a layer fire in all phases, (phases * batch, below)."""
    if layer == 0:
        return np.asarray(subject.batch.x).reshape(len(subject.batch.x), -1)
    phases = [np.asarray((recording.sent or recording.rates)[layer - 1]) for recording in subject.recordings]
    return np.concatenate([rates.reshape(len(rates), -1) for rates in phases])


def measure(subject: Subject) -> Cell:
    """The row of every postsynaptic cell is compared with the span of the presynaptic activities."""
    if subject.spikes:
        return Cell(NOT_APPLICABLE, SPIKING)
    found = [residue(subject, layer) for layer in range(subject.layers)]
    return Cell(
        verdict(max(found) < LOCAL),
        f"share of each layer's update outside the span of its presynaptic activities: {numbers(found)} (local below "
        f"{LOCAL:g})",
    )


LOCALITY = Property(
    "local_plasticity",
    "Local plasticity",
    "Is a synapse's change its presynaptic activity times a signal in its own cell?",
    "The changes of all synapses onto one cell must be a combination, one number for each example, of what the "
    "presynaptic cells fired.",
    measure,
)
