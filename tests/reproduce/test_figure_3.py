"""Figure 3: what is drawn and written is what was recorded, and the plateaus follow from it."""

import csv
from pathlib import Path

import jax
import numpy as np
import pytest

from apical.data.dataset import ArrayExamples, Dataset
from apical.probes.recording import PhaseRecording, Recording
from apical.report import Panel
from apical.reproduce import figure_3
from apical.reproduce.base import Request
from apical.reproduce.figure_3_panels import Shown, Stage, panels

FORWARD_MS = TARGET_MS = 50
WINDOW_MS = 20
SERIES = {("hidden", "apical"), ("hidden", "basal"), ("hidden", "soma"), ("hidden", "spikes")} | {
    ("output", "basal"), ("output", "soma"), ("output", "spikes")
}  # fmt: skip


def tiny(n: int = 6) -> Dataset:
    """Images of 3 x 3 pixels in three classes."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (n, 3, 3, 1), dtype=np.uint8)
    part = ArrayExamples(images, np.arange(1, n + 1, dtype=np.int32) % 3, 255.0)
    return Dataset("tiny", part, part, ("a", "<b>", "c"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the reproduction leaves, at a tiny size."""
    out = tmp_path_factory.mktemp("figure-3")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure_3, "load", lambda *_, **__: tiny())
        patch.setattr(figure_3, "HIDDEN", 4)
        patch.setattr(figure_3, "QUICK_EPOCHS", 2)
        patch.setattr(figure_3, "EPOCHS", -1)  # not what --quick trains for
        command = "apical reproduce figure-3 --quick"
        assert figure_3.FIGURE_3.make(Request(out, quick=True, command=command)) == out / "figure-3.html"
    return out


@pytest.fixture(scope="module")
def table(folder: Path) -> list[dict[str, str]]:
    with open(folder / "figure-3.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_it_leaves_figure_table_and_a_page_that_says_how(folder: Path) -> None:
    assert {p.name for p in folder.iterdir()} == {"figures", "figure-3.csv", "figure-3.html"}
    assert {p.name for p in (folder / "figures").iterdir()} == {"figure-3.pdf", "figure-3.png"}
    page = (folder / "figure-3.html").read_text()
    assert "apical reproduce figure-3 --quick" in page and "4 hidden units, 2 epochs of the 6 training" in page
    assert "Unit of class &lt;b&gt;" in page and "takes the &lt;b&gt; for a" in page


def test_the_table_has_every_compartment_at_every_step_of_both_phases(table: list[dict[str, str]]) -> None:
    for stage in ("before learning", "after learning"):
        for phase, start in (("forward", 0), ("target", FORWARD_MS)):
            rows = [row for row in table if (row["stage"], row["phase"]) == (stage, phase)]
            assert {(r["layer"], r["compartment"]) for r in rows} == SERIES | {("hidden", "plateau")}
            times = {place: [] for place in SERIES}
            for row in rows:
                if row["compartment"] != "plateau":
                    times[row["layer"], row["compartment"]].append(float(row["time_ms"]))
            assert all(found == [start + t for t in range(1, 51)] for found in times.values())
    assert len({row["unit"] for row in table if row["layer"] == "hidden"}) == 1
    assert {row["unit"] for row in table if row["layer"] == "output"} == {"1"}


def test_a_plateau_is_the_logistic_of_the_mean_over_the_window(table: list[dict[str, str]]) -> None:
    plateaus = [row for row in table if row["compartment"] == "plateau"]
    assert [float(row["time_ms"]) for row in plateaus] == [50, 100, 50, 100]
    for row in plateaus:
        end = float(row["time_ms"])
        window = [
            float(r["value"])
            for r in table
            if (r["stage"], r["compartment"]) == (row["stage"], "apical")
            and end - WINDOW_MS < float(r["time_ms"]) <= end
        ]
        assert len(window) == WINDOW_MS
        assert float(row["value"]) == pytest.approx(1 / (1 + np.exp(-np.mean(window))), rel=1e-4)
    assert len({row["value"] for row in plateaus}) == 4  # stages and phases differ


def test_the_soma_of_the_right_class_is_driven_in_the_target_phase(table: list[dict[str, str]]) -> None:
    for stage in ("before learning", "after learning"):
        potentials = {
            (row["compartment"], float(row["time_ms"])): float(row["value"])
            for row in table
            if (row["stage"], row["layer"]) == (stage, "output")
        }
        basal, soma = potentials["basal", 100.0], potentials["soma", 100.0]
        assert soma == pytest.approx((0.6 * basal + 8) / 1.7, abs=0.5)
        assert potentials["soma", 50.0] == pytest.approx(0.6 * potentials["basal", 50.0] / 0.7, abs=0.5)


def phase(start: float, plateaus: list[float], seed: int) -> PhaseRecording:
    """A phase of ten steps of 1 ms with two hidden units and three outputs; the window is its second half."""
    drawn = lambda units: jax.random.normal(jax.random.key(seed + units), (10, units))  # noqa: E731
    spikes = tuple((drawn(n) > 1).astype(float) for n in (2, 3))
    return PhaseRecording(
        times_ms=start + jax.numpy.arange(1.0, 11.0),
        basal=(drawn(2), drawn(3)),
        apical=(drawn(2),),
        somas=(drawn(2) + 1, drawn(3) + 1),
        spikes=spikes,
        plateau_ms=(start + jax.numpy.asarray([10.0, 8.0]),),
        plateaus=(jax.numpy.asarray(plateaus),),
        start_ms=start,
        window_ms=start + 5,
        end_ms=start + 10,
    )


RECORDING = Recording(phase(0.0, [0.5, 0.25], 1), phase(10.0, [0.6, 0.75], 2))


def test_the_unit_shown_is_the_one_whose_plateau_changes_most() -> None:
    assert figure_3.most_moved(RECORDING) == 1


def test_panels_mark_phases_windows_plateaus_and_spikes() -> None:
    stages = (Stage("before", RECORDING, 2), Stage("after", RECORDING, 0))
    made = panels(stages, Shown(1, 0), "seven")
    titles = ["Apical dendrite, before", "Basal dendrite and soma, before", "Unit of class seven, before"]
    assert [panel.title for panel in made[::2]] == titles
    for panel in made:
        assert [(s.low, s.high) for s in panel.spans] == [(0, 5), (5, 10), (10, 15), (15, 20)]
        assert panel.spans[0].opacity < panel.spans[1].opacity and panel.spans[0].colour != panel.spans[2].colour
        assert panel.x.ticks == (0, 5, 10, 15, 20)
    apical: Panel = made[0]
    assert [(line.value, line.text, line.along) for line in apical.references] == [
        (8.0, "plateau 0.25", "x"), (18.0, "plateau 0.75", "x")
    ]  # fmt: skip
    potential = np.concatenate([RECORDING.forward.apical[0][:, 1], RECORDING.target.apical[0][:, 1]])
    np.testing.assert_array_equal(apical.series[0].mean, potential)
    spikes = np.concatenate([RECORDING.forward.spikes[-1][:, 0], RECORDING.target.spikes[-1][:, 0]])
    strokes = made[4].series[-1]
    assert strokes.marker == "bar" and strokes.x.tolist() == [t + 1.0 for t in np.flatnonzero(spikes)]
