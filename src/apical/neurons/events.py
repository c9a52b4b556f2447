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

    `history[m % len(history)]` holds the errors of step m; `now` counts the steps.
    """

    weights: Synapses
    traces: Float[Array, "kernels inputs"]
    pending: Synapses
    read: Int[Array, " inputs"]
    history: Float[Array, "ring cells"]
    now: Int[Array, ""]

    @classmethod
    def rest(cls, rule: LowPass, weights: Synapses, n_history: int) -> "Events":
        """Synapses that have never seen a spike, with a history of so many steps."""
        n_cells, n_inputs = weights.shape
        traces = jnp.zeros((len(rule.trace_ms), n_inputs), weights.dtype)
        history = jnp.zeros((n_history, n_cells), weights.dtype)
        return cls(weights, traces, jnp.zeros_like(weights), jnp.zeros(n_inputs, int), history, jnp.asarray(0))

    def step(self, rule: LowPass, errors: Errors, spikes: Counts) -> "Events":
        """One step later; only inputs with spikes, or with a history about to be lost, are touched."""
        now, length = self.now + 1, len(self.history)
        history = self.history.at[now % length].set(errors)
        stored = eqx.tree_at(lambda s: (s.history, s.now), self, (history, now))
        due = (spikes > 0) | (now - self.read == length)
        (which,) = jnp.nonzero(due, size=len(spikes), fill_value=0)
        return jax.lax.fori_loop(0, due.sum(), lambda i, s: s._spiked(rule, which[i], spikes[which[i]]), stored)

    def caught_up(self, rule: LowPass) -> "Events":
        """All synapses brought up to date, as if a silent event had reached each."""
        silent = jnp.asarray(0.0, self.weights.dtype)
        return jax.lax.fori_loop(0, len(self.read), lambda j, s: s._spiked(rule, j, silent), self)

    def _spiked(self, rule: LowPass, j: Int[Array, ""], count: Float[Array, ""]) -> "Events":
        """The synapses of input j read at this step, then so many spikes added to its traces."""
        length, dt = len(self.history), rule.dt_ms
        ages = (self.now - jnp.arange(length)) % length  # of every entry of the ring, in steps
        elapsed = self.now - self.read[j]
        since = jnp.maximum(elapsed - ages, 0).astype(rule.tau_ms.dtype)  # steps from the last reading to the entry
        decays = jnp.exp(-since * dt / rule.trace_ms[:, None])
        trace = jnp.where(ages < elapsed, (rule.trace_sign * self.traces[:, j]) @ decays, 0.0)
        faded = jnp.exp(-ages.astype(rule.tau_ms.dtype) * dt / rule.tau_ms)
        integral, low_passed = jnp.stack([trace, trace * faded]) @ self.history
        steps = elapsed.astype(rule.tau_ms.dtype)
        pending = jnp.exp(-steps * dt / rule.tau_ms) * self.pending[:, j] + low_passed
        grown = rule.rate * (integral - (pending - self.pending[:, j]))
        return eqx.tree_at(
            lambda s: (s.weights, s.traces, s.pending, s.read),
            self,
            (
                self.weights.at[:, j].set(rule.clip(self.weights[:, j] + grown)),
                self.traces.at[:, j].set(self.traces[:, j] * jnp.exp(-steps * dt / rule.trace_ms) + count),
                self.pending.at[:, j].set(pending),
                self.read.at[j].set(self.now),
            ),
        )
