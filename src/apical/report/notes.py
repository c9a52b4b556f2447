"""What a reader must know before trusting the numbers: protocol, data, unfinished runs, unequal settings."""

from apical.report.comparison import Comparison, Entry, flat_settings, show_setting
from apical.report.headline import listing, plural
from apical.report.runs import Run
from apical.report.tables import status_note
from apical.training.protocols import APICAL, PROTOCOLS

ALARM, NOTE = "alarm", "note"
_SHOULD_AGREE = ("hidden", "epochs", "examples")


def warnings(comparison: Comparison) -> list[tuple[str, str]]:
    """(kind, sentence): kind `ALARM` for what changes the meaning of a number, `NOTE` for the rest."""
    alarms = _mixed(comparison) + [_protocol(name) for name in foreign_protocols(comparison)]
    environments = [run.environment.get("data") or {} for run in comparison.runs]
    alarms += sorted({f"Data: {text}" for data in environments for text in data.get("warnings") or ()})
    notes = [f"{entry.label}: {note}." for entry in comparison.entries if (note := status_note(entry))]
    notes += _unequal(comparison) + _machines(comparison)
    if len(comparison.seeds) == 1 and len(comparison.entries) > 1:
        notes.append("One seed: no interval. A difference between rules may be chance; more seeds tell.")
    if len(comparison.seeds) == 2:
        notes.append("Two seeds: intervals are very wide, so they decide little; more seeds tell.")
    if comparison.n_repeated:
        notes.append(f"{plural(comparison.n_repeated, 'run')} equal to another in setting and seed left out.")
    return [(ALARM, text) for text in alarms] + [(NOTE, text) for text in notes]


def protocol_sentence(comparison: Comparison) -> str:
    """How data were used, as the settings of the runs say."""
    if foreign_protocols(comparison):
        return (
            f"Not every run followed the protocol {APICAL}, which keeps the test data for one final judgement: see the "
            "warning at the top."
        )
    return (
        "Validation data are taken from the training data; test data are judged once, at the end, and choose nothing."
    )


def foreign_protocols(comparison: Comparison) -> list[str]:
    """The protocols other than the default one that any run followed."""
    return sorted({_protocol_of(run) for run in comparison.runs} - {APICAL})


def _protocol_of(run: Run) -> str:
    return str(flat_settings(run.config).get("protocol") or APICAL)


def _protocol(name: str) -> str:
    meaning = PROTOCOLS[name].meaning if name in PROTOCOLS else "not known to this version, so read its documentation"
    return f"Protocol {name}: {meaning}. Compare these test numbers only with others of this protocol."


def _mixed(comparison: Comparison) -> list[str]:
    """A sentence where runs followed different protocols."""
    labels: dict[str, dict[str, None]] = {}
    for entry in comparison.entries:
        for run in entry.runs:
            labels.setdefault(_protocol_of(run), {})[entry.label] = None
    if len(labels) < 2:
        return []
    parts = "; ".join(f"{name} for {listing(labels[name])}" for name in sorted(labels))
    return [f"The runs do not share one protocol, so their numbers differ in meaning: {parts}."]


def _unequal(comparison: Comparison) -> list[str]:
    """Settings that differ between rules though an equal comparison would share them."""
    notes = []
    for key in _SHOULD_AGREE:
        by_value: dict[str, list[str]] = {}
        for entry in comparison.entries:
            by_value.setdefault(_setting(entry, key), []).append(entry.label)
        if len(by_value) > 1:
            parts = "; ".join(f"{value} for {listing(labels)}" for value, labels in by_value.items())
            notes.append(f"The rules do not share one setting of {key}: {parts}.")
    if len({tuple(run.seed for run in entry.runs) for entry in comparison.entries}) > 1:
        notes.append("Not every rule has every seed; differences to backprop use the seeds that both have.")
    return notes


def _setting(entry: Entry, key: str) -> str:
    return listing(sorted({show_setting(flat_settings(run.config).get(key)) for run in entry.runs}))


def _machines(comparison: Comparison) -> list[str]:
    machines = {(run.environment.get("platform"), run.environment.get("device")) for run in comparison.runs}
    return (
        ["The runs were made on different machines or devices: do not compare their times."]
        if len(machines) > 1
        else []
    )
