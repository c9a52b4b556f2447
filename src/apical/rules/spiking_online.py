"""Plasticity of a spiking microcircuit in every step, time-driven or event-based.

A presentation ends with all that is still on its way arriving in the weights, and begins with traces at rest.
"""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from apical.core import PRNGKey, Weights
from apical.networks.microcircuit_euler import n_steps
from apical.networks.microcircuit_state import Nudge, Potentials, assembled, families
from apical.networks.spiking_settings import SpikingSettings
from apical.networks.spiking_steps import Cells, draw, fire, receive
from apical.networks.synapses import Synapses
from apical.neurons.events import Events
from apical.neurons.plasticity import Dense, LowPass
from apical.rules.microcircuit_plasticity import Errors, bounds, each
from apical.rules.spiking_plasticity import Setting, own_decay, own_rise, sources, teacher

HISTORY = 64
Engines = dict[str, tuple[Dense | Events, ...]]
Rules = dict[str, tuple[LowPass, ...]]


class Moving(eqx.Module):
    """What a presentation with moving weights carries from step to step: cells, the weights and their traces.

    `engines` hold the kernels of every plastic layer, `biases` its biases (None where there are none), `own` the
    own-spike correction of interneurons, over the weight.
    """

    cells: Cells
    engines: Engines
    biases: dict[str, tuple[Array | None, ...]]
    own: Potentials


def rules(net: SpikingSettings, setting: Setting, weights: Weights, rates: dict[str, Array], clip: Array) -> Rules:
    """The rule of every plastic layer: traces in units of the rate, learning rates per ms, bounds."""
    found: Rules = {}
    plastic = {name: families(weights)[name] for name in setting.plastic}
    ends = bounds(net, clip, plastic)
    for name, layers in plastic.items():
        of_layers = zip(each(rates[name], layers), ends[name], strict=True)
        gain, tau = setting.gain(net)[None], setting.tau_ms
        found[name] = tuple(LowPass(tau, tau[None], gain, r, *within, net.dt_ms) for r, within in of_layers)
    return found


def online(
    net: SpikingSettings,
    setting: Setting,
    rules: Rules,
    event_based: bool,
    weights: Weights,
    x: Float[Array, "batch inputs"],
    nudge: Nudge,
    cells: Cells,
    key: PRNGKey,
) -> tuple[Weights, Cells]:
    """The weights after a presentation in which they moved in every step, and the cells."""
    lanes, first = len(x), n_steps(net, setting.onset_ms)

    def engine(rule: LowPass, w: Synapses) -> Dense | Events:
        return Events.rest(rule, w.kernel, HISTORY, lanes) if event_based else Dense.rest(rule, w.kernel, lanes)

    found = {name: families(weights)[name] for name in rules}
    engines = {name: tuple(map(engine, of, found[name])) for name, of in rules.items()}
    biases = {name: tuple(w.bias for w in of) for name, of in found.items()}
    own = tuple(jnp.zeros((lanes, n)) for n in net.inhibiting)

    def body(i: Array, now: Moving) -> Moving:
        key_step = jr.fold_in(key, i)
        words = tuple(w[0] for w in draw(net, key_step, 1, lanes))
        cells, moment = fire(net, weights, now.cells, x, teacher(net, setting, nudge, i), words, key_step)
        on = (i >= first).astype(x.dtype) * net.dt_ms
        errors = jax.tree.map(lambda e: on * e, setting.errors(net, moment.seen))
        moved = _moved(net, setting, rules, errors, moment.arriving, on, now)
        cells = receive(net, _assembled(weights, moved), cells, moment.arriving)
        return replace(moved, cells=cells)

    end = jax.lax.fori_loop(0, n_steps(net, net.presentation_ms), body, Moving(cells, engines, biases, own))
    kernels = {
        name: tuple(e.settled(r) for e, r in zip(end.engines[name], of, strict=True)) for name, of in rules.items()
    }
    return _replaced(weights, kernels, end.biases), end.cells


def _moved(
    net: SpikingSettings,
    setting: Setting,
    rules: Rules,
    errors: dict[str, Errors],
    arriving: Potentials,
    on: Array,
    now: Moving,
) -> Moving:
    """Weights and traces after a step of `on` ms of plasticity, from errors and from spikes that arrive."""
    engines: Engines = {}
    for name, layers in now.engines.items():
        corrections = [(on * o,) for o in now.own] if name == "pi" and setting.unbiased else [()] * len(layers)
        parts = zip(rules[name], layers, errors[name], sources(net, name), corrections, strict=True)
        engines[name] = tuple(layer.step(rule, e, arriving[p], *own) for rule, layer, e, p, own in parts)
    biases = {name: tuple(map(_biased, now.biases[name], rules[name], errors[name])) for name in rules}
    decay, rise = own_decay(net, setting), own_rise(net, setting)
    own = tuple(decay * o + rise * s for o, s in zip(now.own, arriving[len(net.sizes) :], strict=True))
    return replace(now, engines=engines, biases=biases, own=own)


def _biased(bias: Array | None, rule: LowPass, errors: Array) -> Array | None:
    """A bias hears a cell that is always at 1; it is not filtered."""
    return None if bias is None else bias + rule.rate * errors.mean(0)


def _assembled(weights: Weights, now: Moving) -> Weights:
    return _replaced(weights, {name: tuple(e.weights for e in of) for name, of in now.engines.items()}, now.biases)


def _replaced(weights: Weights, kernels: dict[str, tuple[Array, ...]], biases: dict) -> Weights:
    made = {name: tuple(map(Synapses, of, biases[name])) for name, of in kernels.items()}
    return assembled({**families(weights), **made})
