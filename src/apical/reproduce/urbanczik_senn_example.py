"""The single-neuron example of Urbanczik and Senn: one pattern of input spikes, a teacher with its own time course."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from apical.core import PRNGKey
from apical.neurons.dendritic_prediction import Drive, Learnt, Neurons, at_rest, learn
from apical.neurons.plasticity import Dense, LowPass
from apical.neurons.urbanczik_senn import UrbanczikSenn

N_INPUTS, INPUT_RATE, PATTERN_MS = 200, 0.01, 200.0
ETA, TAU_DELTA_MS, START, MOST = 0.17, 100.0, 0.3, 45.0  # weights in units of the capacitance, per ms
WAVES, EXC_SWING, EXC_MEAN, INH = 2, 0.016, 0.018, 0.06  # conductances in units of the capacitance, 1/ms


class Example(eqx.Module):
    """Neuron, the pattern of input spikes (steps, inputs), what its spikes open, in nS (steps,)."""

    neuron: UrbanczikSenn
    inputs: Array
    excitation: Array
    inhibition: Array

    @classmethod
    def drawn(cls, neuron: UrbanczikSenn, key: PRNGKey) -> "Example":
        """The published setting, with a pattern from `key`."""
        n_steps = round(PATTERN_MS / neuron.dt_ms)
        chance = INPUT_RATE * neuron.dt_ms
        inputs = (jr.uniform(key, (n_steps, N_INPUTS)) < chance).astype(neuron.e_leak.dtype)
        phase = jnp.linspace(0.0, 2 * jnp.pi * WAVES, n_steps, endpoint=False)
        excitation = neuron.capacitance * (EXC_SWING * jnp.sin(phase) + EXC_MEAN)
        return cls(neuron, inputs, excitation, jnp.full(n_steps, neuron.capacitance * INH))

    def taught(self) -> Array:
        """The potential at which the teacher's conductances are in balance, (steps,)."""
        weighed = self.excitation * self.neuron.e_exc + self.inhibition * self.neuron.e_inh
        return weighed / (self.excitation + self.inhibition)

    def drive(self, teacher: float = 1.0) -> Drive:
        """A repetition with the teacher (0: without): a spike of each kind in every step."""
        return Drive(self.inputs, teacher * self.excitation[:, None], teacher * self.inhibition[:, None])

    def begin(self) -> tuple[Neurons, Dense]:
        """The neuron at rest, with weak synapses."""
        weights = jnp.full((1, N_INPUTS), START * self.neuron.capacitance)
        return at_rest(self.neuron, 1), Dense.rest(self.rule(ETA), weights)

    def rule(self, eta: float) -> LowPass:
        """The plasticity at a learning rate."""
        bounds = (jnp.asarray(bound) * self.neuron.capacitance for bound in (0.0, MOST))
        return self.neuron.plasticity(jnp.asarray(eta), jnp.asarray(TAU_DELTA_MS), *bounds)


@eqx.filter_jit
def repeated(example: Example, start: tuple[Neurons, Dense], keys: Array) -> tuple[tuple[Neurons, Dense], Array]:
    """The neuron after a repetition for each key, and how far its prediction is from the teacher in each, in mV^2."""

    def once(now: tuple[Neurons, Dense], key: PRNGKey) -> tuple[tuple[Neurons, Dense], Array]:
        now, seen = learn(example.neuron, example.rule(ETA), now, example.drive(), key)
        return now, jnp.mean((example.neuron.prediction(seen.dendrite)[:, 0] - example.taught()) ** 2)

    return jax.lax.scan(once, start, keys)


@eqx.filter_jit
def shown(example: Example, start: tuple[Neurons, Dense], teacher: float, key: PRNGKey) -> Learnt:
    """Two repetitions in which nothing is learnt, with the teacher (1) or without (0)."""
    twice = jax.tree.map(lambda a: jnp.concatenate([a, a]), example.drive(teacher))
    return learn(example.neuron, example.rule(0.0), start, twice, key)[1]
