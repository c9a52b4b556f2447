"""Trials on the workers of a Dask cluster that is there already, one at a time on each."""

import json

from apical.errors import InputError
from apical.study.evaluation import Outcome, evaluator_of
from apical.study.execution import Executor, Result
from apical.study.plan import Plan
from apical.study.space import Point

CONNECT_S = 15


class DaskWorkers(Executor):
    """A cluster's workers. Dask runs the trial of a worker that dies on another one; what it gives up on is lost.

    **Raises** `InputError` when the library is missing, or nobody answers at the address.
    """

    def __init__(self, address: str, plan: Plan) -> None:
        try:
            import distributed
        except ImportError:
            raise InputError("--dask needs distributed: pip install 'apical[cluster]'") from None
        self.plan = json.dumps(plan.as_json())
        try:
            self.client = distributed.Client(address, timeout=CONNECT_S)
        except (OSError, TimeoutError, ValueError):
            raise InputError(f"--dask {address}: no scheduler answers there; give tcp://HOST:PORT") from None
        self.futures: dict[distributed.Future, int] = {}

    @property
    def capacity(self) -> int:  # type: ignore[override]
        """The workers there are at the moment; one, so that somebody waits, where there are none yet."""
        return max(1, len(self.client.scheduler_info(n_workers=-1)["workers"]))

    def submit(self, number: int, point: Point) -> None:
        future = self.client.submit(judge, self.plan, json.dumps(point), pure=False, key=f"apical-trial-{number}")
        self.futures[future] = number

    def wait(self, seconds: float) -> list[Result]:
        import distributed

        try:
            distributed.wait(list(self.futures), timeout=seconds, return_when="FIRST_COMPLETED")
        except (TimeoutError, distributed.TimeoutError):
            return []
        done = [future for future in self.futures if future.done()]
        return [(self.futures.pop(future), self._outcome(future)) for future in done]

    def _outcome(self, future: object) -> Outcome | None:
        import distributed

        try:
            told = json.loads(future.result())  # type: ignore[attr-defined]
        except (distributed.KilledWorker, distributed.CancelledError):
            return None
        return Outcome(**{**told, "fold_values": tuple(told["fold_values"])})

    def close(self) -> None:
        self.client.cancel(list(self.futures))
        self.client.close()


def judge(plan: str, point: str) -> str:
    """What a worker runs: plan and point in JSON, outcome in JSON. Its data are where its $APICAL_DATA says."""
    outcome = evaluator_of(plan)(json.loads(point))
    assert outcome is not None, "nobody can stop it"
    return json.dumps(outcome.as_json())
