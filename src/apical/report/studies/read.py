"""Study folders read back, checked."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from apical.errors import InputError
from apical.report.theme import RULE_STYLES, Style, network_name, rule_name, styles

FIXED = ("trial", "state", "value", "fold_values", "seconds")
TELLING = ("network", "protocol", "space", "preset", "sampler", "trials", "examples", "epochs", "seed")


@dataclass(frozen=True, eq=False)
class Study:
    """One study: its description, and its judged trials in order. `columns` holds None where a trial has no value."""

    folder: Path
    about: Mapping[str, Any]
    values: Float[np.ndarray, " trials"]
    folds: Float[np.ndarray, "trials folds"]
    seconds: Float[np.ndarray, " trials"]
    states: tuple[str, ...]
    columns: Mapping[str, tuple[Any, ...]]
    label: str = ""
    style: Style = field(default_factory=lambda: Style("#111111"))

    @property
    def dataset(self) -> str:
        """The data set it was made on."""
        return str(self.about["dataset"])

    @property
    def chance(self) -> float:
        """What guessing is worth."""
        return float(self.about["chance"])


def find_study_folders(folders: Sequence[Path]) -> list[Path]:
    """Every folder at or below `folders` that holds a study, once each, sorted."""
    return sorted({path.parent.resolve() for folder in folders for path in folder.rglob("study.json")})


def read_studies(folders: Sequence[Path]) -> list[Study]:
    """The studies of these folders, labelled by what tells them apart.

    **Raises** `InputError` where a file is malformed or a study has no judged trial.
    """
    found = [_read(folder) for folder in folders]
    names = _labels(found)
    keys = _style_keys(found, names)
    looks = styles(keys)
    return [
        Study(**{**vars(s), "label": name, "style": looks[key]})
        for s, name, key in zip(found, names, keys, strict=True)
    ]


def _read(folder: Path) -> Study:
    try:
        about = json.loads((folder / "study.json").read_text())
        with open(folder / "trials.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        kinds = {d["name"]: d for d in about["dimensions"]}
        columns = {name: tuple(_value(row[name], kinds[name]) for row in rows) for name in kinds}
        numbers = {k: np.array([float(row[k]) for row in rows]) for k in ("value", "seconds")}
        folds = np.array([json.loads(row["fold_values"]) for row in rows], dtype=float)
        states = tuple(row["state"] for row in rows)
        _ = about["rule"], about["dataset"], about["chance"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder} holds no study that can be read ({error}): run it again") from None
    if not rows:
        raise InputError(f"{folder} holds a study without a judged trial: go on with it, adding --resume")
    return Study(folder, about, numbers["value"], folds, numbers["seconds"], states, columns)


def _value(text: str, dimension: Mapping[str, Any]) -> Any:
    if text == "":
        return None
    if dimension["kind"] == "switch":
        return text == "true"
    return text if dimension["kind"] == "choice" else float(text)


def _labels(studies: Sequence[Study]) -> list[str]:
    """Names of rules, with whatever differs between the studies of one rule."""
    by_rule: dict[str, list[Study]] = {}
    for study in studies:
        by_rule.setdefault(study.about["rule"], []).append(study)
    telling = {
        rule: [key for key in TELLING if len({str(s.about.get(key)) for s in group}) > 1]
        for rule, group in by_rule.items()
    }
    return [_label(study, telling[study.about["rule"]]) for study in studies]


def _label(study: Study, keys: Sequence[str]) -> str:
    words = [network_name(study.about[key]) if key == "network" else f"{key} {study.about.get(key)}" for key in keys]
    return ", ".join([rule_name(study.about["rule"]), *words])


def _style_keys(studies: Sequence[Study], labels: Sequence[str]) -> list[str]:
    """What the look of each label is chosen by: the rule's own for its first label, spare ones for the others."""
    first: dict[str, str] = {}
    for study, label in zip(studies, labels, strict=True):
        first.setdefault(study.about["rule"], label)
    return [
        s.about["rule"] if first[s.about["rule"]] == label and s.about["rule"] in RULE_STYLES else label
        for s, label in zip(studies, labels, strict=True)
    ]
