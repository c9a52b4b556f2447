"""What a point of the space is worth: a rule with its setting, trained and judged on every fold."""

import dataclasses
import functools
import json
import time
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from apical.data.dataset import Dataset
from apical.data.registry import load
from apical.data.splits import folds
from apical.errors import InputError
from apical.rules.base import AbstractRule
from apical.rules.registry import find
from apical.study.folds import Fold, Folds, check_batch
from apical.study.plan import Plan, read_plan
from apical.study.space import Point, Space
from apical.study.spaces import BATCH, IMAGE_LAYER, LAYERS, UNITS, build_space, set_by_protocol
from apical.tasks import CLASSIFICATION
from apical.training import programs
from apical.training.config import Config, data_options, resolve
from apical.training.feed import Feed
from apical.training.feed import feed as make_feed
from apical.training.losses import LOSSES
from apical.training.protocols import find as find_protocol
from apical.training.train import build

FINISHED, DIVERGED, STOPPED, LOST = "finished", "diverged", "stopped", "lost"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A trial's value, the mean of its folds' validation accuracies; `state` and `reason` say how it ended.

    `diverged`: a fold with a loss or weights that are not finite counts as chance. `stopped`: the time limit was
    reached, and folds count as they stood.
    """

    fold_values: tuple[float, ...]
    seconds: float
    state: str = FINISHED
    reason: str = ""

    @property
    def value(self) -> float:
        """Mean over folds."""
        return float(np.mean(self.fold_values))

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dataclasses.asdict(self)


class Evaluator:
    """Judges points of a study. Data and folds are made once, and are the same for every point.

    **Raises** `InputError` when the plan does not fit the data.
    """

    def __init__(self, plan: Plan, dataset: Dataset) -> None:
        self.plan, self.base = plan, resolve(plan.request, dataset)
        self.protocol = find_protocol(self.base.protocol)
        self.dataset = self.protocol.arranged(dataset)
        if dataset.task != CLASSIFICATION:
            raise InputError(f"a study judges by accuracy, and {dataset.name} has no classes: choose another data set")
        given = plan.request.settings
        self.given = {name: value for name, value in given.items() if name in self.base.settings}
        fixed = frozenset(name for name in ("hidden", BATCH) if getattr(plan.request, name) is not None)
        self.space: Space = build_space(plan.space, self.base, self.given, fixed)
        self.examples = self.dataset.train.subset(self._chosen())
        parts = folds(self.examples.labels, plan.folds, self.base.seed)
        self.parts = [Fold(training, validation) for training, validation in parts]

    def _chosen(self) -> np.ndarray:
        """The examples of the study: the first N of training and validation part, which folds replace, or all."""
        training, validation, _ = self.protocol.parts(self.dataset, self.base.seed)
        everything, n = np.concatenate([training, validation]), self.base.examples
        if n is not None and n > len(everything):
            raise InputError(f"--examples {n}: there are {len(everything)} training examples")
        return everything[:n]

    @functools.cached_property
    def feed(self) -> Feed:
        """The examples on their way to the device."""
        return make_feed(self.examples)

    @property
    def chance(self) -> float:
        """What guessing is worth."""
        return 1 / self.dataset.n_classes

    def config(self, point: Point) -> Config:
        """The complete configuration of a point.

        **Raises** `InputError` when it is not valid.
        """
        sizes, settings = _sizes(point)
        searched = {k: v for k, v in point.items() if k in self.base.settings}
        settings = dict(self.plan.request.settings) | settings | searched
        request = dataclasses.replace(self.plan.request, **sizes, settings=settings)
        found, rule = resolve(request, self.dataset), find(self.base.rule)
        kept = {*self.given, *searched, *set_by_protocol(rule, found.protocol, found.settings)}
        follows = {k: v for k, v in rule.follows(found.settings).items() if k not in kept}
        return resolve(dataclasses.replace(request, settings=settings | follows), self.dataset)

    def rule(self, point: Point) -> tuple[Config, AbstractRule]:
        """Configuration and rule of a point.

        **Raises** `InputError` when they are not valid together, or do not fit the data.
        """
        config = self.config(point)
        check_batch(config, self.parts)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what does not learn: that is for the study to find
            rule = build(config, self.dataset)
        jax.eval_shape(rule.network.init, jax.random.key(0))  # where an image shrinks to nothing
        return config, rule

    def is_valid(self, point: Point) -> bool:
        """Whether a point can be tried at all."""
        try:
            self.rule(point)
        except InputError:
            return False
        return True

    def __call__(self, point: Point, stop: Callable[[], bool] = lambda: False) -> Outcome | None:
        """What a point is worth; none when `stop` said so before it was known.

        **Raises** `InputError` when the point is not valid.
        """
        began = time.monotonic()
        programs.let_go()
        config, rule = self.rule(point)
        trained = Folds(rule, config, self.feed, self.parts, LOSSES[self.protocol.loss])
        late = False
        while trained.going and not late:
            if stop():
                return None
            trained.advance()
            late = trained.going and time.monotonic() - began > self.plan.time_limit
        values = tuple(trained.score(i, self.chance) for i in range(len(self.parts)))
        state, reason = self._ended(trained, late)
        return Outcome(values, time.monotonic() - began, state, reason)

    def _ended(self, trained: Folds, late: bool) -> tuple[str, str]:
        if late:
            return (
                STOPPED,
                f"time limit of {self.plan.time_limit:g} s reached after {trained.share_done:.0%} of training",
            )
        if trained.n_diverged:
            n, of = trained.n_diverged, len(self.parts)
            return DIVERGED, f"loss or weights not finite in {n} of {of} folds, which count as chance"
        return FINISHED, ""


def _sizes(point: Point) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a point says of the architecture: parts of the request, and settings of an image network."""
    sizes = {BATCH: point[BATCH]} if BATCH in point else {}
    if LAYERS not in point:
        return sizes, {}
    lists = {
        part: tuple(point[f"{part}_{i}"] for i in range(1, point[LAYERS] + 1))
        for part in (UNITS, *IMAGE_LAYER)
        if f"{part}_1" in point
    }
    units = lists.pop(UNITS, None)
    return sizes | ({} if units is None else {"hidden": units}), lists


@functools.lru_cache(maxsize=1)
def evaluator_of(description: str) -> Evaluator:
    """The evaluator of a plan written as JSON, with data from this machine; kept for the next trial."""
    plan = read_plan(json.loads(description))
    request = plan.request
    return Evaluator(plan, load(request.dataset, image_size=request.image_size, options=data_options(request)))
