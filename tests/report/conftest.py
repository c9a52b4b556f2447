"""Run folders with known numbers, as training leaves them, without any training; and their report, written once."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from safetensors.numpy import save_file

from apical.report import write_report
from apical.report.comparison import Comparison, compare_runs
from apical.report.runs import find_run_folders, read_run

METRICS_HEADER = ["step", "examples", "epoch", "split", "layer", "name", "value"]
COMPARISON_HEADER = [
    "rule", "dataset", "network", "seed", "epochs", "examples", "parameters", "train_accuracy", "validation_accuracy",
    "test_accuracy", "test_loss", "test_r2", "seconds", "examples_per_second", "status", "angle_to_backprop_mean",
    "flops_per_example",
]  # fmt: skip
FINAL = {"backprop": 0.96, "feedback-alignment": 0.95, "direct-feedback-alignment": 0.94, "target-propagation": 0.62}
ANGLES = {"backprop": 0.0, "feedback-alignment": 62.0, "direct-feedback-alignment": 58.0, "target-propagation": 84.0}
EPOCHS = 10
EXAMPLES = 1150
CLASSES = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "<b>nine</b>"]


def write_run(folder: Path, rule: str, seed: int, **changes: Any) -> dict[str, Any]:
    """A run folder; returns its row of comparison.csv. `changes` replace keys of configuration or summary."""
    folder.mkdir(parents=True)
    config = {
        "rule": rule, "dataset": "digits", "preset": "default", "network": "mlp", "hidden": [64], "epochs": EPOCHS,
        "batch_size": 32, "examples": EXAMPLES, "seed": seed, "protocol": "apical",
        "settings": {"optimiser": "adam", "rate": 0.001, "activation": "tanh"},
    }  # fmt: skip
    config |= {key: value for key, value in changes.items() if key in config}
    (folder / "config.toml").write_text(tomli_w.dumps(config))
    environment = {
        "apical": "0.1.0", "python": "3.11.9", "jax": "0.10.2", "jaxlib": "0.10.2", "numpy": "2.4.0",
        "platform": "Linux x86_64", "device": "cpu", "flags": {"jax_enable_x64": False}, "git_commit": "0123abc",
        "command": "apical compare --dataset digits --seeds 3 --out OUT",
        "data": {"name": config["dataset"], "checksums": {"digits.csv": "09f66e6debdee2cd"}, "warnings": []},
    }  # fmt: skip
    environment["data"] |= {"warnings": changes.get("data_warnings", [])}
    (folder / "environment.json").write_text(json.dumps(environment))
    status = changes.get("status", "finished")
    final = FINAL.get(rule, 0.9) + 0.004 * (seed - 1) + 0.003 * np.random.default_rng([seed, *rule.encode()]).normal()
    summary = {
        "rule": rule, "dataset": config["dataset"], "network": config["network"], "seed": seed, "epochs": EPOCHS,
        "examples": EXAMPLES, "parameters": 4810, "train_accuracy": final + 0.02, "validation_accuracy": final + 0.005,
        "test_accuracy": final, "test_loss": 4 * (1 - final), "test_r2": None, "seconds": 2.0 + 0.1 * seed,
        "examples_per_second": 5000.0, "status": status,
    }  # fmt: skip
    summary |= {key: value for key, value in changes.items() if key in summary}
    (folder / "summary.json").write_text(json.dumps(summary))
    if changes.get("metrics", True):
        write_metrics(folder / "metrics.csv", rule, seed, final, status)
    else:
        (folder / "metrics.csv").write_text(",".join(METRICS_HEADER) + "\n")
    forward_flops = {"backprop": 28_000.0, "target-propagation": 90_000.0}.get(rule, 29_000.0)
    return summary | {"angle_to_backprop_mean": ANGLES.get(rule, 70.0), "flops_per_example": forward_flops}


def write_metrics(path: Path, rule: str, seed: int, final: float, status: str) -> None:
    """Smooth curves that end at `final`; a diverged run has nan after epoch 4."""
    noise = np.random.default_rng([seed, *rule.encode()])
    rows: list[list[object]] = []
    for epoch in range(EPOCHS + 1):
        lost = status == "diverged" and epoch > 4
        progress = 1 - np.exp(-epoch / 2.0)
        accuracy = 0.1 + (final - 0.1) * progress + 0.004 * noise.normal()
        here = [epoch * 36, epoch * EXAMPLES, epoch]
        for split, gap in (("train", 0.02), ("validation", 0.0)):
            rows.append([*here, split, "", "accuracy", accuracy + gap * progress])
            rows.append([*here, split, "", "loss", "nan" if lost else 2.4 - 2.5 * (accuracy + gap * progress) + 0.3])
        for layer in ("0", "1", "total"):
            rows += [
                [*here, "train", layer, name, "nan" if lost else value]
                for name, value in _probes(rule, layer, epoch, noise)
            ]
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([METRICS_HEADER, *rows])


def _probes(rule: str, layer: str, epoch: int, noise: np.random.Generator) -> list[tuple[str, float]]:
    final = ANGLES.get(rule, 70.0)
    angle = 0.0 if rule == "backprop" else final + (89 - final) * np.exp(-epoch / 3) + noise.normal()
    angle *= 0.0 if layer == "1" and rule == "feedback-alignment" else 1.0
    size = {"0": 4.0, "1": 2.0, "total": 4.5}[layer] * (8 if rule == "target-propagation" else 1)
    probes = [
        ("weight_norm", size * (1 + 0.1 * epoch)),
        ("relative_weight_change", 0.02 / (1 + epoch) * float(np.exp(0.1 * noise.normal()))),
        ("gradient_change", 1.2 + 0.1 * noise.normal()),
        ("angle_to_backprop", float(angle)),
        ("log10_norm_ratio", 0.0 if rule == "backprop" else 0.3 + 0.02 * noise.normal()),
    ]
    aligned = rule == "feedback-alignment" and layer == "1"
    return probes + ([("feedback_alignment", 89.0 - 4 * epoch)] if aligned else [])


def write_comparison(out: Path, rules: Sequence[str] = tuple(FINAL), seeds: int = 3, **changes: Any) -> Path:
    """The folder a comparison leaves; the last rule diverges under its last seed if there are several seeds."""
    rows = []
    for rule in rules:
        for seed in range(seeds):
            diverged = {"status": "diverged"} if seeds > 1 and rule == rules[-1] and seed == seeds - 1 else {}
            rows.append(write_run(out / "runs" / rule / f"seed-{seed}", rule, seed, **(diverged | changes)))
    with (out / "comparison.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COMPARISON_HEADER, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    write_samples(out / "samples.safetensors")
    return out


def write_samples(path: Path) -> None:
    """Three random 8 x 8 grey images of each of ten classes."""
    images = np.random.default_rng(0).integers(0, 256, (10, 3, 8, 8, 1), dtype=np.uint8)
    save_file({"images": images}, path, {"classes": json.dumps(CLASSES), "dataset": "digits"})


@pytest.fixture(name="write_run")
def _write_run() -> Callable[..., dict[str, Any]]:
    """`write_run(folder, rule, seed, **changes)`."""
    return write_run


@pytest.fixture(name="write_comparison")
def _write_comparison() -> Callable[..., Path]:
    """`write_comparison(out, rules, seeds, **changes)`."""
    return write_comparison


@pytest.fixture
def read() -> Callable[..., Comparison]:
    """`read(folder, ...)`: the one comparison that the runs at or below these folders make."""

    def one(*folders: Path) -> Comparison:
        (comparison,) = compare_runs([read_run(folder) for folder in find_run_folders(folders)])
        return comparison

    return one


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four rules, three seeds, one diverged run: not to be changed by a test."""
    return write_comparison(tmp_path_factory.mktemp("runs") / "comparison")


@pytest.fixture(scope="session")
def report(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the report of `folder`."""
    return write_report([folder], tmp_path_factory.mktemp("report")).parent
