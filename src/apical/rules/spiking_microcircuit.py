"""Spiking dendritic microcircuits: the rate network's plasticity from Poisson spikes and leaky dendrites."""

from collections.abc import Mapping
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array

from apical.core import Batch, Info, Pathway, PRNGKey, State, Weights
from apical.errors import InputError
from apical.hyperparameters import choice, real, switch
from apical.networks.microcircuit_settings import GILLE
from apical.networks.microcircuit_state import Nudge, absent, assembled, families
from apical.networks.spiking_circuit import SpikingCircuit
from apical.rules import microcircuit_plasticity as plasticity
from apical.rules.base import AbstractRule, Preset
from apical.rules.microcircuit_plasticity import ApicalRates, BasalRates, Families, LateralRates
from apical.rules.optimisers import (
    METHOD_WORDS,
    METHODS,
    MOMENTUM_WORDS,
    RATE_DECAY_WORDS,
    WEIGHT_DECAY_WORDS,
    AbstractOptimiser,
    take_step,
)
from apical.rules.pathways import synaptic_pathways
from apical.rules.spiking_held import held
from apical.rules.spiking_online import online, rules
from apical.rules.spiking_plasticity import Setting
from apical.rules.spiking_presets import PRESETS

HELD, TIME_DRIVEN, EVENT_BASED = "held", "time-driven", "event-based"


class SpikingMicrocircuit(AbstractRule):
    """Dendritic microcircuits that spike: synapses learn from traces of spikes and potentials of their own cell.

    The model is that of `microcircuit` with Poisson spikes at psi times the rate, felt by leaky dendrites (Gille 2023).
    An error E (as there) meets a trace s of presynaptic spikes, and their product is low-passed, both with tau_delta:
    tau dw~/dt = -w~ + E s, dw/dt = eta w~. Scaled by psi and tau_delta it is the plasticity of rates in the mean, up to
    noise of 1 / sqrt(psi C) and to the bias of the interneurons' own spikes, which `unbiased_apical` removes.

    **Raises** `InputError` for settings that contradict each other.

    @misc{gille2023,
      title = {Learning in cortical microcircuits with multi-compartment pyramidal neurons and spikes},
      author = {Gille, Johannes}, year = {2023}
    }

    @article{urbanczik2014,
      title = {Learning by the dendritic prediction of somatic spiking},
      author = {Urbanczik, Robert and Senn, Walter},
      journal = {Neuron}, volume = {81}, number = {3}, pages = {521--528}, year = {2014}
    }
    """

    name: ClassVar = "spiking-microcircuit"
    networks: ClassVar = {"mlp": SpikingCircuit}
    plasticity: ClassVar = {"forward": BasalRates, "lateral": LateralRates, "feedback": ApicalRates}
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
    silent: ClassVar = False
    network: SpikingCircuit
    optimisers: dict[str, AbstractOptimiser]
    rate_per: str = choice("ms", ("ms", "presentation"), "what rates of learning are for: divided by its length or not")
    plasticity_engine: str = choice(
        HELD,
        (HELD, TIME_DRIVEN, EVENT_BASED),
        "weights held while patterns are shown, moved in every step, or brought up to date by spikes",
    )
    tau_delta_ms: Array = real(
        1.0, "time constant of traces and of the low-pass of plasticity", low=0, open_low=True, unit="ms", source=GILLE
    )
    unbiased_apical: bool = switch(
        True, "what interneurons' own spikes do to the errors of their synapses is subtracted"
    )
    slope_factor: bool = switch(
        False, "errors of basal dendrites and of interneurons' times h(u) = phi'(u) / phi(u)", source="Urbanczik 2014"
    )
    weight_clip: Array = real(4.0, "largest weight", low=0, open_low=True, per_layer=True, source=GILLE)
    plasticity_onset_ms: Array = real(0.0, "start of a presentation without plasticity", low=0, unit="ms")
    taught: bool = switch(True, "a teacher pulls on output cells while learning")
    optimiser: str = choice("sgd", tuple(METHODS), METHOD_WORDS + " (held)")
    momentum: Array = real(0.9, MOMENTUM_WORDS, low=0, high=0.9999)
    rate_decay: Array = real(0.0, RATE_DECAY_WORDS.format("rate_decay") + " (held)", low=0, unit="1/update")
    weight_decay: Array = real(0.0, WEIGHT_DECAY_WORDS + " (held)", low=0, high=1)

    def __check_init__(self) -> None:
        if self.plasticity_engine != HELD and self.optimiser != "sgd":
            raise InputError(
                f"plasticity_engine={self.plasticity_engine} moves weights as they are: set optimiser=sgd, or {HELD}"
            )
        if self.plasticity_engine == EVENT_BASED and self.unbiased_apical:
            raise InputError("plasticity_engine=event-based sees weights at spikes alone: set unbiased_apical=false")
        if "feedback" in self.optimisers:
            raise InputError("rate_down: synapses from above learn in the rate network alone; set rate_down=none")

    def init(self, key: PRNGKey, batch: Batch) -> State:
        weights = self.network.init_weights(key)
        method = METHODS[self.optimiser](self.momentum)
        plastic = self.plastic(weights).items()
        memory = {name: plasticity.remembered(method, layers) for name, layers in plastic}
        return State(weights, memory if self.plasticity_engine == HELD else {}, None)

    def plastic(self, weights: Weights) -> Families:
        """The families that learn."""
        return {
            name: layers
            for name, layers in families(weights).items()
            if name in plasticity.rates(self.network, self.optimisers)
        }

    @property
    def setting(self) -> Setting:
        """How plasticity goes."""
        names = tuple(plasticity.rates(self.network, self.optimisers))
        onset, delay = self.plasticity_onset_ms, self.network.target_delay_ms
        return Setting(names, self.tau_delta_ms, onset, delay, self.unbiased_apical, self.slope_factor)

    def update(self, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Info]:
        net, before = self.network, state.weights
        batch = net.blurred(batch, key)
        potentials = net.apply(before.forward, batch.x)
        flat, nudge = batch.x.reshape(len(batch.x), -1), net.nudge(net.target(batch.y)) if self.taught else absent()
        if self.plasticity_engine == HELD:
            after, memory, direction = self.held(state, flat, nudge, key)
        else:
            after, memory = self.online(before, flat, nudge, key), {}
            direction = jax.tree.map(jnp.subtract, before, after)
        info = Info(net.loss(potentials, batch.y), net.scores(potentials), direction)
        return State(after, memory, None), info

    def held(self, state: State, x: Array, nudge: Nudge, key: PRNGKey) -> tuple[Weights, dict, Weights]:
        """Weights and memory after a presentation through which weights were held, and what was descended."""
        weights, plastic = state.weights, self.plastic(state.weights)
        towards = held(self.network, self.setting, weights, x, nudge, key)
        towards = plasticity.present(self.network, plastic, towards)
        method, along = METHODS[self.optimiser](self.momentum), plasticity.decayed(towards, plastic, self.weight_decay)
        stepped = {
            name: take_step(method, rate, self.rate_decay, along[name], state.optimiser[name], plastic[name])
            for name, rate in self.rates(self.network.presentation_ms - self.plasticity_onset_ms).items()
        }
        moved = {name: layers for name, (layers, _) in stepped.items()}
        moved = plasticity.clipped(moved, plasticity.limits(self.weight_clip, moved))
        after = assembled({**families(weights), **moved})
        return after, {name: memory for name, (_, memory) in stepped.items()}, assembled(towards)

    def online(self, weights: Weights, x: Array, nudge: Nudge, key: PRNGKey) -> Weights:
        """Weights after a presentation in which they moved in every step."""
        net = self.network
        laws = rules(net, self.setting, weights, self.rates(jnp.ones(())), self.weight_clip)
        after = online(net, self.setting, laws, self.plasticity_engine == EVENT_BASED, weights, x, nudge, key)
        if net.connection_probability == 1:
            return after
        return jax.tree.map(lambda w, a: jnp.where(w == 0, 0.0, a) if w.ndim == 2 else a, weights, after)

    def rates(self, duration: Array) -> dict[str, Array]:
        """The rate of every family that learns, for so many ms."""
        whole = jnp.ones(()) if self.rate_per == "ms" else self.network.presentation_ms
        return {name: rate * duration / whole for name, rate in plasticity.rates(self.network, self.optimisers).items()}

    def pathways(self, weights: Weights) -> tuple[Pathway, ...]:
        return synaptic_pathways(weights.forward, weights.feedback)
