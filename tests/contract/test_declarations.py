"""What every rule declares about itself: hyperparameters, presets, documentation, citation."""

import dataclasses
import inspect
import math
import re

import jax
import jax.random as jr
import numpy as np
import pytest
from contract_cases import PAIRS

from apical.data.dataset import ArrayExamples, Dataset
from apical.hyperparameters import Hyperparameter, declarations
from apical.networks.base import AbstractNetwork
from apical.rules.assembly import network_class, schema
from apical.rules.optimisers import AbstractOptimiser
from apical.rules.registry import RULES, citation, find, summary
from apical.training.config import Request, resolve
from apical.training.train import build

DECLARED = [
    pytest.param(key, declaration, id=f"{rule}-{network}-{key}")
    for rule, network in PAIRS
    for key, declaration in schema(RULES[rule], network).items()
]
PRESETS = [(rule, preset) for rule, cls in RULES.items() for preset in cls.presets]


@pytest.mark.parametrize("key,declared", DECLARED)
def test_hyperparameter_is_declared_completely(key: str, declared: Hyperparameter) -> None:
    assert len(declared.meaning) > 8 and not declared.meaning.endswith(".")
    assert declared.check(key, declared.default) == declared.default
    assert declared.scale in ("linear", "log")
    if declared.kind in ("real", "integer", "integers"):
        assert math.isfinite(declared.low) or math.isfinite(declared.high), "without bounds"
    if declared.kind == "choice":
        assert "none" not in declared.choices, "config.toml writes what is not set as none"


@pytest.mark.parametrize("key,declared", DECLARED)
def test_search_ranges_lie_within_the_valid_bounds(key: str, declared: Hyperparameter) -> None:
    for name, space in declared.search.items():
        assert name and len(space) >= 2
        for value in space:
            declared.check(key, (value,) if declared.kind == "integers" else value)
        if declared.kind in ("real", "integer"):
            low, high = space
            assert low < high
            assert low > 0 or declared.scale == "linear"


@pytest.mark.parametrize("rule,network", PAIRS)
def test_no_name_is_declared_twice(rule: str, network: str) -> None:
    parts = {RULES[rule], *RULES[rule].plasticity.values(), network_class(RULES[rule], network)}
    assert sum(len(declarations(part)) for part in parts) == len(schema(RULES[rule], network))
    assert "protocol" not in schema(RULES[rule], network)


def images() -> Dataset:
    """A data set of 28 x 28 grey images of ten classes."""
    labels = np.arange(400, dtype=np.int32) % 10
    examples = ArrayExamples(np.zeros((400, 28, 28, 1), np.uint8), labels, 255.0)
    return Dataset("images", examples, examples, tuple("0123456789"))


@pytest.mark.parametrize("rule,preset", PRESETS)
def test_preset_resolves_and_builds(rule: str, preset: str) -> None:
    declared, dataset = RULES[rule].presets[preset], images()
    assert declared.meaning
    config = resolve(Request(rule, preset=preset), dataset)
    assert dict(config.settings).items() >= dict(declared.settings).items()
    for key in ("hidden", "epochs", "batch_size", "network"):
        assert getattr(declared, key) in (None, getattr(config, key))
    assert jax.eval_shape(build(config, dataset).network.init, jr.key(0))


@pytest.mark.parametrize("name", RULES)
def test_rule_says_what_it_is(name: str) -> None:
    rule = find(name)
    assert rule.name == name and re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
    assert 20 < len(summary(rule)) < 140 and summary(rule).endswith(".")
    assert hasattr(next(iter(rule.networks.values())), "default_hidden")
    assert rule.compared in ("", *rule.presets)
    assert all(issubclass(network, AbstractNetwork) for network in rule.networks.values())
    assert all(issubclass(optimiser, AbstractOptimiser) for optimiser in rule.plasticity.values())
    assert {"network"} <= {field.name for field in dataclasses.fields(rule)}


def braced(text: str, start: int) -> int:
    """Where the brace that opens at `start` is closed."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise AssertionError(f"a brace is not closed: {text[start:]}")


def bibtex(text: str) -> dict[str, dict[str, str]]:
    """The fields of each entry, by its key."""
    entries: dict[str, dict[str, str]] = {}
    while found := re.search(r"@\w+(?={)", text):
        end = braced(text, found.end())
        key, _, rest = text[found.end() + 1 : end].partition(",")
        assert key not in entries
        entries[key] = fields = {}
        while equals := re.match(r"\s*(\w+)\s*=\s*(?={)", rest):
            closed = braced(rest, equals.end())
            fields[equals[1]] = rest[equals.end() + 1 : closed]
            rest = rest[closed + 1 :].lstrip().removeprefix(",")
        assert not rest.strip(), f"{key}: cannot read {rest}"
        text = text[end + 1 :]
    return entries


@pytest.mark.parametrize("name", RULES)
def test_rule_can_be_cited(name: str) -> None:
    entries = bibtex(citation(RULES[name]))
    assert entries and set(entries) == set(bibtex(inspect.getdoc(RULES[name]) or ""))
    for key, fields in entries.items():
        assert key.isalnum() and {"title", "author", "year"} <= set(fields)
        assert re.fullmatch(r"(19|20)\d\d", fields["year"])
        assert fields["year"] in key


def test_a_citation_key_means_one_paper() -> None:
    seen: dict[str, dict[str, str]] = {}
    for rule in RULES.values():
        for key, fields in bibtex(citation(rule)).items():
            assert seen.setdefault(key, fields) == fields
