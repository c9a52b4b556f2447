"""The plasticity of `plasticity`, event-based: a synapse is brought up to date when a spike reaches it.

Cells keep a history of their errors; a synapse last read at step l is read at step n by going through the history
between, with P_m = E_m s_l exp(-(m - l) dt/tau_k) for each of its exponential traces k:

    I1 <- I1 + sum of P_m,    I2 <- d^(n-l) I2 + sum of d^(n-m) P_m    over l < m <= n.

The history is a ring of a fixed number of steps. A synapse that hears nothing for so long is read then, without a
spike, which changes nothing but when it is computed: memory is bounded whatever the inputs do.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from apical.neurons.plasticity import Counts, Errors, LowPass, Synapses


class Events(eqx.Module):
    """Event-based synapses: weights, traces and I2 as of the step `read` of each input, and the errors since.

    `history[m % len(history)]` holds the errors of step m; `now` counts the steps. Where weights serve several lanes
    they are read for all of them when a spike comes in any.
    """

    weights: Synapses
    traces: Float[Array, "kernels lanes inputs"]
    pending: Synapses
    read: Int[Array, " inputs"]
    history: Float[Array, "ring lanes cells"]
    now: Int[Array, ""]

    @classmethod
    def rest(cls, rule: LowPass, weights: Synapses, n_history: int, lanes: int = 1) -> "Events":
        """Synapses that have never seen a spike, with a history of so many steps."""
        n_cells, n_inputs = weights.shape
        traces = jnp.zeros((len(rule.trace_ms), lanes, n_inputs), weights.dtype)
        history = jnp.zeros((n_history, lanes, n_cells), weights.dtype)
        return cls(weights, traces, jnp.zeros_like(weights), jnp.zeros(n_inputs, int), history, jnp.asarray(0))

    def step(self, rule: LowPass, errors: Errors, spikes: Counts) -> "Events":
        """One step later; only inputs with spikes, or with a history about to be lost, are touched."""
        now, length = self.now + 1, len(self.history)
        history = self.history.at[now % length].set(errors)
        stored = eqx.tree_at(lambda s: (s.history, s.now), self, (history, now))
        due = (spikes > 0).any(0) | (now - self.read == length)
        (which,) = jnp.nonzero(due, size=len(due), fill_value=0)
        return jax.lax.fori_loop(0, due.sum(), lambda i, s: s._spiked(rule, which[i], spikes[:, which[i]]), stored)

    def caught_up(self, rule: LowPass) -> "Events":
        """All synapses brought up to date, as if a silent event had reached each."""
        silent = jnp.zeros(self.traces.shape[1], self.weights.dtype)
        return jax.lax.fori_loop(0, len(self.read), lambda j, s: s._spiked(rule, j, silent), self)

    def settled(self, rule: LowPass) -> Synapses:
        """The weights once all that is on its way has arrived."""
        now = self.caught_up(rule)
        return rule.clip(now.weights + rule.rate * now.pending)

    def _spiked(self, rule: LowPass, j: Int[Array, ""], counts: Float[Array, " lanes"]) -> "Events":
        """The synapses of input j read at this step, then so many spikes added to its traces."""
        ring, lanes, _ = self.history.shape
        dt, real = rule.dt_ms, rule.tau_ms.dtype
        ages = (self.now - jnp.arange(ring)) % ring  # of every entry of the ring, in steps
        elapsed = self.now - self.read[j]
        since = jnp.maximum(elapsed - ages, 0).astype(real)  # steps from the last reading to the entry
        decays = rule.trace_sign[:, None] * jnp.exp(-since * dt / rule.trace_ms[:, None])
        trace = jnp.where(ages[:, None] < elapsed, jnp.einsum("kr,kb->rb", decays, self.traces[:, :, j]), 0.0) / lanes
        faded = jnp.exp(-ages.astype(real) * dt / rule.tau_ms)
        integral = jnp.einsum("rb,rbc->c", trace, self.history)
        low_passed = jnp.einsum("rb,rbc->c", trace * faded[:, None], self.history)
        steps = elapsed.astype(real)
        pending = jnp.exp(-steps * dt / rule.tau_ms) * self.pending[:, j] + low_passed
        grown = rule.rate * (integral - (pending - self.pending[:, j]))
        kept = jnp.exp(-steps * dt / rule.trace_ms)[:, None] * self.traces[:, :, j]
        return eqx.tree_at(
            lambda s: (s.weights, s.traces, s.pending, s.read),
            self,
            (
                self.weights.at[:, j].set(rule.of(j).clip(self.weights[:, j] + grown)),
                self.traces.at[:, :, j].set(kept + counts),
                self.pending.at[:, j].set(pending),
                self.read.at[j].set(self.now),
            ),
        )
