"""The contract between a network and everything that uses it."""

import abc

import equinox as eqx
from jaxtyping import Array, Float, PyTree

from apical.core import Batch, Inputs, Neurons, PRNGKey, Scalar, Scores, Targets, Weights
from apical.hyperparameters import Declared


class Recording(eqx.Module):
    """What electrodes would find in one phase of learning an example, averaged over what is read of the phase.

    `rates` is the activity of every layer above the input, the output's last; `apical` the potentials of the apical
    dendrites of the hidden layers, none where cells have no such compartment. `sent` is what every hidden layer sent
    up, where that is not the activity at which it ended.
    """

    rates: tuple[Float[Array, "batch ..."], ...]
    apical: tuple[Float[Array, "batch _"], ...] = ()
    sent: tuple[Float[Array, "batch _"], ...] = ()


class AbstractNetwork(Declared):
    """Units and how they are wired; the weights live outside, in `Weights`.

    `shape` is the shape of one input, `classes` the number of outputs, one for each class or value, `hidden` the widths
    of the fully connected hidden layers.
    """

    shape: tuple[int, ...] = eqx.field(static=True)
    classes: int = eqx.field(static=True)
    hidden: tuple[int, ...] = eqx.field(static=True)

    @abc.abstractmethod
    def init(self, key: PRNGKey) -> tuple[PyTree, ...]:
        """Fresh forward weights, one entry for each layer, from the input up."""

    @abc.abstractmethod
    def apply(self, forward: tuple[PyTree, ...], x: Inputs) -> Scores:
        """Scores (batch, classes): differentiable, without noise, in the steady state; the reference for angles."""

    @abc.abstractmethod
    def loss(self, scores: Scores, y: Targets) -> Scalar:
        """What learning in this network lowers: the network's own loss, averaged over the batch."""

    @abc.abstractmethod
    def rest(self, x: Inputs) -> Neurons:
        """What the neurons carry over from example to example, before the first one."""

    @abc.abstractmethod
    def predict(self, weights: Weights, neurons: Neurons, x: Inputs, key: PRNGKey) -> Scores:
        """Scores as the animal would give them after learning: with running statistics, with spikes if it spikes."""

    @abc.abstractmethod
    def hidden_activity(self, weights: Weights, x: Inputs) -> tuple[Float[Array, "batch ..."], ...]:
        """What every hidden layer sends up, in the steady state, without noise and without a teacher."""

    def blurred(self, batch: Batch, key: PRNGKey) -> Batch:
        """The batch as it is learnt from: with fresh noise on its inputs where a network has that."""
        return batch

    def record(self, weights: Weights, neurons: Neurons, batch: Batch, key: PRNGKey) -> tuple[Recording, ...]:
        """Recordings while a batch is learnt, one for each phase in which it is shown; none unless a network has it."""
        return ()
