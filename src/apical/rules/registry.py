"""The one list of learning rules: the command line, the contract tests and the docs all read it."""

import inspect
import re

from apical.errors import InputError, unknown
from apical.rules.backprop import Backprop
from apical.rules.base import AbstractRule
from apical.rules.direct_dtp import DirectDTP
from apical.rules.feedback_alignment import DirectFeedbackAlignment, FeedbackAlignment
from apical.rules.kolen_pollack import KolenPollack
from apical.rules.microcircuit import Microcircuit
from apical.rules.segregated_dendrites import SegregatedDendrites
from apical.rules.sign_symmetry import SignSymmetry
from apical.rules.simplified_dtp import AuxiliaryOutputSDTP, SimplifiedDTP
from apical.rules.spiking_microcircuit import SpikingMicrocircuit
from apical.rules.target_propagation import DifferenceTargetPropagation, TargetPropagation
from apical.rules.weight_mirror import WeightMirror

_BRACES = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"

RULES: dict[str, type[AbstractRule]] = {
    rule.name: rule
    for rule in (
        Backprop,
        FeedbackAlignment,
        DirectFeedbackAlignment,
        SignSymmetry,
        KolenPollack,
        WeightMirror,
        TargetPropagation,
        DifferenceTargetPropagation,
        SimplifiedDTP,
        AuxiliaryOutputSDTP,
        DirectDTP,
        SegregatedDendrites,
        Microcircuit,
        SpikingMicrocircuit,
    )
}


def find(name: str) -> type[AbstractRule]:
    """The rule of that name.

    **Raises** `InputError` with the nearest names when there is none.
    """
    if name not in RULES:
        raise InputError(unknown("rule", name, RULES))
    return RULES[name]


def summary(rule: type[AbstractRule]) -> str:
    """The first sentence of a rule's documentation."""
    return (inspect.getdoc(rule) or "").split("\n\n")[0].replace("\n", " ")


def citation(rule: type[AbstractRule]) -> str:
    """The BibTeX entries in a rule's documentation."""
    return "\n\n".join(re.findall(rf"^@\w+{_BRACES}", inspect.getdoc(rule) or "", flags=re.M))
