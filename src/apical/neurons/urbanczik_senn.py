"""The two-compartment neuron of Urbanczik and Senn (2014), with the constants of its implementation in NEST.

Units: ms, mV, pF, nS, pA. A dendrite integrates currents, a soma conductances; the dendrite drives the soma, not the
other way. The soma fires at a rate phi(U) and is not reset. The dendrite predicts the soma as V*, where the soma would
be if nothing but the dendrite drove it; spikes that this prediction misses, times h(V*), are the error that synapses
learn from.

@article{urbanczik2014,
  title = {Learning by the dendritic prediction of somatic spiking},
  author = {Urbanczik, Robert and Senn, Walter},
  journal = {Neuron}, volume = {81}, number = {3}, pages = {521--528}, year = {2014}
}
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from apical.hyperparameters import Declared, real
from apical.neurons.plasticity import LowPass

SOURCE = "NEST"
UPDATE_GAIN = 15.0  # a constant of the implementation, twice: in h, and in the change of weights

Cells = Float[Array, "*cells"]


def constant(default: float, meaning: str, unit: str, low: float = 0.0) -> Any:
    """A positive constant (or, with another `low`, one above that)."""
    return real(default, meaning, unit=unit, low=low, open_low=True, source=SOURCE)


class Potentials(eqx.Module):
    """What the neurons are in: potentials in mV, the dendrite's current in pA, the soma's conductances in nS."""

    soma: Cells
    dendrite: Cells
    current: Cells
    excitation: Cells
    inhibition: Cells


class UrbanczikSenn(Declared):
    """Neurons of two compartments, stepped by `dt_ms`: linear parts exactly, the soma by fourth-order Runge-Kutta."""

    dt_ms: float = real(0.1, "time step", static=True, unit="ms", low=0, open_low=True)
    capacitance: Array = constant(300.0, "membrane capacitance of either compartment", "pF")
    g_leak: Array = constant(30.0, "leak conductance of either compartment", "nS")
    g_dendrite: Array = constant(600.0, "conductance from dendrite to soma", "nS")
    e_leak: Array = constant(-70.0, "resting potential", "mV", low=-1000.0)
    e_exc: Array = constant(0.0, "reversal potential of somatic excitation", "mV", low=-1000.0)
    e_inh: Array = constant(-75.0, "reversal potential of somatic inhibition", "mV", low=-1000.0)
    tau_syn_ms: Array = constant(3.0, "time constant of every synapse", "ms")
    refractory_ms: Array = real(3.0, "dead time after a spike", unit="ms", low=0, source=SOURCE)
    max_rate: Array = constant(0.15, "largest rate", "1/ms")
    rate_slope: Array = constant(0.5, "factor k of the rate function", "1")
    beta: Array = constant(1 / 3, "steepness of the rate function", "1/mV")
    theta: Array = constant(-55.0, "threshold of the rate function", "mV", low=-1000.0)

    @property
    def tau_leak_ms(self) -> Array:
        """The membrane's time constant."""
        return self.capacitance / self.g_leak

    def rest(self, *shape: int) -> Potentials:
        """Neurons that have never been driven."""
        still = jnp.zeros(shape, self.e_leak.dtype)
        return Potentials(still + self.e_leak, still + self.e_leak, still, still, still)

    def rate(self, soma: Cells) -> Cells:
        """phi(U) = phi_max / (1 + k exp(beta (theta - U))), in 1/ms."""
        return self.max_rate / (1 + self.rate_slope * jnp.exp(self.beta * (self.theta - soma)))

    def sensitivity(self, soma: Cells) -> Cells:
        """h(U) = phi'(U) / phi(U) in the implementation's scale: 15 beta / (1 + exp(-beta (theta - U)) / k)."""
        return UPDATE_GAIN * self.beta / (1 + jnp.exp(-self.beta * (self.theta - soma)) / self.rate_slope)

    def prediction(self, dendrite: Cells) -> Cells:
        """V* = (g_L E_L + g_D V) / (g_L + g_D): where the dendrite alone would take the soma."""
        share = self.g_dendrite / (self.g_leak + self.g_dendrite)
        return self.e_leak + share * (dendrite - self.e_leak)

    def error(self, potentials: Potentials, spikes: Cells) -> Cells:
        """What synapses learn from in this step: (spikes - phi(V*) dt) h(V*)."""
        predicted = self.prediction(potentials.dendrite)
        return (spikes - self.rate(predicted) * self.dt_ms) * self.sensitivity(predicted)

    def spike_probability(self, soma: Cells, since_spike_ms: Cells) -> Cells:
        """The probability of a spike in a step, so long after the last one: none within the dead time."""
        ready = since_spike_ms > self.refractory_ms + self.dt_ms / 2  # whole steps, rounded
        return jnp.where(ready, -jnp.expm1(-self.rate(soma) * self.dt_ms), 0.0)

    def step(self, now: Potentials, current: Cells, excitation: Cells, inhibition: Cells) -> Potentials:
        """Potentials one step later; what arrives, in pA and nS, acts from then on."""
        decay = jnp.exp(-self.dt_ms / self.tau_syn_ms)
        return Potentials(
            self._soma(now),
            self._dendrite(now, self.dt_ms),
            now.current * decay + current,
            now.excitation * decay + excitation,
            now.inhibition * decay + inhibition,
        )

    def _dendrite(self, now: Potentials, t_ms: float) -> Cells:
        """The dendrite after some time: a leaky membrane under an exponential current, in closed form."""
        slow, fast = self.tau_leak_ms, self.tau_syn_ms
        per_current = (jnp.exp(-t_ms / slow) - jnp.exp(-t_ms / fast)) * slow * fast / (slow - fast) / self.capacitance
        return self.e_leak + (now.dendrite - self.e_leak) * jnp.exp(-t_ms / slow) + per_current * now.current

    def _soma(self, now: Potentials) -> Cells:
        per_charge = 1 / self.capacitance

        def slope(soma: Cells, t_ms: float) -> Cells:
            decay = jnp.exp(-t_ms / self.tau_syn_ms)
            flow = self.g_leak * (self.e_leak - soma) + self.g_dendrite * (self._dendrite(now, t_ms) - soma)
            flow = flow + now.excitation * decay * (self.e_exc - soma) + now.inhibition * decay * (self.e_inh - soma)
            return flow * per_charge

        dt, half = self.dt_ms, self.dt_ms / 2
        first = slope(now.soma, 0.0)
        second = slope(now.soma + half * first, half)
        third = slope(now.soma + half * second, half)
        last = slope(now.soma + dt * third, dt)
        return now.soma + dt / 6 * (first + 2 * second + 2 * third + last)

    def plasticity(self, eta: Array, tau_delta_ms: Array, low: Array, high: Array) -> LowPass:
        """The plasticity of its dendritic synapses: traces of tau_L minus tau_s, learning rate eta, weights in pA."""
        slow, fast = self.tau_leak_ms, self.tau_syn_ms
        scale = UPDATE_GAIN * self.capacitance * fast / (self.g_leak * (slow - fast))
        return LowPass(
            tau_ms=tau_delta_ms,
            trace_ms=jnp.stack([slow, fast]),
            trace_sign=jnp.asarray([1.0, -1.0], slow.dtype),
            rate=eta * scale,
            low=low,
            high=high,
            dt_ms=self.dt_ms,
        )
