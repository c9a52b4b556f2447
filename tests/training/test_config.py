"""Configurations: what goes before what, and the file that repeats a run."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apical.data.registry import load
from apical.errors import InputError
from apical.rules.assembly import schema
from apical.rules.registry import RULES
from apical.training.config import Config, Request, parse_settings, read_config, resolve, write_config


def values(declaration: object) -> st.SearchStrategy:
    """Valid values of a hyperparameter."""
    if declaration.kind == "switch":
        return st.booleans()
    if declaration.kind == "choice":
        return st.sampled_from(declaration.choices)
    if declaration.kind == "integers":
        return st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)
    if declaration.kind == "integer":
        return st.integers(1, 5)
    # no filter by `admits`: under beartype it draws random numbers of its own
    number = st.floats(max(declaration.low, -1e3), min(declaration.high, 1e3), exclude_min=declaration.open_low)
    return st.one_of(number, st.tuples(number, number)) if declaration.per_layer else number


CASES = [(name, network) for name, rule in RULES.items() for network in rule.networks]


@pytest.mark.parametrize(("name", "network"), CASES)
@given(data=st.data())
def test_the_file_gives_back_the_configuration(
    name: str, network: str, data: st.DataObject, tmp_path_factory: object
) -> None:
    settings = {key: data.draw(values(d)) for key, d in schema(RULES[name], network).items()}
    hidden = tuple(data.draw(st.lists(st.integers(1, 600), max_size=4)))
    examples = data.draw(st.none() | st.integers(1, 1000))
    config = Config(
        name, "digits", "p", network, hidden, 3, 7, examples, data.draw(st.integers(0, 2**31)), settings=settings
    )
    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text(write_config(config))
    assert read_config(path) == config


def test_request_goes_before_preset_goes_before_defaults() -> None:
    digits = load("digits")
    plain = resolve(Request("backprop"), digits)
    preset = resolve(Request("backprop", preset="lange-2019"), digits)
    asked = resolve(
        Request("backprop", preset="lange-2019", epochs=1, batch_size=3, settings={"initialiser": "glorot"}), digits
    )
    assert (plain.epochs, plain.batch_size, plain.settings["initialiser"]) == (digits.epochs, 50, "kaiming")
    assert (preset.epochs, preset.batch_size, preset.settings["initialiser"]) == (10, 100, "uniform")
    assert (asked.epochs, asked.batch_size, asked.settings["initialiser"]) == (1, 3, "glorot")
    assert set(plain.settings) == set(schema(RULES["backprop"], "mlp"))


def test_every_preset_of_every_rule_resolves() -> None:
    for name, rule in RULES.items():
        for preset in rule.presets:
            assert resolve(Request(name, preset=preset), load("digits")).preset == preset


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("seed = 0", "sede = 0"), "did you mean 'seed'"),
        (('rule = "backprop"\n', ""), "rule is missing"),
        (("seed = 0", "seed = "), "cannot read"),
        (("seed = 0", "seed = 0.5"), "seed is 0.5: give a whole number"),
        (("epochs = 40", "epochs = true"), "epochs is True: give a whole number"),
        (("epochs = 40", 'epochs = 40\nexamples = "all"'), "examples is 'all': give a whole number"),
        (('rule = "backprop"', "rule = 1"), "rule is 1: give text"),
        (("hidden = [", "hidden = [0.5,"), "give a list of whole numbers"),
        (("[settings]", "settings = 3\n[other]"), "unknown key 'other'"),
    ],
)
def test_a_spoilt_file_is_refused(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    text = write_config(resolve(Request("backprop"), load("digits")))
    assert change[0] in text
    path = tmp_path / "config.toml"
    path.write_text(text.replace(*change))
    with pytest.raises(InputError, match=said):
        read_config(path)


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("missing", "binary", "."):
        with pytest.raises(InputError, match="cannot read"):
            read_config(tmp_path / name)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"rule": "bakprop"}, "did you mean 'backprop'"),
        ({"preset": "lange"}, "lange-2019"),
        ({"network": "rnn"}, "choose from mlp, cnn, lc"),
        ({"epochs": -1}, "epochs is a whole number at least 0"),
        ({"batch_size": 0}, "batch-size is a whole number at least 1"),
        ({"examples": 0}, "examples is a whole number at least 1"),
        ({"seed": -1}, "seed is a whole number at least 0"),
        ({"log_every": 0}, "log-every is a whole number at least 1"),
        ({"settings": {"raet": 0.1}}, "did you mean 'rate'"),
        ({"settings": {"channels": (3,)}}, "unknown hyperparameter"),
        ({"settings": {"rate": -1.0}}, "at least 0"),
        ({"settings": {"protocol": "none"}}, "protocol is one of"),
    ],
)
def test_a_wrong_request_is_refused(wrong: dict, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        resolve(Request(**{"rule": "backprop", **wrong}), load("digits"))
    assert "\n" not in str(caught.value)


def test_pairs_of_the_command_line_are_read_by_their_declarations() -> None:
    pairs = ["rate=0.1,0.2", "batch_norm=on", "kernels=3,5", "protocol=apical"]
    assert parse_settings("backprop", "cnn", None, pairs) == {
        "rate": (0.1, 0.2), "batch_norm": True, "kernels": (3, 5), "protocol": "apical",
    }  # fmt: skip
    for pair, said in (("rate", "write key=value"), ("kernels=3", "unknown hyperparameter"), ("rate=nan", "a number")):
        with pytest.raises(InputError, match=said):
            parse_settings("backprop", "mlp", None, [pair])
