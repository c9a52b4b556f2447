"""What microcircuits in rates and in spikes share as rules: which synapses learn, the teacher, the step of weights."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from apical.core import Batch, Pathway, Weights
from apical.hyperparameters import choice, integers, real, switch
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_state import Nudge, absent, assembled, families
from apical.rules import microcircuit_plasticity as plasticity
from apical.rules.base import AbstractRule
from apical.rules.microcircuit_plasticity import ApicalRates, BasalRates, Families, LateralRates
from apical.rules.optimisers import (
    METHOD_WORDS,
    METHODS,
    MOMENTUM_WORDS,
    RATE_DECAY_WORDS,
    RATE_DROPS_WORDS,
    WEIGHT_DECAY_WORDS,
    AbstractOptimiser,
    dropped,
    take_step,
)
from apical.rules.pathways import synaptic_pathways

MS, PRESENTATION = "ms", "presentation"


class AbstractCircuitRule(AbstractRule):
    """A microcircuit whose families of synapses learn at rates of their own, and move by one optimiser of the field.

    Plasticity in time moves weights as they are: `optimiser` is for presentations at the end of which they move.
    """

    plasticity: ClassVar = {"forward": BasalRates, "lateral": LateralRates, "feedback": ApicalRates}
    network: Circuit
    optimisers: dict[str, AbstractOptimiser]
    rate_per: str = choice(MS, (MS, PRESENTATION), "what rates of learning are for: divided by its length or not")
    weight_clip: Array = real(
        4.0, "largest weight of every synapse", low=0, open_low=True, per_layer=True, source="Gille 2023"
    )
    plasticity_onset_ms: Array = real(0.0, "start of a presentation without plasticity", low=0, unit="ms")
    taught: bool = switch(True, "a teacher pulls on output cells while learning")
    optimiser: str = choice("sgd", tuple(METHODS), METHOD_WORDS + ", where weights move once in a presentation")
    momentum: Array = real(0.9, MOMENTUM_WORDS, low=0, high=0.9999)
    rate_decay: Array = real(0.0, RATE_DECAY_WORDS.format("rate_decay"), low=0, unit="1/update")
    weight_decay: Array = real(0.0, WEIGHT_DECAY_WORDS, low=0, high=1)
    rate_drops: tuple[int, ...] | None = integers(None, RATE_DROPS_WORDS, low=1, optional=True)

    def in_epoch(self, epoch: Int[Array, ""]) -> "AbstractCircuitRule":
        if not self.rate_drops:
            return self
        left = dropped(self.rate_drops, epoch)
        return dataclasses.replace(self, optimisers=jax.tree.map(lambda rate: rate * left, self.optimisers))

    @property
    def rates(self) -> dict[str, Array]:
        """The rate of every family that learns."""
        return plasticity.rates(self.network, self.optimisers)

    @property
    def unit(self) -> Array:
        """The length of a presentation in the unit that rates are for."""
        length = self.network.presentation_ms
        return length if self.rate_per == MS else jnp.ones_like(length)

    def plastic(self, weights: Weights) -> Families:
        """The families that learn."""
        rates = self.rates
        return {name: layers for name, layers in families(weights).items() if name in rates}

    def nudge(self, batch: Batch) -> Nudge:
        """What the teacher does while a batch is learnt."""
        return self.network.nudge(self.network.target(batch.y)) if self.taught else absent()

    def memory(self, weights: Weights) -> dict[str, PyTree]:
        """The optimiser's memory of every family before its first step: how many there were, and the method's own."""
        method, plastic = METHODS[self.optimiser](self.momentum), self.plastic(weights)
        return {name: (jnp.zeros((), dtype=int), method.init(of)) for name, of in plastic.items()}  # type: ignore[arg-type]

    def stepped(
        self, weights: Weights, memory: dict[str, PyTree], towards: Families, duration: Array
    ) -> tuple[Weights, dict[str, PyTree]]:
        """Weights and memory after one step of these families along what they descend, at rates times `duration`."""
        method, plastic, rates = METHODS[self.optimiser](self.momentum), self.plastic(weights), self.rates
        along = plasticity.decayed(towards, plastic, self.weight_decay)
        steps = {
            name: take_step(method, rates[name] * duration, self.rate_decay, layers, memory[name], plastic[name])
            for name, layers in along.items()
        }
        moved = {name: layers for name, (layers, _) in steps.items()}
        moved = plasticity.clipped(moved, plasticity.bounds(self.network, self.weight_clip, moved))
        past = {name: past for name, (_, past) in steps.items()}
        return assembled({**families(weights), **moved}), {**memory, **past}

    def pathways(self, weights: Weights) -> tuple[Pathway, ...]:
        return synaptic_pathways(weights.forward, weights.feedback)
