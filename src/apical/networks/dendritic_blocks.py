"""A block of steps of a network of cells with segregated dendrites: in time step by step, or many steps at once.

Where the apical dendrite does not act on the soma, nothing that happens above a layer reaches it within a phase. Then a
block of steps is gone through layer by layer, all its steps at once: potentials are linear maps over time (see
`kernels`), so the drive of a block is one matrix product. With an apical conductance the layers above the first are
gone through step by step. Either way a layer sees the layer below in the same step, apical dendrites their source
one step later.
"""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Int32

from apical.core import PRNGKey, Weights
from apical.networks.dendritic_settings import DendriticSettings
from apical.networks.dendritic_state import Cell, Cells, History, Means, Potentials, Sent
from apical.neurons.compartments import fire, soma_over_time, teach
from apical.neurons.kernels import Given, Trace
from apical.neurons.spikes import draw_words, spike_counts

Draws = tuple[Int32[Array, "steps batch _"], ...]
Layers = tuple[Cell, ...]
Target = Float[Array, "batch outputs"] | None
Felt = Int[Array, " felt"] | None


class Window(eqx.Module):
    """Which steps count in the means of a phase: its last `n_window` of `n_steps`.

    `early` says for every hidden cell how many steps before the end its own window closes (plateau times; none: 0).
    """

    n_steps: int = eqx.field(static=True)
    n_window: int = eqx.field(static=True)
    early: tuple[Int[Array, "batch _"], ...] | None = None

    def weights(self, steps: Int[Array, " steps"]) -> Float[Array, " steps"]:
        """The weight of these steps (0: the first of the phase) in a mean."""
        return jnp.where(steps >= self.n_steps - self.n_window, 1.0, 0.0) / self.n_window

    def apical(self, l: int, steps: Int[Array, " steps"]) -> Float[Array, "_steps _batch _units"]:
        """The same for the apical dendrites of hidden layer l."""
        end = jnp.full((1, 1), self.n_steps) if self.early is None else self.n_steps - self.early[l]
        t = steps[:, None, None]
        return jnp.where((t < end) & (t >= end - self.n_window), 1.0, 0.0) / self.n_window


def draw(
    net: DendriticSettings, key: PRNGKey, start: Int[Array, ""], n_steps: int, batch: int, felt: Felt = None
) -> Draws:
    """Uniform words for the spikes of every layer in a block, from the input up; those never used are never made.

    Each layer and each step that a block may start with has a stream of its own. With some of the input cells alone,
    each has the words that it has among all.
    """
    n_layers = len(net.sizes)

    def words(l: int, only: Felt = None) -> Int32[Array, "..."]:
        return draw_words(key, (n_steps, batch, net.sizes[l]), start * n_layers + l, only)

    return words(0, felt), *map(words, range(1, n_layers))


def run_block(
    net: DendriticSettings,
    weights: Weights,
    cells: Cells,
    x: Float[Array, "batch inputs"],
    steps: Int[Array, " steps"],
    window: Window,
    draws: Draws,
    target: Target = None,
) -> tuple[Cells, Means, History]:
    """One block of steps, numbered from the start of the phase: cells after it, its share of the means, its history."""
    sent = send_input(net, cells.input, x, draws[0])
    basal = sent.drive(weights.forward[0], len(steps))
    mean_input = sent.mean(window.weights(steps))
    if not net.apical_acts:
        layers, means, history = _layers(net, weights, cells.layers, basal, steps, window, draws[1:], target)
    else:

        def step(layers: Layers, now: tuple[Array, Array, tuple[Array, ...]]) -> tuple[Layers, tuple[Means, History]]:
            step, basal, draws = jax.tree.map(lambda a: a[None], now)
            layers, means, history = _layers(net, weights, layers, basal, step, window, draws, target)
            return layers, (means, jax.tree.map(lambda a: a[0], history))

        layers, (means, history) = jax.lax.scan(step, cells.layers, (steps, basal, draws[1:]))
        means = jax.tree.map(lambda a: a.sum(0), means)
    means = eqx.tree_at(lambda m: m.psps, means, (mean_input, *means.psps))
    return Cells(sent.trace, layers), means, history


def send_input(
    net: DendriticSettings, trace: Trace | None, x: Float[Array, "batch inputs"], words: Int32[Array, "..."]
) -> Sent:
    """What the input sends over a block: Poisson spikes at max_rate times the pixel, or that rate."""
    rate = net.max_rate * x
    if trace is None:
        return Sent(Given(rate[None]), rate)
    return Sent.spikes(net.kernel, trace, spike_counts(words, net.dt_ms * rate))


def _layers(
    net: DendriticSettings,
    weights: Weights,
    cells: Layers,
    basal: Potentials,
    steps: Int[Array, " steps"],
    window: Window,
    draws: Draws,
    target: Target,
) -> tuple[Layers, Means, History]:
    """Hidden and output layers over a block, given the basal potentials of the first."""
    felt = _felt_before(net, weights, cells) if net.apical_acts else ()
    basals, somas, counts, ups, downs = [basal], [], [], [], []
    for l, (cell, words) in enumerate(zip(cells, draws, strict=True)):
        drive = net.g_basal * basals[l]
        if l < len(felt):
            drive = drive + net.g_apical * felt[l]
        somas.append(_soma(net, l, cell.soma, drive, target))
        counts.append(spike_counts(words, net.dt_ms * fire(somas[l], net.max_rate)))
        ups.append(_sent(net, net.spiking_feedforward, cell, somas[l], counts[l]))
        downs.append(_sent(net, net.spiking_feedback, cell, somas[l], counts[l]))
        if l + 1 < len(cells):
            basals.append(ups[l].drive(weights.forward[l + 1], len(steps)))
    heard = [downs[source - 1].delayed() for source in net.sources]
    apical = felt or _potentials(weights, heard)
    means = _means(net, weights, window, steps, ups, somas, heard, apical)
    after = tuple(Cell(soma[-1], _trace(net, l, ups[l], downs[l])) for l, soma in enumerate(somas))
    return after, means, History(tuple(basals), tuple(apical), tuple(somas), tuple(counts))


def _felt_before(net: DendriticSettings, weights: Weights, cells: Layers) -> list[Potentials]:
    """The apical potentials that act in the first step of a block."""
    return _potentials(weights, [_before(net, cells[source - 1])[None] for source in net.sources])


def _potentials(weights: Weights, psps: Sequence[Array]) -> list[Array]:
    """Apical potentials of every hidden layer, given what its synapses receive."""
    return [synapses.potential(psp) for synapses, psp in zip(weights.feedback, psps, strict=True)]


def _means(
    net: DendriticSettings,
    weights: Weights,
    window: Window,
    steps: Int[Array, " steps"],
    ups: Sequence[Sent],
    somas: Sequence[Potentials],
    heard: Sequence[Potentials],
    apical: Sequence[Potentials],
) -> Means:
    """What a block adds to the means of its phase."""
    w = window.weights(steps)
    mean = lambda potentials: jnp.einsum("t,tbn->bn", w, potentials)  # noqa: E731
    mean_heard = tuple(map(mean, heard))
    if net.apical_acts or window.early is not None:
        mean_apical = [(window.apical(l, steps) * potential).sum(0) for l, potential in enumerate(apical)]
    else:  # the same sums in another order, 10 numbers in place of 500 at every step
        pairs = zip(weights.feedback, mean_heard, strict=True)
        mean_apical = [synapses.potential(psp, w.sum()) for synapses, psp in pairs]
    return Means(
        psps=tuple(up.mean(w) for up in ups[:-1]),
        somas=tuple(map(mean, somas)),
        rate=mean(fire(somas[-1], net.max_rate)),
        apical=tuple(mean_apical),
        heard=mean_heard,
    )


def _soma(net: DendriticSettings, l: int, soma: Array, drive: Potentials, target: Target) -> Potentials:
    """The somas of layer l (0: first hidden) over a block, driven by their dendrites and perhaps a teacher."""
    pull = net.pull_hidden if l < len(net.hidden) else net.pull_output
    if l == len(net.hidden) and target is not None:
        drive, pull = drive + teach(target, net.e_exc, net.e_inh), pull + 1
    return soma_over_time(soma, drive, pull, net.dt_ms) if net.conductances else drive / pull


def _before(net: DendriticSettings, cell: Cell) -> Float[Array, "batch units"]:
    """What a cell's target hears on the feedback path in the first step of a block."""
    return cell.trace.psp if net.spiking_feedback and cell.trace is not None else fire(cell.soma, net.max_rate)


def _sent(net: DendriticSettings, spiking: bool, cell: Cell, soma: Potentials, counts: Potentials) -> Sent:
    if spiking and cell.trace is not None:
        return Sent.spikes(net.kernel, cell.trace, counts)
    return Sent(Given(fire(soma, net.max_rate)), fire(cell.soma, net.max_rate))


def _trace(net: DendriticSettings, l: int, up: Sent, down: Sent) -> Trace | None:
    return (up if net.spiking_feedforward and l < len(net.hidden) else down).trace


def traced(net: DendriticSettings, layer: int) -> bool:
    """Whether a spike of this layer (0: input) is heard by anyone."""
    upwards = net.spiking_feedforward and layer <= len(net.hidden)
    return upwards or (net.spiking_feedback and layer in net.sources)


def rest(net: DendriticSettings, batch: int) -> Cells:
    """Cells that have never seen anything: potentials 0, no spikes."""
    traces = [net.kernel.rest(batch, n) if traced(net, l) else None for l, n in enumerate(net.sizes)]
    somas = [jnp.zeros((batch, n)) for n in net.sizes[1:]]
    return Cells(traces[0], tuple(map(Cell, somas, traces[1:])))
