"""The cases of the contract: the registry itself, so that a new rule is tested without a word here."""

import pytest
from contract_cases import CASES, N_TEST, N_TRAIN, Case, blobs, small

from apical.rules.registry import RULES


@pytest.fixture(scope="session", params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest) -> Case:
    """Each rule on each of its networks, in the setting of comparisons and in its default."""
    name, network, chosen = request.param
    preset = RULES[name].presets[chosen]
    rule = small(name, network, **preset.settings)
    return Case(
        name, network, dict(preset.settings), rule, blobs(N_TRAIN, 0), blobs(N_TEST, 1), preset.batch_size or 50
    )
