"""The folder of a run: what is in it, written so that a crash leaves each file whole."""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from apical.core import State
from apical.errors import InputError
from apical.files import write_atomically
from apical.training.checkpoint import named_arrays, save_tree
from apical.training.config import Config, read_config, write_config

FINISHED, INTERRUPTED, DIVERGED = "finished", "interrupted", "diverged"


class Row(NamedTuple):
    """A line of metrics.csv; `layer` is empty for what concerns the whole network."""

    step: int
    examples: int
    epoch: float
    split: str
    layer: str
    name: str
    value: float


class RunFolder:
    """One run's files: config.toml, environment.json, metrics.csv, summary.json, weights.safetensors, checkpoint/."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def checkpoint(self) -> Path:
        """The file that holds the state to go on from."""
        return self.path / "checkpoint" / "state.safetensors"

    def open(self, config: Config, environment: dict[str, Any]) -> None:
        """Writes what is known before training; a folder that is there already must hold the same run.

        **Raises** `InputError` when it holds another.
        """
        there = self.path / "config.toml"
        if there.exists() and read_config(there) != config:
            raise InputError(f"{self.path} holds another run than the one asked for: choose another --out")
        write_atomically(there, write_config(config))
        write_atomically(self.path / "environment.json", json.dumps(environment, indent=2) + "\n")

    def summary(self) -> dict[str, Any] | None:
        """The summary, if the run came to one.

        **Raises** `InputError` when it cannot be read.
        """
        path = self.path / "summary.json"
        try:
            return json.loads(path.read_text()) if path.exists() else None
        except ValueError:
            raise _unreadable(path) from None

    def write_metrics(self, rows: list[Row]) -> None:
        """All metrics so far."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(rows)
        write_atomically(self.path / "metrics.csv", text.getvalue())

    def read_metrics(self, last_step: int) -> list[Row]:
        """The metrics up to a step.

        **Raises** `InputError` when they cannot be read.
        """
        path = self.path / "metrics.csv"
        try:
            with open(path, newline="") as file:
                rows = [_row(**line) for line in csv.DictReader(file)]
        except (OSError, TypeError, ValueError):
            raise _unreadable(path) from None
        return [row for row in rows if row.step <= last_step]

    def write_summary(self, summary: dict[str, Any]) -> dict[str, Any]:
        """Writes the summary, null where it is not finite, and gives back what was written."""
        plain = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in summary.items()}
        write_atomically(self.path / "summary.json", json.dumps(plain, indent=2) + "\n")
        return plain

    def write_weights(self, state: State) -> None:
        """The weights of every group, by name."""
        save_tree(self.path / "weights.safetensors", state.weights, {"names": sorted(named_arrays(state.weights))})


def _row(step: str, examples: str, epoch: str, split: str, layer: str, name: str, value: str) -> Row:
    return Row(int(step), int(examples), float(epoch), split, layer, name, float(value))


def _unreadable(path: Path) -> InputError:
    return InputError(f"{path} cannot be read: remove its folder and start again")
