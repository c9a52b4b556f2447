"""What the rules cost against width and depth: arithmetic, memory, chains of dependent steps, time."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from apical.files import write_atomically
from apical.report import Axis, Figure, Panel, Series, markup, render_static, write_page
from apical.report.tables import short
from apical.report.theme import TIMES, rule_name, styles
from apical.reproduce.base import Reproduction, Request
from apical.reproduce.complexity_sizes import INPUTS, Cost, Size, Variant, cost, variants
from apical.reproduce.page import as_csv, how, table

WIDTHS, DEPTHS = (64, 128, 256, 512, 1024), (1, 2, 3, 4, 6)
MIDDLE = Size(256, 2)
COLUMNS = (
    "rule", "preset", "width", "hidden_layers", "batch", "flops_per_example", "bytes_per_example", "chain",
    "peak_memory_bytes", "seconds_per_example", "open_loops",
)  # fmt: skip
Value = Callable[[Cost], float | None]
PANELS: tuple[tuple[str, str, Value, bool], ...] = (
    ("Arithmetic", "FLOPs per example", lambda c: c.flops, False),
    ("Arithmetic", "FLOPs per example", lambda c: c.flops, True),
    ("Time", "seconds per example", lambda c: c.seconds, False),
    ("Waiting", "products in a chain", lambda c: c.chain, True),
    ("Memory", "peak memory, bytes", lambda c: c.memory, False),
    ("Traffic", "bytes per example", lambda c: c.bytes, True),
)
CAPTION = (
    f"One update of every rule on {INPUTS[0]} inputs and 10 classes. Against width there are {MIDDLE.depth} hidden "
    f"layers, against depth they have {MIDDLE.width} units. FLOPs and bytes are counted from the traced program, every "
    "loop times its length; bytes are those that products and reductions read and write. A chain is the longest row of "
    "matrix products that wait for each other: what cannot be made faster by more hardware. Memory is what the "
    "compiler plans for the whole update. Time is of a compiled loop of updates on this machine, the best of three."
)
MEANING = (
    "For a graphics processor arithmetic counts least where a batch fills it: then time follows FLOPs, and with small "
    "networks it follows the chain, since every product waits for the one before. All rules but the spiking ones have "
    "chains that grow by a few products with each layer; the spiking ones multiply that by their steps of time.",
    "For a brain a multiplication is a synaptic event and costs energy, not time: all synapses act at once. What costs "
    "time is the chain, one synaptic delay for each product, so a rule that calls the output's error to all layers at "
    "once does not need to wait longer in a deeper network on its way down. What a graphics processor does not count "
    "at all, carrying an error back through a copy of the weights, is what a brain cannot do (see the audit).",
)
DIFFERENCE = (
    "The proposal behind the review asks for the computational complexity of backprop, segregated dendrites and "
    "microcircuits and gives no numbers, so there is nothing to set these beside. In theory a dense layer costs 2 "
    "operations for each weight on the way up, 2 for its change, and 2 more where an error goes down through it: "
    "FLOPs grow with the square of the width once hidden layers outweigh the input, and in proportion to the depth."
)


def make(request: Request) -> Path:
    """Counts and times every rule, and writes figure, table and page."""
    costs = measured(request.quick)
    figure = Figure("complexity", "What one example costs", CAPTION, panels(costs))
    render_static(figure, request.out / "figures" / figure.name)
    write_atomically(request.out / "complexity.csv", as_csv(COLUMNS, map(row, costs)))
    rows = [summary(costs, variant) for variant in variants()]
    head = ("Rule", "FLOPs", f"{TIMES} backprop", "Bytes", "Chain", "Memory", "Time", "FLOPs grow as width to the")
    lead = markup.paragraph(seen(costs), "headline")
    numbers = f"<h2>At {MIDDLE.width} units in {MIDDLE.depth} hidden layers</h2>{table(head, rows)}"
    meaning = "".join(map(markup.paragraph, MEANING))
    blocks = [
        lead,
        figure,
        f'<section class="section">{numbers}</section>',
        f'<section class="section"><h2>What it means for a brain and for a machine</h2>{meaning}</section>',
        how((DIFFERENCE, *_notes(costs)), request.command),
    ]
    return write_page("What the rules cost", blocks, request.out / "complexity.html")


def measured(quick: bool) -> list[Cost]:
    """Every rule at every size; in a hurry time and memory are measured in the middle alone."""
    widths, depths = (WIDTHS[::2], DEPTHS[1::2]) if quick else (WIDTHS, DEPTHS)
    sizes = dict.fromkeys([*(Size(w, MIDDLE.depth) for w in widths), *(Size(MIDDLE.width, d) for d in depths)])
    return [cost(variant, size, not quick or size == MIDDLE) for variant in variants() for size in sizes]


def panels(costs: Sequence[Cost]) -> tuple[Panel, ...]:
    """The panels of the figure, those without any value left out."""
    made = []
    for title, label, value, deep in PANELS:
        series = tuple(s for variant in variants() if (s := _series(costs, variant, value, deep)))
        places = tuple(sorted({float(x) for s in series for x in s.x}))
        x = Axis("hidden layers" if deep else "units in a hidden layer", log=not deep, ticks=places or None)
        made.append(Panel(f"{title} against {'depth' if deep else 'width'}", x, Axis(label, log=True), series))
    return tuple(panel for panel in made if panel.series)


def _series(costs: Sequence[Cost], variant: Variant, value: Value, deep: bool) -> Series | None:
    at = (lambda c: c.size.width == MIDDLE.width) if deep else (lambda c: c.size.depth == MIDDLE.depth)
    points = [
        (float(c.size.depth if deep else c.size.width), found)
        for c in costs
        if c.variant == variant and at(c) and (found := value(c)) is not None
    ]
    if not points:
        return None
    x, y = np.array(sorted(points)).T
    style = styles([v.label for v in variants()])[variant.label]
    kind = "line" if len(points) > 1 else "point"
    return Series(named(variant), style.colour, x, y, dash=style.dash, marker=style.marker, kind=kind)


def named(variant: Variant) -> str:
    """What a variant is called."""
    return rule_name(variant.rule) + variant.label.removeprefix(variant.rule)


def at_middle(costs: Sequence[Cost], variant: Variant) -> Cost:
    """A variant's cost at the size in the middle."""
    return next(c for c in costs if c.variant == variant and c.size == MIDDLE)


def exponent(costs: Sequence[Cost], variant: Variant) -> float:
    """The power of the width with which FLOPs grow at the largest widths."""
    a, b = sorted((c for c in costs if c.variant == variant and c.size.depth == MIDDLE.depth), key=_width)[-2:]
    return math.log(b.flops / a.flops) / math.log(b.size.width / a.size.width)


def _width(c: Cost) -> int:
    return c.size.width


def summary(costs: Sequence[Cost], variant: Variant) -> tuple[str, ...]:
    """One row of the table on the page."""
    here, base = at_middle(costs, variant), at_middle(costs, variants()[0])
    seconds = "" if here.seconds is None else f"{1e6 * here.seconds:,.1f} \u00b5s"
    return (
        named(variant), short(here.flops), f"{here.flops / base.flops:.2f}", short(here.bytes), f"{here.chain:.0f}",
        short(here.memory), seconds, f"{exponent(costs, variant):.2f}",
    )  # fmt: skip


def seen(costs: Sequence[Cost]) -> str:
    """What one sees, in numbers."""
    base, here = at_middle(costs, variants()[0]), [at_middle(costs, v) for v in variants()[1:]]
    cheap, dear = (f(here, key=lambda c: c.flops) for f in (min, max))
    return (
        f"At {MIDDLE.width} units in {MIDDLE.depth} hidden layers backprop takes {short(base.flops)} operations for an "
        f"example. {named(cheap.variant)} takes {cheap.flops / base.flops:.2f} times as many, {named(dear.variant)} "
        f"{dear.flops / base.flops:.0f} times; its chain of products is {dear.chain:.0f} long, "
        f"backprop's {base.chain:.0f}."
    )


def _notes(costs: Sequence[Cost]) -> list[str]:
    """What a reader must know to read the numbers."""
    open_loops = sorted({named(c.variant) for c in costs if c.open_loops})
    usual = at_middle(costs, variants()[0]).batch
    batches = sorted({f"{named(c.variant)} {c.batch}" for c in costs if c.batch != usual})
    said = [f"Batches hold {usual} examples, or: {', '.join(batches)}."]
    if open_loops:
        said.append(f"Loops whose length is drawn while they run are counted once, in {', '.join(open_loops)}.")
    return said


def row(c: Cost) -> tuple[object, ...]:
    """One row of the CSV; what was not measured is empty."""
    unknown = lambda value: "" if value is None else value  # noqa: E731
    size = (c.size.width, c.size.depth, c.batch)
    measured = (unknown(c.memory), unknown(c.seconds), c.open_loops)
    return (c.variant.rule, c.variant.preset, *size, c.flops, c.bytes, c.chain, *measured)


COMPLEXITY = Reproduction(
    "complexity", "What the rules cost against width and depth", "Lange 2018, proposal, question 5", make
)
