"""The first words of a report: what was compared, and the result in plain language, computed from the numbers."""

from collections.abc import Iterable, Sequence

from apical.report.comparison import Comparison, Score
from apical.report.statistics import Summary, excludes_zero
from apical.report.tables import Row, number, result_rows
from apical.report.theme import dataset_name, network_name, rule_name


def page_title(comparisons: Sequence[Comparison]) -> str:
    """The title of the page."""
    names = listing(dict.fromkeys(dataset_name(comparison.dataset) for comparison in comparisons))
    rules = {entry.rule for comparison in comparisons for entry in comparison.entries}
    return f"{rule_name(rules.pop()) if len(rules) == 1 else f'{len(rules)} learning rules'} on {names}"


def introduction(comparison: Comparison) -> str:
    """One sentence: which rules, network, data and seeds, and for how long."""
    rules = list(dict.fromkeys(entry.rule for entry in comparison.entries))
    subject = f"{len(rules)} rules for assigning credit each" if len(rules) > 1 else rule_name(rules[0])
    network = f"{network_name(comparison.network)} network{_hidden_layers(comparison)}"
    seeds = plural(len(comparison.seeds), "random seed")
    return f"{subject} trained a {network} on {dataset_name(comparison.dataset)}{_duration(comparison)}, from {seeds}."


def headline(comparison: Comparison) -> str:
    """The result in at most three sentences."""
    rows = [row for row in result_rows(comparison) if row.summaries[comparison.score.key] is not None]
    if not rows:
        return "No run has a test result yet."
    sentences = [_first(comparison, rows[0])]
    if len(rows) == 2:
        sentences.append(f"{rows[1].entry.label} reaches {_compared(comparison.score, rows[1])}.")
    elif len(rows) > 2:
        best, last = rows[1], rows[-1]
        sentences.append(
            f"Of the {len(rows) - 1} other rules {best.entry.label} does best with "
            f"{_compared(comparison.score, best)}; {last.entry.label} comes last with {_value(comparison.score, last)}."
        )
    return " ".join(sentences + _counts(comparison, rows[1:]))


def _first(comparison: Comparison, row: Row) -> str:
    score, summary = comparison.score, row.summaries[comparison.score.key]
    n_seeds = summary.n if summary else 0
    over = f"mean of {n_seeds} seeds" if n_seeds > 1 else "one seed"
    reference = ", the reference," if row.entry is comparison.reference and len(comparison.entries) > 1 else ""
    if score.unit:
        what = f"classifies {_value(score, row)} of the test examples correctly"
    else:
        what = f"reaches a {score.name} of {_value(score, row)}"
    return f"{row.entry.label}{reference} {what} ({over})."


def _value(score: Score, row: Row) -> str:
    return f"{number(row.mean(score.key), score.scale, score.digits - 1)}{score.unit}"


def _compared(score: Score, row: Row) -> str:
    """The value of a row and, where backprop was run too, its difference to backprop."""
    value, difference = _value(score, row), row.difference
    if difference is None:
        return value
    points = " points" if score.unit else ""
    side = "above" if difference.mean > 0 else "below"
    digits = _digits(score, difference)
    text = f"{value}, {number(abs(difference.mean), score.scale, digits)}{points} {side} backprop"
    if difference.low is None:
        return f"{text} (one seed: no interval)"
    low, high = (number(limit, score.scale, digits, signed=True) for limit in (difference.low, difference.high))
    verdict = "a clear difference" if excludes_zero(difference) else "no clear difference"
    return f"{text} (95% interval of the difference {low} to {high}: {verdict})"


def _digits(score: Score, difference: Summary) -> int:
    """Fewer digits in a sentence than in a table, unless they would hide the difference."""
    return score.digits if abs(score.scale * difference.mean) < 10.0 ** (1 - score.digits) else score.digits - 1


def _counts(comparison: Comparison, others: Sequence[Row]) -> list[str]:
    """How many rules are clearly apart from backprop, where intervals say so."""
    known = [row.difference for row in others if row.difference is not None and row.difference.low is not None]
    if len(known) < 2:
        return []
    sign = 1.0 if comparison.score.higher_is_better else -1.0
    clear = [sign * difference.mean for difference in known if excludes_zero(difference)]
    counts = (
        (sum(value < 0 for value in clear), "clearly worse than backprop"),
        (sum(value > 0 for value in clear), "clearly better"),
        (len(known) - len(clear), "not clearly different"),
    )
    if len(known) in (count for count, _ in counts):
        what = next(what for count, what in counts if count == len(known))
        everyone = "both" if len(known) == 2 else f"all {len(known)}"
        return [f"By their 95% intervals {everyone} are {what}."]
    parts = [f"{count} {'is' if count == 1 else 'are'} {what}" for count, what in counts if count]
    return [f"By their 95% intervals {listing(parts)}."]


def _hidden_layers(comparison: Comparison) -> str:
    """The hidden layers in words, where every run of fully connected networks has the same ones."""
    sizes = {tuple(run.config.get("hidden") or ()) for run in comparison.runs}
    hidden = sizes.pop() if len(sizes) == 1 else ()
    if not hidden or comparison.network != "mlp":
        return ""
    count = "one hidden layer" if len(hidden) == 1 else f"{len(hidden)} hidden layers"
    return f" with {count} of {listing(map(str, hidden))} units"


def _duration(comparison: Comparison) -> str:
    epochs = {run.config.get("epochs") for run in comparison.runs}
    value = epochs.pop() if len(epochs) == 1 else None
    return f" for {plural(value, 'epoch')}" if isinstance(value, int) else ""


def plural(count: int, noun: str) -> str:
    """A count and its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listing(items: Iterable[str]) -> str:
    """Words joined as in a sentence: a; a and b; a, b and c."""
    words = list(items)
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
