"""The complete description of a run: what it is resolved from, and its file, `config.toml`."""

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from apical.data.dataset import Dataset
from apical.data.registry import find as find_dataset
from apical.errors import InputError, unknown
from apical.hyperparameters import Value
from apical.rules.assembly import complete, network_class, schema
from apical.rules.base import AbstractRule, Preset
from apical.rules.registry import find
from apical.training.protocols import APICAL, Protocol
from apical.training.protocols import find as find_protocol

LOG_EVERY = 10_000


@dataclasses.dataclass(frozen=True)
class Config:
    """One run, completely: the same configuration on the same machine gives the same bits.

    `examples` is how many examples of the shuffled training part are trained on (none: all); `log_every` how many
    examples lie between two measurements (at most an epoch); `data` holds every option of the data set, `settings`
    every hyperparameter of the rule.
    """

    rule: str
    dataset: str
    preset: str
    network: str
    hidden: tuple[int, ...]
    epochs: int
    batch_size: int
    examples: int | None = None
    seed: int = 0
    log_every: int = LOG_EVERY
    image_size: int = 64
    protocol: str = APICAL
    data: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    settings: Mapping[str, Value] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Request:
    """What a user asks for; none where the preset, the rule or the data set decides."""

    rule: str
    dataset: str = "digits"
    preset: str | None = None
    network: str | None = None
    hidden: tuple[int, ...] | None = None
    epochs: int | None = None
    batch_size: int | None = None
    examples: int | None = None
    seed: int = 0
    log_every: int | None = None
    image_size: int = 64
    settings: Mapping[str, Value] = dataclasses.field(default_factory=dict)


def find_preset(rule: type[AbstractRule], name: str | None) -> tuple[str, Preset]:
    """The preset of that name, the rule's first where none is named.

    **Raises** `InputError` when the rule has no such preset.
    """
    chosen = name or next(iter(rule.presets))
    if chosen not in rule.presets:
        raise InputError(unknown(f"preset of {rule.name}", chosen, rule.presets))
    return chosen, rule.presets[chosen]


def resolve(request: Request, dataset: Dataset) -> Config:
    """The complete configuration: the request before the protocol, that before the preset, that before the defaults.

    **Raises** `InputError` for anything unknown or not valid, and for a batch larger than the training part.
    """
    rule = find(request.rule)
    name, preset = find_preset(rule, request.preset)
    network = request.network or preset.network or next(iter(rule.networks))
    wiring = network_class(rule, network)
    given = {k: v for k, v in request.settings.items() if k not in dataset.options}
    protocol = find_protocol(given.pop("protocol", APICAL))
    settings = dict(preset.settings) | given
    settings |= _set_by(protocol, rule, network, settings) | given
    return Config(
        rule=request.rule,
        dataset=request.dataset,
        preset=name,
        network=network,
        hidden=_first(request.hidden, preset.hidden, wiring.default_hidden),  # type: ignore[attr-defined]
        epochs=_at_least("epochs", 0, _first(request.epochs, protocol.epochs, preset.epochs, dataset.epochs)),
        batch_size=_at_least(
            "batch-size", 1, _first(request.batch_size, min(len(dataset.train), preset.batch_size or 50))
        ),
        examples=None if request.examples is None else _at_least("examples", 1, request.examples),
        seed=_at_least("seed", 0, request.seed),
        log_every=_at_least("log-every", 1, _first(request.log_every, LOG_EVERY)),
        image_size=request.image_size,
        protocol=protocol.name,
        data=dict(dataset.options),
        settings=complete(rule, network, settings),
    )


def data_options(request: Request, before: Mapping[str, Value] | None = None) -> dict[str, Value]:
    """The options of the data set asked for: those in the request's settings, before the preset's or those `before`.

    **Raises** `InputError` when rule, preset or data set are unknown.
    """
    preset = find_preset(find(request.rule), request.preset)[1]
    known = find_dataset(request.dataset).options
    chosen = dict(preset.data if before is None else before) | dict(request.settings)
    return {name: value for name, value in chosen.items() if name in known}


def under(config: Config, protocol: str, given: Mapping[str, Value]) -> Config:
    """A configuration under another protocol, which sets what it sets as if it had been asked for at first.

    `given` are settings that go before all. Under its own protocol a configuration stays as it is.
    """
    if protocol == config.protocol:
        return config
    found, own = find_protocol(protocol), {k: v for k, v in given.items() if k != "protocol"}
    settings = {**config.settings, **own}
    settings |= _set_by(found, find(config.rule), config.network, settings)
    return dataclasses.replace(config, protocol=protocol, epochs=_first(found.epochs, config.epochs), settings=settings)


def parse_settings(
    rule: str, network: str | None, preset: str | None, pairs: list[str], dataset: str = "digits"
) -> dict[str, Value]:
    """The values of key=value pairs as a command line gives them: hyperparameters, and options of the data set.

    **Raises** `InputError` for a pair without =, an unknown key, or a value that is not valid.
    """
    found = find(rule)
    chosen = network or find_preset(found, preset)[1].network or next(iter(found.networks))
    known = {**find_dataset(dataset).options, **schema(found, chosen)}
    values: dict[str, Value] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise InputError(f"--set {pair}: write key=value, as in --set {next(iter(known))}=...")
        if name == "protocol":
            values[name] = find_protocol(text).name
        elif name in known:
            values[name] = known[name].parse(name, text)
        else:
            raise InputError(unknown(f"hyperparameter of {rule}", name, known))
    return values


def write_config(config: Config) -> str:
    """The configuration as TOML."""
    table = {k: v for k, v in dataclasses.asdict(config).items() if v is not None}
    for name in ("data", "settings"):
        table[name] = {k: "none" if v is None else v for k, v in table[name].items()}
    return tomli_w.dumps(table)


def read_config(path: Path) -> Config:
    """The configuration in a file that `write_config` wrote.

    **Raises** `InputError` when the file is missing, is no TOML, or holds a key that is unknown, missing or no value of
    its kind.
    """
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"cannot read {path} as a configuration: {error}") from None
    known = {field.name: field for field in dataclasses.fields(Config)}
    for name in table:
        if name not in known:
            raise InputError(f"{path}: {unknown('key', name, known)}")
    missing = [n for n, f in known.items() if n not in table and f.default is f.default_factory is dataclasses.MISSING]
    if missing:
        raise InputError(f"{path}: {missing[0]} is missing: add it, or write the file with `apical train`")
    for name, value in table.items():
        fits, expected = _KINDS.get(known[name].type, _WHOLE)
        if not fits(value):
            raise InputError(f"{path}: {name} is {value!r}: give {expected}")
    table["hidden"] = tuple(table["hidden"])
    for name in ("data", "settings"):
        table[name] = {k: _from_toml(v) for k, v in table.get(name, {}).items()}
    return Config(**table)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_WHOLE: tuple[Callable[[Any], bool], str] = (_is_whole, "a whole number")
_KINDS: dict[Any, tuple[Callable[[Any], bool], str]] = {
    str: (lambda value: isinstance(value, str), "text in quotes"),
    tuple[int, ...]: (lambda value: isinstance(value, list) and all(map(_is_whole, value)), "a list of whole numbers"),
    Mapping[str, Value]: (lambda value: isinstance(value, dict), "a table"),
}


def _from_toml(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else None if value == "none" else value


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _at_least(name: str, low: int, value: int) -> int:
    if value < low:
        raise InputError(f"--{name} {value}: {name} is a whole number at least {low}")
    return value


def _set_by(
    protocol: Protocol, rule: type[AbstractRule], network: str, settings: Mapping[str, Value]
) -> dict[str, Value]:
    """What a protocol sets of a rule that has these settings otherwise, and the defaults."""
    declared = rule.protocols.get(protocol.name)
    return dict(declared(complete(rule, network, settings))) if declared else {}
