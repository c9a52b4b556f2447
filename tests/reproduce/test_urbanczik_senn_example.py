"""The example of Urbanczik and Senn: the teacher's time course, and what page and table hold."""

import csv
from pathlib import Path

import jax.random as jr
import numpy as np
import pytest

from apical.neurons.urbanczik_senn import UrbanczikSenn
from apical.reproduce import urbanczik_senn
from apical.reproduce.base import Request
from apical.reproduce.urbanczik_senn_example import Example


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What it leaves after a few repetitions."""
    out = tmp_path_factory.mktemp("urbanczik-senn")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urbanczik_senn, "QUICK_REPETITIONS", 20)
        patch.setattr(urbanczik_senn, "REPETITIONS", -1)  # not what --quick goes through
        command = "apical reproduce urbanczik-senn --quick"
        page = urbanczik_senn.URBANCZIK_SENN.make(Request(out, quick=True, command=command))
        assert page == out / "urbanczik-senn.html"
    return out


def test_the_teacher_pulls_between_its_reversal_potentials() -> None:
    example = Example.drawn(UrbanczikSenn(), jr.key(0))
    taught = np.asarray(example.taught())
    assert taught.shape == (2000,) and -75 < taught.min() < -70 < -50 < taught.max() < 0
    assert np.flatnonzero(np.diff(np.sign(np.diff(taught)))).tolist() == pytest.approx([250, 750, 1250, 1750], abs=2)
    assert np.asarray(example.inputs).mean() == pytest.approx(0.001, rel=0.3)


def test_the_dendrite_learns_what_the_teacher_does(folder: Path) -> None:
    with open(folder / "urbanczik-senn.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = {
        (row["stage"], row["potential"]): np.array([float(r["value_mV"]) for r in rows if r["stage"] == row["stage"]
        and r["potential"] == row["potential"]]) for row in rows[::2000]
    }  # fmt: skip
    assert {len(line) for line in lines.values()} == {2000} and len(lines) == 8
    taught = lines["First repetition", "Where the teacher pulls"]
    before, after = lines["First repetition", "Prediction V*"], lines["The teacher gone", "Soma U"]
    assert np.corrcoef(taught, before)[0, 1] < 0.5 < 0.85 < np.corrcoef(taught, after)[0, 1]


def test_it_leaves_a_figure_and_a_page_that_says_how(folder: Path) -> None:
    assert {p.name for p in (folder / "figures").iterdir()} == {"urbanczik-senn.pdf", "urbanczik-senn.png"}
    page = (folder / "urbanczik-senn.html").read_text()
    assert "apical reproduce urbanczik-senn --quick" in page and "Made with 20 repetitions" in page
