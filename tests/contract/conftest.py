"""The cases of the contract: the registry itself, so that a new rule is tested without a word here."""

import pytest
from contract_cases import CASES, N_TEST, N_TRAIN, Case, blobs, small

from apical.rules.registry import RULES

# Convolutional and local layers come to a rule through what it inherits: one rule of each kind stands for its kin.
KINDS = ("backprop", "feedback-alignment", "difference-target-propagation")


def marked(name: str, network: str, preset: str) -> object:
    """A case, one of the long tests where another rule stands for it, and where comparisons use another setting."""
    first = network == next(iter(RULES[name].networks))
    compared = preset == (RULES[name].compared or preset)
    marks = () if compared and (first or name in KINDS) else (pytest.mark.long,)
    return pytest.param((name, network, preset), marks=marks, id=f"{name}-{network}-{preset}")


@pytest.fixture(scope="session", params=[marked(*case) for case in CASES])
def case(request: pytest.FixtureRequest) -> Case:
    """Each rule on each of its networks, in the setting of comparisons and in its default."""
    name, network, chosen = request.param
    preset = RULES[name].presets[chosen]
    rule = small(name, network, **preset.settings)
    return Case(
        name, network, dict(preset.settings), rule, blobs(N_TRAIN, 0), blobs(N_TEST, 1), preset.batch_size or 50
    )
