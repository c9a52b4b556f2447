"""Options that several commands share, and what they mean."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apical.data.dataset import Dataset
    from apical.hyperparameters import Hyperparameter, Value


def whole_numbers(text: str) -> tuple[int, ...]:
    """The numbers of `500,100`; of `none` no number."""
    return () if text.lower() == "none" else tuple(int(part) for part in text.split(","))


def names(text: str) -> tuple[str, ...]:
    """The names of `a,b`."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def add_data(parser: argparse.ArgumentParser) -> None:
    """Which data."""
    parser.add_argument("--dataset", metavar="D", help="a data set of `apical data list` (default: digits)")
    parser.add_argument("--examples", type=int, metavar="N", help="train on the first N of the shuffled training part")
    parser.add_argument(
        "--data-dir", type=Path, help="where data sets lie (default: $APICAL_DATA, else the user cache)"
    )
    parser.add_argument("--trust-data", action="store_true", help="use files that differ from the published ones")
    parser.add_argument("--image-size", type=int, metavar="N", help="side in pixels to which imagenet-folder is scaled")


def add_training(parser: argparse.ArgumentParser) -> None:
    """How long, in which steps, with which network."""
    parser.add_argument("--network", metavar="NAME", help="mlp, cnn (Lange's, 16-32 5x5) or lc (locally connected)")
    parser.add_argument("--hidden", type=whole_numbers, metavar="N,N", help="units of the dense hidden layers, or none")
    parser.add_argument("--epochs", type=int, metavar="N", help="how often the training part is gone through")
    parser.add_argument("--batch-size", type=int, metavar="B", help="examples learnt together; 1 is online learning")
    parser.add_argument(
        "--log-every", type=int, metavar="N", help="examples between two measurements, an epoch at most"
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where to, and whether to go on."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write, new or empty")
    parser.add_argument("--resume", action="store_true", help="go on with what the folder holds")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def declared(
    known: "Mapping[str, Hyperparameter]", settings: "Mapping[str, Value] | None" = None, preset: str = ""
) -> list[str]:
    """A line for each hyperparameter: name, value, meaning, what is valid, source.

    The value is the one that `settings`, those of a preset, give it, else its default.
    """
    lines, settings = [], settings or {}
    for key, h in known.items():
        shown, default = _shown(settings.get(key, h.default)), _shown(h.default)
        unit = f" {h.unit}" if h.unit else ""
        source = f" [{h.source}]" if h.source else ""
        otherwise = "" if shown == default else f"; without preset {preset} {default}"
        lines.append(f"  {key:24} {shown + unit:16} {h.meaning}; {h.expected()}{otherwise}{source}")
    return lines


def _shown(value: "Value") -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value).lower()


def load_data(
    arguments: argparse.Namespace, image_size: int, options: "Mapping[str, Value] | None" = None
) -> "Dataset":
    """The data set `arguments.dataset` with these options; what is to be known about it goes to standard error."""
    from apical.data.registry import load

    dataset = load(
        arguments.dataset,
        data_dir=arguments.data_dir,
        trust=arguments.trust_data,
        image_size=image_size,
        options=options,
    )
    for warning in dataset.warnings:
        print(f"apical: warning: {warning}", file=sys.stderr)
    return dataset
