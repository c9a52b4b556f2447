"""The hyperparameters of a network of cells with segregated dendrites, what follows from them, and what is refused."""

import math
from typing import Any, ClassVar

import jax.core
import jax.numpy as jnp
from jaxtyping import Array

from apical.errors import InputError
from apical.hyperparameters import Declared, integer, real, switch
from apical.networks.base import AbstractNetwork
from apical.neurons.kernels import Kernel

PAPER, TABLE = "Guerguiev 2017", "lange-2019"
LATEST_PLATEAU = 5
PLATEAU_SPREAD = 3.0


SPIKES = (("spiking_feedforward", True), ("spiking_feedback", True))
OPTIMISED = (("optimised_init", True),)


def paper_switch(default: bool, meaning: str, **about: Any) -> Any:
    """A switch of the review's table of hyperparameters."""
    return switch(default, meaning, source=PAPER, search={TABLE: (False, True)}, **about)


def phase(default: int, meaning: str, low: int, high: int) -> Any:
    """The length of a phase; the table searches from `low` to `high`."""
    return integer(default, meaning, low=1, unit="ms", source=PAPER, search={TABLE: (low, high)})


class DendriticSettings(AbstractNetwork):
    """Everything that is set about such a network. Lengths of phases are in ms; `dt_ms` must divide them."""

    default_hidden: ClassVar[tuple[int, ...]] = (500,)

    spiking_feedforward: bool = paper_switch(True, "cells send spikes upwards; else their rates")
    spiking_feedback: bool = paper_switch(True, "apical dendrites hear spikes; else rates")
    conductances: bool = paper_switch(True, "somas follow their dendrites by conductances; else at once")
    apical_conductance: bool = paper_switch(False, "the apical dendrite leaks into the soma")
    broadcast: bool = paper_switch(True, "apical dendrites of every hidden layer hear the output; else the layer above")
    feedback_bias: bool = paper_switch(False, "apical dendrites have a bias")
    sparse_feedback: bool = paper_switch(False, "80 % of the feedback weights are zero for good, the others times 5")
    symmetric_feedback: bool = paper_switch(False, "feedback weights copy the transposed path above after every update")
    noisy_symmetric_feedback: bool = paper_switch(
        False, "each symmetric copy carries fresh noise of s.d. 0.05", needs=(("symmetric_feedback", True),)
    )
    optimised_init: bool = paper_switch(True, "initial weights aimed at basal potentials of mean 3, s.d. 3")
    init_spread: Array = real(
        1.0,
        "spread of the optimised initial weights over the one aimed at",
        low=0,
        needs=OPTIMISED,
        search={"own": (0.5, 4.0)},
        source="paper: 1; programs of 2017 and 2019: 2",
    )
    feedback_mean: Array = real(
        1.0,
        "mean of the optimised feedback weights over that of the law of forward weights",
        low=0,
        high=1,
        needs=OPTIMISED,
        search={"own": (0.0, 1.0)},
        source="program of 2017: 1; its earlier revisions: 0",
    )
    units_per_class: int = integer(1, "output cells averaged for each class", low=1, source=PAPER)

    dt_ms: float = real(
        1.0, "time step", static=True, low=0.01, high=2, unit="ms", source=PAPER, search={TABLE: (0.1, 1.0)}
    )
    forward_steps: int = phase(50, "forward phase in training", 2, 50)
    target_steps: int = phase(50, "target phase in training", 2, 50)
    test_steps: int = phase(250, "forward phase when tested", 50, 100)
    settling_steps: int = integer(
        30, "start of every phase that is left out of its means", low=0, unit="ms", source=PAPER
    )
    random_phase_lengths: bool = switch(True, "phases in training last some ms longer, at random", source=PAPER)
    random_plateau_times: bool = switch(False, "every cell has its plateau at a time of its own", source=PAPER)
    spike_memory: int | None = integer(
        None,
        "steps for which a spike is remembered; none: for ever, as in the equations",
        low=1,
        optional=True,
        needs=SPIKES,
        source="program of 2017: 10",
        search={TABLE: (1, 10)},
    )

    max_rate: Array = real(
        0.2,
        "largest rate of a cell",
        low=0,
        open_low=True,
        high=1,
        unit="1/ms",
        source=PAPER,
        search={TABLE: (0.2, 0.5)},
    )
    tau_s_ms: Array = real(
        3.0,
        "synaptic time constant",
        low=0,
        open_low=True,
        unit="ms",
        needs=SPIKES,
        source=PAPER,
        search={TABLE: (1.0, 5.0)},
    )
    tau_L_ms: Array = real(
        10.0,
        "leak time constant; the leak conductance is its inverse",
        low=0,
        open_low=True,
        unit="ms",
        source=PAPER,
        search={TABLE: (7.0, 13.0)},
    )
    g_basal: Array = real(
        0.6,
        "conductance from basal dendrite to soma",
        low=0,
        open_low=True,
        unit="1/ms",
        source=PAPER,
        search={TABLE: (0.3, 0.9)},
    )
    g_apical: Array = real(
        0.05,
        "conductance from apical dendrite to soma, where there is one",
        low=0,
        unit="1/ms",
        needs=(("apical_conductance", True),),
        source=PAPER,
        search={TABLE: (0.02, 0.1)},
    )
    e_exc: Array = real(
        8.0, "excitatory reversal potential of the teacher", low=0, source=PAPER, search={TABLE: (5.0, 12.0)}
    )
    e_inh: Array = real(
        -8.0, "inhibitory reversal potential of the teacher", high=0, source=PAPER, search={TABLE: (-12.0, -5.0)}
    )

    def __check_init__(self) -> None:
        Declared.__check_init__(self)  # first, as what follows divides by what was declared positive
        self._check_times()
        if self.noisy_symmetric_feedback and not self.symmetric_feedback:
            raise InputError("noisy_symmetric_feedback is noise on symmetric copies: set symmetric_feedback=true too")
        conductances = (self.tau_L_ms, self.g_basal, self.g_apical)
        if self.conductances and not any(isinstance(g, jax.core.Tracer) for g in conductances):
            self._check_stability()

    def _check_times(self) -> None:
        for name in ("forward_steps", "target_steps", "test_steps", "settling_steps"):
            steps = getattr(self, name) / self.dt_ms
            if abs(steps - round(steps)) > 1e-6:
                raise InputError(
                    f"dt_ms={self.dt_ms:g} does not divide {name}={getattr(self, name)} ms: choose one that does"
                )
        for name in ("forward_steps", "test_steps"):
            if getattr(self, name) <= self.settling_steps:
                raise InputError(
                    f"settling_steps={self.settling_steps} leaves nothing of {name}={getattr(self, name)}: lower it"
                )
        if self.n_window > self.n_target:
            raise InputError(
                f"target_steps={self.target_steps} is shorter than the forward phase without settling "
                f"({self.forward_steps - self.settling_steps} ms): lengthen it, or raise settling_steps"
            )
        if self.random_plateau_times and self.n_window + LATEST_PLATEAU > min(self.n_forward, self.n_target):
            raise InputError(f"random_plateau_times needs {LATEST_PLATEAU} steps of settling: raise settling_steps")

    def _check_stability(self) -> None:
        g_others = jnp.maximum(1.0, self.g_apical if self.apical_conductance else 0.0)
        reach = self.dt_ms * float(self.g_leak + self.g_basal + g_others)
        if reach >= 2:
            raise InputError(
                f"dt_ms={self.dt_ms:g} is too long for these conductances: dt (1/tau_L + g_basal + 1) is {reach:.3g} "
                "and must be below 2; lower dt_ms or g_basal, or raise tau_L_ms"
            )

    @property
    def n_outputs(self) -> int:
        """Output cells."""
        return self.classes * self.units_per_class

    @property
    def sizes(self) -> tuple[int, ...]:
        """Cells of every layer, inputs included."""
        return (math.prod(self.shape), *self.hidden, self.n_outputs)

    @property
    def sources(self) -> tuple[int, ...]:
        """The layer (0: input) whose activity each hidden layer's apical dendrites hear."""
        last = len(self.hidden) + 1
        return tuple(last if self.broadcast else l + 2 for l in range(len(self.hidden)))

    def n_steps(self, duration_ms: int) -> int:
        """Steps in so many ms."""
        return round(duration_ms / self.dt_ms)

    @property
    def n_forward(self) -> int:
        """Steps of the forward phase in training."""
        return self.n_steps(self.forward_steps)

    @property
    def n_target(self) -> int:
        """Steps of the target phase."""
        return self.n_steps(self.target_steps)

    @property
    def n_window(self) -> int:
        """Steps over which both phases of an example are averaged: their last ones."""
        return self.n_steps(self.forward_steps - self.settling_steps)

    @property
    def apical_acts(self) -> bool:
        """Whether apical dendrites drive their somas, which then follow the layers above step by step."""
        return self.apical_conductance and self.conductances

    @property
    def steady(self) -> bool:
        """Whether each phase is in its steady state throughout its window, whatever came before it."""
        spiking = self.spiking_feedforward or self.spiking_feedback
        late = self.n_window < min(self.n_forward, self.n_target) and not self.random_plateau_times
        return late and not spiking and not self.conductances

    @property
    def kernel(self) -> Kernel:
        """The kernel of postsynaptic potentials."""
        return Kernel(self.tau_L_ms, self.tau_s_ms, self.dt_ms, self.spike_memory)

    @property
    def gain(self) -> Array:
        """The mean potential that a rate of 1/ms leaves on the way up."""
        return self.kernel.area() if self.spiking_feedforward else jnp.ones_like(self.max_rate)

    @property
    def g_leak(self) -> Array:
        """Leak conductance of every soma, 1/ms."""
        return 1 / self.tau_L_ms

    @property
    def pull_hidden(self) -> Array:
        """All conductances onto a hidden soma, 1/ms."""
        return self.g_leak + self.g_basal + (self.g_apical if self.apical_conductance else 0.0)

    @property
    def pull_output(self) -> Array:
        """All conductances onto an output soma without a teacher, 1/ms; the teacher adds 1."""
        return self.g_leak + self.g_basal

    @property
    def k_basal(self) -> Array:
        """Share of the basal potential at which a hidden soma settles."""
        return self.g_basal / self.pull_hidden

    @property
    def k_output(self) -> Array:
        """Share of the basal potential at which an output soma settles without a teacher."""
        return self.g_basal / self.pull_output
