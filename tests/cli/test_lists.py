"""The commands that print: what they list is what the registries hold."""

from importlib.metadata import version

import pytest

from apical.cli.main import main
from apical.reproduce.registry import REPRODUCTIONS
from apical.rules.assembly import schema
from apical.rules.registry import RULES
from apical.training.protocols import PROTOCOLS


def said(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(line.split()) == 0
    return capsys.readouterr().out


def test_rules_lists_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert [line.split()[0] for line in said("rules", capsys).splitlines()] == list(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_shows_every_hyperparameter_preset_and_protocol(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = {line.split()[0] for line in said(f"rules {name}", capsys).splitlines() if line.startswith("  ")}
    assert shown == {*schema(RULES[name], next(iter(RULES[name].networks))), *RULES[name].presets, *PROTOCOLS}


def test_a_rule_shows_the_values_of_a_preset(capsys: pytest.CaptureFixture[str]) -> None:
    lines = {line.split()[0]: line for line in said("rules backprop --preset lange-2019", capsys).splitlines() if line}
    assert lines["initialiser"].split()[1] == "uniform" and "without preset lange-2019 kaiming" in lines["initialiser"]
    assert lines["rate_decay"].split()[1] == "0.0" and "without preset" not in lines["rate_decay"]
    lines = {line.split()[0]: line for line in said("rules backprop", capsys).splitlines() if line}
    assert lines["rate_decay"].split()[1] == "0.0005"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_can_be_cited(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(f"cite {name}", capsys).startswith("@")


def test_reproduce_lists_every_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert [line.split()[0] for line in said("reproduce --list", capsys).splitlines()] == list(REPRODUCTIONS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out.strip() == f"apical {version('apical')}"
