"""The report of studies: one page, figures, tables."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from apical.files import write_atomically
from apical.report import markup
from apical.report.figure import Figure
from apical.report.page import Block, write_page
from apical.report.static import render_static
from apical.report.studies import tables
from apical.report.studies.figures import importance_figure, overview, sensitivity_figure
from apical.report.studies.read import Study, read_studies
from apical.report.theme import dataset_name
from apical.training.protocols import APICAL, PROTOCOLS

TITLE = "Does it learn wherever its hyperparameters are?"
READING = (
    "Intervals in brackets: 95 %, by bootstrap over trials; differences use as many trials of both as the shorter "
    "study has, and the best settings are compared fold by fold, on the same folds. A trial that diverged counts as "
    "chance, one that reached the time limit as it stood."
)


def write_study_report(folders: Sequence[Path], out: Path) -> Path:
    """Write the report of the studies in these folders into `out`; returns the path of `report.html`.

    Leaves `figures/NAME.pdf` and `.png`, `tables/studies.csv`, `differences.csv` and `.tex` of both beside it.

    **Raises** `InputError`, and writes nothing, where a study cannot be read.
    """
    studies = read_studies(folders)
    made = (overview(studies), importance_figure(studies), sensitivity_figure(studies))
    figures = [figure for figure in made if figure is not None]
    rows, differences = tables.rows(studies), tables.differences(studies)
    for figure in figures:
        render_static(figure, out / "figures" / figure.name)
    for name, table, lead in (
        ("studies", rows, ("dataset", "study", "trials")),
        ("differences", differences, ("dataset", "study", "minus", "trials")),
    ):
        write_atomically(out / "tables" / f"{name}.csv", tables.as_csv(table))
        write_atomically(out / "tables" / f"{name}.tex", tables.as_tex(table, lead))
    return write_page(TITLE, _blocks(studies, figures, rows, differences), out / "report.html")


def _blocks(
    studies: Sequence[Study], figures: Sequence[Figure], rows: Sequence[tables.Row], differences: Sequence[tables.Row]
) -> list[Block]:
    first, *others = figures
    numbers = f'<section class="section"><h2>The numbers</h2>{tables.as_html(rows, ("dataset", "study", "trials"))}'
    if differences:
        numbers += "<h3>Differences at equal budgets</h3>" + tables.as_html(
            differences, ("dataset", "study", "minus", "trials")
        )
    return [
        markup.paragraph(_lead(studies), "lead"),
        markup.notes(notes(studies)),
        first,
        f"{numbers}{markup.paragraph(READING)}</section>",
        *others,
        _repeat(studies),
    ]


def _lead(studies: Sequence[Study]) -> str:
    names = ", ".join(dict.fromkeys(dataset_name(s.dataset) for s in studies))
    total = sum(len(s.values) for s in studies)
    return f"{len(studies)} {'study' if len(studies) == 1 else 'studies'} with {total} trials on {names}."


def notes(studies: Sequence[Study]) -> list[tuple[str, str]]:
    """What a reader must know before trusting the numbers."""
    protocols = sorted({str(s.about.get("protocol")) for s in studies} - {APICAL})
    alarms = [f"Protocol {name}: {PROTOCOLS[name].meaning}." for name in protocols if name in PROTOCOLS]
    notes = []
    for study in studies:
        where = f"{dataset_name(study.dataset)}, {study.label}"
        odd = [(study.states.count(state), state) for state in ("diverged", "stopped", "lost")]
        said = ", ".join(f"{n} {state}" for n, state in odd if n)
        left = int(study.about["trials"]) - len(study.values)
        notes += [f"{where}: {said}."] if said else []
        notes += [f"{where}: {left} of {study.about['trials']} trials are still to be made."] if left > 0 else []
    if len({len(s.values) for s in studies}) > 1:
        notes.append("The studies do not have equally many trials; only the differences are at equal budgets.")
    return [("alarm", text) for text in alarms] + [("note", text) for text in notes]


def _repeat(studies: Sequence[Study]) -> str:
    commands = dict.fromkeys(str((s.about.get("environment") or {}).get("command", "")) for s in studies)
    shown = "".join(f"<pre>{escape(command)}</pre>" for command in commands if command)
    space = "".join(
        markup.details(f"Space of {s.label}, {dataset_name(s.dataset)}", markup.definitions(_space(s))) for s in studies
    )
    return f'<section class="section" id="repeat"><h2>Repeat it</h2>{shown}{space}</section>'


def _space(study: Study) -> list[tuple[str, str]]:
    return [(d["name"], _range(d)) for d in study.about["dimensions"]]


def _range(d: dict) -> str:
    values = ", ".join(map(str, d["levels"])) if "levels" in d else f"{d['low']} to {d['high']}"
    return values + (", logarithmic" if d["log"] else "") + (f", where {d['when']}" if d["when"] else "")
