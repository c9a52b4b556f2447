"""Postsynaptic potentials: spikes seen through a double-exponential kernel, as linear maps over time.

kappa(t) = (exp(-t/tau_L) - exp(-t/tau_s)) / (tau_L - tau_s), t = n dt, n = 1, 2, ...: a spike counts with kappa(dt) in
the step in which it is drawn. With a_n = exp(-n dt/tau_L), b_n = exp(-n dt/tau_s), a potential p and the trace f of
fast exponentials obey f' = b_1 f + s, p' = a_1 p + kappa_1 f'. At tau_s = tau_L this still holds, and kappa is an
alpha function.

Arrays over time have their first axis in time; a kernel with `memory` k keeps the last k steps of spikes alone.
"""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


class Trace(eqx.Module):
    """What a block of steps leaves to the next: `past` is the fast trace, or the last memory - 1 steps of spikes."""

    past: Float[Array, "_kept batch units"]
    psp: Float[Array, "batch units"]


class Response(eqx.Module):
    """Potentials over a block of steps as a linear map from `rows`: what was before the block, and its spikes."""

    response: Float[Array, "steps rows"]
    rows: Float[Array, "rows batch units"]

    @property
    def potentials(self) -> Float[Array, "steps batch units"]:
        """The potential at every step."""
        return jnp.einsum("tr,rbn->tbn", self.response, self.rows)

    @property
    def last(self) -> Float[Array, "batch units"]:
        """The potential at the last step."""
        return self.mean(jnp.zeros(len(self.response)).at[-1].set(1.0))

    def mean(self, weights: Float[Array, " steps"]) -> Float[Array, "batch units"]:
        """The weighted sum of the potentials over time."""
        return jnp.einsum("r,rbn->bn", weights @ self.response, self.rows)

    def through(self, kernel: Float[Array, "above units"]) -> Float[Array, "steps batch above"]:
        """Weighted sums of the potentials: spikes are weighted before they are filtered where that takes less work."""
        (n_steps, n_rows), (above, units) = self.response.shape, kernel.shape
        if n_steps * n_rows * (units - above) > (n_rows - n_steps) * units * above:
            return dataclasses.replace(self, rows=jnp.einsum("rbn,an->rba", self.rows, kernel)).potentials
        return jnp.einsum("tbn,an->tba", self.potentials, kernel)


class Given(eqx.Module):
    """Potentials over a block of steps as they are; one step where they are constant."""

    potentials: Float[Array, "steps batch units"]

    def mean(self, weights: Float[Array, " all_steps"]) -> Float[Array, "batch units"]:
        """The weighted sum of the potentials over time."""
        if len(self.potentials) == 1:
            return weights.sum() * self.potentials[0]
        return jnp.einsum("t,tbn->bn", weights, self.potentials)

    def through(self, kernel: Float[Array, "above units"]) -> Float[Array, "steps batch above"]:
        """Weighted sums of the potentials."""
        return jnp.einsum("tbn,an->tba", self.potentials, kernel)


class Kernel(eqx.Module):
    """The kernel at steps of `dt_ms`; `memory` counts the steps kept of a spike (none: all)."""

    slow_ms: Array
    fast_ms: Array
    dt_ms: float = eqx.field(static=True)
    memory: int | None = eqx.field(static=True, default=None)

    @property
    def n_kept(self) -> int:
        """Rows that a trace keeps beside the potential."""
        return 1 if self.memory is None else self.memory - 1

    def at(self, n: Int[Array, "..."]) -> Float[Array, "..."]:
        """kappa after n steps, in 1/ms; zero before the first and beyond the memory."""
        t = n.astype(self.slow_ms.dtype) * self.dt_ms
        z = t * (self.slow_ms - self.fast_ms) / (self.slow_ms * self.fast_ms)
        near = jnp.abs(z) < 1e-4
        ratio = jnp.where(near, 1 - z / 2, -jnp.expm1(-z) / jnp.where(near, 1.0, z))
        kappa = t / (self.slow_ms * self.fast_ms) * jnp.exp(-t / self.slow_ms) * ratio
        within = n >= 1 if self.memory is None else (n >= 1) & (n <= self.memory)
        return jnp.where(within, kappa, 0.0)

    def area(self) -> Array:
        """The area of the sampled kernel: the potential, in units of the rate, under a constant rate."""
        if self.memory is not None:
            return self.dt_ms * self.at(jnp.arange(1, self.memory + 1)).sum()
        stays = (1 - self._decay(self.slow_ms, 1)) * (1 - self._decay(self.fast_ms, 1))
        return self.dt_ms * self.at(jnp.asarray(1)) / stays

    def rest(self, batch: int, units: int) -> Trace:
        """The trace of cells that have never fired."""
        return Trace(jnp.zeros((self.n_kept, batch, units)), jnp.zeros((batch, units)))

    def respond(self, trace: Trace, spikes: Float[Array, "steps batch units"]) -> tuple[Response, Trace]:
        """The potential at every step of a block of spikes, and the trace after it."""
        rows = jnp.concatenate([trace.past, trace.psp[None], spikes])
        response = Response(self._response(len(spikes)), rows)
        # a product also where rows are only picked: where it is a slice the compiler draws the spikes once more for it
        past = jnp.einsum("kr,rbn->kbn", self._remains(len(spikes)), rows)
        return response, Trace(past, response.last)

    def _response(self, n_steps: int) -> Float[Array, "steps rows"]:
        """From past, potential and spikes, which a block depends on linearly, to the potential at each of its steps."""
        t = jnp.arange(1, n_steps + 1)
        if self.memory is None:
            before = [self._decay(self.fast_ms, 1) * self.at(t), self._decay(self.slow_ms, t)]
        else:
            before = [self.at(t + age) for age in range(self.memory - 1, 0, -1)] + [jnp.zeros(n_steps)]
        return jnp.concatenate([jnp.stack(before, axis=1), self.at(t[:, None] - t[None] + 1)], axis=1)

    def _remains(self, n_steps: int) -> Float[Array, "_kept rows"]:
        """From the same rows to the past after the block: the fast trace, or the last rows of spikes."""
        if self.memory is None:
            decays = self._decay(self.fast_ms, jnp.arange(n_steps, -1, -1))
            return jnp.concatenate([decays[:1], jnp.zeros(1), decays[1:]])[None]
        spikes = jnp.delete(jnp.eye(self.n_kept + 1 + n_steps), self.n_kept, axis=0)
        return spikes[n_steps:]

    def _decay(self, tau_ms: Array, n: int | Int[Array, "..."]) -> Float[Array, "..."]:
        return jnp.exp(-jnp.asarray(n).astype(tau_ms.dtype) * self.dt_ms / tau_ms)
