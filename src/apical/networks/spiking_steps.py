"""A spiking microcircuit in time: steps of somas and leaky dendrites, and the spikes between them.

In a step somas follow the dendrites as they are, cells fire by the rates that follow, and what they send moves
dendrites for the next step. Populations are counted as input, pyramidal layers, interneurons (of each hidden layer,
followed by their inhibitory cells where there are any).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int32

from apical.core import PRNGKey, Weights
from apical.networks.microcircuit_dale import relayed
from apical.networks.microcircuit_euler import RESET_MS, RESET_PATTERNS, n_steps
from apical.networks.microcircuit_settings import SOFT
from apical.networks.microcircuit_state import Activity, Nudge, Potentials
from apical.networks.spiking_settings import SpikingSettings
from apical.neurons.somata import change, filtered, prospective
from apical.neurons.spikes import RANGE, draw_words, poisson, surrogate

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
    return (*net.sizes, *net.inhibiting)


def at_rest(net: SpikingSettings, batch: int) -> Cells:
    """All potentials 0, no spike ever."""
    still = lambda sizes: tuple(jnp.zeros((batch, n)) for n in sizes)  # noqa: E731
    sizes, cells = populations(net), (*net.sizes[1:], *net.sizes[2:])
    return Cells(
        input=jnp.zeros((batch, sizes[0])),
        somas=still(cells),
        basal=still(cells),
        apical=still(net.hidden),
        since=tuple(jnp.full((batch, n), jnp.inf) for n in sizes) if net.refractory_ms else (),
        underway=tuple(jnp.zeros((net.delay_steps, batch, n)) for n in sizes) if net.delay_steps else (),
        received=still(cells) if net.dendritic_equilibrium else (),
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
        return surrogate(poisson(words, jax.lax.stop_gradient(expected)), expected) / unit
    ready = since > round(net.refractory_ms / net.dt_ms)
    chance = jnp.where(ready, -jnp.expm1(-expected), 0.0)
    return surrogate(jnp.where(words.astype(rate.dtype) / RANGE < chance, 1.0, 0.0), chance) / unit


def fire(
    net: SpikingSettings,
    weights: Weights,
    cells: Cells,
    x: Float[Array, "batch inputs"],
    nudge: Nudge | None,
    words: tuple[Int32[Array, "..."], ...],
    key: PRNGKey,
) -> tuple[Cells, Moment]:
    """The first half of a step: somas follow their dendrites and cells fire; what plasticity sees, and what arrives."""
    entered = x if net.tau_input_ms is None else filtered(cells.input, x, net.dt_ms, net.tau_input_ms)
    somas, acting = _somas(net, cells, nudge, key)
    n, rates = len(net.sizes), (entered, *map(net.phi.rate, acting))
    rates = (*rates[:n], *relayed(weights, rates[n:]))
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
    cells, moment = fire(net, weights, cells, x, nudge, words, key)
    return receive(net, weights, cells, moment.arriving), moment


def prepared(net: SpikingSettings, weights: Weights, cells: Cells | None, batch: int, key: PRNGKey) -> Cells:
    """The cells at the start of a presentation, as `reset` has it: at rest, after random patterns, or as they were."""
    if cells is None:
        return at_rest(net, batch)
    if net.reset != SOFT:
        return cells
    length = round(RESET_MS / net.dt_ms)

    def one(i: Array, cells: Cells) -> Cells:
        x = jr.uniform(jr.fold_in(key, i // length), cells.input.shape)
        now = jr.fold_in(key, RESET_PATTERNS + i)
        return step(net, weights, cells, x, None, tuple(w[0] for w in draw(net, now, 1, batch)), now)[0]

    return jax.lax.fori_loop(0, RESET_PATTERNS * length, one, cells)


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
    net: SpikingSettings, weights: Weights, x: Float[Array, "batch inputs"], key: PRNGKey, steps: int | None = None
) -> Float[Array, "batch outputs"]:
    """Output potentials without a teacher, from rest, averaged over a presentation but its `readout_lag_ms`.

    Given the number of `steps` of a presentation, there is a gradient through all of them.
    """
    total = n_steps(net, net.presentation_ms) if steps is None else steps
    lag = n_steps(net, net.readout_lag_ms)
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
