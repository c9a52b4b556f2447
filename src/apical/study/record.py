"""What a study leaves in its folder: trials.csv, and study.json with the plan, the space and how it went."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from apical.errors import InputError
from apical.files import write_atomically
from apical.study.evaluation import FINISHED, Evaluator
from apical.study.journal import Journal, Record
from apical.study.plan import Plan, read_plan

STUDY, TRIALS = "study.json", "trials.csv"
BASE = ("rule", "dataset", "preset", "network", "protocol", "epochs", "seed")
FIXED = ("trial", "state", "value", "fold_values", "seconds")


def write_trials(records: list[Record], columns: list[str], path: Path) -> None:
    """One row for each judged trial; what a trial does not have is empty. Values of the folds as a JSON list."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*FIXED, *columns])
    for r in records:
        o = r.outcome
        folds = json.dumps([round(value, 6) for value in o.fold_values])
        row = [r.trial, o.state, round(o.value, 6), folds, round(o.seconds, 3)]
        writer.writerow([*row, *(_cell(r.point.get(name)) for name in columns)])
    write_atomically(path, text.getvalue())


def _cell(value: Any) -> Any:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value


def write_study(out: Path, evaluator: Evaluator, journal: Journal, environment: dict[str, Any]) -> dict[str, Any]:
    """Writes both files as things stand; gives back what study.json holds."""
    records = journal.records()
    write_trials(records, [d.name for d in evaluator.space.dimensions], out / TRIALS)
    table = _described(evaluator, records, journal) | {"environment": environment}
    write_atomically(out / STUDY, json.dumps(table, indent=2) + "\n")
    return table


def _described(evaluator: Evaluator, records: list[Record], journal: Journal) -> dict[str, Any]:
    base, plan = evaluator.base, evaluator.plan
    values = [r.outcome.value for r in records]
    best = int(np.argmax(values)) if values else None
    odd = [r for r in records if r.outcome.state != FINISHED]
    return {
        **{name: getattr(base, name) for name in BASE},
        **{name: getattr(plan, name) for name in ("space", "sampler", "trials", "folds")},
        "status": "finished" if len(records) >= plan.trials else "interrupted",
        "examples": len(evaluator.examples.labels),
        "chance": evaluator.chance,
        "done": len(records),
        "best_value": None if best is None else values[best],
        "best": None if best is None else {"trial": records[best].trial, **records[best].point},
        "invalid_points": journal.n_invalid,
        "reasons": {str(r.trial): r.outcome.reason for r in odd},
        "run_again": {str(r.trial): r.attempts - 1 for r in records if r.attempts > 1},
        "dimensions": [d.described() for d in evaluator.space.dimensions],
        "fixed": {k: v for k, v in base.settings.items() if k not in {d.name for d in evaluator.space.dimensions}},
        "plan": plan.as_json(),
    }


def check_folder(out: Path, plan: Plan) -> None:
    """Sees that a folder to go on with holds the same study, or none.

    **Raises** `InputError` when it holds another.
    """
    there = out / STUDY
    if not there.exists():
        return
    try:
        held = json.loads(there.read_text())["plan"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{there} cannot be read: remove its folder and start again") from None
    if not read_plan(held).same_study(plan):
        raise InputError(f"{out} holds another study than the one asked for: choose another --out")
