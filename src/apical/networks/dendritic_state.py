"""What cells with segregated dendrites carry over, what they send, and what is kept of a phase."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apical.networks.layers import Dense
from apical.neurons.kernels import Given, Kernel, Response, Trace

Potentials = Float[Array, "steps batch _"]


class Cell(eqx.Module):
    """A layer of cells between blocks of steps; no `trace` where nobody hears its spikes."""

    soma: Float[Array, "batch units"]
    trace: Trace | None


class Cells(eqx.Module):
    """All that is carried over: the trace of the input's spikes, then the cells from the first hidden layer up."""

    input: Trace | None
    layers: tuple[Cell, ...]


class Means(eqx.Module):
    """A phase, averaged over its window.

    `psps[l]` entered layer l (0: the first hidden one) and `somas[l]` are its somas; `rate` is the output cells';
    `apical[l]` are the apical potentials of hidden layer l and `heard[l]` is what its apical synapses received.
    """

    psps: tuple[Float[Array, "batch _"], ...]
    somas: tuple[Float[Array, "batch _"], ...]
    rate: Float[Array, "batch outputs"]
    apical: tuple[Float[Array, "batch _"], ...]
    heard: tuple[Float[Array, "batch _"], ...]


class History(eqx.Module):
    """A block, step by step: potentials of every compartment and spikes, from the first hidden layer up."""

    basal: tuple[Potentials, ...]
    apical: tuple[Potentials, ...]
    somas: tuple[Potentials, ...]
    spikes: tuple[Potentials, ...]


class Sent(eqx.Module):
    """What a layer sends along one path over a block of steps: spikes felt through a kernel, or rates as they are.

    `felt` are the postsynaptic potentials (one step where they are constant), `before` those of the step before the
    block, `trace` what is left of spikes for the next one.
    """

    felt: Response | Given
    before: Float[Array, "batch units"]
    trace: Trace | None = None

    @property
    def psp(self) -> Potentials:
        """The postsynaptic potentials."""
        return self.felt.potentials

    @classmethod
    def spikes(cls, kernel: Kernel, trace: Trace, counts: Potentials) -> "Sent":
        """Spikes, after those in the trace."""
        felt, after = kernel.respond(trace, counts)
        return cls(felt, trace.psp, after)

    def drive(self, layer: Dense, n_steps: int) -> Potentials:
        """The basal potentials that it gives a layer above."""
        driven = self.felt.through(layer.kernel) + layer.bias
        return jnp.broadcast_to(driven, (n_steps, *driven.shape[1:]))

    def mean(self, weights: Float[Array, " steps"]) -> Float[Array, "batch units"]:
        """The weighted sum of its potentials over time."""
        return self.felt.mean(weights)

    def delayed(self) -> Potentials:
        """Its potentials one step later."""
        return jnp.concatenate([self.before[None], self.psp[:-1]])


def added(a: Means, b: Means) -> Means:
    """The means of two parts of a window, together."""
    return jax.tree.map(jnp.add, a, b)
