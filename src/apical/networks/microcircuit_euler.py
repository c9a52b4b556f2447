"""A microcircuit in time: forward Euler steps of its somas, and all that lies between a cell and the next.

In a step every cell sees the rates that others had after the step before, so that a change travels one hop in a step.
With latent equilibrium a cell's prospective potential then is its steady state for what it sees.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from apical.core import PRNGKey, Weights
from apical.networks.microcircuit_dale import relayed
from apical.networks.microcircuit_settings import HARD, MicrocircuitSettings
from apical.networks.microcircuit_state import Activity, Nudge, Potentials
from apical.neurons.somata import change, filtered, prospective

RESET_PATTERNS, RESET_MS = 5, 3.0
Input = Float[Array, "batch inputs"]


class Soma(eqx.Module):
    """A layer's potentials now, those that it acts by (prospective with latent equilibrium), and their rates."""

    now: Float[Array, "batch cells"]
    acting: Float[Array, "batch cells"]
    rate: Float[Array, "batch cells"]


class Line(eqx.Module):
    """What is underway from a population: rates sent before, the latest first, and what synapses feel of them."""

    sent: Float[Array, "delay batch cells"] | None
    felt: Float[Array, "batch cells"] | None


class Cells(eqx.Module):
    """All that is carried from step to step: input rates, pyramidal cells, interneurons, and the lines of all three."""

    input: Input
    pyramidal: tuple[Soma, ...]
    inter: tuple[Soma, ...]
    lines: tuple[Line, ...]

    def rates(self) -> Potentials:
        """The rates of input, pyramidal cells and interneurons."""
        return (self.input, *(s.rate for s in self.pyramidal), *(s.rate for s in self.inter))


def at_rest(net: MicrocircuitSettings, batch: int) -> Cells:
    """All potentials 0, nothing underway but the rates of that."""

    def soma(n: int) -> Soma:
        u = jnp.zeros((batch, n))
        return Soma(u, u, net.phi.rate(u))

    cells = Cells(
        jnp.zeros((batch, net.sizes[0])), tuple(map(soma, net.sizes[1:])), tuple(map(soma, net.sizes[2:])), ()
    )
    lines = tuple(_line(net, rate) for rate in cells.rates()) if net.delay_steps or net.tau_syn_ms is not None else ()
    return Cells(cells.input, cells.pyramidal, cells.inter, lines)


def _line(net: MicrocircuitSettings, rate: Array) -> Line:
    sent = jnp.broadcast_to(rate, (net.delay_steps, *rate.shape)) if net.delay_steps else None
    return Line(sent, None if net.tau_syn_ms is None else rate)


def euler_step(
    net: MicrocircuitSettings, weights: Weights, cells: Cells, x: Input, nudge: Nudge | None, key: PRNGKey
) -> tuple[Cells, Activity]:
    """The cells after one step under an input, and what plasticity sees of it."""
    entered = x if net.tau_input_ms is None else filtered(cells.input, x, net.dt_ms, net.tau_input_ms)
    cells = Cells(entered, cells.pyramidal, cells.inter, cells.lines)
    lines, arriving = transmitted(net, cells)
    n_hidden, n_layers = len(net.hidden), len(net.hidden) + 1
    rates, inhibition = arriving[: n_layers + 1], relayed(weights, arriving[n_layers + 1 :])
    basal = dendrites(net, weights.forward, rates[:-1])
    inner = dendrites(net, weights.lateral[0], rates[1:-1])
    excited, inhibited = dendrites(net, weights.feedback, rates[2:]), dendrites(net, weights.lateral[1], inhibition)
    apical = tuple(map(jnp.add, excited, inhibited))
    drives = [net.g_basal * b + net.g_apical * a for b, a in zip(basal[:-1], apical, strict=True)]
    drives, pulls = [*drives, net.g_basal * basal[-1]], [*(net.pull_hidden for _ in apical), net.pull_output]
    if nudge is not None:
        drives[-1], pulls[-1] = drives[-1] + nudge.drive, pulls[-1] + nudge.pull
    felt = zip(inner, cells.pyramidal[1:], strict=True)
    drives += [net.g_dendrite * v + net.g_som * above.acting for v, above in felt]
    pulls += [net.pull_inter] * n_hidden
    somas = [*cells.pyramidal, *cells.inter]
    keys = jr.split(key, len(somas)) if net.noise_sigma is not None else [key] * len(somas)
    after = [moved(net, *each) for each in zip(somas, drives, pulls, keys, strict=True)]
    pyramidal, inter = tuple(after[:n_layers]), tuple(after[n_layers:])
    acting, inter_acting = tuple(s.acting for s in pyramidal), tuple(s.acting for s in inter)
    seen = Activity(rates[:-1], basal, acting, apical, rates[2:], inhibition, inter_acting, inner)
    return Cells(entered, pyramidal, inter, lines), seen


def dendrites(net: MicrocircuitSettings, layers: tuple, rates: Potentials) -> Potentials:
    """The potentials of dendrites, which follow at once."""
    return tuple(w.potential(r) / net.dendritic_leak for w, r in zip(layers, rates, strict=True))


def moved(net: MicrocircuitSettings, soma: Soma, drive: Array, pull: Array, key: PRNGKey) -> Soma:
    """A layer's somas after one step."""
    drive = drive + net.injected_current
    if net.noise_sigma is not None:
        drive = drive + net.noise_sigma / jnp.sqrt(net.dt_ms) * jr.normal(key, drive.shape)
    du = change(soma.now, drive, pull)
    now = soma.now + net.dt_ms * du
    acting = prospective(soma.now, du, pull) if net.latent_equilibrium else now
    return Soma(now, acting, net.phi.rate(acting))


def transmitted(net: MicrocircuitSettings, cells: Cells) -> tuple[tuple[Line, ...], Potentials]:
    """The lines after a step, and the rates that arrive from input, pyramidal cells and interneurons."""
    if not cells.lines:
        return (), cells.rates()
    pairs = [_passed_on(net, line, rate) for line, rate in zip(cells.lines, cells.rates(), strict=True)]
    lines, arriving = zip(*pairs, strict=True)
    return lines, arriving


def _passed_on(net: MicrocircuitSettings, line: Line, rate: Array) -> tuple[Line, Array]:
    sent, felt = line.sent, line.felt
    if sent is not None:
        rate, sent = sent[-1], jnp.concatenate([rate[None], sent[:-1]])
    if felt is not None and net.tau_syn_ms is not None:
        rate = felt = filtered(felt, rate, net.dt_ms, net.tau_syn_ms)
    return Line(sent, felt), rate


def n_steps(net: MicrocircuitSettings, duration_ms: Array | float) -> Array:
    """Steps in so many ms."""
    return jnp.round(duration_ms / jnp.asarray(net.dt_ms, float)).astype(int)


def prepared(net: MicrocircuitSettings, weights: Weights, cells: Cells, key: PRNGKey) -> Cells:
    """The cells at the start of a presentation, as `reset` has it: at rest, after random patterns, or as they were."""
    if net.reset == HARD:
        return at_rest(net, len(cells.input))
    if net.reset is None:
        return cells
    length = round(RESET_MS / net.dt_ms)

    def step(i: Array, cells: Cells) -> Cells:
        x = jr.uniform(jr.fold_in(key, i // length), cells.input.shape)
        return euler_step(net, weights, cells, x, None, jr.fold_in(key, RESET_PATTERNS + i))[0]

    return jax.lax.fori_loop(0, RESET_PATTERNS * length, step, cells)


def read_out(net: MicrocircuitSettings, weights: Weights, x: Input, key: PRNGKey) -> Float[Array, "batch outputs"]:
    """Output potentials without a teacher, from rest, averaged over a presentation but its `readout_lag_ms`."""
    total, lag = n_steps(net, net.presentation_ms), n_steps(net, net.readout_lag_ms)

    def step(i: Array, carry: tuple[Cells, Array]) -> tuple[Cells, Array]:
        cells, summed = carry
        cells = euler_step(net, weights, cells, x, None, jr.fold_in(key, i))[0]
        output = cells.pyramidal[-1]
        read = output.acting if net.readout == "prospective" else output.now
        return cells, summed + jnp.where(i >= lag, read, 0.0)

    cells = at_rest(net, len(x))
    _, summed = jax.lax.fori_loop(0, total, step, (cells, jnp.zeros_like(cells.pyramidal[-1].now)))
    return summed / (total - lag).astype(summed.dtype)
