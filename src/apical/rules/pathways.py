"""Pairs of forward and feedback matrices that a theory expects to align."""

import functools
from typing import Any

from jaxtyping import Array, PyTree

from apical.core import Pathway
from apical.networks.blocks import Block
from apical.networks.layers import Dense, as_matrix


def layer_pathways(forward: tuple[Block, ...], feedback: tuple[Array, ...]) -> tuple[Pathway, ...]:
    """Feedback from the layer above: kernel l + 1 and the matrix of its shape that carries errors to hidden layer l."""
    pairs = zip(forward[1:], feedback, strict=True)
    return tuple(Pathway(l, as_matrix(f.layer, f.kernel), as_matrix(f.layer, b)) for l, (f, b) in enumerate(pairs))


def synaptic_pathways(forward: tuple[Any, ...], feedback: tuple[Any, ...]) -> tuple[Pathway, ...]:
    """Synapses (units, sources) from the layer above, transposed, and the forward kernel that they answer."""
    pairs = zip(forward[1:], feedback, strict=True)
    return tuple(Pathway(l, above.kernel, down.kernel.T) for l, (above, down) in enumerate(pairs))


def direct_pathways(forward: tuple[Any, ...], feedback: tuple[PyTree, ...]) -> tuple[Pathway, ...]:
    """Feedback from the output: the product of the kernels above hidden layer l, and its own matrix transposed.

    Feedback matrices are (units, classes). A layer with others than dense layers above it is left out.
    """
    pathways = []
    for l, matrix in enumerate(feedback):
        above = forward[l + 1 :]
        if all(isinstance(getattr(layer, "layer", layer), Dense) for layer in above):
            product = functools.reduce(lambda low, high: high @ low, [layer.kernel for layer in above])
            pathways.append(Pathway(l, product, matrix.T))
    return tuple(pathways)
