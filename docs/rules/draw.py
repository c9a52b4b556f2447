"""Draws what travels where under each learning rule: `python docs/rules/draw.py` writes drawings/NAME.svg again.

A network of two hidden layers: activity in the upper row, below each layer what it hears of its error or target. A rule
is a declaration in `RULES`. Colours are of medium lightness, so that they can be read on white and on black.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "drawings"
WIDTH, HEIGHT, TOP, BOTTOM, LEGEND = 780, 282, 56, 186, 262
COLUMNS, LABEL = (60, 230, 400, 570), 722  # where x, h1, h2, scores are, and the label
HALF_WIDTH, HALF_HEIGHT = 36, 17  # of a box
ACTIVITY, ERROR, PLAIN = "#1f77c9", "#c2560c", "#757575"
HEADS = {ACTIVITY: "activity", ERROR: "error"}
EXACT, FIXED, LEARNT = "exact", "fixed", "learnt"
STROKES = {EXACT: 'stroke-width="2"', FIXED: 'stroke-width="2" stroke-dasharray="7 5"', LEARNT: 'stroke-width="5"'}
WORDS = {EXACT: "forward weights, transposed", FIXED: "weights that are not learnt", LEARNT: "learnt weights"}


@dataclass(frozen=True)
class Way:
    """Weights through which something comes down, from the layer above or, if `direct`, from the output.

    `tie` is what ties them to the forward weights beside them.
    """

    symbol: str
    kind: str
    tie: str = ""
    note: str = ""
    direct: bool = False


@dataclass(frozen=True)
class Rule:
    """The ways down to h1 and h2; then, for h1, h2 and scores, what each hears and how it is made.

    `compared` are the layers (1 to 3) whose own activity enters. `travels` is the word for what comes down.
    """

    ways: tuple[Way, Way]
    heard: tuple[str, str, str]
    made: tuple[str, str, str]
    travels: str = "errors"
    compared: tuple[int, ...] = (3,)
    auxiliary: bool = False


ERRORS, STEPPED, TARGETS = ("δ₁", "δ₂", "e"), ("ĥ₁", "ĥ₂", "e"), ("ĥ₁", "ĥ₂", "ĥ₃")
LOSS, STEP = "dLoss/dscores", "h₂ - step dLoss/dh₂"
DIFFERENCES = ("h₁ + g₂(ĥ₂) - g₂(h₂)", "h₂ + g₃(ĥ₃) - g₃(h₃)")
G2, G3 = Way("g₂", LEARNT, note="learnt"), Way("g₃", LEARNT, note="learnt")
W2, W3 = Way("W₂ᵀ", EXACT, "copied"), Way("W₃ᵀ", EXACT, "copied")
B1, B2 = Way("B₁", FIXED, note="fixed, random", direct=True), Way("B₂", FIXED, note="fixed")


def layerwise(kind: str, tie: str, note: str) -> Rule:
    """Errors that descend layer by layer through weights B."""
    ways = (Way("B₂", kind, tie, note), Way("B₃", kind, tie, note))
    return Rule(ways, ERRORS, ("(B₂ δ₂) * s'(a₁)", "(B₃ e) * s'(a₂)", LOSS))


RULES = {
    "backprop": Rule((W2, W3), ERRORS, ("(W₂ᵀ δ₂) * s'(a₁)", "(W₃ᵀ e) * s'(a₂)", LOSS)),
    "feedback-alignment": layerwise(FIXED, "", "fixed"),
    "direct-feedback-alignment": Rule((B1, B2), ERRORS, ("(B₁ e) * s'(a₁)", "(B₂ e) * s'(a₂)", LOSS)),
    "sign-symmetry": layerwise(FIXED, "signs copied", "sizes random"),
    "kolen-pollack": layerwise(LEARNT, "same changes", "learnt"),
    "weight-mirror": layerwise(LEARNT, "echo of noise", "learnt"),
    "target-propagation": Rule((G2, W3), STEPPED, ("g₂(ĥ₂)", STEP, LOSS), "targets", (2, 3)),
    "difference-target-propagation": Rule((G2, W3), STEPPED, (DIFFERENCES[0], STEP, LOSS), "targets", (1, 2, 3)),
    "simplified-dtp": Rule((G2, G3), TARGETS, (*DIFFERENCES, "the label"), "targets", (1, 2, 3)),
    "direct-dtp": Rule(
        (Way("Q₁", LEARNT, note="learnt", direct=True), Way("Q₂", LEARNT, note="learnt")),
        TARGETS,
        ("h₁ + Q₁(ĥ₃ - scores)", "h₂ + Q₂(ĥ₃ - scores)", "scores - step e"),
        "targets",
        (1, 2, 3),
    ),
    "ao-sdtp": Rule((G2, G3), TARGETS, (*DIFFERENCES, "[label, z]"), "targets", (1, 2, 3), auxiliary=True),
    "microcircuit": Rule(
        (Way("W₂↓", FIXED, note="fixed, random"), Way("W₃↓", FIXED, note="fixed, random")),
        ("v₁", "v₂", "e"),
        ("W₂↓ (r₂ - interneurons)", "W₃↓ (r₃ - interneurons)", "label - u₃"),
        "what was not predicted",
        (1, 2, 3),
    ),
    "spiking-microcircuit": Rule(
        (Way("W₂↓", FIXED, note="fixed, random"), Way("W₃↓", FIXED, note="fixed, random")),
        ("v₁", "v₂", "e"),
        ("W₂↓ n₂ - interneurons' spikes", "W₃↓ n₃ - theirs", "label - u₃"),
        "spikes not predicted",
        (1, 2, 3),
    ),
}


def text(x: float, y: float, words: str, colour: str = PLAIN, size: int = 13, anchor: str = "middle") -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}" font-size="{size}" text-anchor="{anchor}">{words}</text>'


def box(x: float, y: float, words: str, colour: str, half: int = HALF_WIDTH) -> str:
    shape = f'<rect x="{x - half}" y="{y - HALF_HEIGHT}" width="{2 * half}" height="{2 * HALF_HEIGHT}" rx="8"'
    return f'{shape} fill="{colour}"/>' + text(x, y + 5, words, "#ffffff", 15)


def arrow(path: str, colour: str, kind: str = EXACT) -> str:
    return f'<path d="{path}" fill="none" stroke="{colour}" {STROKES[kind]} marker-end="url(#{HEADS[colour]})"/>'


def activity(rule: Rule) -> Iterator[str]:
    """The upper row, and where activity takes part in what comes down."""
    for l, (x, words) in enumerate(zip(COLUMNS, ("x", "h₁", "h₂", "scores"), strict=True)):
        if l:
            yield arrow(f"M{COLUMNS[l - 1] + HALF_WIDTH} {TOP}H{x - HALF_WIDTH - 3}", ACTIVITY)
            yield text((COLUMNS[l - 1] + x) / 2, TOP - 9, f"W{'₁₂₃'[l - 1]}", ACTIVITY, 15)
        if l in rule.compared:
            yield arrow(f"M{x + 12} {TOP + HALF_HEIGHT}V{BOTTOM - HALF_HEIGHT - 3}", ACTIVITY)
        yield box(x, TOP, words, ACTIVITY)
    if rule.auxiliary:
        yield arrow("M432 73L463 103", ACTIVITY, FIXED) + text(437, 103, "A", ACTIVITY, 15)
        yield arrow("M497 135L540 167", ACTIVITY) + box(480, 120, "z", ACTIVITY, 17)


def feedback(rule: Rule) -> Iterator[str]:
    """The lower row, the ways down, and what every layer is taught by it."""
    for x, words, made in zip(COLUMNS[1:], rule.heard, rule.made, strict=True):
        yield arrow(f"M{x - 12} {BOTTOM - HALF_HEIGHT}V{TOP + HALF_HEIGHT + 3}", ERROR)
        yield box(x, BOTTOM, words, ERROR) + text(x, BOTTOM + 42, made)
    yield arrow(f"M{LABEL - HALF_WIDTH} {BOTTOM}H{COLUMNS[3] + HALF_WIDTH + 3}", ERROR)
    yield box(LABEL, BOTTOM, "label", PLAIN)
    for below, above, way in zip(COLUMNS[1:], COLUMNS[2:], rule.ways, strict=False):
        middle, y = (below + above) / 2, (TOP + BOTTOM) // 2 if way.direct else BOTTOM
        path = f"M{above - HALF_WIDTH} {y}H{below + HALF_WIDTH + 3}"
        if way.direct:
            path = f"M{COLUMNS[3] - 26} {BOTTOM - HALF_HEIGHT}V{y}H{below + 24}V{BOTTOM - HALF_HEIGHT - 3}"
        yield arrow(path, ERROR, way.kind) + text(middle, y - 9, way.symbol, ERROR, 15) + text(middle, y + 20, way.note)
        if way.tie:
            path = f"M{middle:g} {TOP + 8}V{TOP + 44}M{middle:g} {TOP + 64}V{BOTTOM - 26}"
            yield f'<path d="{path}" stroke="{PLAIN}" stroke-width="2" stroke-dasharray="2 4"/>'
            yield text(middle, TOP + 58, way.tie)


def legend(rule: Rule) -> Iterator[str]:
    kinds = [kind for kind in STROKES if kind in {way.kind for way in rule.ways}]
    entries = [("activity", ACTIVITY, EXACT), *((f"{rule.travels}: {WORDS[k]}", ERROR, k) for k in kinds)]
    for x, (words, colour, kind) in zip((24, 154, 464), entries, strict=False):
        yield arrow(f"M{x} {LEGEND}h34", colour, kind) + text(x + 44, LEGEND + 4, words, anchor="start")


def draw(name: str) -> str:
    """The drawing of a rule, as SVG."""
    heads = "".join(
        f'<marker id="{head}" viewBox="0 0 10 10" refX="7" refY="5" markerUnits="userSpaceOnUse" markerWidth="13" '
        f'markerHeight="13" orient="auto"><path d="M0 0L10 5L0 10z" fill="{colour}"/></marker>'
        for colour, head in HEADS.items()
    )
    rule, size = RULES[name], f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    parts = [f"<title>What travels where: {name}</title>", f"<defs>{heads}</defs>"]
    parts += [*activity(rule), *feedback(rule), *legend(rule)]
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="system-ui, sans-serif">'
    return "\n".join([opening, *parts, "</svg>\n"])


if __name__ == "__main__":
    for name in RULES:
        (FOLDER / f"{name}.svg").write_text(draw(name), encoding="utf-8")
