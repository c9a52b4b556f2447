"""Figure 4: the images shown are of the classes they are shown under."""

import csv
from pathlib import Path

import numpy as np
import pytest

from apical.data import registry
from apical.data.dataset import ArrayExamples, Dataset
from apical.data.samples import class_samples
from apical.reproduce import figure_4
from apical.reproduce.base import Request


def marked(name: str, channels: int) -> Dataset:
    """A data set whose images are as bright as their class says."""
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10, dtype=np.int32), 5))
    images = np.broadcast_to((20 * labels + 7).astype(np.uint8)[:, None, None, None], (50, 6, 6, channels))
    part = ArrayExamples(np.ascontiguousarray(images), labels, 255.0)
    return Dataset(name, part, part, tuple(f"class {c}" for c in range(10)), warnings=("other <contents>",))


def test_samples_are_of_their_class() -> None:
    samples = class_samples(marked("mnist", 1), 3)
    assert samples.shape == (10, 3, 6, 6, 1)
    assert all((samples[c] == 20 * c + 7).all() for c in range(10))


def test_the_page_names_classes_command_and_warnings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_4, "load", lambda name, **_: marked(name, 3 if name == "cifar10" else 1))
    page = figure_4.FIGURE_4.make(Request(tmp_path, command="apical reproduce figure-4")).read_text()
    assert "class 7" in page and "apical reproduce figure-4" in page and "other &lt;contents&gt;" in page
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {"figure-4.pdf", "figure-4.png"}
    with open(tmp_path / "figure-4.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30 and {row["training_images"] for row in rows} == {"5"}
    assert list(registry.DATASETS)[1:4] == list(figure_4.DATASETS)
