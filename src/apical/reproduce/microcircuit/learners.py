"""What learns in an experiment: a microcircuit with settings of its own, or backprop in the same network."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from jaxtyping import PyTree

from apical.core import Batch, State, Weights
from apical.data.dataset import Dataset
from apical.hyperparameters import Value
from apical.networks.microcircuit_state import Nudge, assembled
from apical.probes.credit import gradient
from apical.reproduce.microcircuit.lanes import made
from apical.rules.microcircuit import Microcircuit


class Gradient(Microcircuit):
    """The same network, cells and optimiser; forward weights descend the gradient of its loss, all others rest."""

    def learn_settled(
        self, weights: Weights, memory: PyTree, batch: Batch, nudge: Nudge
    ) -> tuple[Weights, PyTree, Weights]:
        towards = {"up": gradient(self, State(weights, memory, None), batch)}
        return *self.descended(weights, memory, towards), assembled(towards)


@dataclass(frozen=True, eq=False)
class Learner:
    """A microcircuit of a preset with a few settings of its own, and the published test error in %."""

    label: str
    published: str = "none"
    settings: Mapping[str, Value] = field(default_factory=dict)
    hidden: tuple[int, ...] | None = None
    backprop: bool = False

    def rule(self, dataset: Dataset, preset: str) -> Microcircuit:
        """The rule for a data set."""
        return self.of_kind(made(dataset, preset, self.hidden, self.settings))

    def of_kind(self, rule: Microcircuit) -> Microcircuit:
        """The rule, or backprop in its network."""
        return Gradient(**{one.name: getattr(rule, one.name) for one in fields(rule)}) if self.backprop else rule
