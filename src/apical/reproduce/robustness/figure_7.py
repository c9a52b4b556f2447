"""Figure 7 of the review: every setting tried of backprop and of segregated dendrites, on three data sets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from apical.files import write_atomically
from apical.report import markup, render_static, write_page
from apical.report.studies import tables
from apical.report.studies.figures import overview
from apical.report.studies.write import READING, notes
from apical.report.theme import dataset_name
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.page import beside, how, table
from apical.reproduce.robustness.cells import FULL, Cell, Size, searched, size_of
from apical.reproduce.robustness.verdict import THEIRS, claims, seen
from apical.training.interrupt import Interrupt

HEAD = ("", "trials", "best", "median", "below .2", "his trials", "his best", "his median", "his below .2")
HIS = (
    " His: all images, 10 epochs, up to 50 trials, batches of 50 to 500, Gaussian process with upper confidence bound; "
    "`--full` makes that, and takes days."
)
DIFFERENCE = (
    "His search of segregated dendrites ended after 41, 30 and 23 evaluations, that of backprop after 50, and it "
    "trained segregated dendrites on fewer images; here every cell has the same images, epochs, folds and trials. His "
    "program reads a spiking network from its last step and remembers a spike for one millisecond: the cells 'last ms' "
    "do so too, in his pool of training and test data; the cells 'means' take means over the last 40 % of a phase, the "
    "paper's share, and remember spikes for 1 to 10 steps."
)


def make(request: Request) -> Path:
    """Searches all cells, going on from what is there, and writes figure, tables and page.

    **Raises** `KeyboardInterrupt` when the user ended the search; the page shows what there was then.
    """
    with Interrupt() as interrupt:
        found = searched(request, interrupt)
    page = write(found, request)
    if interrupt.requested:
        raise KeyboardInterrupt
    return page


def write(found: Sequence[Cell], request: Request) -> Path:
    """Figure, tables and page of the cells."""
    size, studies = size_of(request), [cell.study for cell in found]
    figure = replace(overview(studies), name="figure-7")
    render_static(figure, request.out / "figures" / figure.name)
    rows, differences = tables.rows(studies), tables.differences(studies)
    write_atomically(request.out / "figure-7.csv", tables.as_csv(rows))
    write_atomically(request.out / "figure-7-differences.csv", tables.as_csv(differences))
    blocks = [
        markup.paragraph(seen(found), "headline"),
        markup.notes(notes(studies)),
        figure,
        f'<section class="section"><h2>Beside his</h2>{_beside_his(found, rows)}{markup.paragraph(READING)}</section>',
        beside(claims(found)),
        how((conditions(size), DIFFERENCE), request.command),
    ]
    return write_page("Figure 7 of the review, made again", blocks, request.out / "figure-7.html")


def _beside_his(found: Sequence[Cell], rows: Sequence[tables.Row]) -> str:
    return table(HEAD, [_row(cell, row) for cell, row in zip(found, rows, strict=True)])


def _row(cell: Cell, row: tables.Row) -> list[str]:
    ours = [f"{row['best']:.3f}", *(tables.shown(row, name) for name in ("median", "share_below_2_chance"))]
    theirs = THEIRS.get((cell.model.key, cell.dataset))
    his = [str(theirs.trials), *(f"{v:.3f}" for v in theirs[:3])] if theirs else [""] * 4
    return [f"{dataset_name(cell.dataset)}: {cell.model.label}", str(row["trials"]), *ours, *his]


def conditions(size: Size) -> str:
    """How the studies were made, in words."""
    sets = ", ".join(map(dataset_name, size.datasets))
    images = "all images" if size.examples is None else f"{size.examples:,} images"
    fixed = "".join(f", {name} at {value:g}" for name, value in size.fixed)
    hidden = "" if size.hidden is None else f", hidden units {', '.join(map(str, size.hidden))}"
    return (
        f"{sets}: {images}, {size.folds} stratified folds, {size.epochs} epochs and {size.trials} trials for every "
        f"cell, seed 0; space {size.space}{fixed}{hidden}, sampler {size.sampler}." + ("" if size == FULL else HIS)
    )


FIGURE_7 = Reproduction(
    "figure-7",
    "How many settings of a rule learn at all",
    "Lange 2019, Figure 7",
    make,
    frozenset({"resume", "full"}),
)
