"""Which hyperparameters matter, and how: main effects from a forest, and the mean over all others along each one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from apical.report.studies.read import Study

FEWEST, N_TREES, N_GRID, LEVEL = 10, 200, 25, 0.8


@dataclass(frozen=True, eq=False)
class Curve:
    """Mean predicted value along one hyperparameter, over the others as the trials have them; band over trees."""

    name: str
    x: Float[np.ndarray, " points"]
    mean: Float[np.ndarray, " points"]
    low: Float[np.ndarray, " points"]
    high: Float[np.ndarray, " points"]
    log: bool


def table(study: Study) -> tuple[Float[np.ndarray, "trials columns"], list[dict[str, Any]]]:
    """The hyperparameters of all trials as numbers; what a trial does not have is put in the middle of its range."""
    dimensions = [d for d in study.about["dimensions"] if len(set(study.columns[d["name"]]) - {None}) > 1]
    columns = [_numbers(study.columns[d["name"]], d) for d in dimensions]
    return np.array(columns, dtype=float).reshape(len(columns), len(study.values)).T, dimensions


def _numbers(values: tuple[Any, ...], d: dict[str, Any]) -> list[float]:
    levels = d.get("levels")
    known = [levels.index(v) if levels else np.log(v) if d["log"] else v for v in values if v is not None]
    middle, left = float(np.median(known)), iter(known)
    return [middle if v is None else float(next(left)) for v in values]


def importances(study: Study) -> dict[str, float]:
    """Share of the variance of the value that each hyperparameter explains alone (functional ANOVA, Hutter 2014).

    Optuna's; empty where it is not installed, or there are too few trials to say anything.
    """
    x, dimensions = table(study)
    if len(x) < FEWEST or len(dimensions) < 2 or np.ptp(study.values) == 0:
        return {}
    try:
        import optuna
        from optuna.distributions import BaseDistribution, FloatDistribution
    except ImportError:
        return {}
    bounds: dict[str, BaseDistribution] = {
        d["name"]: FloatDistribution(float(column.min()), float(column.max()))
        for d, column in zip(dimensions, x.T, strict=True)
    }
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kept = optuna.create_study(direction="maximize")
    for row, value in zip(x, study.values, strict=True):
        params = dict(zip(bounds, map(float, row), strict=True))
        kept.add_trial(optuna.trial.create_trial(params=params, distributions=bounds, value=float(value)))
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return optuna.importance.get_param_importances(kept, evaluator=evaluator)


def curves(study: Study, names: list[str]) -> list[Curve]:
    """The mean along each of these hyperparameters, switches as 0 and 1."""
    from sklearn.ensemble import RandomForestRegressor

    x, dimensions = table(study)
    if len(x) < FEWEST:
        return []
    forest = RandomForestRegressor(N_TREES, min_samples_leaf=2, random_state=0).fit(x, study.values)
    wanted = [(i, d) for i, d in enumerate(dimensions) if d["name"] in names]
    return [_curve(forest.estimators_, x, i, d) for i, d in wanted]


def _curve(trees: Any, x: np.ndarray, i: int, d: dict[str, Any]) -> Curve:
    grid = np.unique(x[:, i]) if d.get("levels") else np.linspace(x[:, i].min(), x[:, i].max(), N_GRID)
    moved = np.repeat(x[None], len(grid), axis=0)
    moved[:, :, i] = grid[:, None]
    flat = moved.reshape(-1, x.shape[1])
    found = np.stack([tree.predict(flat).reshape(len(grid), -1).mean(1) for tree in trees])
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return Curve(d["name"], np.exp(grid) if d["log"] else grid, found.mean(0), low, high, bool(d["log"]))
