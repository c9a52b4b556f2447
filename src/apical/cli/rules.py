"""`apical rules`: the learning rules, or everything that can be set of one."""

import argparse

from apical.cli.options import declared

DESCRIPTION = "List the learning rules; with a name, its presets and hyperparameters."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `apical rules`."""
    parser.add_argument("rule", nargs="?", metavar="RULE", help="show this rule's presets and hyperparameters")
    parser.add_argument(
        "--network", metavar="NAME", help="on this network (default: the preset's, else the rule's first)"
    )
    parser.add_argument("--preset", metavar="NAME", help="with the values of this preset (default: the rule's first)")


def run(arguments: argparse.Namespace) -> int:
    """Print the list or the rule."""
    print(_rule(arguments.rule, arguments.network, arguments.preset) if arguments.rule else _list())
    return 0


def _list() -> str:
    from apical.rules.registry import RULES, summary

    width = max(map(len, RULES))
    return "\n".join(f"{name:{width}}  {summary(rule)} [{', '.join(rule.networks)}]" for name, rule in RULES.items())


def _rule(name: str, network: str | None, preset: str | None) -> str:
    from apical.rules.assembly import schema
    from apical.rules.registry import find, summary
    from apical.training.config import find_preset

    rule = find(name)
    used, values = find_preset(rule, preset)
    chosen = network or values.network or next(iter(rule.networks))
    lines = [f"{name}: {summary(rule)}", "", "presets"]
    lines += [
        f"  {listed:24} {p.meaning}" + (f" ({p.source})" if p.source else "") for listed, p in rule.presets.items()
    ]
    lines += ["", f"hyperparameters (preset {used}, on {chosen}; networks: {', '.join(rule.networks)})"]
    lines += declared(schema(rule, chosen), values.settings, used)
    return "\n".join([*lines, "", "protocols (--set protocol=NAME)", *_protocols()])


def _protocols() -> list[str]:
    from apical.training.protocols import PROTOCOLS

    sources = {name: f" ({p.source})" if p.source else "" for name, p in PROTOCOLS.items()}
    return [f"  {name:24} {p.meaning}{sources[name]}" for name, p in PROTOCOLS.items()]
