"""Plasticity of dendritic prediction: errors of the cell times traces of presynaptic spikes, low-passed.

With kappa(t) = exp(-t/tau)/tau, a synapse changes by dw/dt = eta (kappa * (E s))(t): E is the error of its cell, s a
sum of exponential traces of the spikes that reach it. In steps, with d = exp(-dt/tau) and P_n = E_n s_n,

    w_n = w_0 + eta (I1 - I2),    I1 = sum of P_m,    I2 = sum of d^(n-m) P_m    over m <= n,

so that w grows by eta (1 - d) I2 from step to step. Here it is *time-driven*: every synapse in every step, at a cost
that does not depend on how many spikes there are. `events` holds the same rule *event-based*.

Weights are clipped as they are integrated: a weight at its bound leaves it as soon as its changes turn. Keeping I1 and
I2 beside a clipped copy of the weight, as event-based programs do, lets it hang at the bound until all that was clipped
has been undone.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Errors = Float[Array, "lanes cells"]
Counts = Float[Array, "lanes inputs"]
Synapses = Float[Array, "cells inputs"]


class LowPass(eqx.Module):
    """The rule: time constants in ms, traces as a sum of exponentials with signs, learning rate, bounds of weights.

    A trace counts spikes (dimensionless), an error is what a step contributes (its rate times dt). Bounds are those of
    all weights, or there is one for those of each input.
    """

    tau_ms: Array
    trace_ms: Float[Array, " kernels"]
    trace_sign: Float[Array, " kernels"]
    rate: Array
    low: Float[Array, "*inputs"]
    high: Float[Array, "*inputs"]
    dt_ms: float = eqx.field(static=True)

    @property
    def decay(self) -> Array:
        """What is left of the low-pass after a step."""
        return jnp.exp(-self.dt_ms / self.tau_ms)

    def clip(self, weights: Float[Array, "..."]) -> Float[Array, "..."]:
        """Weights of all inputs within their bounds."""
        return jnp.clip(weights, self.low, self.high)

    def of(self, j: Int[Array, ""]) -> "LowPass":
        """The rule of the synapses of one input."""
        ends = tuple(end if end.ndim == 0 else end[j] for end in (self.low, self.high))
        return eqx.tree_at(lambda rule: (rule.low, rule.high), self, ends)


class Dense(eqx.Module):
    """Time-driven synapses: weights, traces of their inputs, and I2, what is still on its way into the weights.

    Weights may serve several lanes at once, patterns shown in parallel, and change by the mean over them.
    """

    weights: Synapses
    traces: Float[Array, "kernels lanes inputs"]
    pending: Synapses

    @classmethod
    def rest(cls, rule: LowPass, weights: Synapses, lanes: int = 1) -> "Dense":
        """Synapses that have never seen a spike."""
        traces = jnp.zeros((len(rule.trace_ms), lanes, weights.shape[1]), weights.dtype)
        return cls(weights, traces, jnp.zeros_like(weights))

    def step(self, rule: LowPass, errors: Errors, spikes: Counts, own: Counts | None = None) -> "Dense":
        """One step later: the errors of the step meet the spikes before it, then its own spikes are counted.

        `own`, times the weight, is added to what a synapse learns: a correction for what its own spikes did to the
        error.
        """
        traces = self.traces * jnp.exp(-rule.dt_ms / rule.trace_ms)[:, None, None]
        seen = (rule.trace_sign[:, None, None] * traces).sum(0)
        product = jnp.einsum("bc,bj->cj", errors / len(errors), seen)
        if own is not None:
            product = product + self.weights * own.mean(0)
        weights = rule.clip(self.weights + rule.rate * (1 - rule.decay) * self.pending)
        return Dense(weights, traces + spikes, rule.decay * self.pending + product)

    def settled(self, rule: LowPass) -> Synapses:
        """The weights once all that is on its way has arrived."""
        return rule.clip(self.weights + rule.rate * self.pending)
