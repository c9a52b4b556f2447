"""Plasticity of a spiking microcircuit whose weights are held while patterns are shown: the fast way for batches.

Errors and spikes of a block of steps meet in one matrix product, with the traces between them as a map over time.
"""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from apical.core import PRNGKey, Weights
from apical.networks.microcircuit_euler import n_steps
from apical.networks.microcircuit_state import Nudge, Potentials, families
from apical.networks.spiking_settings import SpikingSettings
from apical.networks.spiking_steps import BLOCK, Cells, draw, populations, step
from apical.networks.synapses import Synapses
from apical.rules.microcircuit_plasticity import Errors, Families
from apical.rules.spiking_plasticity import Setting, own_decay, own_rise, sources, teacher

Trains = tuple[Float[Array, "steps batch _"], ...]


class Shown(eqx.Module):
    """What a presentation with held weights leaves: cells, traces of all populations, and sums over its steps.

    `changes` are the summed products of errors and traces of every family, `biases` of errors alone, `own` those of the
    own-spike correction of interneurons, over the weight.
    """

    cells: Cells
    traces: Potentials
    changes: dict[str, tuple[Array, ...]]
    biases: dict[str, tuple[Array, ...]]
    own: Potentials
    correlations: Potentials


def held(
    net: SpikingSettings,
    setting: Setting,
    weights: Weights,
    x: Float[Array, "batch inputs"],
    nudge: Nudge,
    cells: Cells,
    key: PRNGKey,
) -> tuple[Families, Cells]:
    """What every family descends on average over a presentation, while weights stay, and the cells after it.

    It goes block by block of steps, the last one to its end.
    """
    total, first = n_steps(net, net.presentation_ms), n_steps(net, setting.onset_ms)

    def block(b: Array, shown: Shown) -> Shown:
        return _block(net, setting, weights, x, nudge, jr.fold_in(key, b), (b * BLOCK, first, total), shown)

    shown = jax.lax.fori_loop(0, (total + BLOCK - 1) // BLOCK, block, _nothing(net, setting, weights, cells))
    scale = 1 / ((total - first) * len(x)).astype(x.dtype)
    found = families(weights)
    return {n: _descended(net, setting, n, found[n], shown, scale) for n in setting.plastic}, shown.cells


def _nothing(net: SpikingSettings, setting: Setting, weights: Weights, cells: Cells) -> Shown:
    found, batch = families(weights), len(cells.input)
    kernels = {name: tuple(jnp.zeros_like(w.kernel) for w in found[name]) for name in setting.plastic}
    biases = {name: tuple(jnp.zeros(len(w.kernel)) for w in found[name]) for name in setting.plastic}
    traces = tuple(jnp.zeros((batch, n)) for n in populations(net))
    inter = tuple(jnp.zeros((batch, n)) for n in net.inhibiting)
    return Shown(cells, traces, kernels, biases, inter, inter)


def _block(
    net: SpikingSettings,
    setting: Setting,
    weights: Weights,
    x: Array,
    nudge: Nudge,
    key: PRNGKey,
    when: tuple[Array, Array, Array],
    shown: Shown,
) -> Shown:
    """One block of steps: the steps one after the other, then all products of errors and spikes at once."""
    start, first, total = when
    steps = start + jnp.arange(BLOCK)

    def one(cells: Cells, now: tuple[Array, tuple[Array, ...]]) -> tuple[Cells, tuple[dict[str, Errors], Potentials]]:
        i, words = now
        taught = teacher(net, setting, nudge, i)
        cells, moment = step(net, weights, cells, x, taught, words, jr.fold_in(key, i))
        return cells, (setting.errors(net, moment.seen), moment.arriving)

    cells, (errors, spikes) = jax.lax.scan(one, shown.cells, (steps, draw(net, key, BLOCK, len(x))))
    counted = ((steps >= first) & (steps < total)).astype(x.dtype)
    errors = jax.tree.map(lambda e: counted[:, None, None] * e, errors)
    shown = _summed(net, setting, errors, spikes, replace(shown, cells=cells))
    return _corrected(net, setting, counted, spikes[len(net.sizes) :], shown) if setting.unbiased else shown


def _summed(net: SpikingSettings, setting: Setting, errors: dict[str, Trains], spikes: Trains, shown: Shown) -> Shown:
    """The products of a block's errors (steps, batch, cells) and traces added, and the traces at its end."""
    before = [jnp.concatenate([t[None] / setting.gain(net), s]) for t, s in zip(shown.traces, spikes, strict=True)]
    kernel = setting.gain(net) * _response(setting.decay(net), BLOCK)
    changes, biases = dict(shown.changes), dict(shown.biases)
    for name, layers in errors.items():
        met = [jnp.einsum("tr,tbi->rbi", kernel, e) for e in layers]
        pairs = zip(shown.changes[name], met, sources(net, name), strict=True)
        changes[name] = tuple(c + jnp.einsum("rbi,rbj->ij", e, before[p]) for c, e, p in pairs)
        biases[name] = tuple(b + e.sum((0, 1)) for b, e in zip(shown.biases[name], layers, strict=True))
    left = setting.gain(net) * _faded(setting.decay(net), BLOCK)
    traces = tuple(jnp.einsum("r,rbj->bj", left, rows) for rows in before)
    return replace(shown, traces=traces, changes=changes, biases=biases)


def _corrected(
    net: SpikingSettings, setting: Setting, counted: Float[Array, " steps"], spikes: Trains, shown: Shown
) -> Shown:
    """The own-spike correction of a block added, from the spikes of interneurons (steps, batch, cells)."""
    decay, rise = own_decay(net, setting), own_rise(net, setting)
    met, kept = counted @ _response(decay, BLOCK, 1), _faded(decay, BLOCK)
    rows = [jnp.concatenate([c[None], rise * s]) for c, s in zip(shown.correlations, spikes, strict=True)]
    own = tuple(o + jnp.einsum("r,rbj->bj", met, r) for o, r in zip(shown.own, rows, strict=True))
    return replace(shown, own=own, correlations=tuple(jnp.einsum("r,rbj->bj", kept, r) for r in rows))


def _response(decay: Array, n_steps: int, begin: int = 0) -> Float[Array, "steps rows"]:
    """How a trace at each step of a block counts the trace before it (row 0) and the spikes of its steps."""
    age = jnp.arange(n_steps)[:, None] - jnp.arange(-1, n_steps)[None]
    return jnp.where(age >= 1, decay ** (jnp.maximum(age, 1) - begin).astype(decay.dtype), 0.0)


def _faded(decay: Array, n_steps: int) -> Float[Array, " rows"]:
    """How the trace at the end of a block counts the trace before it and the spikes of its steps."""
    return decay ** jnp.arange(n_steps, -1, -1).astype(decay.dtype)


def _descended(
    net: SpikingSettings, setting: Setting, name: str, layers: tuple[Synapses, ...], shown: Shown, scale: Array
) -> tuple[Synapses, ...]:
    """The mean descended by a family, from the sums over a presentation."""
    found = []
    for k, synapses in enumerate(layers):
        change = shown.changes[name][k]
        if name == "pi" and setting.unbiased:
            change = change + synapses.kernel * shown.own[k].sum(0)
        bias = None if synapses.bias is None else -scale * shown.biases[name][k]
        found.append(Synapses(-scale * change, bias))
    return tuple(found)
