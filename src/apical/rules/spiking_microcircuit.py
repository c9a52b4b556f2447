"""Spiking dendritic microcircuits: the rate network's plasticity from Poisson spikes and leaky dendrites."""

from collections.abc import Mapping
from typing import ClassVar

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from apical.core import Batch, Info, PRNGKey, State, Weights
from apical.errors import InputError
from apical.hyperparameters import choice, real, switch
from apical.networks.microcircuit_settings import GILLE, HARD
from apical.networks.microcircuit_state import assembled
from apical.networks.spiking_circuit import SpikingCircuit
from apical.networks.spiking_steps import Cells, prepared
from apical.rules import microcircuit_plasticity as plasticity
from apical.rules.base import Preset
from apical.rules.circuit import AbstractCircuitRule
from apical.rules.microcircuit_plasticity import Families
from apical.rules.spiking_held import held
from apical.rules.spiking_online import online, rules
from apical.rules.spiking_plasticity import Setting
from apical.rules.spiking_presets import PRESETS

RESET = 1_000_003  # folded into the key of an update, apart from the numbers of blocks and steps
HELD, TIME_DRIVEN, EVENT_BASED = "held", "time-driven", "event-based"


class SpikingMicrocircuit(AbstractCircuitRule):
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
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
    silent: ClassVar = False
    network: SpikingCircuit
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
        memory = self.memory(weights) if self.plasticity_engine == HELD else {}
        return State(weights, memory, self.network.rest(batch.x))

    @property
    def setting(self) -> Setting:
        """How plasticity goes."""
        onset, delay = self.plasticity_onset_ms, self.network.target_delay_ms
        return Setting(tuple(self.rates), self.tau_delta_ms, onset, delay, self.unbiased_apical, self.slope_factor)

    @property
    def a_ms(self) -> Array:
        """A ms in the unit that rates are for."""
        return self.unit / self.network.presentation_ms

    def update(self, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Info]:
        net, before = self.network, state.weights
        batch = net.blurred(batch, key)
        potentials = net.apply(before.forward, batch.x)
        cells = prepared(net, before, state.neurons, len(batch.x), jr.fold_in(key, RESET))
        if self.plasticity_engine == HELD:
            towards, cells = self.credit(before, batch, cells, key)
            after, memory = self.descended(before, state.optimiser, towards)
            direction = assembled(towards)
        else:
            (after, cells), memory = self.online(before, batch, cells, key), {}
            direction = jax.tree.map(jnp.subtract, before, after)
        info = Info(net.loss(potentials, batch.y), net.scores(potentials), direction)
        return State(after, memory, None if net.reset == HARD else cells), info

    def credit(self, weights: Weights, batch: Batch, cells: Cells, key: PRNGKey) -> tuple[Families, Cells]:
        """What every family descends on average over a presentation through which weights are held; the cells after."""
        flat = batch.x.reshape(len(batch.x), -1)
        towards, cells = held(self.network, self.setting, weights, flat, self.nudge(batch), cells, key)
        return plasticity.present(self.network, self.plastic(weights), towards), cells

    def descended(self, weights: Weights, memory: dict, towards: Families) -> tuple[Weights, dict]:
        """Weights and memory after a step of these families along what they descend."""
        duration = (self.network.presentation_ms - self.plasticity_onset_ms) * self.a_ms
        return self.stepped(weights, memory, towards, duration)

    def online(self, weights: Weights, batch: Batch, cells: Cells, key: PRNGKey) -> tuple[Weights, Cells]:
        """Weights and cells after a presentation in which weights moved in every step."""
        net, x, event_based = self.network, batch.x.reshape(len(batch.x), -1), self.plasticity_engine == EVENT_BASED
        rates = {name: rate * self.a_ms for name, rate in self.rates.items()}
        laws = rules(net, self.setting, weights, rates, self.weight_clip)
        after, cells = online(net, self.setting, laws, event_based, weights, x, self.nudge(batch), cells, key)
        if net.connection_probability < 1:
            after = jax.tree.map(lambda w, a: jnp.where(w == 0, 0.0, a) if w.ndim == 2 else a, weights, after)
        return after, cells
