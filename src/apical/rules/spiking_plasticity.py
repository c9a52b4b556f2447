"""Plasticity of a spiking microcircuit: its errors, traces as estimates of rates, and the bias of own spikes.

A spike train of rate r, in units of the rate, has a trace of mean r. So a synapse
changes on average as in the rate network, apart from what its own spikes do to its own dendrite: every interneuron's
spike moves V_A by W/(psi C) and the trace by 1/(psi tau), which on average adds -r W / (psi (C + tau)) to the change of
W_pi and lets inhibition decay. `own` is what has to be added, over W, so that it does not.
"""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from apical.networks.microcircuit_euler import n_steps
from apical.networks.microcircuit_state import Activity, Nudge, Potentials
from apical.networks.spiking_settings import SpikingSettings
from apical.rules.microcircuit_plasticity import Errors, ip_errors, pi_errors, up_errors


class Setting(eqx.Module):
    """How plasticity goes: families that learn, time constant, onset, whether the own-spike bias is removed."""

    plastic: tuple[str, ...] = eqx.field(static=True)
    tau_ms: Array
    onset_ms: Array
    delay_ms: Array
    unbiased: bool = eqx.field(static=True)
    slope_factor: bool = eqx.field(static=True)

    def errors(self, net: SpikingSettings, seen: Activity) -> dict[str, Errors]:
        """The errors of every family that learns, for each of its layers."""
        found: dict[str, Callable[[], Errors]] = {
            "up": lambda: self.weighted(net, up_errors(net, seen), net.shares(), seen.basal),
            "ip": lambda: self.weighted(net, ip_errors(net, seen), (net.a_inter,) * len(seen.inter), seen.dendrites),
            "pi": lambda: pi_errors(net, seen),
        }
        return {name: found[name]() for name in self.plastic}

    def weighted(
        self, net: SpikingSettings, errors: Errors, shares: tuple[Array, ...], dendrites: Potentials
    ) -> Errors:
        """The errors, times h(u) = phi'(u) / phi(u) at what each dendrite predicts where there is a slope factor."""
        if not self.slope_factor:
            return errors
        predicted = [a * v for a, v in zip(shares, dendrites, strict=True)]
        return tuple(e * net.phi.log_slope(u) for e, u in zip(errors, predicted, strict=True))

    def decay(self, net: SpikingSettings) -> Array:
        """What is left of a trace after a step."""
        return jnp.exp(-net.dt_ms / self.tau_ms)

    def gain(self, net: SpikingSettings) -> Array:
        """The factor by which a sum of exponentials is the rate it estimates."""
        return -jnp.expm1(-net.dt_ms / self.tau_ms) / self.decay(net)


def sources(net: SpikingSettings, name: str) -> range:
    """The populations that the layers of a family hear."""
    n = len(net.sizes) - 1
    return {"up": range(n), "ip": range(1, n), "pi": range(n + 1, 2 * n)}[name]


def own_decay(net: SpikingSettings, setting: Setting) -> Array:
    """What is left after a step of a spike's trace times what the same spike left in the apical dendrite."""
    return setting.decay(net) * (1 - net.dt_ms * net.dendritic_leak / net.apical_capacitance)


def own_rise(net: SpikingSettings, setting: Setting) -> Array:
    """That product one step after the spike, in units of the rate, over the weight."""
    return setting.gain(net) * setting.decay(net) / (net.psi * net.apical_capacitance)


def teacher(net: SpikingSettings, setting: Setting, nudge: Nudge, i: Array) -> Nudge:
    """The teacher in a step: gone while it is delayed."""
    taught = (i >= n_steps(net, setting.delay_ms)).astype(nudge.drive.dtype)
    return nudge.where(taught)
