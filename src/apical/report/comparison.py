"""Runs put in order: one comparison per data set and kind of network, in it one entry per rule and setting."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from apical.report.runs import Run, comparison_folder
from apical.report.statistics import Summary, paired_difference, summarise
from apical.report.theme import DOT, Style, rule_name, rule_order, styles

REFERENCE_RULE = "backprop"
_NOT_A_SETTING = {"seed", "out", "resume"}


@dataclass(frozen=True)
class Score:
    """The number rules are judged by: its key in the summary, its name and unit, and which way is better."""

    key: str
    name: str
    unit: str
    scale: float
    higher_is_better: bool
    digits: int

    @property
    def title(self) -> str:
        """The name at the beginning of a line."""
        return self.name[:1].upper() + self.name[1:]

    def limits(self, ends: Sequence[float]) -> tuple[float, float] | None:
        """Limits of an axis for intervals with these ends; a share in percent is never below 0 or above 100."""
        if self.unit != "%" or not ends:
            return None
        low, high = max(min(ends), 0.0), min(max(ends), 100.0)
        room = 0.04 * (high - low) or 1.0
        return low - room, high + room


SCORES = (
    Score("test_accuracy", "test accuracy", "%", 100.0, True, 2),
    Score("test_r2", "test R\u00b2", "", 1.0, True, 3),
    Score("test_loss", "test loss", "", 1.0, False, 4),
)


@dataclass(frozen=True, eq=False)
class Entry:
    """One rule with one setting: its runs by seed, what it is called and how it is drawn."""

    rule: str
    label: str
    style: Style
    runs: tuple[Run, ...]

    def by_seed(self, key: str) -> dict[int, float | None]:
        """A number of the summaries by seed."""
        return {run.seed: run.number(key) for run in self.runs}

    def summary(self, key: str, scale: float = 1.0) -> Summary | None:
        """Mean and interval over the seeds of a number of the summaries."""
        return summarise(_scaled(value, scale) for value in self.by_seed(key).values())

    def difference(self, baseline: "Entry", key: str, scale: float = 1.0) -> Summary | None:
        """Mean and interval of the difference to another entry, paired by seed."""
        ours, theirs = ({s: _scaled(v, scale) for s, v in entry.by_seed(key).items()} for entry in (self, baseline))
        return paired_difference(ours, theirs)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What is compared on one data set with one kind of network."""

    dataset: str
    network: str
    entries: tuple[Entry, ...]
    n_repeated: int = 0

    @property
    def runs(self) -> list[Run]:
        """All runs, entry by entry."""
        return [run for entry in self.entries for run in entry.runs]

    @property
    def seeds(self) -> list[int]:
        """The seeds of any entry, sorted."""
        return sorted({run.seed for run in self.runs})

    @property
    def reference(self) -> Entry | None:
        """Backprop, if it was run."""
        return next((entry for entry in self.entries if entry.rule == REFERENCE_RULE), None)

    @property
    def score(self) -> Score:
        """What the rules are judged by: the first of accuracy, R2 and loss that any run has."""
        return next(
            (score for score in SCORES if any(run.number(score.key) is not None for run in self.runs)), SCORES[0]
        )

    def ranked(self) -> list[Entry]:
        """The entries, backprop first, then from the best to the worst score; those without a score last."""
        return sorted(self.entries, key=self._rank)

    def _rank(self, entry: Entry) -> tuple[bool, float]:
        summary, sign = entry.summary(self.score.key), -1.0 if self.score.higher_is_better else 1.0
        return entry is not self.reference, float("inf") if summary is None else sign * summary.mean

    def folders(self) -> list[Path]:
        """The folders that hold what belongs to the whole comparison, such as sample images."""
        return sorted({comparison_folder(run.folder) for run in self.runs})


def compare_runs(runs: Iterable[Run]) -> tuple[Comparison, ...]:
    """Group runs by data set and network; in a group by rule, and by setting where a rule was run with several.

    Labels and styles are given over all groups together, so that a colour means one thing on the whole page. Of runs
    equal in setting and seed the first is kept.
    """
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.dataset, run.network), []).append(run)
    labelled = {group: _label(members) for group, members in sorted(groups.items())}
    names = {key: None for entries in labelled.values() for key, _ in sorted(entries, key=_key_order)}
    style = styles(list(names))
    return tuple(_comparison(group, entries, style) for group, entries in labelled.items())


def _key_order(item: tuple[str, list[Run]]) -> tuple[tuple[int, str], str]:
    return rule_order(item[1][0].rule), item[0]


def _label(runs: Sequence[Run]) -> list[tuple[str, list[Run]]]:
    """(key, runs) per rule and setting. The key is the rule, followed by the settings that differ, if any do."""
    settings: dict[str, dict[str, list[Run]]] = {}
    for run in runs:
        fingerprint = json.dumps(flat_settings(run.config), sort_keys=True, default=str)
        settings.setdefault(run.rule, {}).setdefault(fingerprint, []).append(run)
    labelled = []
    for rule, variants in settings.items():
        suffixes = _differences([flat_settings(members[0].config) for members in variants.values()])
        labelled += [(rule + suffix, members) for suffix, members in zip(suffixes, variants.values(), strict=True)]
    return labelled


def _comparison(group: tuple[str, str], entries: list[tuple[str, list[Run]]], style: Mapping[str, Style]) -> Comparison:
    made, repeated = [], 0
    for key, runs in sorted(entries, key=_key_order):
        by_seed = {run.seed: run for run in reversed(runs)}
        repeated += len(runs) - len(by_seed)
        rule = runs[0].rule
        label = rule_name(rule) + key.removeprefix(rule)
        made.append(Entry(rule, label, style[key], tuple(by_seed[seed] for seed in sorted(by_seed))))
    return Comparison(*group, tuple(made), repeated)


def flat_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a run but its seed, the hyperparameters beside the rest."""
    top = {key: value for key, value in config.items() if key not in _NOT_A_SETTING and not isinstance(value, Mapping)}
    tables = [value for value in config.values() if isinstance(value, Mapping)]
    return top | {key: value for table in tables for key, value in table.items()}


def _differences(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each setting, " · key value" for the keys in which they are not all the same ("" where they are)."""
    keys = sorted({key for setting in settings for key in setting})
    differing = [key for key in keys if len({json.dumps(s.get(key), default=str) for s in settings}) > 1]
    return ["".join(f" {DOT} {key} {show_setting(s.get(key))}" for key in differing) for s in settings]


def show_setting(value: Any) -> str:
    """A setting as one writes it on the command line."""
    if isinstance(value, list | tuple):
        return ",".join(show_setting(item) for item in value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "not set"}[value]
    return f"{value:g}" if isinstance(value, float) and np.isfinite(value) else str(value)


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else scale * value
