"""Plasticity of a spiking microcircuit in every step, time-driven or event-based.

A presentation ends with all that is still on its way arriving in the weights, and begins with traces at rest.
"""

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
from apical.rules.microcircuit_plasticity import bounds, each
from apical.rules.spiking_plasticity import Setting, own_decay, own_rise, sources, teacher

HISTORY = 64
Engines = dict[str, tuple[Dense | Events, ...]]
Rules = dict[str, tuple[LowPass, ...]]


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

    engines = {name: tuple(map(engine, of, families(weights)[name])) for name, of in rules.items()}
    biases = {name: tuple(w.bias for w in families(weights)[name]) for name in rules}

    def body(i: Array, now: tuple[Cells, Engines, dict, Potentials]) -> tuple[Cells, Engines, dict, Potentials]:
        cells, engines, biases, own = now
        key_step = jr.fold_in(key, i)
        words = tuple(w[0] for w in draw(net, key_step, 1, lanes))
        cells, moment = fire(net, weights, cells, x, teacher(net, setting, nudge, i), words, key_step)
        on = (i >= first).astype(x.dtype) * net.dt_ms
        errors = jax.tree.map(lambda e: on * e, setting.errors(net, moment.seen))
        moved: Engines = {}
        for name, layers in engines.items():
            parts = zip(rules[name], layers, errors[name], sources(net, name), strict=True)
            corrections = [on * o for o in own] if name == "pi" and setting.unbiased else [None] * len(layers)
            moved[name] = tuple(
                layer.step(rule, e, moment.arriving[p], *(() if c is None else (c,)))
                for (rule, layer, e, p), c in zip(parts, corrections, strict=True)
            )
        grown = {name: tuple(map(_biased, biases[name], rules[name], errors[name])) for name in rules}
        cells = receive(net, _assembled(weights, moved, biases), cells, moment.arriving)
        decay, rise = own_decay(net, setting), own_rise(net, setting)
        inter = moment.arriving[len(net.sizes) :]
        return cells, moved, grown, tuple(decay * o + rise * s for o, s in zip(own, inter, strict=True))

    own = tuple(jnp.zeros((lanes, n)) for n in net.inhibiting)
    start = (cells, engines, biases, own)
    cells, engines, biases, _ = jax.lax.fori_loop(0, n_steps(net, net.presentation_ms), body, start)
    kernels = {name: tuple(e.settled(r) for e, r in zip(engines[name], rules[name], strict=True)) for name in rules}
    return _replaced(weights, kernels, biases), cells


def _biased(bias: Array | None, rule: LowPass, errors: Array) -> Array | None:
    """A bias hears a cell that is always at 1; it is not filtered."""
    return None if bias is None else bias + rule.rate * errors.mean(0)


def _assembled(weights: Weights, engines: Engines, biases: dict) -> Weights:
    return _replaced(weights, {name: tuple(e.weights for e in of) for name, of in engines.items()}, biases)


def _replaced(weights: Weights, kernels: dict[str, tuple[Array, ...]], biases: dict) -> Weights:
    made = {name: tuple(map(Synapses, of, biases[name])) for name, of in kernels.items()}
    return assembled({**families(weights), **made})
