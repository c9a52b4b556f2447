"""A dendritic cortical microcircuit in rates (Sacramento 2018), with latent equilibrium or without (Haider 2021).

Hidden layers hold pyramidal cells with basal and apical dendrites, and one interneuron for every pyramidal cell of the
layer above, which predicts it. Apical dendrites hear the layer above and are inhibited by the interneurons: what is
left is what the interneurons failed to predict, the error that a teacher at the output causes.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apical.core import Batch, Inputs, Neurons, PRNGKey, Scalar, Scores, Targets, Weights, labelled
from apical.networks.base import Recording
from apical.networks.microcircuit_euler import Cells, at_rest, read_out
from apical.networks.microcircuit_init import forward_weights, initial_weights
from apical.networks.microcircuit_settings import EULER, STEADY_STATE, MicrocircuitSettings
from apical.networks.microcircuit_state import Activity, Layers, Nudge
from apical.networks.microcircuit_steady import feedforward, one_pass, steady_state
from apical.neurons.rates import divergence


class Circuit(MicrocircuitSettings):
    """Pyramidal cells and interneurons in layers; the output layer has no apical dendrites."""

    def init(self, key: PRNGKey) -> Layers:
        return forward_weights(self, key)

    def init_weights(self, key: PRNGKey) -> Weights:
        """Fresh weights of every family."""
        return initial_weights(self, key)

    def target(self, y: Targets) -> Float[Array, "batch outputs"]:
        """The potentials that output cells are taught: from labels, or from values for each cell."""
        if labelled(y):
            y = jnp.where(jax.nn.one_hot(y, self.classes, dtype=bool), self.target_high, self.target_low)
        return self.phi.potential(y) if self.targets == "rate" else y

    def nudge(self, target: Float[Array, "batch outputs"]) -> Nudge:
        """What the teacher does: g_som (target - u), or conductances towards 1 and -1, which cannot be negative.

        The two are the same for targets within [-1, 1].
        """
        if self.target_mode == "current":
            return Nudge(self.g_som, self.g_som * target)
        excitation = self.g_som * jnp.maximum(1 + target, 0) / 2
        inhibition = self.g_som * jnp.maximum(1 - target, 0) / 2
        return Nudge(excitation + inhibition, excitation - inhibition)

    def settle(self, weights: Weights, x: Inputs, nudge: Nudge | None) -> Activity:
        """Activity without time, as the engine has it."""
        flat = x.reshape(len(x), -1)
        return (steady_state if self.engine == STEADY_STATE else one_pass)(self, weights, flat, nudge)

    def scores(self, somas: Float[Array, "batch outputs"]) -> Scores:
        """Output potentials in the unit of targets."""
        return self.phi.rate(somas) if self.targets == "rate" else somas

    def apply(self, forward: Layers, x: Inputs) -> Scores:
        """Output potentials in the steady state without a teacher, apical dendrites silent."""
        return feedforward(self, forward, x.reshape(len(x), -1))

    def loss(self, scores: Scores, y: Targets) -> Scalar:
        """The loss whose derivative in an output potential u is -phi'(u) (target - u), summed over outputs.

        With Phi the integral of phi it is Phi(target) - Phi(u) - phi(u) (target - u): what learning descends in the
        limit of weak nudging. `scores` are potentials, as `apply` gives them.
        """
        return divergence(self.phi, scores, self.target(y)).sum(-1).mean()

    def hidden_activity(self, weights: Weights, x: Inputs) -> tuple[Array, ...]:
        return self.settle(weights, x, None).below[1:]

    def rest(self, x: Inputs) -> Neurons:
        return at_rest(self, len(x)) if self.engine == EULER else None

    def record(self, weights: Weights, neurons: Cells | None, batch: Batch, key: PRNGKey) -> tuple[Recording, ...]:
        """The one phase there is, in the steady state where cells live in time."""
        settle = steady_state if self.engine == EULER else type(self).settle
        seen = settle(self, weights, batch.x.reshape(len(batch.x), -1), self.nudge(self.target(batch.y)))
        return (Recording(tuple(map(self.phi.rate, seen.somas)), seen.apical, seen.below[1:]),)

    def predict(self, weights: Weights, neurons: Cells | None, x: Inputs, key: PRNGKey) -> Scores:
        """Output cells without a teacher: its conductance is gone, not pulling to 0."""
        flat = x.reshape(len(x), -1)
        if self.engine == EULER:
            return self.scores(read_out(self, weights, flat, key))
        if self.engine == STEADY_STATE:
            return self.scores(steady_state(self, weights, flat, None).somas[-1])
        return self.scores(feedforward(self, weights.forward, flat))
