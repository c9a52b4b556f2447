"""The report: run folders in, one page with figures and tables out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from apical.files import check_out, write_atomically
from apical.report import markup, tables
from apical.report.comparison import Comparison, Entry, compare_runs, flat_settings, show_setting
from apical.report.figure import AnyFigure, Figure
from apical.report.figures import FIGURES
from apical.report.headline import headline, introduction, page_title
from apical.report.notes import protocol_sentence, warnings
from apical.report.page import Block, Part, write_page
from apical.report.results_table import results_table
from apical.report.runs import Run, find_run_folders, read_run
from apical.report.static import render_static
from apical.report.studies.read import find_study_folders
from apical.report.studies.write import write_study_report
from apical.report.theme import dataset_name, network_name, slug

_ENVIRONMENT = ("apical", "git_commit", "python", "jax", "jaxlib", "numpy", "platform", "device", "flags")
_WHERE = (
    "config.toml in each run folder holds the complete settings of that run; tables/results.csv and tables/results.tex "
    "hold the numbers of this page."
)


def write_report(folders: Sequence[Path], out: Path) -> Path:
    """Write the report of all runs, or of all studies, at or below `folders` into `out`; returns `report.html`'s path.

    Leaves `out/report.html`, `out/figures/NAME.pdf` and `.png`, `out/tables/results.csv` and `results.tex`, each
    written whole or not at all, the page last. Raises InputError, and writes nothing, where a folder holds no run, a
    file is malformed, or `out` is a file or cannot be written.
    """
    check_out(out, resume=True)
    if studies := find_study_folders(folders):
        return write_study_report(studies, out)
    comparisons = compare_runs(read_run(folder) for folder in find_run_folders(folders))
    drawn = [figures(comparison, len(comparisons) > 1) for comparison in comparisons]
    blocks = [
        block for pair in zip(comparisons, drawn, strict=True) for block in _comparison_blocks(*pair, len(comparisons))
    ]
    for figure in (figure for group in drawn for figure in group):
        render_static(figure, out / "figures" / figure.name)
    write_atomically(out / "tables" / "results.csv", tables.results_csv(comparisons))
    write_atomically(out / "tables" / "results.tex", tables.results_tex(comparisons))
    return write_page(page_title(comparisons), [*blocks, *_repeat_blocks(comparisons)], out / "report.html")


def figures(comparison: Comparison, several: bool = False) -> list[AnyFigure]:
    """The figures a comparison has data for; with `several` comparisons their names say which one they belong to."""
    made = [figure for make in FIGURES if (figure := make(comparison)) is not None]
    suffix = f"-{slug(comparison.dataset)}-{slug(comparison.network)}" if several else ""
    return [replace(figure, name=figure.name + suffix) for figure in made]


def _comparison_blocks(comparison: Comparison, drawn: Sequence[AnyFigure], n_comparisons: int) -> list[Block]:
    name = f"{dataset_name(comparison.dataset)}, {network_name(comparison.network)} network"
    heading = [Part(f"{slug(comparison.dataset)}-{slug(comparison.network)}", name)] if n_comparisons > 1 else []
    opening = [
        markup.paragraph(introduction(comparison), "lead"),
        markup.paragraph(headline(comparison), "headline"),
        markup.notes(warnings(comparison)),
    ]
    first = [figure for figure in drawn if isinstance(figure, Figure) and figure.name.startswith("results")]
    numbers = f'<section class="section"><h2>The numbers</h2>{results_table(comparison)}</section>'
    return [*heading, *opening, *first, numbers, *(figure for figure in drawn if figure not in first)]


def _repeat_blocks(comparisons: Sequence[Comparison]) -> list[Block]:
    runs = [run for comparison in comparisons for run in comparison.runs]
    commands = dict.fromkeys(str(run.environment["command"]) for run in runs if run.environment.get("command"))
    shown = "".join(f"<pre>{escape(command)}</pre>" for command in commands)
    protocol = "".join(markup.paragraph(text) for text in dict.fromkeys(map(protocol_sentence, comparisons)))
    content = [
        '<section class="section" id="repeat"><h2>Repeat it</h2>',
        protocol,
        shown,
        markup.paragraph(_WHERE),
        markup.definitions(_environment(runs)),
        _checksum_list(runs),
        markup.details("Settings of every rule", _settings(comparisons)),
        "</section>",
    ]
    return ["".join(content)]


def _environment(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Name and value of everything known about where the runs were made; several values where the runs differ."""
    pairs = []
    for key in _ENVIRONMENT:
        values = dict.fromkeys(_plain(run.environment.get(key)) for run in runs)
        text = "; ".join(value for value in values if value)
        if text:
            pairs.append((key.replace("_", " "), text))
    return pairs


def _checksum_list(runs: Sequence[Run]) -> str:
    data = [run.environment.get("data") or {} for run in runs]
    found = sorted({(str(name), str(sum_)) for entry in data for name, sum_ in (entry.get("checksums") or {}).items()})
    return markup.details("Checksums of the data", markup.definitions(found, long=True)) if found else ""


def _settings(comparisons: Sequence[Comparison]) -> str:
    several = len(comparisons) > 1
    parts = []
    for comparison in comparisons:
        where = f", {dataset_name(comparison.dataset)}" if several else ""
        parts += [
            markup.settings_table(entry.label + where, entry.style, _entry_settings(entry))
            for entry in comparison.entries
        ]
    return f'<div class="all-settings">{"".join(parts)}</div>'


def _entry_settings(entry: Entry) -> dict[str, str]:
    values: dict[str, dict[str, None]] = {}
    for run in entry.runs:
        for key, value in flat_settings(run.config).items():
            values.setdefault(key, {})[show_setting(value)] = None
    return {key: " or ".join(seen) for key, seen in values.items() if key not in ("rule", "dataset", "network")}


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items() if item is not None)
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return "" if value is None else str(value)
