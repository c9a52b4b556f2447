"""One dimension of a search space: its values, their places in [0, 1], and whether it is there at all."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

Places = Float[np.ndarray, " n"]
Columns = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Condition:
    """That another dimension has a value, or with `at_least` no smaller one."""

    parent: str
    value: Any
    at_least: bool = False

    def holds(self, value: Any) -> Any:
        """Whether it does; element by element for an array of values."""
        return value >= self.value if self.at_least else value == self.value

    def __str__(self) -> str:
        return f"{self.parent} {'>=' if self.at_least else '='} {self.value}"


@dataclasses.dataclass(frozen=True)
class Dimension:
    """A hyperparameter and where it is searched: from `low` to `high`, or among `levels`.

    `kind` is real, integer, switch or choice; `levels` are the values of the last two. `log`: places are spread evenly
    over the logarithm. `fraction`: values are 1/k with a whole k, as of a time step that has to divide a millisecond.
    It is there where any of its conditions `when` holds, or always where it has none.
    """

    name: str
    kind: str
    low: float | int = 0
    high: float | int = 1
    log: bool = False
    fraction: bool = False
    levels: tuple[bool | str, ...] = ()
    when: tuple[Condition, ...] = ()

    @property
    def n_levels(self) -> int:
        """How many values a dimension has that is not real; 0 for a real one."""
        if self.kind == "real":
            return 0
        return len(self.levels) if self.levels else int(self.high) - int(self.low) + 1

    def value(self, place: float) -> Any:
        """The value at a place in [0, 1]; every level of a discrete dimension has an equal stretch of them."""
        found = self.values(np.array([place]))[0]
        return self.levels[int(found)] if self.levels else found.item()

    def values(self, places: Places) -> np.ndarray:
        """The values at places; the index of the level where there are levels."""
        if self.kind == "real":
            return self._rounded(self._stretch(places, self.low, self.high))
        if self.levels:
            return np.minimum((places * self.n_levels).astype(int), self.n_levels - 1)
        found = np.rint(self._stretch(places, self.low - 0.5, self.high + 0.5)).astype(int)
        return np.clip(found, self.low, self.high)

    def _stretch(self, places: Places, low: float, high: float) -> np.ndarray:
        if self.log:
            return np.exp(np.log(low) + places * (np.log(high) - np.log(low)))
        return low + places * (high - low)

    def _rounded(self, values: np.ndarray) -> np.ndarray:
        found = 1 / np.rint(1 / values) if self.fraction else values
        return np.clip(found, self.low, self.high)

    def place(self, value: Any) -> float:
        """The place of a value: the inverse of `value`, in the middle of a level's stretch."""
        if self.levels:
            return (self.levels.index(value) + 0.5) / self.n_levels
        return self._places(np.array([value]))[0].item()

    def _places(self, values: np.ndarray) -> Places:
        half = 0.0 if self.kind == "real" else 0.5
        low, high = self.low - half, self.high + half
        share = np.log(values / low) / np.log(high / low) if self.log else (values - low) / (high - low)
        return np.clip(share, 0.0, 1.0)

    def snapped(self, places: Places) -> Float[np.ndarray, "n columns"]:
        """What a kernel sees of places: the place of the value that is used; a choice has a column for each level.

        Two values of a switch, and two levels of a choice, are 1 apart, as the ends of a range are.
        """
        if self.kind == "choice":
            return np.eye(self.n_levels)[self.values(places)] / np.sqrt(2)
        if self.levels:
            return (self.values(places) / (self.n_levels - 1))[:, None]
        if self.kind == "real" and not self.fraction:
            return places[:, None]
        return self._places(self.values(places))[:, None]

    def is_there(self, columns: Columns, there: Mapping[str, Bool[np.ndarray, " n"]]) -> Bool[np.ndarray, " n"] | bool:
        """Where this dimension exists, given the values of the others and where they exist."""
        if not self.when:
            return True
        held = [there[c.parent] & c.holds(columns[c.parent]) for c in self.when]
        return np.logical_or.reduce(held)

    def described(self) -> dict[str, Any]:
        """What study.json says of it."""
        bounds = {"levels": list(self.levels)} if self.levels else {"low": self.low, "high": self.high}
        when = " or ".join(map(str, self.when))
        return {"name": self.name, "kind": self.kind, **bounds, "log": self.log, "when": when}
