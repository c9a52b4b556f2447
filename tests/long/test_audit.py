"""The audit agrees with theory, cell by cell, in the time that is promised."""

import time

import pytest

from apical.audit.audit import audit
from apical.audit.base import FINAL, LIMIT, NO, NOT_APPLICABLE, PARTLY, SIGNS, YES
from apical.audit.registry import PROPERTIES
from apical.rules.registry import RULES

pytestmark = pytest.mark.long

NAMES = [one.name for one in PROPERTIES]
# what theory says, in the order of the properties: exact, transport, pathways, dendrites, separate weights,
# stabilisation, explicit error; transposes, signed, global, local, felt, phases, every layer, spikes, time
POINT = (NO, NO)
THEORY = {
    "backprop": (YES, NO, NO, "-", "-", "-", YES, NO, NO, YES, YES, NO, "1", YES, *POINT),
    "feedback-alignment": (NO, YES, NO, NO, NO, "-", YES, YES, NO, YES, YES, NO, "1", YES, *POINT),
    "direct-feedback-alignment": (NO, YES, NO, NO, NO, "-", YES, YES, NO, NO, YES, NO, "1", YES, *POINT),
    "sign-symmetry": (NO, SIGNS, NO, NO, NO, "-", YES, YES, NO, YES, YES, NO, "1", YES, *POINT),
    "kolen-pollack": (LIMIT, YES, NO, NO, YES, YES, YES, YES, NO, YES, YES, NO, "1", YES, *POINT),
    "weight-mirror": (LIMIT, YES, NO, NO, YES, YES, YES, YES, NO, YES, YES, NO, "2", YES, *POINT),
    "target-propagation": (NO, FINAL, NO, NO, YES, NO, YES, FINAL, NO, YES, YES, NO, "2", YES, *POINT),
    "difference-target-propagation": (NO, FINAL, NO, NO, YES, YES, YES, FINAL, NO, YES, YES, NO, "2", YES, *POINT),
    "simplified-dtp": (NO, YES, NO, NO, YES, YES, YES, YES, NO, YES, YES, NO, "2", YES, *POINT),
    "ao-sdtp": (NO, YES, NO, NO, YES, YES, YES, YES, NO, YES, YES, NO, "2", YES, *POINT),
    "direct-dtp": (NO, YES, NO, NO, YES, YES, YES, YES, NO, NO, YES, NO, "2", YES, *POINT),
    "segregated-dendrites": (NO, YES, YES, YES, NO, "-", NO, YES, YES, NO, YES, NO, "2", YES, YES, YES),
    "microcircuit": (NO, YES, YES, YES, PARTLY, YES, YES, YES, NO, YES, YES, YES, "1", YES, *POINT),
}
assert NOT_APPLICABLE == "-"


@pytest.mark.parametrize("rule", THEORY)
def test_every_cell_agrees_with_theory(rule: str) -> None:
    (findings,) = audit([rule])
    found = {finding.property: finding for finding in findings}
    assert [found[name].value for name in NAMES] == list(THEORY[rule]), [
        (name, found[name]) for name, value in zip(NAMES, THEORY[rule], strict=True) if found[name].value != value
    ]


def test_all_rules_are_audited_within_two_minutes() -> None:
    start = time.process_time()
    findings = [finding for found in audit(RULES) for finding in found]
    assert len(findings) == len(RULES) * len(PROPERTIES) and all(finding.evidence for finding in findings)
    assert time.process_time() - start < 120
