"""The hyperparameters of a dendritic cortical microcircuit, what follows from them, and what is refused."""

import math
from typing import Any, ClassVar

import jax.core
from jaxtyping import Array

from apical.errors import InputError
from apical.hyperparameters import Declared, choice, integer, real, switch
from apical.networks.initialisers import INITIALISERS
from apical.networks.noisy_inputs import NoisyInputs
from apical.neurons.rates import SHAPES, Transfer

HAIDER, SACRAMENTO, GILLE = "Haider 2021", "Sacramento 2018", "Gille 2023"
FLAT = "flat"
EULER, STEADY_STATE, TWO_STEP = "euler", "steady-state", "two-step"
HARD, SOFT = "hard", "soft"


def conductance(default: float, meaning: str, low: float, high: float) -> Any:
    """A conductance; capacitances are 1, so it is per ms."""
    return real(default, meaning, low=0, unit="1/ms", source=HAIDER, search={"own": (low, high)})


class MicrocircuitSettings(NoisyInputs):
    """Everything that is set about such a network. Potentials have no unit; the capacitance of every soma is 1."""

    default_hidden: ClassVar[tuple[int, ...]] = (500,)

    engine: str = choice(
        EULER,
        (EULER, STEADY_STATE, TWO_STEP),
        "how activity is found: the equations step by step, their steady state, or one pass up and one down",
    )
    presentation_ms: Array = real(
        50.0, "how long a pattern is shown", low=0, open_low=True, scale="log", unit="ms", source=GILLE
    )
    dt_ms: float = real(0.1, "time step (euler)", static=True, low=1e-3, high=5, unit="ms", source=GILLE)
    latent_equilibrium: bool = switch(True, "cells send the rate of their prospective potential", source=HAIDER)

    g_leak: Array = conductance(0.03, "leak conductance of every soma", 0.01, 0.2)
    g_basal: Array = real(
        0.1,
        "conductance from basal dendrite to soma",
        low=0,
        open_low=True,
        unit="1/ms",
        source=HAIDER,
        search={"own": (0.05, 1.0)},
    )
    g_dendrite: Array = real(
        0.1,
        "conductance from an interneuron's dendrite to its soma",
        low=0,
        open_low=True,
        unit="1/ms",
        source=HAIDER,
        search={"own": (0.05, 1.0)},
    )
    g_apical: Array = conductance(0.06, "conductance from apical dendrite to soma", 0.01, 0.8)
    g_som: Array = conductance(
        0.06, "conductance of the teacher, and of the cell above onto its interneuron", 0.01, 0.8
    )
    dendritic_leak: Array = real(
        1.0, "leak of every dendrite, which divides its potential", low=0, open_low=True, source=GILLE
    )
    injected_current: Array = real(0.0, "constant current into every soma", low=-100, high=100)

    tau_input_ms: Array | None = real(
        None, "low-pass filter of the input; none: at once", low=0, open_low=True, unit="ms", optional=True
    )
    tau_syn_ms: Array | None = real(
        None, "low-pass filter of what synapses receive; none: at once", low=0, open_low=True, unit="ms", optional=True
    )
    delay_steps: int = integer(0, "additional steps that a rate needs to the next cell", low=0, high=10_000)
    noise_sigma: Array | None = real(
        None, "white noise of every soma's current; none: not drawn", low=0, unit="1/sqrt(ms)", optional=True
    )

    transfer: str = choice("soft-relu", tuple(SHAPES), "rate as a function of potential", source=SACRAMENTO)
    gamma: Array = real(1.0, "gain of the transfer function", low=0, open_low=True, source=GILLE)
    beta: Array = real(1.0, "steepness of the transfer function", low=0, open_low=True, source=GILLE)
    theta: Array = real(0.0, "threshold of the transfer function", low=-1e3, high=1e3, source=GILLE)

    bias: bool = switch(False, "basal dendrites and interneurons also hear a cell that is always at 1")
    initialiser: str = choice(
        FLAT, (FLAT, *INITIALISERS), "law of the initial weights; flat: uniform, whatever the fan-in"
    )
    init_range: Array = real(1.0, "factor on the initial weights; largest one where flat", low=0, source=GILLE)
    feedback_range: Array = real(
        1.0, "factor on the initial weights from above onto apical dendrites, and on what inhibits them", low=0
    )
    start: str = choice(
        "self-predicting",
        ("self-predicting", "random"),
        "whether interneurons start as a copy of the cells above and cancel them, or at random",
    )
    feedback_start: str = choice(
        "random",
        ("random", "transposed"),
        "whether synapses from above start at random, or as the transpose of those onto the cells above",
    )
    connection_probability: float = real(
        1.0, "share of all synapses that exist", static=True, low=0, open_low=True, high=1, source=GILLE
    )

    dale_split: bool = switch(
        False, "interneurons excite apical dendrites, and inhibit them through linear cells of their own", source=GILLE
    )
    dale_cells: int = integer(
        4, "of these for each pyramidal cell", low=1, high=1000, source=GILLE, needs=(("dale_split", True),)
    )

    target_mode: str = choice(
        "current", ("current", "conductance"), "teacher: a current towards the target, or two conductances, to 1 and -1"
    )
    targets: str = choice("potential", ("potential", "rate"), "what a target is of an output cell", source=GILLE)
    target_low: Array = real(0.0, "target of the other classes", low=-1e3, high=1e3, source=GILLE)
    target_high: Array = real(1.0, "target of the class of the label", low=-1e3, high=1e3, source=GILLE)
    target_delay_ms: Array = real(0.0, "how late the teacher comes (euler)", low=0, unit="ms", source=GILLE)
    readout_lag_ms: Array = real(
        0.0, "start of a presentation that is not read when tested (euler)", low=0, unit="ms", source=GILLE
    )
    readout: str = choice("soma", ("soma", "prospective"), "what is read of an output cell (euler)", source=GILLE)
    reset: str | None = choice(
        HARD,
        (HARD, SOFT),
        "between presentations (euler): all to rest, or five random patterns; none: nothing",
        optional=True,
        source=GILLE,
    )
    sweeps: int = integer(50, "largest number of passes to the steady state", low=1, high=10_000)
    tolerance: Array = real(1e-6, "change of apical potentials at which passes end", low=0, high=1, scale="log")

    def __check_init__(self) -> None:
        Declared.__check_init__(self)
        if self.engine == EULER:
            self._check_times()
        elif self.delay_steps:
            raise InputError("delay_steps are steps in time: set engine=euler, or delay_steps=0")
        if self.dale_split:
            self._check_signs()

    def _check_signs(self) -> None:
        if SHAPES[self.transfer].low < 0:
            raise InputError(f"dale_split: with transfer={self.transfer} rates change sign, choose another transfer")
        if self.connection_probability < 1:
            raise InputError("dale_split: a weight of 0 is not a missing synapse here; set connection_probability=1")

    def _check_times(self) -> None:
        if any(isinstance(a, jax.core.Tracer) for a in (self.presentation_ms, self.readout_lag_ms, self.pull_hidden)):
            return
        if self.presentation_ms < self.dt_ms * (1 - 1e-6):
            raise InputError(
                f"presentation_ms={self.presentation_ms:g} is shorter than dt_ms={self.dt_ms:g}: lower dt_ms"
            )
        if self.readout_lag_ms >= self.presentation_ms:
            raise InputError(
                f"readout_lag_ms={self.readout_lag_ms:g} leaves nothing of presentation_ms={self.presentation_ms:g}: "
                "lower it"
            )
        reach = self.dt_ms * max(float(self.pull_hidden), float(self.pull_inter), float(self.pull_output + self.g_som))
        if reach >= 2:
            raise InputError(
                f"dt_ms={self.dt_ms:g} is too long for these conductances: dt times their sum is {reach:.3g} "
                "and must be below 2; lower dt_ms"
            )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Cells of every layer, inputs included."""
        return (math.prod(self.shape), *self.hidden, self.classes)

    @property
    def inhibiting(self) -> tuple[int, ...]:
        """Cells that send to the apical dendrites of each hidden layer from the side."""
        pairs = zip(self.hidden, self.sizes[2:], strict=True)
        return tuple(above + self.dale_split * self.dale_cells * n for n, above in pairs)

    @property
    def phi(self) -> Transfer:
        """The transfer function of every cell but the inputs."""
        return Transfer(self.transfer, self.gamma, self.beta, self.theta)

    @property
    def pull_hidden(self) -> Array:
        """All conductances onto a hidden soma."""
        return self.g_leak + self.g_basal + self.g_apical

    @property
    def pull_inter(self) -> Array:
        """All conductances onto an interneuron's soma."""
        return self.g_leak + self.g_dendrite + self.g_som

    @property
    def pull_output(self) -> Array:
        """All conductances onto an output soma without a teacher."""
        return self.g_leak + self.g_basal

    @property
    def a_hidden(self) -> Array:
        """Share of the basal potential at which a hidden soma settles."""
        return self.g_basal / self.pull_hidden

    @property
    def a_output(self) -> Array:
        """Share of the basal potential at which an output soma settles without a teacher."""
        return self.g_basal / self.pull_output

    @property
    def a_inter(self) -> Array:
        """Share of its dendrite's potential that an interneuron predicts of itself."""
        return self.g_dendrite / (self.g_leak + self.g_dendrite)

    def shares(self) -> tuple[Array, ...]:
        """The share of the basal potential that each layer predicts of its soma, from the first hidden one up."""
        return (*(self.a_hidden for _ in self.hidden), self.a_output)

    def factors(self) -> tuple[Array, ...]:
        """For every hidden layer: weights onto interneurons that predict the layer above, over the forward ones there.

        They are 1 below the output where both have the same conductances, and smaller below a layer that is also
        pulled by its apical dendrites.
        """
        return tuple(share / self.a_inter for share in self.shares()[1:])

    def gains(self) -> tuple[Array, ...]:
        """What is left of an output error, target - u, in the somas of each layer.

        Every mixing of potentials leaves a share of it: lambda of the teacher, then 1 - lambda of interneurons, which
        the cell above pulls along, times lambda of the apical dendrite, layer by layer down; strong feedback weights
        make up for it.
        """
        step = (1 - self.mixing_inter) * self.g_apical / self.pull_hidden * self.feedback_range
        output = self.g_som / (self.pull_output + self.g_som)
        depths = range(len(self.hidden), -1, -1)
        return tuple(output * step**depth for depth in depths)

    @property
    def mixing_inter(self) -> Array:
        """How far an interneuron follows the cell above: lambda of interneurons."""
        return self.g_som / self.pull_inter
