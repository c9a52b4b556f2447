"""The literature's hand-made table (Lange 2019, Figure 1), and why a measured cell may differ from it."""

from dataclasses import dataclass

from apical.audit.base import FINAL, LIMIT, NO, NOT_APPLICABLE, PARTLY, YES, Property
from apical.audit.registry import LITERATURE

SOURCE = "Lange 2019, Figure 1"
COLUMNS = (
    "backprop",
    "feedback-alignment",
    "target-propagation",
    "difference-target-propagation",
    "simplified-dtp",
    "segregated-dendrites",
    "microcircuit",
)
_ROWS = {
    "exact_gradients": (YES, NO, NO, NO, NO, NO, LIMIT),
    "no_weight_transport": (NO, YES, FINAL, FINAL, YES, YES, YES),
    "no_separate_pathways": (YES, NO, NO, NO, NO, YES, YES),
    "dendritic_integration": (NOT_APPLICABLE, NO, NO, NO, NO, YES, YES),
    "separate_weights_learned": (NOT_APPLICABLE, NO, YES, YES, YES, NO, PARTLY),
    "linear_stabilization": (NOT_APPLICABLE, NOT_APPLICABLE, NO, YES, YES, NOT_APPLICABLE, NOT_APPLICABLE),
    "explicit_error_representation": (YES, YES, YES, YES, YES, NO, YES),
}
TABLE = {(rule, name): value for name, row in _ROWS.items() for rule, value in zip(COLUMNS, row, strict=True)}

UNFORESEEN = "Nobody has explained this difference yet; the evidence says what was measured."
WHY = {
    ("backprop", "no_separate_pathways"): (
        "The table marks that backprop needs no second set of synapses. But its errors are not in the activity of any "
        "cell: they travel down apart from it, and the same review counts that against backprop as its second problem."
    ),
    ("microcircuit", "linear_stabilization"): (
        "The table has no entry. The lateral weights learn to predict what comes from above, so the question applies: "
        "where they do, no error moves no forward weight, whatever the weights from above are."
    ),
    ("microcircuit", "separate_weights_learned"): (
        "The table says both: in the paper the weights from above may be fixed or may learn. The setting audited is "
        "the one that comparisons use."
    ),
    ("microcircuit", "exact_gradients"): (
        "The limit needs weak nudging, interneurons that predict the layer above, and weights from above that are the "
        "transposes of the forward ones. Nothing in the rule brings about the last: they are drawn at random and "
        "fixed, as in feedback alignment."
    ),
}


@dataclass(frozen=True)
class Disagreement:
    """A cell in which the table of the literature and the measurement differ."""

    rule: str
    title: str
    theirs: str
    ours: str
    evidence: str
    why: str


def disagreements(values: dict[tuple[str, str], tuple[str, str]]) -> list[Disagreement]:
    """Where the table differs from what was found; `values` are (value, evidence) by rule and property."""
    found = []
    for one in LITERATURE:
        for rule in COLUMNS:
            value, evidence = values.get((rule, one.name), (TABLE[rule, one.name], ""))
            if value != TABLE[rule, one.name]:
                found.append(_disagreement(rule, one, value, evidence))
    return found


def _disagreement(rule: str, one: Property, ours: str, evidence: str) -> Disagreement:
    why = WHY.get((rule, one.name), UNFORESEEN)
    return Disagreement(rule, one.title, TABLE[rule, one.name], ours, evidence, why)
