"""The hyperparameters that spikes and leaky dendrites add to those of a microcircuit, and what is refused."""

import jax.core
from jaxtyping import Array

from apical.errors import InputError
from apical.hyperparameters import real, switch
from apical.networks.microcircuit import Circuit
from apical.networks.microcircuit_settings import EULER, GILLE
from apical.neurons.rates import SHAPES


class SpikingSettings(Circuit):
    """What is set about spikes and leaky dendrites; somas are those of the rate network, stepped by Euler."""

    psi: Array = real(
        100.0,
        "spikes per ms of a cell at rate 1: what noise spikes bring falls with it",
        low=0,
        open_low=True,
        scale="log",
        unit="1/ms",
        source=GILLE,
        search={"own": (1.0, 1000.0)},
    )
    basal_capacitance: Array = real(
        1.0,
        "capacitance of basal dendrites and of interneurons' dendrites; over dendritic_leak, their time constant",
        low=0,
        open_low=True,
        unit="ms",
        source=GILLE,
    )
    apical_capacitance: Array = real(
        1.0, "the same of apical dendrites", low=0, open_low=True, unit="ms", source=GILLE, search={"own": (1.0, 250.0)}
    )
    dendritic_equilibrium: bool = switch(
        False, "plasticity sees basal dendrites and those of interneurons by their prospective potential too"
    )
    refractory_ms: float = real(
        0.0, "dead time after a spike; without one, several spikes may fall into a step", static=True, low=0, unit="ms"
    )

    def __check_init__(self) -> None:
        if self.engine != EULER:
            raise InputError(f"engine={self.engine} has no time for spikes: set engine={EULER}")
        if SHAPES[self.transfer].low < 0:
            raise InputError(f"transfer={self.transfer} gives negative rates, which spikes cannot have: choose another")
        if self.tau_syn_ms is not None:
            raise InputError("tau_syn_ms filters rates; spikes are filtered by leaky dendrites: set basal_capacitance")
        self._check_leaks()

    def _check_leaks(self) -> None:
        leaks = (self.dendritic_leak, self.basal_capacitance, self.apical_capacitance)
        if any(isinstance(a, jax.core.Tracer) for a in leaks):
            return
        for name in ("basal_capacitance", "apical_capacitance"):
            if self.dt_ms * float(self.dendritic_leak) > float(getattr(self, name)):
                raise InputError(f"{name}={getattr(self, name):g} leaks faster than dt_ms={self.dt_ms:g}: lower dt_ms")
