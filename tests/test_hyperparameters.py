"""Declarations of hyperparameters: what is valid, what is said of what is not, and that numbers come back unchanged."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apical.errors import InputError
from apical.hyperparameters import (
    Declared,
    Hyperparameter,
    as_real,
    choice,
    declarations,
    integer,
    integers,
    real,
    stretch,
    switch,
)

SHARE = Hyperparameter(0.5, "real", "a share", low=0, high=1, open_low=True)
RATE = Hyperparameter(0.1, "real", "a rate", low=0, per_layer=True)
COUNT = Hyperparameter(3, "integer", "a count", low=1, high=9)
MEMORY = Hyperparameter(None, "integer", "steps kept", low=1, optional=True)
SIZES = Hyperparameter((3, 4), "integers", "sizes", low=1)
FLAG = Hyperparameter(True, "switch", "a flag")
KIND = Hyperparameter("one", "choice", "a kind", choices=("one", "two"))

VALID = [
    (SHARE, 1, 1),
    (SHARE, 1e-9, 1e-9),
    (RATE, 0.0, 0.0),
    (RATE, [0.1, 0.2], (0.1, 0.2)),
    (RATE, np.asarray([0.1, 0.2], np.float32), (0.1, 0.2)),
    (RATE, jnp.asarray(0.1, jnp.float32), 0.1),
    (COUNT, 9, 9),
    (COUNT, np.int64(1), 1),
    (MEMORY, None, None),
    (SIZES, [5], (5,)),
    (FLAG, False, False),
    (FLAG, np.bool_(True), True),
    (KIND, "two", "two"),
]
INVALID = [
    (SHARE, 0, "above 0 and at most 1"),
    (SHARE, 1.0001, "above 0 and at most 1"),
    (SHARE, math.nan, "a number"),
    (SHARE, True, "a number"),
    (SHARE, "0.5", "a number"),
    (SHARE, None, "a number"),
    (SHARE, (0.5, 0.5), "a number"),
    (SHARE, {"a": 1}, "a number"),
    (SHARE, [[0.5]], "a number"),
    (RATE, 10**400, "at least 0"),
    (RATE, -0.1, "at least 0"),
    (RATE, math.inf, "or hidden,output"),
    (RATE, -math.inf, "at least 0"),
    (RATE, (0.1, math.nan), "or hidden,output"),
    (RATE, (), "or hidden,output"),
    (RATE, [[0.1], [0.2, 0.3]], "or hidden,output"),
    (RATE, (True, False), "or hidden,output"),
    (COUNT, 0, "at least 1 and at most 9"),
    (COUNT, 10, "at least 1 and at most 9"),
    (COUNT, 2.0, "a whole number"),
    (COUNT, True, "a whole number"),
    (COUNT, None, "a whole number"),
    (MEMORY, 0, "or none"),
    (SIZES, 5, "whole numbers"),
    (SIZES, (), "whole numbers"),
    (SIZES, (3, 0), "at least 1"),
    (SIZES, (3, 0.5), "whole numbers"),
    (SIZES, (True,), "whole numbers"),
    (FLAG, 1, "true or false"),
    (FLAG, "true", "true or false"),
    (KIND, "three", "one of one, two"),
    (KIND, 1, "one of one, two"),
]


@pytest.mark.parametrize(("declared", "value", "plain"), VALID)
def test_valid_values_become_plain_python(declared: Hyperparameter, value: object, plain: object) -> None:
    checked = declared.check("x", value)
    assert checked == plain and type(checked) is type(plain)


@pytest.mark.parametrize(("declared", "value", "said"), INVALID)
def test_invalid_values_are_refused_in_one_line(declared: Hyperparameter, value: object, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        declared.check("x", value)
    assert str(caught.value).startswith("x=") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (SHARE, "1e-3", 0.001),
        (RATE, "0.1,0.2", (0.1, 0.2)),
        (COUNT, "7", 7),
        (MEMORY, "None", None),
        (MEMORY, "4", 4),
        (SIZES, "16,32", (16, 32)),
        (FLAG, "Off", False),
        (FLAG, "1", True),
        (KIND, "two", "two"),
    ],
)
def test_text_is_read(declared: Hyperparameter, text: str, value: object) -> None:
    assert declared.parse("x", text) == value


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (SHARE, "nan"), (SHARE, "inf"), (SHARE, "0"), (SHARE, ""), (SHARE, "a"), (SHARE, "0.1,0.2"), (SHARE, "none"),
        (RATE, "0.1,"), (RATE, "1e999"), (COUNT, "2.5"), (COUNT, "1e1"), (COUNT, "none"), (SIZES, ""), (SIZES, "3;4"),
        (FLAG, "yes"), (KIND, "Two"),
    ],
)  # fmt: skip
def test_text_that_is_not_valid_is_refused(declared: Hyperparameter, text: str) -> None:
    with pytest.raises(InputError, match=r"^x=.*: x is "):
        declared.parse("x", text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for declared in (SHARE, RATE, COUNT, MEMORY, SIZES, FLAG, KIND):
        try:
            value = declared.parse("x", text)
        except InputError:
            continue
        assert declared.admits(value)


@given(st.floats(min_value=0, exclude_min=True, max_value=1), st.floats(min_value=0, max_value=1e30))
def test_written_reals_are_read_unchanged(share: float, rate: float) -> None:
    assert SHARE.parse("x", repr(share)) == share
    assert RATE.parse("x", f"{rate!r},{share!r}") == (rate, share)


class Toy(Declared):
    """One hyperparameter of each kind."""

    rate: jax.Array = real(0.1, "a rate", low=0, per_layer=True)
    limit: jax.Array | None = real(None, "a limit", low=0, optional=True)
    count: int = integer(3, "a count", low=1)
    sizes: tuple[int, ...] = integers((3, 4), "sizes", low=1)
    flag: bool = switch(True, "a flag")
    kind: str = choice("one", ("one", "two"), "a kind")


@given(st.decimals(min_value=0, max_value=1000, places=4))
def test_a_leaf_gives_back_the_decimal_it_was_made_from(decimal: object) -> None:
    value = float(str(decimal))
    leaf = Toy(rate=value).rate
    assert leaf.dtype == jnp.float32
    plain = declarations(Toy)["rate"].check("rate", leaf)
    assert np.float32(plain) == np.float32(value)
    assert len(repr(plain)) <= len(repr(value)) or plain == value


@given(st.floats(min_value=0, max_value=2.0**100, width=32))
def test_a_leaf_survives_being_written_and_read(value: float) -> None:
    declared = declarations(Toy)["rate"]
    written = repr(declared.check("rate", Toy(rate=value).rate))
    np.testing.assert_array_equal(Toy(rate=declared.parse("rate", written)).rate, jnp.float32(value))


def test_defaults_are_leaves_or_static() -> None:
    toy = Toy()
    assert list(declarations(Toy)) == ["rate", "limit", "count", "sizes", "flag", "kind"]
    (leaf,) = jax.tree.leaves(toy)
    assert leaf.dtype == jnp.float32 and not leaf.weak_type and toy.limit is None
    assert Toy(limit=2).limit.dtype == jnp.float32


@pytest.mark.parametrize(
    "wrong", [{"rate": -1}, {"rate": math.nan}, {"rate": 1e39}, {"count": 0}, {"sizes": ()}, {"kind": "three"}]
)
def test_construction_checks(wrong: dict) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Toy(**wrong)


def test_a_changed_real_is_not_traced_again_and_a_changed_static_is() -> None:
    traced = []
    double = eqx.filter_jit(lambda toy: traced.append(toy) or 2 * toy.rate)
    for toy in (Toy(), Toy(rate=0.3), Toy(rate=7), Toy(count=4)):
        np.testing.assert_allclose(double(toy), 2 * toy.rate)
    assert len(traced) == 2


def test_reals_can_be_mapped_over() -> None:
    rates = jnp.asarray([0.1, 0.2, 0.3])
    made = jax.vmap(lambda rate: Toy(rate=rate))(rates)
    np.testing.assert_array_equal(eqx.filter_vmap(lambda toy: toy.rate + 1)(made), rates + 1)


def test_reals_are_double_where_floats_are() -> None:
    with jax.enable_x64(True):
        assert as_real(0.1).dtype == jnp.float64


@pytest.mark.parametrize(
    ("value", "n", "expected"),
    [
        (0.1, 3, [0.1, 0.1, 0.1]),
        ((0.1, 0.2), 1, [0.2]),
        ((0.1, 0.2), 2, [0.1, 0.2]),
        ((0.1, 0.2), 4, [0.1, 0.1, 0.1, 0.2]),
        ((0.1, 0.2, 0.3), 3, [0.1, 0.2, 0.3]),
        ((0.3,), 1, [0.3]),
    ],
)
def test_stretch(value: float | tuple, n: int, expected: list[float]) -> None:
    np.testing.assert_array_equal(stretch(as_real(value), n), np.asarray(expected, np.float32))


@pytest.mark.parametrize(("n_values", "n_layers"), [(3, 2), (3, 4), (1, 2), (5, 1)])
def test_stretch_refuses_what_fits_no_layers(n_values: int, n_layers: int) -> None:
    with pytest.raises(InputError, match=f"{n_values} values for {n_layers} layers"):
        stretch(jnp.ones(n_values), n_layers)
