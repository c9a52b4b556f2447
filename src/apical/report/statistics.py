"""Means over seeds with Student's intervals, and differences paired by seed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Summary:
    """`n` values: mean, standard deviation (n - 1) and the interval of the mean; the last three None for n = 1."""

    n: int
    mean: float
    sd: float | None = None
    low: float | None = None
    high: float | None = None

    def text(self, spec: str) -> str:
        """The mean with its interval where there is one, each number as the format says."""
        known = self.low is not None and self.high is not None
        return f"{self.mean:{spec}}" + (f" [{self.low:{spec}}, {self.high:{spec}}]" if known else "")


def summarise(values: Iterable[float | None], level: float = 0.95) -> Summary | None:
    """Mean, standard deviation and two-sided t interval of the finite values; None where there is none."""
    finite = np.array([value for value in values if value is not None and np.isfinite(value)], dtype=np.float64)
    if finite.size == 0:
        return None
    mean = float(finite.mean())
    if finite.size == 1:
        return Summary(1, mean)
    sd = float(finite.std(ddof=1))
    half = float(stats.t.ppf(0.5 + level / 2, finite.size - 1)) * sd / float(np.sqrt(finite.size))
    return Summary(int(finite.size), mean, sd, mean - half, mean + half)


def paired_difference(
    values: Mapping[int, float | None], baseline: Mapping[int, float | None], level: float = 0.95
) -> Summary | None:
    """Summary of `values - baseline` over the seeds (the keys) for which both are finite; None where there is none."""
    pairs = [(values[seed], baseline[seed]) for seed in sorted(values.keys() & baseline.keys())]
    return summarise((a - b for a, b in pairs if a is not None and b is not None), level)


def excludes_zero(summary: Summary | None) -> bool:
    """Whether the interval is known and lies on one side of zero."""
    if summary is None or summary.low is None or summary.high is None:
        return False
    return summary.low > 0 or summary.high < 0
