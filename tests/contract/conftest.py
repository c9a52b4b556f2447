"""The cases of the contract: the registry itself, so that a new rule is tested without a word here."""

import pytest
from contract_cases import N_TEST, N_TRAIN, PAIRS, Case, blobs, small

from apical.rules.registry import RULES


@pytest.fixture(scope="session", params=PAIRS, ids="-".join)
def case(request: pytest.FixtureRequest) -> Case:
    """Each rule on each of its networks, in the setting `compare` uses."""
    name, network = request.param
    preset = next(iter(RULES[name].presets.values()))
    rule = small(name, network, **preset.settings)
    return Case(name, network, rule, blobs(N_TRAIN, 0), blobs(N_TEST, 1), preset.batch_size or 50)
