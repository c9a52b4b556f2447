"""Each property is found where a rule was built to have it, and missed where one was built to lack it."""

import dataclasses
from collections.abc import Iterator

import jax
import pytest
from toy_rules import toy

from apical.audit.base import LIMIT, NO, NOT_APPLICABLE, SIGNS, YES, Property
from apical.audit.continuous_time import CONTINUOUS_TIME
from apical.audit.credit_reaches import CREDIT_REACHES
from apical.audit.dendritic_integration import DENDRITIC_INTEGRATION
from apical.audit.exact_gradients import EXACT_GRADIENTS, largest_angle
from apical.audit.explicit_error import EXPLICIT_ERROR
from apical.audit.feedback_activity import FEEDBACK_ACTIVITY
from apical.audit.global_error import GLOBAL_ERROR
from apical.audit.locality import LOCALITY
from apical.audit.phases import PHASES
from apical.audit.registry import PROPERTIES
from apical.audit.separate_pathways import SEPARATE_PATHWAYS
from apical.audit.separate_weights import SEPARATE_WEIGHTS
from apical.audit.signed_error import SIGNED_ERROR
from apical.audit.spikes import SPIKES
from apical.audit.stabilisation import STABILISATION
from apical.audit.subject import Subject, subject
from apical.audit.transposes import TRANSPOSES
from apical.audit.weight_transport import WEIGHT_TRANSPORT
from apical.rules.registry import find


@pytest.fixture(scope="module", autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def flawless() -> Subject:
    return toy()


@pytest.fixture(scope="module")
def backprop() -> Subject:
    return subject(find("backprop"))


HAS = {
    WEIGHT_TRANSPORT: YES,
    SEPARATE_PATHWAYS: YES,
    DENDRITIC_INTEGRATION: YES,
    SEPARATE_WEIGHTS: YES,
    STABILISATION: YES,
    EXPLICIT_ERROR: YES,
    TRANSPOSES: YES,
    SIGNED_ERROR: YES,
    GLOBAL_ERROR: YES,
    LOCALITY: YES,
    FEEDBACK_ACTIVITY: YES,
    PHASES: "1",
    CREDIT_REACHES: YES,
    SPIKES: NO,
    CONTINUOUS_TIME: NO,
}
FAULTS = {
    "signs": (WEIGHT_TRANSPORT, SIGNS),
    "copies": (WEIGHT_TRANSPORT, NO),
    "point": (DENDRITIC_INTEGRATION, NO),
    "bare": (DENDRITIC_INTEGRATION, NOT_APPLICABLE),
    "fixed": (SEPARATE_WEIGHTS, NO),
    "restless": (STABILISATION, NO),
    "implicit": (EXPLICIT_ERROR, NO),
    "signed": (SIGNED_ERROR, NO),
    "broadcast": (GLOBAL_ERROR, NO),
    "nonlocal": (LOCALITY, NO),
    "unfelt": (FEEDBACK_ACTIVITY, NO),
    "apart": (SEPARATE_PATHWAYS, NO),
    "noisy": (PHASES, "2"),
    "deaf": (CREDIT_REACHES, NO),
    "spiking": (SPIKES, YES),
    "carried": (CONTINUOUS_TIME, YES),
}
OF_BACKPROP = {EXACT_GRADIENTS: YES, WEIGHT_TRANSPORT: NO, TRANSPOSES: NO}


def test_every_property_is_tested_both_ways() -> None:
    both = {(one, value) for table in (HAS, OF_BACKPROP) for one, value in table.items()} | set(FAULTS.values())
    assert {one for one, _ in both} == set(PROPERTIES)
    assert all(len({value for found, value in both if found is one}) > 1 for one in PROPERTIES if one in HAS)


@pytest.mark.parametrize("one", HAS, ids=lambda one: one.name)
def test_a_rule_built_to_have_it_has_it(one: Property, flawless: Subject) -> None:
    cell = one.measure(flawless)
    assert cell.value == HAS[one], cell.evidence


@pytest.mark.parametrize("fault", FAULTS)
def test_a_rule_built_to_lack_it_is_caught(fault: str) -> None:
    one, value = FAULTS[fault]
    cell = one.measure(toy(fault))
    assert cell.value == value, cell.evidence


@pytest.mark.parametrize("one", [WEIGHT_TRANSPORT, TRANSPOSES], ids=lambda one: one.name)
def test_backprop_knows_the_weights_above_and_their_transposes(one: Property, backprop: Subject) -> None:
    cell = one.measure(backprop)
    assert cell.value == OF_BACKPROP[one], cell.evidence


def test_only_the_gradient_is_at_no_angle_to_it(backprop: Subject, flawless: Subject) -> None:
    assert largest_angle(backprop) < 1e-4
    assert largest_angle(flawless) > 10


def test_a_limit_counts_where_it_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    angles = {"start": 60.0, "learnt": 30.0, "limit": 2.0}
    monkeypatch.setattr("apical.audit.exact_gradients.largest_angle", lambda asked: angles[asked.setting])
    monkeypatch.setattr(Subject, "learnt", lambda asked, n: dataclasses.replace(asked, setting=_later(asked)))
    rule, limit = toy().rule, Subject(toy().rule, "rate=0")
    assert EXACT_GRADIENTS.measure(Subject(rule, "start")).value == NO
    assert EXACT_GRADIENTS.measure(Subject(rule, "start", limit=limit)).value == LIMIT
    angles["limit"] = 20.0
    assert EXACT_GRADIENTS.measure(Subject(rule, "start", limit=limit)).value == NO
    angles["start"] = 0.05
    assert EXACT_GRADIENTS.measure(Subject(rule, "start")).value == YES


def _later(asked: Subject) -> str:
    return "learnt" if asked.setting == "start" else "limit"
