"""The contract between a learning rule and everything else: loop, probes, studies and command line see no more."""

import abc
import dataclasses
from collections.abc import Callable, Mapping
from typing import ClassVar

import equinox as eqx
import jax.random as jr
from jaxtyping import Array, Int, PyTree

from apical.core import Batch, Info, Inputs, Neurons, Pathway, PRNGKey, Scores, State, Weights
from apical.hyperparameters import Declared, Value
from apical.networks.base import AbstractNetwork
from apical.rules.optimisers import AbstractOptimiser
from apical.tasks import TASKS

RENEWAL = 1_000_003  # folded into the key of an update, apart from what credit assignment folds into it


@dataclasses.dataclass(frozen=True)
class Preset:
    """A named, sourced setting of a rule; what the command line gives goes before it.

    `data` sets options of the data set, those it has.
    """

    meaning: str
    source: str = ""
    settings: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    hidden: tuple[int, ...] | None = None
    epochs: int | None = None
    batch_size: int | None = None
    network: str | None = None
    data: Mapping[str, Value] = dataclasses.field(default_factory=dict)


DEFAULT = Preset("Adam in batches of 50, the rate falling", settings={"rate_decay": 5e-4}, batch_size=50)
BIOTORCH_LENET = Preset(
    "LeNet on images of 28 x 28, with momentum, the rate a tenth after 50 and after 75 of 100 epochs",
    "Sanfiz 2021; the rate is ours",
    settings={
        "channels": (6, 16),
        "kernels": (5,),
        "padding": (2, 0),
        "batch_norm": False,
        "optimiser": "momentum",
        "rate": 0.01,
        "weight_decay": 1e-3,
        "rate_drops": (50, 75),
    },
    hidden=(120, 84),
    epochs=100,
    batch_size=64,
    network="cnn",
)


class AbstractRule(Declared):
    """A learning rule over a network; its hyperparameters are its fields.

    Class attributes: `name` on the command line; `networks` it can act on, by name, the first one the default;
    `presets` by name, the first one the default; `compared` names the one that comparisons use (empty: the first).
    `protocols` says, by the name of a protocol, what is set under it, given all settings as they would be otherwise.
    `silent` says whether forward weights rest where the output makes no error; `tasks` which kinds of task it learns.
    `limit` are settings under which theory has the direction become the gradient in the course of learning (none: under
    no setting).
    """

    name: ClassVar[str]
    networks: ClassVar[Mapping[str, type[AbstractNetwork]]]
    presets: ClassVar[Mapping[str, Preset]]
    plasticity: ClassVar[Mapping[str, type[AbstractOptimiser]]] = {}
    compared: ClassVar[str] = ""
    silent: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = TASKS
    limit: ClassVar[Mapping[str, Value] | None] = None
    protocols: ClassVar[Mapping[str, Callable[[Mapping[str, Value]], Mapping[str, Value]]]] = {}
    network: eqx.AbstractVar[AbstractNetwork]

    @classmethod
    def follows(cls, settings: Mapping[str, Value]) -> Mapping[str, Value]:
        """Settings that a search derives from those it varies, so that what it tries makes sense; none by default."""
        return {}

    @abc.abstractmethod
    def init(self, key: PRNGKey, batch: Batch) -> State:
        """The state before the first update; of `batch` only the shapes are read."""

    @abc.abstractmethod
    def update(self, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Info]:
        """Learns from one batch."""

    def predict(self, state: State, x: Inputs, key: PRNGKey) -> Scores:
        """Scores (batch, classes) for inputs, without learning."""
        return self.network.predict(state.weights, state.neurons, x, key)

    def in_epoch(self, epoch: Int[Array, ""]) -> "AbstractRule":
        """The rule as it learns in an epoch of this number: itself, unless it takes turns."""
        return self

    def pathways(self, weights: Weights) -> tuple[Pathway, ...]:
        """Which feedback matrices stand for which forward ones; none unless the rule has feedback weights."""
        return ()


class AbstractDescentRule(AbstractRule):
    """A rule that says in which direction the weights should descend and leaves the step to optimisers.

    `plasticity` names the class of optimiser of each group of weights (forward, feedback, lateral); a group without
    one, and a group left out of `optimisers`, is frozen.
    """

    optimisers: eqx.AbstractVar[dict[str, AbstractOptimiser]]

    @abc.abstractmethod
    def init_weights(self, key: PRNGKey) -> Weights:
        """Fresh weights of every group."""

    @abc.abstractmethod
    def assign_credit(self, state: State, batch: Batch, key: PRNGKey) -> tuple[Info, Neurons]:
        """The direction of every group that learns, and what the neurons carry over."""

    def in_epoch(self, epoch: Int[Array, ""]) -> "AbstractDescentRule":
        return dataclasses.replace(self, optimisers={g: o.in_epoch(epoch) for g, o in self.optimisers.items()})

    def renewed(self, weights: Weights, key: PRNGKey) -> Weights:
        """The weights once an update is done: where some are copies of others, with the copies made again."""
        return weights

    def init(self, key: PRNGKey, batch: Batch) -> State:
        weights = self.init_weights(key)
        memory = {group: o.init(getattr(weights, group)) for group, o in self.optimisers.items()}
        return State(weights, memory, self.network.rest(batch.x))

    def update(self, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Info]:
        info, neurons = self.assign_credit(state, self.network.blurred(batch, key), key)
        moved: dict[str, PyTree] = {}
        memory: dict[str, PyTree] = dict(state.optimiser)
        for group, optimiser in self.optimisers.items():
            direction, weights = getattr(info.direction, group), getattr(state.weights, group)
            moved[group], memory[group] = optimiser.update(direction, state.optimiser[group], weights)
        weights = self.renewed(dataclasses.replace(state.weights, **moved), jr.fold_in(key, RENEWAL))
        return State(weights, memory, neurons), info
