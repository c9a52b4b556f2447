"""The audit: every property of every rule."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import jax

from apical.audit.base import Cell, Property
from apical.audit.registry import PROPERTIES
from apical.audit.subject import Subject, subject
from apical.rules.registry import find


@dataclass(frozen=True)
class Finding:
    """One row of audit.csv."""

    rule: str
    property: str
    value: str
    evidence: str


def audit(rules: Iterable[str], properties: Sequence[Property] = PROPERTIES) -> Iterator[list[Finding]]:
    """The findings of each rule, all or these properties, one rule after the other, in double precision.

    **Raises** `InputError` for a name that is no rule.
    """
    for rule in list(map(find, rules)):
        with jax.enable_x64(True):
            found = examine(subject(rule), properties)
            yield [Finding(rule.name, name, cell.value, cell.evidence) for name, cell in found]


def examine(under_audit: Subject, properties: Sequence[Property]) -> list[tuple[str, Cell]]:
    """These properties of one rule, by name."""
    return [(one.name, one.measure(under_audit)) for one in properties]
