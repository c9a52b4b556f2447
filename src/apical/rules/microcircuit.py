"""Dendritic cortical microcircuits: apical dendrites carry what interneurons fail to predict of the layer above."""

from collections.abc import Mapping
from typing import ClassVar

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, PyTree

from apical.core import Batch, Info, PRNGKey, State, Weights
from apical.errors import InputError
from apical.hyperparameters import integer, real, switch
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_euler import prepared
from apical.networks.microcircuit_settings import EULER, HARD, SACRAMENTO
from apical.networks.microcircuit_state import Activity, Nudge, assembled
from apical.rules import microcircuit_plasticity as plasticity
from apical.rules.base import Preset
from apical.rules.circuit import AbstractCircuitRule
from apical.rules.microcircuit_plasticity import Families
from apical.rules.microcircuit_presets import PRESETS
from apical.rules.microcircuit_simulation import Learning, silent_traces, simulate


class Microcircuit(AbstractCircuitRule):
    """Dendritic microcircuits: interneurons predict the layer above, apical dendrites feel what they miss.

    A teacher pulls output cells towards the target; what changes there is not predicted by the interneurons below, is
    left in apical dendrites, moves their somas, and so on down. Every synapse learns from what its own cell knows
    (Sacramento 2018, eqs. 7-10), phi the transfer function, a the share at which a soma follows its dendrite:

    W_up descends -[phi(u_k) - phi(a_k v_B,k)] r_{k-1}^T, W_ip -[phi(u_I) - phi(a_I v_I)] r_k^T,
    W_pi v_A,k r_I,k^T, and W_down, where it learns, -[phi(u_k) - phi(W_down r_{k+1})] r_{k+1}^T.

    With latent equilibrium (Haider 2021) rates are those of prospective potentials u + tau du/dt, so that slow cells
    pass errors on at once. Its authors have published a patent notice with their program; this is written from the
    equations of the paper. Gille's (2023) is the same model with its plasticity filtered in time.

    **Raises** `InputError` for settings that contradict each other.

    @inproceedings{sacramento2018,
      title = {Dendritic cortical microcircuits approximate the backpropagation algorithm},
      author = {Sacramento, Jo{\\~a}o and Ponte Costa, Rui and Bengio, Yoshua and Senn, Walter},
      booktitle = {Advances in Neural Information Processing Systems}, volume = {31}, year = {2018}
    }

    @inproceedings{haider2021,
      title = {Latent equilibrium: A unified learning theory for arbitrarily fast computation with arbitrarily slow
               neurons},
      author = {Haider, Paul and Ellenberger, Benjamin and Kriener, Laura and Jordan, Jakob and Senn, Walter and
                Petrovici, Mihai A.},
      booktitle = {Advances in Neural Information Processing Systems}, volume = {34}, year = {2021}
    }
    """

    name: ClassVar = "microcircuit"
    networks: ClassVar = {"mlp": Circuit}
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
    compared: ClassVar = "two-step"
    network: Circuit
    rescaled: bool = switch(
        False,
        "rate_up and rate_ip are divided by what mixing leaves of an error, so that they are those of a gradient",
        source=SACRAMENTO,
    )
    tau_delta_ms: Array | None = real(
        None,
        "low-pass filter of plasticity (euler); none: at once",
        low=0,
        open_low=True,
        unit="ms",
        optional=True,
        source="Gille 2023: 1",
    )
    plasticity_steps: int = integer(
        1, "steps of plasticity in a presentation, activity settling before each (steady-state)", low=1, high=100_000
    )

    def __check_init__(self) -> None:
        if self.network.engine == EULER and self.optimiser != "sgd":
            raise InputError("engine=euler moves weights in time as they are: set optimiser=sgd, or another engine")
        if self.network.engine != EULER and self.tau_delta_ms is not None:
            raise InputError("tau_delta_ms filters in time: set engine=euler, or tau_delta_ms=none")

    def init(self, key: PRNGKey, batch: Batch) -> State:
        weights = self.network.init_weights(key)
        if self.network.engine == EULER:
            memory: PyTree = (jnp.zeros((), dtype=int), self.empty_traces(self.plastic(weights)))
        else:
            memory = self.memory(weights)
        return State(weights, memory, self.network.rest(batch.x))

    @property
    def rates(self) -> dict[str, Array]:
        """The rate of every family that learns, one for each layer where it is rescaled."""
        return plasticity.rescaled(self.network, super().rates) if self.rescaled else super().rates

    def update(self, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Info]:
        net, before = self.network, state.weights
        batch = net.blurred(batch, key)
        potentials = net.apply(before.forward, batch.x)
        nudge = self.nudge(batch)
        if net.engine == EULER:
            after, direction = self.learn_in_time(state, batch, nudge, key)
        else:
            weights, memory, direction = self.learn_settled(before, state.optimiser, batch, nudge)
            after = State(weights, memory, state.neurons)
        return after, Info(net.loss(potentials, batch.y), net.scores(potentials), direction)

    def learn_in_time(self, state: State, batch: Batch, nudge: Nudge, key: PRNGKey) -> tuple[State, Weights]:
        """The state after a presentation, and the weights before minus after."""
        net, (n_updates, traces) = self.network, state.optimiser
        key_reset, key_show = jr.split(key)
        cells = prepared(net, state.weights, state.neurons, key_reset)
        plastic = self.plastic(state.weights)
        if net.reset == HARD:
            traces = self.empty_traces(plastic)
        share = self.unit / net.presentation_ms / (1 + self.rate_decay * n_updates.astype(self.rate_decay.dtype))
        rates = {name: plasticity.each(share * rate, plastic[name]) for name, rate in self.rates.items()}
        bounds = plasticity.bounds(net, self.weight_clip, plastic)
        learning = Learning(rates, bounds, self.tau_delta_ms, self.plasticity_onset_ms, self.weight_decay)
        flat = batch.x.reshape(len(batch.x), -1)
        weights, cells, traces = simulate(net, learning, (state.weights, cells, traces), flat, nudge, key_show)
        moved = jax.tree.map(jnp.subtract, state.weights, weights)
        return State(weights, (n_updates + 1, traces), cells), moved

    def empty_traces(self, plastic: Families) -> Families:
        """Filtered plasticity before there was any; none where plasticity is not filtered."""
        return {} if self.tau_delta_ms is None else silent_traces(plastic)

    def learn_settled(
        self, weights: Weights, memory: PyTree, batch: Batch, nudge: Nudge
    ) -> tuple[Weights, PyTree, Weights]:
        """Weights and memory after a presentation without time, and what was descended."""
        settle = lambda weights: self.network.settle(weights, batch.x, nudge)  # noqa: E731
        if self.plasticity_steps == 1:
            return self.step(weights, memory, settle(weights))

        def step(_: Array, carry: tuple[Weights, PyTree]) -> tuple[Weights, PyTree]:
            return self.step(*carry, settle(carry[0]))[:2]

        after, memory = jax.lax.fori_loop(0, self.plasticity_steps, step, (weights, memory))
        return after, memory, jax.tree.map(jnp.subtract, weights, after)

    def step(self, weights: Weights, memory: PyTree, seen: Activity) -> tuple[Weights, PyTree, Weights]:
        """One step of plasticity for this activity: weights, memory, and what was descended."""
        plastic = self.plastic(weights)
        towards = plasticity.present(self.network, plastic, plasticity.direction(self.network, plastic, seen))
        return *self.descended(weights, memory, towards), assembled(towards)

    def descended(self, weights: Weights, memory: PyTree, towards: Families) -> tuple[Weights, PyTree]:
        """Weights and memory after one step of these families along what they descend."""
        return self.stepped(weights, memory, towards, self.unit / self.plasticity_steps)
