"""Run folders read back: configuration, environment, metrics and summary of each, checked, and never a model run."""

import csv
import io
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from apical.errors import InputError

METRICS_HEADER = ["step", "examples", "epoch", "split", "layer", "name", "value"]
_TEXT_KEYS = {"rule", "dataset", "network", "status"}


@dataclass(frozen=True, eq=False)
class Trace:
    """One measured quantity over training: where it was measured, and its values (nan where it was undefined)."""

    examples: Float[np.ndarray, " points"]
    epoch: Float[np.ndarray, " points"]
    value: Float[np.ndarray, " points"]


@dataclass(frozen=True, eq=False)
class Run:
    """One run folder. `numbers` are the numeric keys of its summary, None where it has no such value."""

    folder: Path
    rule: str
    dataset: str
    network: str
    seed: int
    status: str
    config: Mapping[str, Any]
    environment: Mapping[str, Any]
    numbers: Mapping[str, float | None]
    traces: Mapping[tuple[str, str, str], Trace]

    def number(self, key: str) -> float | None:
        """A number of the summary, None where it is missing or not finite."""
        value = self.numbers.get(key)
        return value if value is not None and math.isfinite(value) else None

    def trace(self, split: str, layer: str, name: str) -> Trace | None:
        """What was measured under this split, layer ("" for the whole network) and name, or None."""
        return self.traces.get((split, layer, name))


def find_run_folders(folders: Sequence[Path]) -> list[Path]:
    """Every folder at or below `folders` that holds `config.toml` and `metrics.csv`, once each, sorted.

    Raises InputError where a folder is missing or there is no run at all.
    """
    found: set[Path] = set()
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder}: name the --out folder of a train or compare command")
        configs = [path.parent.resolve() for path in folder.rglob("config.toml")]
        runs = {path for path in configs if (path / "metrics.csv").is_file()}
        if not runs:
            raise InputError(
                f"{folder} holds no run (a folder with config.toml and metrics.csv): "
                "name the --out folder of a train or compare command"
            )
        found |= runs
    return sorted(found)


def read_run(folder: Path) -> Run:
    """Read one run folder; a run without `summary.json` is unfinished. Raises InputError where a file is malformed."""
    config = _read_toml(folder / "config.toml")
    summary = _read_json(folder / "summary.json") or {}
    fallback = _comparison_row(folder, str(config.get("rule", "")), str(config.get("seed", "")))
    try:
        rule, dataset, seed = str(config["rule"]), str(config["dataset"]), int(config["seed"])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{folder / 'config.toml'} lacks rule, dataset or seed: run the training again") from None
    return Run(
        folder,
        rule,
        dataset,
        str(config.get("network", "")),
        seed,
        str(summary.get("status") or "unfinished"),
        config,
        _read_json(folder / "environment.json") or {},
        fallback
        | {key: _number(value) for key, value in summary.items() if key not in _TEXT_KEYS and value is not None},
        read_metrics(folder / "metrics.csv"),
    )


def read_metrics(path: Path) -> dict[tuple[str, str, str], Trace]:
    """The traces of a `metrics.csv` by (split, layer, name), in order of examples.

    A last line without its line end is what an interrupted run leaves, and is dropped.
    """
    text = path.read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1])))
    if not rows or rows[0] != METRICS_HEADER:
        raise InputError(f"{path} does not begin with {','.join(METRICS_HEADER)}: it is not the metrics of a run")
    points: dict[tuple[str, str, str], list[tuple[float, float, float]]] = {}
    for line, row in enumerate(rows[1:], start=2):
        try:
            _, examples, epoch, split, layer, name, value = row
            points.setdefault((split, layer, name), []).append((float(examples), float(epoch), float(value or "nan")))
        except ValueError:
            raise InputError(
                f"{path}, line {line}, is not a row of metrics: repair it or run the training again"
            ) from None
    return {key: _trace(values) for key, values in points.items()}


def _trace(points: list[tuple[float, float, float]]) -> Trace:
    table = np.array(sorted(points, key=lambda point: point[0]), dtype=np.float64)
    return Trace(table[:, 0], table[:, 1], table[:, 2])


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML ({error}): repair it or run the training again") from None


def _read_json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON ({error}): repair it or run the training again") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} does not hold an object: repair it or run the training again")
    return content


def _comparison_row(folder: Path, rule: str, seed: str) -> dict[str, float | None]:
    """The numbers of this run in the `comparison.csv` of the comparison it belongs to, if it belongs to one."""
    path = comparison_folder(folder) / "comparison.csv"
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row.get("rule") == rule and row.get("seed") == seed:
                return {key: _number(value) for key, value in row.items() if key and key not in _TEXT_KEYS}
    return {}


def comparison_folder(run_folder: Path) -> Path:
    """The folder of the comparison a run `OUT/runs/RULE/seed-K` belongs to; for a single run the run folder itself."""
    parents = run_folder.parents
    return parents[2] if len(parents) > 2 and parents[1].name == "runs" else run_folder


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None
