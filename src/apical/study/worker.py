"""A local worker, `python -m apical.study.worker`: the plan, then a point a line in; an outcome a line out."""

import json
import os
import queue
import sys
import threading
from typing import TextIO


def main() -> None:
    """Judges points until its input ends; then whoever asked is gone, and so is the worker, at once."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever libraries print is no answer
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin, lines), daemon=True).start()
    from apical.study.evaluation import evaluator_of

    evaluator = evaluator_of(lines.get())
    while True:
        outcome = evaluator(json.loads(lines.get()))
        assert outcome is not None, "nobody can stop it"
        print(json.dumps(outcome.as_json()), file=answers, flush=True)


def _listen(source: TextIO, lines: "queue.SimpleQueue[str]") -> None:
    for line in source:
        lines.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
