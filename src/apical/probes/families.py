"""The one list of what is measured of some rules alone, by the class they share."""

from collections.abc import Callable

from apical.core import Batch, PRNGKey, State
from apical.probes.credit import PerLayer
from apical.probes.dendritic import dendritic_probes
from apical.probes.microcircuit import prediction_probes
from apical.probes.targets import target_probes
from apical.rules.base import AbstractRule
from apical.rules.layer_targets import AbstractLayerTargets
from apical.rules.microcircuit import Microcircuit
from apical.rules.segregated_dendrites import SegregatedDendrites

Probes = Callable[..., dict[str, PerLayer]]

FAMILIES: dict[type[AbstractRule], Probes] = {
    AbstractLayerTargets: lambda rule, state, batch, key: target_probes(rule, state.weights, batch),
    SegregatedDendrites: dendritic_probes,
    Microcircuit: prediction_probes,
}


def family_probes(rule: AbstractRule, state: State, batch: Batch, key: PRNGKey) -> dict[str, PerLayer]:
    """Measurements of the rule's family, by name and layer; none where it has no family in the list."""
    found: dict[str, PerLayer] = {}
    for family, probes in FAMILIES.items():
        if isinstance(rule, family):
            found |= probes(rule, state, batch, key)
    return found
