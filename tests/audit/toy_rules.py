"""A rule and its network built to have every good property, and faults that take away one property each."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from apical.audit.perfect import WITHOUT_ERROR
from apical.audit.subject import CLASSES, HIDDEN, SHAPE, Subject
from apical.core import Batch, Info, Inputs, Labels, Neurons, PRNGKey, Scalar, Scores, State, Weights
from apical.networks.base import AbstractNetwork, Recording
from apical.rules.base import AbstractRule

NUDGE = 0.1
RATE = 1e-3


class Kernel(eqx.Module):
    """A layer without bias."""

    kernel: Array


class ToyNetwork(AbstractNetwork):
    """Logistic layers. Apical dendrites hear the change of the output's rates that a teacher makes, and the soma hears
    of it: while they learn, hidden cells fire a little differently."""

    shape: tuple[int, ...] = eqx.field(static=True, default=SHAPE)
    classes: int = eqx.field(static=True, default=CLASSES)
    hidden: tuple[int, ...] = eqx.field(static=True, default=HIDDEN)
    fault: str = eqx.field(static=True, default="")

    def init(self, key: PRNGKey) -> tuple[Kernel, ...]:
        sizes = (*self.shape, *self.hidden, self.classes)
        keys = jr.split(key, len(sizes) - 1)
        return tuple(Kernel(jr.normal(k, (a, b))) for k, b, a in zip(keys, sizes, sizes[1:], strict=False))

    def rates(self, forward: tuple[Kernel, ...], x: Inputs) -> list[Array]:
        """The input and what every layer fires."""
        transfer = jnp.tanh if self.fault == "signed" else jax.nn.sigmoid
        found = [x]
        for layer in forward:
            found.append(transfer(found[-1] @ layer.kernel.T))
        return found

    def apply(self, forward: tuple[Kernel, ...], x: Inputs) -> Scores:
        return self.rates(forward, x)[-1]

    def loss(self, scores: Scores, y: Labels) -> Scalar:
        return 0.5 * ((jax.nn.one_hot(y, self.classes) - scores) ** 2).sum(-1).mean()

    def apical(self, weights: Weights, rates: Array, y: Labels) -> tuple[Array, ...]:
        """The apical potential of every hidden layer, the last one hearing the output, others the layer above."""
        taught = rates + NUDGE * (jax.nn.one_hot(y, self.classes) - rates)
        heard = taught if self.fault == "implicit" else taught - rates
        potentials: list[Array] = []
        for synapses in weights.feedback[::-1]:
            potentials.insert(0, heard @ synapses.T)
            heard = heard if self.fault == "broadcast" else potentials[0]
        return tuple(potentials)

    def rest(self, x: Inputs) -> Neurons:
        return jnp.zeros(len(x)) if self.fault == "carried" else None

    def predict(self, weights: Weights, neurons: Neurons, x: Inputs, key: PRNGKey) -> Scores:
        return self.apply(weights.forward, jnp.round(8 * x) if self.fault == "spiking" else x)

    def hidden_activity(self, weights: Weights, x: Inputs) -> tuple[Array, ...]:
        return tuple(self.rates(weights.forward, x)[1:-1])

    def record(self, weights: Weights, neurons: Neurons, batch: Batch, key: PRNGKey) -> tuple[Recording, ...]:
        _, *hidden, output = self.rates(weights.forward, batch.x)
        apical = self.apical(weights, output, batch.y)
        if self.fault == "apart":
            return (Recording((*hidden, output)),)
        felt = hidden if self.fault == "unfelt" else [h + 1e-3 * a**2 for h, a in zip(hidden, apical, strict=True)]
        taught = Recording(
            (*felt, output + NUDGE * (jax.nn.one_hot(batch.y, self.classes) - output)),
            () if self.fault == "point" else apical,
        )
        return (Recording((*hidden, output), apical), taught) if self.fault == "implicit" else (taught,)


class ToyRule(AbstractRule):
    """Every synapse changes by its presynaptic rate times the apical potential (in the output: the error)."""

    name: ClassVar = "toy"
    networks: ClassVar = {"mlp": ToyNetwork}
    presets: ClassVar = {}
    network: ToyNetwork

    @property
    def fault(self) -> str:
        """What is wrong with this one."""
        return self.network.fault

    def init(self, key: PRNGKey, batch: Batch) -> State:
        sizes = (*HIDDEN, CLASSES)
        keys = jr.split(key, len(sizes))
        apart = self.fault == "broadcast"
        above = [CLASSES if apart else size for size in sizes[1:]]
        feedback = tuple(jr.normal(k, (n, m)) for k, n, m in zip(keys, HIDDEN, above, strict=False))
        weights = Weights(self.network.init(keys[-1]), () if self.fault == "bare" else feedback)
        return State(weights, (), self.network.rest(batch.x))

    def update(self, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Info]:
        net, weights = self.network, state.weights
        *inputs, output = net.rates(weights.forward, batch.x)
        errors = [*net.apical(weights, output, batch.y), jax.nn.one_hot(batch.y, CLASSES) - output]
        if self.fault == "restless":
            errors[0] = errors[0] + 0.1
        if self.fault == "deaf":
            errors[0] = jnp.ones_like(errors[0])
        if self.fault == "carried":
            errors[0] = errors[0] + state.neurons[:, None]
        if self.fault == "signs":
            errors[0] = errors[2] @ jnp.sign(weights.forward[2].kernel) @ jnp.sign(weights.forward[1].kernel)
        forward = []
        for rates, error in zip(inputs, errors, strict=True):
            rates = jnp.roll(rates, 1, axis=1) if self.fault == "nonlocal" else rates
            forward.append(Kernel(-(error.T @ rates) / len(rates)))
        direction = Weights(tuple(forward), self.feedback_direction(weights, key))
        after = jax.tree.map(lambda w, d: w - RATE * d, weights, direction)
        if self.fault == "copies":
            after = Weights(after.forward, tuple(layer.kernel.T for layer in after.forward[1:]))
        carried = batch.x.sum(-1) if self.fault == "carried" else None
        return State(after, (), carried), Info(net.loss(output, batch.y), output, direction)

    def feedback_direction(self, weights: Weights, key: PRNGKey) -> Any:
        """Feedback forgets, and where it is noisy trembles."""
        if self.fault == "fixed":
            return jax.tree.map(jnp.zeros_like, weights.feedback)
        noise = jr.normal(key, ()) if self.fault == "noisy" else 1.0
        return jax.tree.map(lambda b: noise * b, weights.feedback)


def flawless(net: AbstractNetwork, weights: Weights) -> Weights:
    """Weights whose output is exactly the target of class 0 for inputs above zero."""
    certain = jnp.where(jnp.arange(CLASSES) == 0, 1e4, -1e4)[:, None] * jnp.ones_like(weights.forward[-1].kernel)
    return eqx.tree_at(lambda w: w.forward[-1].kernel, weights, certain)


WITHOUT_ERROR[ToyNetwork] = flawless


def toy(fault: str = "") -> Subject:
    """The toy rule with one fault, under audit."""
    return Subject(ToyRule(ToyNetwork(fault=fault)), "toy")
