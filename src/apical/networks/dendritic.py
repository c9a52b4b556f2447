"""A network of cells with segregated dendrites (Guerguiev 2017), spiking or in rates.

Basal dendrites hear the layer below, apical dendrites the output (or the layer above), the soma fires. An example is
shown twice: freely, then with the output cells driven to the target.
"""

import functools
import itertools

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from apical.core import Batch, Inputs, Labels, PRNGKey, Scalar, Scores, Weights
from apical.networks.base import Recording
from apical.networks.dendritic_blocks import Felt, Window, rest
from apical.networks.dendritic_init import ABSENT, NOISE, optimised_layer, plain_layer, sparse
from apical.networks.dendritic_input import pays, shown_to_felt
from apical.networks.dendritic_phases import Phase, draw_plateau_times, run_lead, run_phase
from apical.networks.dendritic_settings import DendriticSettings
from apical.networks.dendritic_state import Cells, Means
from apical.networks.layers import Dense
from apical.networks.synapses import Synapses
from apical.neurons.compartments import fire, teach

Forward = tuple[Dense, ...]
Feedback = tuple[Synapses, ...]
LEAD = 2  # folded into the key of a phase, apart from its two halves


class Dendritic(DendriticSettings):
    """Hidden cells with basal and apical dendrites and a soma; output cells with a basal dendrite and a soma."""

    def init(self, key: PRNGKey) -> Forward:
        pairs = itertools.pairwise(self.sizes)
        keys = jr.split(key, len(self.sizes) - 1)
        return tuple(self._draw(k, below, above, below, 1.0) for k, (below, above) in zip(keys, pairs, strict=True))

    def init_feedback(self, key: PRNGKey, forward: Forward) -> Feedback:
        """Apical synapses of every hidden layer, under the law of the forward weights above it; copies where symmetric.

        The law counts the cells of the hidden layer itself as fan-in, whatever its apical dendrites hear.
        """
        feedback = []
        for l, units in enumerate(self.hidden):
            key_draw, key_sparse = jr.split(jr.fold_in(key, l))
            drawn = self._draw(key_draw, self.sizes[self.sources[l]], units, units, self.feedback_mean, 1.0)
            kernel = sparse(key_sparse, drawn.kernel) if self.sparse_feedback else drawn.kernel
            feedback.append(Synapses(kernel, drawn.bias if self.feedback_bias else None))
        return self.symmetrised(forward, tuple(feedback), jr.fold_in(key, len(self.hidden)))

    def _draw(
        self, key: PRNGKey, below: int, above: int, fan_in: int, centre: Array | float, plain_spread: float = 0.1
    ) -> Dense:
        """Initial weights (above, below): the optimised law for `fan_in` synapses, or the plain uniform one."""
        if self.optimised_init:
            return optimised_layer(key, below, above, fan_in, self.max_rate, self.init_spread, centre)
        return plain_layer(key, below, above, plain_spread)

    def symmetrised(self, forward: Forward, feedback: Feedback, key: PRNGKey) -> Feedback:
        """Feedback that copies the transposed path above it, where it is symmetric; else as it is.

        Under broadcast the path is the product of all layers above. Each transposed matrix may carry fresh noise. Where
        a synapse is missing (0) it stays missing, and the others are copied five times as strong.
        """
        if not self.symmetric_feedback:
            return feedback
        transposed = [self._copied(layer, jr.fold_in(key, l)) for l, layer in enumerate(forward)]
        copies = []
        for l, (apical, source) in enumerate(zip(feedback, self.sources, strict=True)):
            path = functools.reduce(jnp.matmul, transposed[l + 1 : source])
            if self.sparse_feedback:
                path = jnp.where(apical.kernel == 0, 0.0, path / (1 - ABSENT))
            copies.append(Synapses(path, apical.bias))
        return tuple(copies)

    def _copied(self, layer: Dense, key: PRNGKey) -> Array:
        kernel = layer.kernel.T
        return kernel + NOISE * jr.normal(key, kernel.shape) if self.noisy_symmetric_feedback else kernel

    def show(
        self, weights: Weights, cells: Cells | None, batch: Batch, key: PRNGKey
    ) -> tuple[Means, Means, Cells | None]:
        """Shows examples freely, then with their targets: the means of both phases, and the cells afterwards.

        In a steady state nothing is carried over, and there are no cells.
        """
        x, target = batch.x.reshape(len(batch.x), -1), self.target(batch.y)
        if cells is None:
            free = self.steady_phase(weights, x)
            return free, self.steady_phase(weights, x, target), None
        if pays(x.shape[1], len(x)):
            return shown_to_felt(functools.partial(self._phases_shown, batch.y, key), weights, cells, x)
        return self._phases_shown(batch.y, key, weights, cells, x)

    def _phases_shown(
        self, y: Labels, key: PRNGKey, weights: Weights, cells: Cells, x: Array, felt: Felt = None
    ) -> tuple[Means, Means, Cells]:
        means = []
        for i, phase in enumerate(self.phases(y, key, felt)):
            if self.random_phase_lengths:
                cells = run_lead(self, weights, cells, x, jr.fold_in(jr.fold_in(key, i), LEAD), phase)
            cells, seen = run_phase(self, weights, cells, x, phase)
            means.append(seen)
        return means[0], means[1], cells

    def phases(self, y: Labels, key: PRNGKey, felt: Felt = None) -> tuple[Phase, Phase]:
        """The forward and the target phase of examples with these labels, and what is random in them."""
        planned = []
        for i, (n_steps, taught) in enumerate(((self.n_forward, None), (self.n_target, self.target(y)))):
            key_plateau, key_phase = jr.split(jr.fold_in(key, i))
            early = draw_plateau_times(self, key_plateau, len(y)) if self.random_plateau_times else None
            planned.append(Phase(Window(n_steps, self.n_window, early), key_phase, taught, felt))
        return planned[0], planned[1]

    def steady_phase(
        self, weights: Weights, x: Float[Array, "batch inputs"], target: Float[Array, "batch outputs"] | None = None
    ) -> Means:
        """A phase in its steady state, every spike at its mean; the apical dendrites' pull on somas is left out."""
        psps, somas = [self.gain * self.max_rate * x], []
        for layer in weights.forward[:-1]:
            somas.append(self.k_basal * layer(psps[-1]))
            psps.append(self.gain * fire(somas[-1], self.max_rate))
        drive, pull = self.g_basal * weights.forward[-1](psps[-1]), self.pull_output
        if target is not None:
            drive, pull = drive + teach(target, self.e_exc, self.e_inh), pull + 1
        somas.append(drive / pull)
        rates = [fire(soma, self.max_rate) for soma in somas]
        gain = self.kernel.area() if self.spiking_feedback else 1.0
        heard = [gain * rates[source - 1] for source in self.sources] if weights.feedback else []
        apical = [synapses.potential(psp) for synapses, psp in zip(weights.feedback, heard, strict=True)]
        return Means(tuple(psps), tuple(somas), rates[-1], tuple(apical), tuple(heard))

    def target(self, y: Labels) -> Float[Array, "batch outputs"]:
        """1 for every output cell of the label's class, 0 for the others."""
        return jnp.repeat(jax.nn.one_hot(y, self.classes), self.units_per_class, axis=-1)

    def scores(self, somas: Float[Array, "batch outputs"]) -> Scores:
        """The mean potential of the output cells of each class."""
        return somas.reshape(len(somas), self.classes, self.units_per_class).mean(-1)

    def apply(self, forward: Forward, x: Inputs) -> Scores:
        """Somatic potentials of the output cells in the steady state of the forward phase, averaged for each class."""
        return self.scores(self.steady_phase(Weights(forward), x.reshape(len(x), -1)).somas[-1])

    def loss(self, scores: Scores, y: Labels) -> Scalar:
        """Half the squared distance of output rates to taught ones, in max_rate^2; the teacher is held fixed."""
        drive = self.pull_output * scores + teach(jax.nn.one_hot(y, self.classes), self.e_exc, self.e_inh)
        taught = fire(drive / (self.pull_output + 1), self.max_rate)
        return self.distance(fire(scores, self.max_rate), jax.lax.stop_gradient(taught))

    def distance(self, free: Float[Array, "batch _"], taught: Float[Array, "batch _"]) -> Scalar:
        """Half the squared distance between rates of the output cells, in max_rate^2, averaged over the batch."""
        return 0.5 * jnp.sum(((taught - free) / self.max_rate) ** 2, axis=-1).mean()

    def hidden_activity(self, weights: Weights, x: Inputs) -> tuple[Array, ...]:
        return self.steady_phase(Weights(weights.forward), x.reshape(len(x), -1)).psps[1:]

    def record(self, weights: Weights, neurons: Cells | None, batch: Batch, key: PRNGKey) -> tuple[Recording, ...]:
        free, taught, _ = self.show(weights, neurons, batch, key)
        return self._recorded(free), self._recorded(taught)

    def _recorded(self, means: Means) -> Recording:
        hidden = tuple(fire(soma, self.max_rate) for soma in means.somas[:-1])
        return Recording((*hidden, means.rate), means.apical)

    def rest(self, x: Inputs) -> Cells | None:
        return None if self.steady else rest(self, len(x))

    def predict(self, weights: Weights, neurons: Cells | None, x: Inputs, key: PRNGKey) -> Scores:
        """Scores after a long forward phase from rest, with spikes where the network has them."""
        if self.steady:
            return self.apply(weights.forward, x)
        n_steps = self.n_steps(self.test_steps)
        window = Window(n_steps, self.n_steps(self.test_steps - self.settling_steps))
        flat = x.reshape(len(x), -1)
        return self.scores(run_phase(self, weights, rest(self, len(x)), flat, Phase(window, key))[1].somas[-1])
