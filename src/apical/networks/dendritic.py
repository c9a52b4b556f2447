"""A network of cells with segregated dendrites (Guerguiev 2017) in rate mode: no spikes, phases in their steady state.

Basal dendrites hear the layer below, apical dendrites the output (or the layer above), the soma fires. In rate mode a
phase is two steps long and its last step is read; somas follow their basal dendrites at once, so that step *is* the
steady state and nothing of an earlier phase survives into it. What is computed here is that state.
"""

import itertools
import math
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from apical.core import Inputs, Labels, Neurons, PRNGKey, Scalar, Scores, Weights
from apical.hyperparameters import real, switch
from apical.networks.base import AbstractNetwork
from apical.networks.dendritic_init import optimised_layer, plain_layer
from apical.networks.layers import Dense
from apical.neurons.compartments import coupling, fire, plateau, taught_soma

PAPER = "Guerguiev 2017"


class Phase(eqx.Module):
    """A phase, averaged over its window: `psps[l]` enters layer l, `somas[l]` and `rates[l]` are that layer's."""

    psps: tuple[Float[Array, "batch _"], ...]
    somas: tuple[Float[Array, "batch _"], ...]
    rates: tuple[Float[Array, "batch _"], ...]


class Dendritic(AbstractNetwork):
    """Hidden cells with basal and apical dendrites and a soma; output cells with a basal dendrite and a soma."""

    default_hidden: ClassVar[tuple[int, ...]] = (500,)
    shape: tuple[int, ...] = eqx.field(static=True)
    classes: int = eqx.field(static=True)
    hidden: tuple[int, ...] = eqx.field(static=True)
    max_rate: Array = real(
        0.2,
        "largest rate of a cell",
        low=0,
        open_low=True,
        unit="spikes/ms",
        source=PAPER,
        search={"lange-2019": (0.2, 0.5)},
    )
    tau_L_ms: Array = real(
        10.0,
        "leak time constant; the leak conductance is its inverse",
        low=0,
        open_low=True,
        unit="ms",
        source=PAPER,
        search={"lange-2019": (7.0, 13.0)},
    )
    g_basal: Array = real(
        0.6,
        "conductance from basal dendrite to soma",
        low=0,
        open_low=True,
        unit="1/ms",
        source=PAPER,
        search={"lange-2019": (0.3, 0.9)},
    )
    g_apical: Array = real(
        0.05,
        "conductance from apical dendrite to soma, where there is one",
        low=0,
        unit="1/ms",
        source=PAPER,
        search={"lange-2019": (0.02, 0.1)},
    )
    e_exc: Array = real(
        8.0, "excitatory reversal potential of the teacher", low=0, source=PAPER, search={"lange-2019": (5.0, 12.0)}
    )
    e_inh: Array = real(
        -8.0, "inhibitory reversal potential of the teacher", high=0, source=PAPER, search={"lange-2019": (-12.0, -5.0)}
    )
    init_spread: Array = real(
        2.0,
        "spread of the optimised initial weights over the one aimed at",
        low=0,
        source="programs of 2017 and 2019: 2",
    )
    broadcast: bool = switch(
        True,
        "apical dendrites of every hidden layer hear the output; else the layer above",
        source=PAPER,
        search={"lange-2019": (False, True)},
    )
    apical_conductance: bool = switch(
        False, "the apical dendrite leaks into the soma", source=PAPER, search={"lange-2019": (False, True)}
    )
    optimised_init: bool = switch(
        True,
        "initial weights aimed at basal potentials of mean 3, s.d. 3",
        source=PAPER,
        search={"lange-2019": (False, True)},
    )

    @property
    def g_leak(self) -> Array:
        """Leak conductance of every soma, 1/ms."""
        return 1 / self.tau_L_ms

    @property
    def k_basal(self) -> Array:
        """Share of the basal potential at which a hidden soma settles."""
        return coupling(
            self.g_basal, self.g_leak, self.g_apical if self.apical_conductance else jnp.zeros_like(self.g_apical)
        )

    @property
    def k_output(self) -> Array:
        """Share of the basal potential at which an output soma settles without a teacher."""
        return coupling(self.g_basal, self.g_leak, jnp.zeros_like(self.g_leak))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of every layer, inputs included."""
        return (math.prod(self.shape), *self.hidden, self.classes)

    def init(self, key: PRNGKey) -> tuple[Dense, ...]:
        pairs = itertools.pairwise(self.sizes)
        keys = jr.split(key, len(self.sizes) - 1)
        return tuple(self.draw(k, below, above, below) for k, (below, above) in zip(keys, pairs, strict=True))

    def init_feedback(self, key: PRNGKey) -> tuple[Array, ...]:
        """Apical weights of every hidden layer, (units, source), under the law of the forward weights above it."""
        sources = [self.classes] * len(self.hidden) if self.broadcast else [*self.hidden[1:], self.classes]
        rows = zip(jr.split(key, len(self.hidden)), self.hidden, sources, strict=True) if self.hidden else ()
        return tuple(self.draw(k, source, units, units, 1.0).kernel for k, units, source in rows)

    def draw(self, key: PRNGKey, below: int, above: int, fan_in: int, plain_spread: float = 0.1) -> Dense:
        """Initial weights (above, below): the optimised law for `fan_in` synapses, or the plain uniform one."""
        if self.optimised_init:
            return optimised_layer(key, below, above, fan_in, self.max_rate, self.init_spread)
        return plain_layer(key, below, above, plain_spread)

    def forward_phase(self, forward: tuple[Dense, ...], x: Inputs) -> Phase:
        """The forward phase: what the cells do with the input alone."""
        psps, somas = [self.max_rate * x.reshape(len(x), -1)], []
        shares = [self.k_basal] * len(self.hidden) + [self.k_output]
        for layer, share in zip(forward, shares, strict=True):
            somas.append(share * layer(psps[-1]))
            psps.append(fire(somas[-1], self.max_rate))
        return Phase(tuple(psps[:-1]), tuple(somas), tuple(psps[1:]))

    def taught_rate(self, free: Float[Array, "batch classes"], y: Labels) -> Float[Array, "batch classes"]:
        """Rates of the output cells in the target phase, from their somas in the forward phase and the labels."""
        target = jax.nn.one_hot(y, self.classes)
        taught = taught_soma(free / self.k_output, target, self.g_basal, self.g_leak, self.e_exc, self.e_inh)
        return fire(taught, self.max_rate)

    def plateaus(self, feedback: tuple[Array, ...], rates: tuple[Array, ...]) -> tuple[Array, ...]:
        """Plateau potentials of every hidden layer in a phase with these rates of the hidden and output cells."""
        sources = [rates[-1]] * len(feedback) if self.broadcast else rates[1:]
        return tuple(plateau(source @ y.T) for y, source in zip(feedback, sources, strict=True))

    def apply(self, forward: tuple[Dense, ...], x: Inputs) -> Scores:
        """Somatic potentials of the output cells in the forward phase."""
        return self.forward_phase(forward, x).somas[-1]

    def loss(self, scores: Scores, y: Labels) -> Scalar:
        """Half the squared distance of output rates to taught ones, in max_rate^2; the teacher is held fixed."""
        taught = jax.lax.stop_gradient(self.taught_rate(scores, y))
        distance = (taught - fire(scores, self.max_rate)) / self.max_rate
        return 0.5 * jnp.sum(distance**2, axis=-1).mean()

    def rest(self, x: Inputs) -> Neurons:
        return ()

    def predict(self, weights: Weights, neurons: Neurons, x: Inputs, key: PRNGKey) -> Scores:
        return self.apply(weights.forward, x)
