"""What a study's values say: best so far, shares at chance, bootstrap intervals, comparison at equal budgets."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from apical.report.statistics import Summary, paired_difference
from apical.report.studies.read import Study

Values = Float[np.ndarray, "*samples trials"]
Result = np.ndarray | np.floating  # of many samples, or of one
Statistic = Callable[[Values], Result]
N_RESAMPLES = 4000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A statistic of a study's trials, with the interval its bootstrap gives."""

    value: float
    low: float
    high: float


def best_so_far(values: Values) -> Values:
    """The best value up to each trial."""
    return np.maximum.accumulate(values, axis=-1)


def area(values: Values) -> Result:
    """The area under the best-so-far curve, divided by the number of trials."""
    return best_so_far(values).mean(-1)


def share_below(limit: float) -> Statistic:
    """The share of trials below a value."""
    return lambda values: (values < limit).mean(-1)


def statistics(chance: float) -> dict[str, Statistic]:
    """The statistics of a table, by name."""
    return {
        "median": lambda values: np.median(values, axis=-1),
        "best": lambda values: values.max(-1),
        "area_best_so_far": area,
        "share_below_2_chance": share_below(2 * chance),
        "share_below_1.2_chance": share_below(1.2 * chance),
    }


def _resampled(values: Float[np.ndarray, " trials"], seed: int) -> Float[np.ndarray, "samples trials"]:
    """Trials drawn from the study's with replacement, many times."""
    chosen = np.random.default_rng(seed).integers(0, len(values), (N_RESAMPLES, len(values)))
    return values[chosen]


def _interval(samples: Result) -> tuple[float, float]:
    low, high = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def estimate(values: Values, statistic: Statistic) -> Estimate:
    """A statistic with its bootstrap interval over trials."""
    return Estimate(float(statistic(values)), *_interval(statistic(_resampled(values, 0))))


def difference(a: Values, b: Values, statistic: Statistic) -> Estimate:
    """Statistic of `a` minus that of `b` at equal budgets: of the first trials of both, as many as the shorter has."""
    n = min(len(a), len(b))
    a, b = a[:n], b[:n]
    samples = statistic(_resampled(a, 1)) - statistic(_resampled(b, 2))
    return Estimate(float(statistic(a) - statistic(b)), *_interval(samples))


def best_by_fold(a: Study, b: Study) -> Summary | None:
    """Best setting of `a` minus that of `b` at equal budgets, paired by fold; none where folds differ."""
    same = ("dataset", "examples", "folds", "seed", "protocol")
    if any(a.about.get(key) != b.about.get(key) for key in same):
        return None
    n = min(len(a.values), len(b.values))
    of_a, of_b = (dict(enumerate(map(float, s.folds[int(s.values[:n].argmax())]))) for s in (a, b))
    return paired_difference(of_a, of_b)
