"""What the figures describe: which panels they have, and that their points are the measured ones."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apical.report.comparison import Comparison
from apical.report.figure import Axis, Figure, ImageGrid, IntervalPanel, Panel, Series, legend_entries, visible_points
from apical.report.figures import FIGURES
from apical.report.figures.cost import cost
from apical.report.figures.credit import angles, dendrites, feedback
from apical.report.figures.dynamics import dynamics
from apical.report.figures.learning import learning_curves
from apical.report.figures.results import results
from apical.report.figures.samples import read_samples, samples

Write, Read = Callable[..., Any], Callable[..., Comparison]
NAMES = [
    "results", "samples", "learning-curves", "angle-to-backprop", "feedback-alignment", "learning-dynamics", "cost",
]  # fmt: skip


@pytest.fixture
def comparison(folder: Path, read: Read) -> Comparison:
    """The comparison of four rules and three seeds."""
    return read(folder)


def test_a_full_comparison_has_every_figure_with_a_caption(comparison: Comparison) -> None:
    figures = [figure for make in FIGURES if (figure := make(comparison)) is not None]
    assert [figure.name for figure in figures] == NAMES
    assert all(figure.caption.endswith(".") and figure.title for figure in figures)


def test_results_rank_rules_and_compare_them_to_backprop(comparison: Comparison) -> None:
    figure = results(comparison)
    assert figure is not None
    score, difference = figure.panels
    assert isinstance(score, IntervalPanel) and isinstance(difference, IntervalPanel)
    assert [row.label for row in score.intervals] == [row.label for row in difference.intervals]
    assert score.intervals[0].label == "Backprop" and len(score.intervals[0].dots) == 3
    assert (difference.intervals[0].mean, difference.intervals[0].low) == (0.0, None)
    for row, change in zip(score.intervals[1:], difference.intervals[1:], strict=True):
        assert change.mean == pytest.approx(row.mean - score.intervals[0].mean)
        assert np.mean(row.dots) == pytest.approx(row.mean)


def test_learning_curves_share_the_scale_of_a_row(comparison: Comparison) -> None:
    figure = learning_curves(comparison)
    assert figure is not None
    panels = [panel for panel in figure.panels if isinstance(panel, Panel)]
    assert [(panel.title, panel.y.label) for panel in panels] == [
        ("Training data", "accuracy (%)"), ("Validation data", "accuracy (%)"),
        ("Training data", "cross-entropy (nats)"), ("Validation data", "cross-entropy (nats)"),
    ]  # fmt: skip
    assert panels[0].y.limits == panels[1].y.limits and panels[2].y.limits == panels[3].y.limits
    assert all(len(panel.series) == 4 for panel in panels)
    assert panels[2].series[3].stops and "Crosses" in figure.caption
    assert not panels[2].series[0].stops


@pytest.mark.parametrize("protocol,label", [("paper", "cross-entropy (nats)"), ("lange-2019", "loss")])
def test_learning_curves_follow_the_protocol(
    write_comparison: Write, read: Read, tmp_path: Path, protocol: str, label: str
) -> None:
    folder = write_comparison(tmp_path, ["backprop"], 1)
    run = folder / "runs" / "backprop" / "seed-0"
    config = run / "config.toml"
    config.write_text(f'protocol = "{protocol}"\n' + re.sub("(?m)^protocol.*\n", "", config.read_text()))
    metrics = run / "metrics.csv"
    metrics.write_text(metrics.read_text().replace(",validation,", ",test,"))
    figure = learning_curves(read(folder))
    assert figure is not None
    panels = [panel for panel in figure.panels if isinstance(panel, Panel)]
    assert [panel.title for panel in panels] == ["Training data", "Test data, watched"] * 2
    assert panels[2].y.label == panels[3].y.label == label


def test_angles_come_for_all_layers_and_each_with_a_line_at_90_degrees(comparison: Comparison) -> None:
    figure = angles(comparison)
    assert figure is not None and figure.columns == 3
    panels = [panel for panel in figure.panels if isinstance(panel, Panel)]
    assert [panel.title for panel in panels[:3]] == ["All layers", "Hidden layer 1", "Output layer"]
    assert all([line.value for line in panel.references] == [90.0] for panel in panels[:3])
    backprop = panels[0].series[0]
    assert backprop.label == "Backprop" and not backprop.mean.any()


def test_feedback_is_shown_for_the_rules_that_have_it(comparison: Comparison) -> None:
    figure = feedback(comparison)
    assert figure is not None
    assert [series.label for series in legend_entries(figure)] == ["Feedback alignment"]
    (panel,) = figure.panels
    assert panel.title == "Output layer" and isinstance(panel, Panel)
    assert panel.series[0].mean.tolist() == [89.0 - 4 * epoch for epoch in range(11)]


def test_dynamics_have_a_row_per_quantity_and_a_column_per_layer(comparison: Comparison) -> None:
    figure = dynamics(comparison)
    assert figure is not None and figure.columns == 2 and len(figure.panels) == 6
    norm = figure.panels[0]
    assert isinstance(norm, Panel)
    assert norm.series[0].mean.tolist() == pytest.approx([4.0 * (1 + 0.1 * epoch) for epoch in range(11)])


def test_cost_sets_the_score_against_time_and_arithmetic(comparison: Comparison) -> None:
    figure = cost(comparison)
    assert figure is not None
    time, arithmetic = figure.panels
    assert isinstance(time, Panel) and isinstance(arithmetic, Panel) and time.x.log and arithmetic.x.log
    assert time.series[0].x.tolist() == pytest.approx([2.1])
    assert [series.x[0] for series in arithmetic.series] == [28e3, 29e3, 29e3, 90e3]


def test_runs_without_measurements_have_only_the_figures_they_can(tmp_path: Path, write_run: Write, read: Read) -> None:
    write_run(tmp_path / "run", "backprop", 0, test_accuracy=None, test_loss=None)
    (tmp_path / "run" / "metrics.csv").write_text("step,examples,epoch,split,layer,name,value\n")
    comparison = read(tmp_path)
    assert [make(comparison) for make in FIGURES] == [None] * len(FIGURES)


def test_samples_show_each_class_by_name(comparison: Comparison) -> None:
    figure = samples(comparison)
    assert isinstance(figure, ImageGrid)
    (row,) = figure.rows
    assert [tile.name for tile in row.tiles][-1] == "<b>nine</b>" and len(row.tiles[0].images) == 3


def test_broken_samples_are_refused_and_missing_ones_are_not(tmp_path: Path) -> None:
    assert read_samples(tmp_path / "samples.safetensors") is None
    (tmp_path / "samples.safetensors").write_bytes(b"not tensors")
    with pytest.raises(ValueError, match="not a file of sample images"):
        read_samples(tmp_path / "samples.safetensors")


def test_points_an_axis_cannot_show_are_left_out() -> None:
    x, mean = np.array([0.0, 1.0, 2.0, 3.0]), np.array([5.0, np.nan, -1.0, 2.0])
    series = Series("a", "#000000", x, mean, low=mean - 3, high=mean + 1)
    assert visible_points(series, x_log=False, y_log=False).x.tolist() == [0.0, 2.0, 3.0]
    assert visible_points(series, x_log=False, y_log=True).x.tolist() == [0.0]
    assert visible_points(series, x_log=True, y_log=False).x.tolist() == [2.0, 3.0]


def test_a_legend_names_each_rule_once() -> None:
    line = Series("a", "#000000", np.zeros(1), np.zeros(1))
    other = Series("b", "#000000", np.zeros(1), np.zeros(1))
    panels = tuple(Panel("", Axis("x"), Axis("y"), series) for series in ((line,), (other, line)))
    assert [entry.label for entry in legend_entries(Figure("f", "f", "f.", panels))] == ["a", "b"]


def test_quantities_of_single_layers_get_panels_of_their_own(write_run: Write, read: Read, tmp_path: Path) -> None:
    """A panel for each measurement that is there, none for those that are not, and the criterion's line in sight."""
    write_run(tmp_path / "run", "segregated-dendrites", 0)
    with (tmp_path / "run" / "metrics.csv").open("a") as file:
        file.writelines(
            f"{step},{50 * step},{step},train,{layer},{name},{value}\n"
            for step in (1, 2)
            for layer, name, value in ((0, "feedback_eigenvalue", 5.0 + step), (1, "rate_loss", 0.1 / step))
        )
    figure = dendrites(read(tmp_path))
    assert figure is not None
    loss, eigenvalue = figure.panels
    assert isinstance(loss, Panel) and isinstance(eigenvalue, Panel)
    assert (loss.title, eigenvalue.title) == ("Output layer", "Hidden layer 1")
    np.testing.assert_allclose(loss.series[0].mean, [0.1, 0.05])
    assert eigenvalue.y.limits is not None and eigenvalue.y.limits[0] < 1 < 7 < eigenvalue.y.limits[1]
