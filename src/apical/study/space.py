"""A search space: dimensions of which some are there only where others have a certain value. No dimension is dead."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from apical.study.dimension import Dimension

Point = dict[str, Any]
Rows = Float[np.ndarray, "_ dimensions"]
ABSENT = 0.5


class Space:
    """Dimensions in an order in which every parent comes before what depends on it.

    A *point* holds the values of the dimensions that are there. A *row* holds a place in [0, 1] for every dimension,
    whether it is there or not.
    """

    def __init__(self, dimensions: Iterable[Dimension]) -> None:
        self.dimensions = tuple(_parents_first(list(dimensions)))

    def __len__(self) -> int:
        return len(self.dimensions)

    @property
    def continuous(self) -> bool:
        """Whether all dimensions are real and always there."""
        return all(d.kind == "real" and not d.fraction and not d.when for d in self.dimensions)

    def point(self, row: Float[np.ndarray, " dimensions"]) -> Point:
        """The point of a row: values of the dimensions that are there."""
        there = self.there(row[None])
        return {d.name: d.value(place) for d, place, live in zip(self.dimensions, row, there[0], strict=True) if live}

    def row(self, point: Mapping[str, Any]) -> Float[np.ndarray, " dimensions"]:
        """The row of a point; what is not there has its place in the middle."""
        return np.array([d.place(point[d.name]) if d.name in point else ABSENT for d in self.dimensions])

    def rows(self, points: Sequence[Mapping[str, Any]]) -> Rows:
        """The rows of points."""
        return np.array([self.row(point) for point in points]).reshape(len(points), len(self))

    def there(self, rows: Rows) -> Bool[np.ndarray, "n dimensions"]:
        """Which dimensions are there in each row."""
        columns: dict[str, np.ndarray] = {}
        there: dict[str, np.ndarray] = {}
        for d, places in zip(self.dimensions, rows.T, strict=True):
            found = d.values(places)
            columns[d.name] = np.array(d.levels)[found] if d.levels else found
            there[d.name] = np.broadcast_to(d.is_there(columns, there), len(rows))
        return np.stack(list(there.values()), axis=1) if there else np.ones((len(rows), 0), dtype=bool)

    def snapped(self, rows: Rows) -> Float[np.ndarray, "n columns"]:
        """What a kernel sees of rows: places of the values in use, and the same for all rows where a dimension is not.

        So two rows that mean the same setting are no distance apart (Garrido-Merchan & Hernandez-Lobato 2020).
        """
        there = self.there(rows)
        parts = [
            np.where(live[:, None], d.snapped(places), ABSENT)
            for d, places, live in zip(self.dimensions, rows.T, there.T, strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def uniform(self, generator: np.random.Generator, n: int) -> Rows:
        """Rows drawn evenly: of a point of them, every dimension that is there is uniform over its range.

        A dimension draws by its name, so that spaces which share it draw the same places: their studies are paired.
        """
        seed = int(generator.integers(2**63))
        drawn = [np.random.default_rng([seed, zlib.crc32(d.name.encode())]).uniform(size=n) for d in self.dimensions]
        return np.stack(drawn, axis=1) if drawn else np.zeros((n, 0))


def _parents_first(dimensions: list[Dimension]) -> Iterable[Dimension]:
    """The dimensions in their order, but behind the parents they depend on."""
    names, done = {d.name for d in dimensions}, set()
    while dimensions:
        ready = next((d for d in dimensions if {c.parent for c in d.when} & names <= done), None)
        if ready is None:
            raise ValueError(f"{dimensions[0].name} depends on itself")
        dimensions.remove(ready)
        done.add(ready.name)
        yield ready
