"""What learns in an experiment: a microcircuit with settings of its own, or backprop in the same network."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jaxtyping import PyTree

from apical.core import Batch, State, Weights
from apical.data.dataset import Dataset
from apical.hyperparameters import Value
from apical.networks.microcircuit_state import Nudge, assembled
from apical.probes.credit import gradient
from apical.reproduce.microcircuit.lanes import made_as, recast
from apical.reproduce.spikes.surrogate import through_time
from apical.rules.base import AbstractRule
from apical.rules.microcircuit import Microcircuit
from apical.rules.spiking_microcircuit import SpikingMicrocircuit


class Gradient(Microcircuit):
    """The same network, cells and optimiser; forward weights descend the gradient of its loss, all others rest."""

    def learn_settled(
        self, weights: Weights, memory: PyTree, batch: Batch, nudge: Nudge
    ) -> tuple[Weights, PyTree, Weights]:
        towards = {"up": gradient(self, State(weights, memory, None), batch)}
        return *self.descended(weights, memory, towards), assembled(towards)


@dataclass(frozen=True, eq=False)
class Learner:
    """A microcircuit of a preset with a few settings of its own, and the published test error in %.

    `own` is the preset, `batch` the number of examples in an update, where these are not those of the experiment.
    """

    label: str
    published: str = "none"
    settings: Mapping[str, Value] = field(default_factory=dict)
    hidden: tuple[int, ...] | None = None
    backprop: bool = False
    kind: type[AbstractRule] = Microcircuit
    own: str = ""
    batch: int | None = None

    def rule(self, dataset: Dataset, preset: str) -> AbstractRule:
        """The rule for a data set."""
        return self.of_kind(made_as(self.kind, dataset, self.own or preset, self.hidden, self.settings))

    def of_kind(self, rule: AbstractRule) -> AbstractRule:
        """The rule, or backprop in its network."""
        if not self.backprop:
            return rule
        if isinstance(rule, SpikingMicrocircuit):
            return through_time(rule)
        return recast(Gradient, rule)
