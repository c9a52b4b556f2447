"""The complete description of a study, as study.json holds it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from apical.errors import InputError
from apical.training.config import Request

SAMPLERS = {
    "gp-ucb": "Gaussian process, upper confidence bound",
    "gp-ei": "Gaussian process, expected improvement",
    "random": "uniform",
    "tpe": "Optuna's tree-structured Parzen estimator",
    "qmc": "Optuna's quasi Monte Carlo (Sobol)",
    "nsga2": "Optuna's genetic algorithm",
}
KERNELS = ("matern", "squared-exponential")
KAPPA = 2.5


@dataclasses.dataclass(frozen=True)
class Plan:
    """One study: the same plan on the same machine with one worker makes the same trials.

    `request` is what is asked for of every trial and not searched; `trials` how many there are in all; `time_limit`
    the seconds after which a trial is judged as it stands.
    """

    request: Request
    trials: int
    folds: int
    space: str = "own"
    sampler: str = "gp-ucb"
    kernel: str = "matern"
    kappa: float = KAPPA
    time_limit: float = 3600.0

    def __post_init__(self) -> None:
        for name, low in (("trials", 1), ("folds", 2), ("time_limit", 0.001)):
            if not getattr(self, name) >= low:
                shown = name.replace("_", "-")
                raise InputError(f"--{shown} {getattr(self, name)}: {shown} is a number at least {low}")
        for name, known in (("sampler", SAMPLERS), ("kernel", KERNELS)):
            if getattr(self, name) not in known:
                raise InputError(f"--{name} {getattr(self, name)}: choose from {', '.join(known)}")
        if not 0 <= self.kappa < float("inf"):
            raise InputError(f"--kappa {self.kappa}: kappa is a number at least 0")

    def same_study(self, other: "Plan") -> bool:
        """Whether two plans are of one study, that may only go on for longer."""
        return dataclasses.replace(self, trials=1) == dataclasses.replace(other, trials=1)

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dataclasses.asdict(self)


def read_plan(table: Mapping[str, Any]) -> Plan:
    """The plan that `as_json` gave.

    **Raises** `InputError` when the table is none.
    """
    try:
        request = dict(table["request"])
        hidden = None if request["hidden"] is None else tuple(request["hidden"])
        settings = {k: tuple(v) if isinstance(v, list) else v for k, v in request["settings"].items()}
        return Plan(**{**table, "request": Request(**{**request, "hidden": hidden, "settings": settings})})
    except (KeyError, TypeError):
        raise InputError("study.json holds no plan of this version: choose another folder") from None
