"""Dendritic cortical microcircuits: apical dendrites carry what interneurons fail to predict of the layer above."""

from collections.abc import Mapping
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from apical.core import Batch, Info, Pathway, PRNGKey, State, Weights
from apical.errors import InputError
from apical.hyperparameters import choice, integer, real
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_settings import EULER
from apical.networks.microcircuit_state import Activity, Nudge, assembled, families
from apical.rules import microcircuit_plasticity as plasticity
from apical.rules.base import AbstractRule, Preset
from apical.rules.microcircuit_plasticity import ApicalRates, BasalRates, Families, LateralRates
from apical.rules.microcircuit_presets import PRESETS
from apical.rules.optimisers import (
    METHOD_WORDS,
    METHODS,
    MOMENTUM_WORDS,
    RATE_DECAY_WORDS,
    AbstractOptimiser,
    take_step,
)


class Microcircuit(AbstractRule):
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
    plasticity: ClassVar = {"forward": BasalRates, "lateral": LateralRates, "feedback": ApicalRates}
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
    compared: ClassVar = "two-step"
    network: Circuit
    optimisers: dict[str, AbstractOptimiser]
    rate_per: str = choice("ms", ("ms", "presentation"), "what rates of learning are for: divided by its length or not")
    tau_delta_ms: Array | None = real(
        None,
        "low-pass filter of plasticity (euler); none: at once",
        low=0,
        open_low=True,
        unit="ms",
        optional=True,
        source="Gille 2023: 1",
    )
    weight_clip: Array = real(
        4.0, "largest weight of every synapse", low=0, open_low=True, per_layer=True, source="Gille"
    )
    plasticity_onset_ms: Array = real(0.0, "start of a presentation without plasticity (euler)", low=0, unit="ms")
    plasticity_steps: int = integer(
        1, "steps of plasticity in a presentation, activity settling before each (steady-state)", low=1, high=100_000
    )
    optimiser: str = choice("sgd", tuple(METHODS), METHOD_WORDS)
    momentum: Array = real(0.9, MOMENTUM_WORDS, low=0, high=0.9999)
    rate_decay: Array = real(0.0, RATE_DECAY_WORDS.format("rate_decay"), low=0, unit="1/update")

    def __check_init__(self) -> None:
        if self.network.engine == EULER and self.optimiser != "sgd":
            raise InputError("engine=euler moves weights in time as they are: set optimiser=sgd, or another engine")
        if self.network.engine != EULER and self.tau_delta_ms is not None:
            raise InputError("tau_delta_ms filters in time: set engine=euler, or tau_delta_ms=none")

    def init(self, key: PRNGKey, batch: Batch) -> State:
        weights = self.network.init_weights(key)
        method = METHODS[self.optimiser](self.momentum)
        memory = {name: plasticity.remembered(method, layers) for name, layers in self.plastic(weights).items()}
        return State(weights, memory, self.network.rest(batch.x))

    def plastic(self, weights: Weights) -> Families:
        """The families that learn."""
        return {name: layers for name, layers in families(weights).items() if name in plasticity.rates(self.optimisers)}

    def update(self, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Info]:
        net, before = self.network, state.weights
        potentials = net.apply(before.forward, batch.x)
        nudge = net.nudge(net.target(batch.y))
        weights, memory, direction = self.learn_settled(before, state.optimiser, batch, nudge)
        info = Info(net.loss(potentials, batch.y), net.scores(potentials), direction)
        return State(weights, memory, state.neurons), info

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
        plastic, method = self.plastic(weights), METHODS[self.optimiser](self.momentum)
        towards = plasticity.present(self.network, plastic, plasticity.direction(self.network, plastic, seen))
        duration = self.duration / self.plasticity_steps
        stepped = {
            name: take_step(method, rate * duration, self.rate_decay, towards[name], memory[name], plastic[name])
            for name, rate in plasticity.rates(self.optimisers).items()
        }
        moved = plasticity.clipped({name: layers for name, (layers, _) in stepped.items()}, self.weight_clip)
        after = {**families(weights), **moved}
        return assembled(after), {name: memory for name, (_, memory) in stepped.items()}, assembled(towards)

    @property
    def duration(self) -> Array:
        """The length of a presentation in the unit that rates are for."""
        return self.network.presentation_ms if self.rate_per == "ms" else jnp.ones_like(self.network.presentation_ms)

    def pathways(self, weights: Weights) -> tuple[Pathway, ...]:
        pairs = zip(weights.forward[1:], weights.feedback, strict=True)
        return tuple(Pathway(l, above.kernel, down.kernel.T) for l, (above, down) in enumerate(pairs))
