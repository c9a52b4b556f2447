"""Trains a group of runs from where it stands to its end: segment, measurement, checkpoint, and again."""

import os
import time
from pathlib import Path
from typing import Any

import jax
import jax.random as jr
import numpy as np

from apical.data.dataset import Dataset
from apical.errors import InputError
from apical.probes.cost import cost_per_example, n_parameters
from apical.rules.assembly import assemble
from apical.rules.base import AbstractRule
from apical.rules.registry import find
from apical.tasks import JUDGED_BY, MEASURES
from apical.training.config import Config
from apical.training.group import Feeds, Group, segments
from apical.training.interrupt import Interrupt
from apical.training.lane import INIT, Lane, batch_of, split_for
from apical.training.progress import Progress
from apical.training.protocols import find as find_protocol
from apical.training.run_folder import DIVERGED, FINISHED, INTERRUPTED, RunFolder

CHECKPOINT_EVERY_S = float(os.environ.get("APICAL_CHECKPOINT_EVERY_S", "10"))

Summary = dict[str, Any]


def build(config: Config, dataset: Dataset) -> AbstractRule:
    """The rule of a configuration.

    **Raises** `InputError` when the rule or its network does not fit the data.
    """
    rule = find(config.rule)
    if dataset.task not in rule.tasks:
        kinds = " and ".join(rule.tasks)
        raise InputError(
            f"{dataset.name} is a task of {dataset.task}; {rule.name} learns {kinds} alone: choose another"
        )
    return assemble(rule, config.network, dataset.shape, dataset.n_outputs, config.hidden, config.settings)


def check(config: Config, dataset: Dataset) -> None:
    """**Raises** `InputError` when a configuration does not fit the data; nothing has been written then."""
    dataset = find_protocol(config.protocol).arranged(dataset)
    rule, training = build(config, dataset), split_for(config, dataset).training
    batch = batch_of(dataset.train, training[: config.batch_size])
    jax.eval_shape(lambda key: rule.update(rule.init(key, batch), batch, key), jr.key(0))


def n_segments(config: Config, dataset: Dataset) -> int:
    """How many times a run is measured, before it begins."""
    steps = len(split_for(config, dataset).training) // config.batch_size
    return len(segments(config, steps))


def train(
    configs: list[Config],
    folders: list[Path],
    feeds: Feeds,
    environment: dict[str, Any],
    interrupt: Interrupt,
    progress: Progress,
    checkpoint: Path | None = None,
) -> list[Summary]:
    """Trains configurations that differ in their seed alone, each into its folder, and returns their summaries.

    What a folder holds of the same run is gone on from: a finished run is returned as it is, an interrupted one ends
    with the same bits as one that was never interrupted. `checkpoint` is the file for the state of all lanes.

    **Raises** `InputError` when a configuration does not fit the data or a folder holds another run.
    """
    feeds = feeds.under(find_protocol(configs[0].protocol))
    runs = [RunFolder(folder) for folder in folders]
    rule = build(configs[0], feeds.dataset)
    lanes = [Lane.of(config, run, feeds.dataset) for config, run in zip(configs, runs, strict=True)]
    for lane in lanes:
        lane.folder.open(lane.config, environment)
    summaries = [run.summary() for run in runs]
    if all(s and s["status"] in (FINISHED, DIVERGED) for s in summaries):
        return [s for s in summaries if s]
    group = Group(rule, lanes, feeds, checkpoint or runs[0].checkpoint)
    _train_group(group, interrupt, progress)
    progress.announce(f"{rule.name}  judging all examples")
    group.conclude()
    batch, key = group.example_batch(lanes[0]), lanes[0].key(INIT)
    cost = cost_per_example(rule, group.states[0], batch, key)
    return [_finish(group, i, cost) for i in range(group.n_lanes)]


def _train_group(group: Group, interrupt: Interrupt, progress: Progress) -> None:
    if group.restore():
        progress.advance(_line(group), group.done * group.n_lanes)
    else:
        group.measure(None)
    group.compile()
    saved = time.monotonic()
    while group.going and not interrupt.requested:
        group.measure(group.advance())
        progress.advance(_line(group), group.n_lanes)
        if time.monotonic() - saved > CHECKPOINT_EVERY_S:
            group.save()
            saved = time.monotonic()
    group.save()


def _status(group: Group, i: int) -> str:
    """How it stands with lane i."""
    if group.lanes[i].diverged:
        return DIVERGED
    return FINISHED if group.done == len(group.segments) else INTERRUPTED


def _line(group: Group) -> str:
    """What a progress line says of the last measurement."""
    watched = group.protocol.watched
    judged_by = JUDGED_BY[group.feeds.dataset.task]
    wanted = (group.step, watched, judged_by)
    seen = [r.value for lane in group.lanes for r in lane.rows if (r.step, r.split, r.name) == wanted]
    epoch = group.step / max(group.steps_per_epoch, 1)
    shown = f"  {watched} {MEASURES[judged_by]} {np.mean(seen):.3f}" if seen else ""
    return f"{group.config.rule}  epoch {epoch:.1f}/{group.config.epochs}{shown}"


def _finish(group: Group, i: int, cost: dict[str, float]) -> Summary:
    """Judges a lane as its protocol says, and writes what is left to write."""
    lane, config, status = group.lanes[i], group.config, _status(group, i)
    scores = {part: _scored(group, i, part) for part in ("train", "validation")}
    scores["test"] = {} if status == INTERRUPTED else _judged(group, i)
    seconds = group.seconds / group.n_lanes
    seen = group.step * config.batch_size
    angles = [row.value for row in lane.rows if row.step and row.name == "angle_to_backprop" and row.layer == "total"]
    summary: Summary = {
        **{name: getattr(config, name) for name in ("rule", "dataset", "network")},
        "seed": lane.config.seed,
        "epochs": config.epochs,
        "examples": len(lane.split.training),
        "parameters": n_parameters(group.states[i]),
        **{f"{part}_accuracy": scored.get("accuracy") for part, scored in scores.items()},
        **{f"test_{name}": scores["test"].get(name) for name in ("loss", "r2")},
        "seconds": seconds,
        "examples_per_second": seen / seconds if seconds else None,
        "status": status,
        "angle_to_backprop_mean": float(np.nanmean(angles)) if np.isfinite(angles).any() else None,
        **cost,
    }
    lane.folder.write_weights(group.states[i])
    return lane.folder.write_summary(summary)


def _judged(group: Group, i: int) -> dict[str, float]:
    """Test scores of lane i: of its weights, or the best measured where test data were watched."""
    if group.protocol.watched == "test":
        return group.lanes[i].best("test", JUDGED_BY[group.feeds.dataset.task])
    return _scored(group, i, "test")


def _scored(group: Group, i: int, part: str) -> dict[str, float]:
    """Scores of lane i on a part, by name."""
    scored = group.score(i, part)
    return scored.named() if scored else {}
