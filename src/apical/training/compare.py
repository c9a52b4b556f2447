"""Trains several rules with several seeds on one data set, under one folder."""

import csv
import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import jax
from safetensors.numpy import save

from apical.data.dataset import Dataset
from apical.data.samples import class_samples
from apical.errors import InputError
from apical.files import write_atomically
from apical.rules.registry import RULES, find
from apical.training.config import Config, Request, resolve
from apical.training.group import Feeds
from apical.training.interrupt import Interrupt
from apical.training.programs import lanes_pay
from apical.training.progress import Progress
from apical.training.run_folder import INTERRUPTED
from apical.training.train import Summary, build, check, n_segments, train

N_SAMPLES = 6


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to be trained: for each rule one configuration for each seed; `left_out` do not learn such a task."""

    configs: dict[str, list[Config]]
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, rules: tuple[str, ...] | None, n_seeds: int, request: Request, dataset: Dataset) -> "Plan":
        """The plan for the rules named, or for every registered rule that fits the data and the network.

        **Raises** `InputError` for what does not fit; nothing has been written then.
        """
        if n_seeds < 1:
            raise InputError(f"--seeds {n_seeds}: give at least one")
        for name in rules or ():
            find(name)
        fitting = tuple(n for n, r in RULES.items() if request.network is None or request.network in r.networks)
        if not fitting:
            networks = sorted({network for rule in RULES.values() for network in rule.networks})
            raise InputError(f"no rule has a network {request.network!r}: choose from {', '.join(networks)}")
        left_out = () if rules else tuple(n for n in fitting if dataset.task not in RULES[n].tasks)
        configs = {}
        for name in dict.fromkeys(rules or (n for n in fitting if n not in left_out)):
            one = dataclasses.replace(request, rule=name, preset=find(name).compared or None)
            configs[name] = [resolve(dataclasses.replace(one, seed=seed), dataset) for seed in range(n_seeds)]
            check(configs[name][0], dataset)
        return cls(configs, left_out)

    def n_segments(self, dataset: Dataset) -> int:
        """Segments of all runs together."""
        return sum(n_segments(config, dataset) for configs in self.configs.values() for config in configs)


def compare(
    plan: Plan, dataset: Dataset, out: Path, environment: dict[str, Any], interrupt: Interrupt, progress: Progress
) -> list[Summary]:
    """Trains the plan into `out`/runs/RULE/seed-K, comparison.csv growing rule by rule; summaries of what is done."""
    feeds = Feeds.of(dataset)
    write_samples(dataset, out / "samples.safetensors")
    summaries: list[Summary] = []
    for name, configs in plan.configs.items():
        folders = [out / "runs" / name / f"seed-{config.seed}" for config in configs]
        checkpoint = out / "runs" / name / "checkpoint" / "state.safetensors"
        for group in _groups(configs, dataset):
            alone = len(group) < len(configs)
            chosen = [folders[i] for i in group]
            done = train(
                [configs[i] for i in group],
                chosen,
                feeds,
                environment,
                interrupt,
                progress,
                None if alone else checkpoint,
            )
            summaries += done
            write_comparison(summaries, out / "comparison.csv")
            if interrupt.requested or any(s["status"] == INTERRUPTED for s in done):
                return summaries
    return summaries


def _groups(configs: list[Config], dataset: Dataset) -> list[list[int]]:
    """Which seeds are trained together: all as lanes where that pays, else one after the other."""
    rule = build(configs[0], dataset)
    layers = jax.eval_shape(rule.network.init, jax.random.key(0))
    together = dataset.train.resident and lanes_pay(layers, configs[0].batch_size)
    return [list(range(len(configs)))] if together else [[i] for i in range(len(configs))]


def write_comparison(summaries: list[Summary], path: Path) -> None:
    """One row for each rule and seed; what is not known is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(summaries[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(summaries)
    write_atomically(path, text.getvalue())


def write_samples(dataset: Dataset, path: Path) -> None:
    """Some images of each class with the names of the classes, for the report; nothing where inputs are no images."""
    if dataset.classes and len(dataset.shape) == 3:
        notes = {"classes": json.dumps(list(dataset.classes)), "dataset": dataset.name}
        write_atomically(path, save({"images": class_samples(dataset, N_SAMPLES)}, metadata=notes))
