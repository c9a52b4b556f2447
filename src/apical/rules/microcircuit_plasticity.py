"""Plasticity of the four families of synapses of a microcircuit: rates of learning, what each descends, limits."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from apical.hyperparameters import real, stretch
from apical.networks.microcircuit_dale import Bounds, signed
from apical.networks.microcircuit_settings import MicrocircuitSettings
from apical.networks.microcircuit_state import GROUPS, Activity, Layers
from apical.networks.synapses import Synapses
from apical.rules.optimisers import AbstractOptimiser, decay

Families = dict[str, Layers]
Errors = tuple[Array, ...]


class Rates(AbstractOptimiser):
    """The rates of a group's families; what makes steps of them is the rule, as it learns while it simulates."""

    def init(self, weights: Layers) -> PyTree:
        return ()

    def update(self, direction: Layers, memory: PyTree, weights: Layers) -> tuple[Layers, PyTree]:
        raise NotImplementedError("a microcircuit learns while it is simulated")


def rate(default: float | None, synapses: str, **about: Any) -> Any:
    """A rate of learning."""
    return real(default, f"learning rate of {synapses}", low=0, per_layer=True, unit="1/ms", **about)


class BasalRates(Rates):
    """Of synapses onto basal dendrites."""

    rate_up: Array = rate(0.01, "synapses onto basal dendrites", scale="log", search={"own": (1e-4, 1.0)})
    rate_input: Array | None = real(
        None,
        "learning rate of synapses from the input, which no interneuron has to keep up with; none: rate_up",
        low=0,
        optional=True,
        unit="1/ms",
    )

    def of_layers(self, n_layers: int) -> Array:
        """`rate_up`, with that of the first layer in place of its own where it is given."""
        if self.rate_input is None:
            return self.rate_up
        return jnp.concatenate([self.rate_input[None], stretch(self.rate_up, n_layers)[1:]])


class LateralRates(Rates):
    """Of synapses from pyramidal cells to interneurons and back."""

    rate_ip: Array = rate(0.004, "synapses onto interneurons")
    rate_pi: Array = rate(0.0, "synapses of interneurons onto apical dendrites")


class ApicalRates(Rates):
    """Of synapses from the layer above onto apical dendrites, where they learn."""

    rate_down: Array | None = rate(None, "synapses from above onto apical dendrites; none: fixed", optional=True)

    @property
    def frozen(self) -> bool:
        return self.rate_down is None


def up_errors(net: MicrocircuitSettings, seen: Activity) -> Errors:
    """phi(u_k) - phi(a_k v_B,k): what the soma does that its basal dendrite did not predict."""
    rate, shares = net.phi.rate, net.shares()
    return tuple(rate(u) - rate(a * v) for u, v, a in zip(seen.somas, seen.basal, shares, strict=True))


def ip_errors(net: MicrocircuitSettings, seen: Activity) -> Errors:
    """phi(u_I) - phi(a_I v_I): the same of an interneuron."""
    rate = net.phi.rate
    return tuple(rate(u) - rate(net.a_inter * v) for u, v in zip(seen.inter, seen.dendrites, strict=True))


def pi_errors(net: MicrocircuitSettings, seen: Activity) -> Errors:
    """v_rest - v_A: inhibition drives the apical dendrite to rest."""
    return tuple(-v for v in seen.apical)


def down_errors(net: MicrocircuitSettings, seen: Activity, down: Layers) -> Errors:
    """phi(u_k) - phi(W_down r_{k+1}): the layer above learns to predict the soma."""
    rate = net.phi.rate
    alone = [w.potential(r) / net.dendritic_leak for w, r in zip(down, seen.above, strict=True)]
    return tuple(rate(u) - rate(v) for u, v in zip(seen.somas, alone, strict=False))


def direction(net: MicrocircuitSettings, weights: Families, seen: Activity) -> Families:
    """What each of these families descends, averaged over the batch: -error times presynaptic rate."""
    errors: dict[str, Callable[[], tuple[Errors, tuple[Array, ...]]]] = {
        "up": lambda: (up_errors(net, seen), seen.below),
        "ip": lambda: (ip_errors(net, seen), seen.below[1:]),
        "pi": lambda: (pi_errors(net, seen), seen.inhibition),
        "down": lambda: (down_errors(net, seen, weights["down"]), seen.above),
    }
    return {
        name: tuple(hebbian(*triple) for triple in zip(layers, *errors[name](), strict=True))
        for name, layers in weights.items()
    }


def hebbian(synapses: Synapses, error: Float[Array, "batch units"], sent: Float[Array, "batch sources"]) -> Synapses:
    """-error times presynaptic rate; none where a synapse is missing (0)."""
    scaled = -error / len(error)
    alone = len(error) == 1  # then a product of the elements, which joins the change of weights in one loop over them
    kernel = scaled[0][:, None] * sent[0] if alone else jnp.einsum("nu,ns->us", scaled, sent)
    return Synapses(kernel, None if synapses.bias is None else scaled.sum(0))


def decayed(towards: Families, weights: Families, share: Array) -> Families:
    """What these families descend, with a share of each weight added to it."""
    return {name: decay(layers, weights[name], share) for name, layers in towards.items()}


def present(net: MicrocircuitSettings, weights: Families, steps: Families) -> Families:
    """The steps without those of synapses that do not exist, whose weight is 0."""
    if net.connection_probability == 1:
        return steps

    def only(w: Synapses, s: Synapses) -> Synapses:
        return Synapses(jnp.where(w.kernel == 0, 0.0, s.kernel), s.bias)

    return {name: tuple(only(w, s) for w, s in zip(weights[name], of, strict=True)) for name, of in steps.items()}


def each(value: Array, layers: Layers) -> tuple[Array, ...]:
    """A value of every layer, from one of all, a pair (hidden, output), or one for each."""
    return tuple(stretch(value, len(layers)))


def bounds(net: MicrocircuitSettings, limit: Array, weights: Families) -> dict[str, tuple[Bounds, ...]]:
    """The ends of what weights of every layer may be; the limit of the output holds for forward weights alone."""
    hidden = limit if limit.ndim == 0 else limit[0]
    sizes = {name: each(limit if name == "up" else hidden, layers) for name, layers in weights.items()}
    found = {name: tuple((-c, c) for c in of_layers) for name, of_layers in sizes.items()}
    if net.dale_split and "pi" in sizes:
        found["pi"] = tuple(signed(net, c, layer) for layer, c in enumerate(sizes["pi"]))
    return found


def clipped(weights: Families, bounds: dict[str, tuple[Bounds, ...]]) -> Families:
    """Weights within their bounds; biases have none."""

    def within(w: Synapses, ends: Bounds) -> Synapses:
        return Synapses(jnp.clip(w.kernel, *ends), w.bias)

    return {name: tuple(map(within, layers, bounds[name])) for name, layers in weights.items()}


def rates(net: MicrocircuitSettings, optimisers: Mapping[str, AbstractOptimiser]) -> dict[str, Array]:
    """The rate of every family that learns."""
    found = {name: getattr(optimisers[group], f"rate_{name}") for name, group in GROUPS.items() if group in optimisers}
    basal = optimisers.get("forward")
    return {**found, "up": basal.of_layers(len(net.hidden) + 1)} if isinstance(basal, BasalRates) else found


def rescaled(net: MicrocircuitSettings, rates: dict[str, Array]) -> dict[str, Array]:
    """Rates over what is left of an error where they act; with equal ones, interneurons follow the cells above."""
    gains, scaled = jnp.stack(net.gains()), dict(rates)
    if "up" in rates:
        scaled["up"] = stretch(rates["up"], len(gains)) / gains
    if "ip" in rates and net.hidden:
        factors = jnp.stack(net.factors())
        scaled["ip"] = stretch(rates["ip"], len(factors)) * factors / (net.mixing_inter * gains[1:])
    return scaled
