"""A spiking microcircuit in time: steps of somas and leaky dendrites, and the spikes between them.

In a step somas follow the dendrites as they are, cells fire by the rates that follow, and what they send moves
dendrites for the next step. Populations are counted as input, pyramidal layers, interneurons.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int32

from apical.core import PRNGKey, Weights
from apical.networks.microcircuit_euler import n_steps
from apical.networks.microcircuit_state import Activity, Nudge, Potentials
from apical.networks.spiking_settings import SpikingSettings
from apical.neurons.somata import change, filtered, prospective
from apical.neurons.spikes import RANGE, draw_words, poisson

BLOCK = 10
LIMIT = 1e6  # no cell is expected to fire more often in a step: activity that explodes stays finite
NOISE = 1_000_003  # folded into the key of a step, apart from the numbers of populations
Sent = Float[Array, "*steps batch cells"]


class Cells(eqx.Module):
    """All that is carried from step to step: potentials of every compartment, and what concerns sent spikes.

    `since` are steps since the last spike of every population (where cells are refractory), `underway` the spikes of
    the last steps (where there is a delay), the latest first, `received` what basal dendrites and those of interneurons
    took up last (where plasticity sees their prospective potentials).
    """

    input: Float[Array, "batch inputs"]
    somas: Potentials
    basal: Potentials
    apical: Potentials
    since: Potentials
    underway: tuple[Float[Array, "delay batch _"], ...]
    received: Potentials


class Moment(eqx.Module):
    """What a step shows: potentials as plasticity sees them, and the spikes that arrive, in units of the rate."""

    seen: Activity
    arriving: Potentials


def populations(net: SpikingSettings) -> tuple[int, ...]:
    """Cells of input, pyramidal layers, interneurons."""
    return (*net.sizes, *net.sizes[2:])


def at_rest(net: SpikingSettings, batch: int) -> Cells:
    """All potentials 0, no spike ever."""
    still = lambda sizes: tuple(jnp.zeros((batch, n)) for n in sizes)  # noqa: E731
    sizes = populations(net)
    return Cells(
        input=jnp.zeros((batch, sizes[0])),
        somas=still(sizes[1:]),
        basal=still(sizes[1:]),
        apical=still(net.hidden),
        since=tuple(jnp.full((batch, n), jnp.inf) for n in sizes) if net.refractory_ms else (),
        underway=tuple(jnp.zeros((net.delay_steps, batch, n)) for n in sizes) if net.delay_steps else (),
        received=still(sizes[1:]) if net.dendritic_equilibrium else (),
    )


def draw(net: SpikingSettings, key: PRNGKey, n_steps: int, batch: int) -> tuple[Int32[Array, "..."], ...]:
    """Uniform words for the spikes of every population in a block of steps."""
    sizes = populations(net)
    return tuple(draw_words(jr.fold_in(key, p), (n_steps, batch, n)) for p, n in enumerate(sizes))


def fired(net: SpikingSettings, rate: Sent, words: Int32[Array, "..."], since: Array | None) -> Sent:
    """Spikes at these rates, in units of the rate: Poisson counts, or one at most where cells are refractory."""
    unit = net.psi * net.dt_ms
    expected = jnp.clip(unit * rate, 0.0, LIMIT)
    if since is None:
        return poisson(words, expected) / unit
    ready = since > round(net.refractory_ms / net.dt_ms)
    fires = words.astype(rate.dtype) / RANGE < -jnp.expm1(-expected)
    return jnp.where(ready & fires, 1.0, 0.0) / unit


def fire(
    net: SpikingSettings,
    cells: Cells,
    x: Float[Array, "batch inputs"],
    nudge: Nudge | None,
    words: tuple[Int32[Array, "..."], ...],
    key: PRNGKey,
) -> tuple[Cells, Moment]:
    """The first half of a step: somas follow their dendrites and cells fire; what plasticity sees, and what arrives."""
    entered = x if net.tau_input_ms is None else filtered(cells.input, x, net.dt_ms, net.tau_input_ms)
    somas, acting = _somas(net, cells, nudge, key)
    rates = (entered, *map(net.phi.rate, acting))
    since = cells.since or (None,) * len(rates)
    sent = tuple(fired(net, *each) for each in zip(rates, words, since, strict=True))
    arriving, underway = _delayed(net, cells, sent)
    after = tuple(jnp.where(s > 0, 1.0, n + 1) for s, n in zip(sent, cells.since, strict=False))
    moment = Moment(_activity(net, cells, acting), arriving)
    return Cells(entered, somas, cells.basal, cells.apical, after, underway, cells.received), moment


def receive(net: SpikingSettings, weights: Weights, cells: Cells, arriving: Potentials) -> Cells:
    """The second half: dendrites leak, and take up what arrives through these weights."""
    basal_in, apical_in = _received(net, weights, arriving)
    basal = (_leaky(net, v, i, net.basal_capacitance) for v, i in zip(cells.basal, basal_in, strict=True))
    apical = (_leaky(net, v, i, net.apical_capacitance) for v, i in zip(cells.apical, apical_in, strict=True))
    kept = basal_in if net.dendritic_equilibrium else ()
    return Cells(cells.input, cells.somas, tuple(basal), tuple(apical), cells.since, cells.underway, kept)


def step(
    net: SpikingSettings,
    weights: Weights,
    cells: Cells,
    x: Float[Array, "batch inputs"],
    nudge: Nudge | None,
    words: tuple[Int32[Array, "..."], ...],
    key: PRNGKey,
) -> tuple[Cells, Moment]:
    """The cells after one step under an input, and the moment that plasticity sees."""
    cells, moment = fire(net, cells, x, nudge, words, key)
    return receive(net, weights, cells, moment.arriving), moment


def _somas(net: SpikingSettings, cells: Cells, nudge: Nudge | None, key: PRNGKey) -> tuple[Potentials, Potentials]:
    """Somas after the step, and the potentials by which they act: prospective ones with latent equilibrium."""
    n_layers = len(net.sizes) - 1
    apical = (*(net.g_apical * v for v in cells.apical), 0.0)
    drives = [net.g_basal * b + a for b, a in zip(cells.basal[:n_layers], apical, strict=True)]
    pulls = [*(net.pull_hidden for _ in net.hidden), net.pull_output]
    if nudge is not None:
        drives[-1], pulls[-1] = drives[-1] + nudge.drive, pulls[-1] + nudge.pull
    after, acting = [], []
    for l, soma in enumerate(cells.somas):
        if l >= n_layers:  # interneurons hear the cells above as these act now
            drives.append(net.g_dendrite * cells.basal[l] + net.g_som * acting[l - n_layers + 1])
            pulls.append(net.pull_inter)
        drive = drives[l] + net.injected_current
        if net.noise_sigma is not None:
            noise = jr.normal(jr.fold_in(key, NOISE + l), soma.shape)
            drive = drive + net.noise_sigma / jnp.sqrt(net.dt_ms) * noise
        moved = change(soma, drive, pulls[l])
        after.append(soma + net.dt_ms * moved)
        acting.append(prospective(soma, moved, pulls[l]) if net.latent_equilibrium else after[l])
    return tuple(after), tuple(acting)


def _delayed(net: SpikingSettings, cells: Cells, sent: Potentials) -> tuple[Potentials, tuple[Array, ...]]:
    if not net.delay_steps:
        return sent, ()
    arriving = tuple(line[-1] for line in cells.underway)
    return arriving, tuple(jnp.concatenate([s[None], u[:-1]]) for s, u in zip(sent, cells.underway, strict=True))


def _activity(net: SpikingSettings, cells: Cells, acting: Potentials) -> Activity:
    """Potentials as plasticity sees them; what synapses received is not among them."""
    n = len(net.sizes) - 1
    dendrites = cells.basal
    if net.dendritic_equilibrium:  # v + C/g dv/dt is what came in, over the leak
        dendrites = tuple(r / net.dendritic_leak for r in cells.received)
    return Activity((), dendrites[:n], acting[:n], cells.apical, (), (), acting[n:], dendrites[n:])


def _received(net: SpikingSettings, weights: Weights, arriving: Potentials) -> tuple[Potentials, Potentials]:
    """What comes into basal dendrites (pyramidal cells', then interneurons') and into apical ones."""
    n = len(net.sizes) - 1
    basal_in = [w.potential(q) for w, q in zip(weights.forward, arriving[:n], strict=True)]
    basal_in += [w.potential(q) for w, q in zip(weights.lateral[0], arriving[1:n], strict=True)]
    down = [w.potential(q) for w, q in zip(weights.feedback, arriving[2 : n + 1], strict=True)]
    inhibition = [w.potential(q) for w, q in zip(weights.lateral[1], arriving[n + 1 :], strict=True)]
    return tuple(basal_in), tuple(map(jnp.add, down, inhibition))


def _leaky(net: SpikingSettings, v: Array, received: Array, capacitance: Array) -> Array:
    return v + net.dt_ms / capacitance * (received - net.dendritic_leak * v)


def read_out(
    net: SpikingSettings, weights: Weights, x: Float[Array, "batch inputs"], key: PRNGKey
) -> Float[Array, "batch outputs"]:
    """Output potentials without a teacher, from rest, averaged over a presentation but its `readout_lag_ms`."""
    total, lag = n_steps(net, net.presentation_ms), n_steps(net, net.readout_lag_ms)
    last = len(net.sizes) - 2

    def body(i: Array, carry: tuple[Cells, Array]) -> tuple[Cells, Array]:
        cells, summed = carry
        now = jr.fold_in(key, i)
        words = tuple(w[0] for w in draw(net, now, 1, len(x)))
        cells, moment = step(net, weights, cells, x, None, words, now)
        read = moment.seen.somas[last] if net.readout == "prospective" else cells.somas[last]
        return cells, summed + jnp.where(i >= lag, read, 0.0)

    summed = jnp.zeros((len(x), net.classes))
    _, summed = jax.lax.fori_loop(0, total, body, (at_rest(net, len(x)), summed))
    return summed / (total - lag).astype(summed.dtype)
