"""A microcircuit that learns while it is simulated: plasticity at every step of a presentation."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from apical.core import PRNGKey, Weights
from apical.networks.microcircuit_dale import Bounds
from apical.networks.microcircuit_euler import Cells, euler_step, n_steps
from apical.networks.microcircuit_settings import MicrocircuitSettings
from apical.networks.microcircuit_state import Activity, Layers, Nudge, assembled, families
from apical.networks.synapses import Synapses
from apical.neurons.somata import filtered, filtered_mean
from apical.rules.microcircuit_plasticity import Families, clipped, decayed, direction, present


class Learning(eqx.Module):
    """How weights move in time: rates per ms and bounds by layer of each family, filter, onset and decay."""

    rates: dict[str, tuple[Array, ...]]
    bounds: dict[str, tuple[Bounds, ...]]
    tau_delta_ms: Array | None
    onset_ms: Array
    weight_decay: Array

    def step(
        self, net: MicrocircuitSettings, weights: Weights, traces: Families, seen: Activity, on: Array
    ) -> tuple[Weights, Families]:
        """Weights and filtered plasticity after one step of dt_ms; weights stay where they are unless `on`."""
        plastic = {name: families(weights)[name] for name in self.rates}
        towards = direction(net, plastic, seen)
        if (tau_ms := self.tau_delta_ms) is not None:
            means = jax.tree.map(lambda t, d: filtered_mean(t, d, net.dt_ms, tau_ms), traces, towards)
            traces = jax.tree.map(lambda t, d: filtered(t, d, net.dt_ms, tau_ms), traces, towards)
            towards = means
        towards = present(net, plastic, decayed(towards, plastic, self.weight_decay))
        moved = {name: _moved(plastic[name], towards[name], r, on * net.dt_ms) for name, r in self.rates.items()}
        return assembled({**families(weights), **clipped(moved, self.bounds)}), traces


def _moved(layers: Layers, steps: Layers, rates: tuple[Array, ...], duration_ms: Array) -> Layers:
    def moved(layer: Synapses, step: Synapses, rate: Array) -> Synapses:
        return jax.tree.map(lambda w, s: w - duration_ms * rate * s, layer, step)

    return tuple(map(moved, layers, steps, rates))


def simulate(
    net: MicrocircuitSettings,
    learning: Learning,
    start: tuple[Weights, Cells, Families],
    x: Array,
    nudge: Nudge,
    key: PRNGKey,
) -> tuple[Weights, Cells, Families]:
    """Weights, cells and filtered plasticity after a presentation with its teacher."""
    delay, onset = n_steps(net, net.target_delay_ms), n_steps(net, learning.onset_ms)

    def step(i: Array, carry: tuple[Weights, Cells, Families]) -> tuple[Weights, Cells, Families]:
        weights, cells, traces = carry
        taught, on = (i >= delay).astype(x.dtype), (i >= onset).astype(x.dtype)
        cells, seen = euler_step(net, weights, cells, x, nudge.where(taught), jr.fold_in(key, i))
        weights, traces = learning.step(net, weights, traces, seen, on)
        return weights, cells, traces

    return jax.lax.fori_loop(0, n_steps(net, net.presentation_ms), step, start)


def silent_traces(plastic: Families) -> Families:
    """Filtered plasticity before there was any."""
    return jax.tree.map(jnp.zeros_like, plastic)
