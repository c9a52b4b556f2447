"""One declaration per hyperparameter: construction checks it, command line and docs show it, a search draws from it.

A hyperparameter is a field of an Equinox module, declared with `real`, `integer`, `integers`, `switch` or `choice`.
Reals become array leaves (changing one never recompiles); everything else shapes or branches the program and is static.
"""

import dataclasses
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.core
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from apical.errors import InputError, unknown

Value = float | int | bool | str | tuple[float, ...] | tuple[int, ...] | None


@dataclasses.dataclass(frozen=True)
class Hyperparameter:
    """What is known of one hyperparameter.

    `low` and `high` bound the *valid* values (`open_low`: the bound itself is excluded); `search` names published or
    own ranges inside which a study looks. `kind` is real, integer, integers, switch or choice. A `per_layer` real is
    one number or a pair (hidden, output), or one number for each layer. `optional` also admits none. A `static` real
    shapes the program, as a time step does; another value of it compiles again. `needs` lists (name, value) of other
    hyperparameters: where none of them has that value, this one does nothing, and no study searches it.
    """

    default: Value
    kind: str
    meaning: str
    low: float | int = -math.inf
    high: float | int = math.inf
    open_low: bool = False
    unit: str = ""
    scale: str = "linear"
    source: str = ""
    choices: tuple[str, ...] = ()
    per_layer: bool = False
    optional: bool = False
    static: bool = False
    needs: tuple[tuple[str, Any], ...] = ()
    search: Mapping[str, tuple[Any, ...]] = dataclasses.field(default_factory=dict)

    def parse(self, name: str, text: str) -> Value:
        """The value written as `text` on a command line.

        **Raises** `InputError` when the text is not of this kind or the value not valid.
        """
        try:
            value = _READERS[self.kind](text) if not (self.optional and text.lower() == "none") else None
        except ValueError:
            raise InputError(f"{name}={text}: {name} is {self.expected()}") from None
        return self.check(name, value)

    def check(self, name: str, value: Any) -> Value:
        """The value itself, as plain Python, if it is valid.

        **Raises** `InputError` naming what is expected.
        """
        plain = _plain(value)
        if not self.admits(plain):
            shown = ",".join(map(str, plain)) if isinstance(plain, tuple) else plain
            raise InputError(f"{name}={shown}: {name} is {self.expected()}")
        return plain

    def admits(self, value: Any) -> bool:
        """Whether a plain Python value, of any type, is of this kind and within the valid bounds."""
        if value is None:
            return self.optional
        if self.kind == "switch":
            return isinstance(value, bool)
        if self.kind == "choice":
            return value in self.choices
        many = isinstance(value, tuple)
        if many != (self.kind == "integers") and not (many and self.per_layer):
            return False
        numbers = value if isinstance(value, tuple) else (value,)
        return len(numbers) > 0 and all(map(self._admits_number, numbers))

    def _admits_number(self, number: Any) -> bool:
        if isinstance(number, bool) or not isinstance(number, (int, float) if self.kind == "real" else int):
            return False
        above = number > self.low if self.open_low else number >= self.low
        return abs(number) <= sys.float_info.max and above and number <= self.high

    def expected(self) -> str:
        """What a valid value looks like, in words for an error or a table."""
        if self.kind == "switch":
            return "true or false"
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices) + (", or none" if self.optional else "")
        words = {"real": "a number", "integer": "a whole number", "integers": "whole numbers a,b,..."}[self.kind]
        if self.per_layer:
            words += " (or hidden,output)"
        return words + self.bounds() + (", or none" if self.optional else "")

    def bounds(self) -> str:
        """The valid bounds in words; empty where there are none."""
        low = "" if self.low == -math.inf else f"{'above' if self.open_low else 'at least'} {self.low:g}"
        high = "" if self.high == math.inf else f"at most {self.high:g}"
        return " " + " and ".join(filter(None, (low, high))) if low or high else ""


def real(default: Value, meaning: str, **about: Any) -> Any:
    """A field that holds a number (or one for each layer) as an array leaf, declared as a hyperparameter.

    With `static=True` it holds a Python number that shapes the program.
    """
    declaration = Hyperparameter(default, "real", meaning, **about)
    return _declare(declaration, **({"static": True} if declaration.static else {"converter": as_real}))


def integer(default: int | None, meaning: str, **about: Any) -> Any:
    """A field that holds a whole number, static, declared as a hyperparameter."""
    return _declare(Hyperparameter(default, "integer", meaning, **about), static=True)


def integers(default: tuple[int, ...] | None, meaning: str, **about: Any) -> Any:
    """A field that holds whole numbers, static, declared as a hyperparameter."""
    return _declare(Hyperparameter(default, "integers", meaning, **about), static=True)


def switch(default: bool, meaning: str, **about: Any) -> Any:
    """A field that is on or off, static, declared as a hyperparameter."""
    return _declare(Hyperparameter(default, "switch", meaning, **about), static=True)


def choice(default: str, choices: Sequence[str], meaning: str, **about: Any) -> Any:
    """A field that names one of a few ways, static, declared as a hyperparameter."""
    return _declare(Hyperparameter(default, "choice", meaning, choices=tuple(choices), **about), static=True)


class Declared(eqx.Module):
    """A module whose hyperparameters are checked against their declarations when it is constructed."""

    def __check_init__(self) -> None:
        for name, declaration in declarations(type(self)).items():
            value = getattr(self, name)
            if not isinstance(value, jax.core.Tracer):
                declaration.check(name, value)


def declarations(module: type) -> dict[str, Hyperparameter]:
    """Name -> declaration of every hyperparameter of a module class, in the order of its fields."""
    fields = dataclasses.fields(module)
    return {f.name: f.metadata["hyperparameter"] for f in fields if "hyperparameter" in f.metadata}


def complete(kind: str, known: Mapping[str, Hyperparameter], given: Mapping[str, Value]) -> dict[str, Value]:
    """A value for each hyperparameter that is known: the one given, checked, or its default.

    **Raises** `InputError` for an unknown name, called an unknown `kind`, or a value that is not valid.
    """
    for name in given:
        if name not in known:
            raise InputError(unknown(kind, name, known))
    return {name: declared.check(name, given.get(name, declared.default)) for name, declared in known.items()}


def as_real(value: Any) -> Array | None:
    """A strongly typed array of the default float type: a weakly typed one would be traced again when it changes."""
    with np.errstate(over="ignore"):  # what is too large for the type is refused as not finite
        return None if value is None else jnp.asarray(value, dtype=jnp.result_type(float))


def stretch(value: Array, n_layers: int) -> Array:
    """One value for each layer, from one number, a pair (hidden, output) or one number for each layer.

    **Raises** `InputError` when the number of values fits none of these.
    """
    if value.ndim == 0:
        return jnp.full(n_layers, value)
    if len(value) == n_layers:
        return value
    if len(value) != 2:
        raise InputError(f"{len(value)} values for {n_layers} layers: give one, a pair hidden,output, or {n_layers}")
    return jnp.concatenate([jnp.full(n_layers - 1, value[0]), value[1:]])


def _declare(declaration: Hyperparameter, **field: Any) -> Any:
    default = declaration.default
    return eqx.field(default=default, metadata={"hyperparameter": declaration}, **field)


def _plain(value: Any) -> Any:
    """Arrays and lists as Python numbers and tuples; a float32 leaf as the shortest decimal that stands for it."""
    if isinstance(value, (list, tuple)):
        return tuple(map(_plain, value))
    if isinstance(value, (jax.Array, np.ndarray, np.generic)):
        array = np.asarray(value)
        return tuple(map(_plain, array)) if array.ndim else _plain_number(array[()])
    return value


def _plain_number(number: Any) -> float | int | bool:
    return float(str(number)) if isinstance(number, np.floating) else number.item()


_SWITCH = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


def _read_switch(text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError(text)
    return _SWITCH[text.lower()]


def _read_real(text: str) -> float | tuple[float, ...]:
    return tuple(map(float, text.split(","))) if "," in text else float(text)


_READERS: dict[str, Callable[[str], Value]] = {
    "real": _read_real,
    "integer": int,
    "integers": lambda text: tuple(map(int, text.split(","))),
    "switch": _read_switch,
    "choice": str,
}
