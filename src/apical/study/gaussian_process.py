"""Bayesian optimisation as the field's searches do it: a Gaussian process and an acquisition function.

Process, kernel and acquisition are those of the library `bayesian-optimization`. Integers, switches, choices and
dimensions that are not always there are treated inside the kernel, which sees the values in use (Garrido-Merchan &
Hernandez-Lobato 2020); what is proposed is never rounded afterwards.
"""

from collections.abc import Callable, Iterator

import numpy as np
from bayes_opt.acquisition import AcquisitionFunction, ExpectedImprovement, UpperConfidenceBound
from bayes_opt.parameter import wrap_kernel
from bayes_opt.target_space import TargetSpace
from jaxtyping import Float
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, Kernel, Matern

from apical.study.proposers import History, Proposal, Proposer, evenly
from apical.study.space import Point, Rows, Space

N_FIRST = 5
N_RANDOM, N_BEST, N_STEPS, N_NEAR = 10_000, 10, 6, 100
FIRST_STEP = 0.2
XI = 0.01
ACQUISITIONS: dict[str, Callable[[float], AcquisitionFunction]] = {
    "gp-ucb": lambda kappa: UpperConfidenceBound(kappa=kappa),
    "gp-ei": lambda kappa: ExpectedImprovement(xi=XI),
}
KERNELS: dict[str, Callable[[], Kernel]] = {"matern": lambda: Matern(nu=2.5), "squared-exponential": RBF}


class GaussianProcess(Proposer):
    """The first points are drawn evenly; then the point with the largest acquisition is proposed.

    A trial that is still running counts with the mean of the values known (the constant liar, Ginsbourger 2010), so
    that nobody looks beside it.
    """

    def __init__(
        self,
        space: Space,
        is_valid: Callable[[Point], bool],
        acquisition: str = "gp-ucb",
        kernel: str = "matern",
        kappa: float = 2.5,
    ) -> None:
        super().__init__(space, is_valid)
        self.acquisition, self.kernel, self.kappa = acquisition, KERNELS[kernel], kappa

    def propose(self, history: History, generator: np.random.Generator) -> Proposal:
        if len(history.points) + len(history.running) < N_FIRST or not history.points:
            return self.first_valid(evenly(self.space, generator))
        return self.first_valid(self._ranked(history, generator))

    def _ranked(self, history: History, generator: np.random.Generator) -> Iterator[Float[np.ndarray, " dimensions"]]:
        """Rows from the largest acquisition down: the library's optimum; where it is mixed, climbed on from there."""
        state = np.random.RandomState(int(generator.integers(2**31)))  # one for restarts and candidates, as there
        process, known = self._process(state), self._known(history)
        acquisition = ACQUISITIONS[self.acquisition](self.kappa)
        n_smart = N_BEST if self.space.continuous else 0
        best = acquisition.suggest(process, known, N_RANDOM, n_smart, random_state=state)
        if self.space.continuous:
            yield best
        value = lambda rows: acquisition.base_acq(*process.predict(rows, return_std=True))  # noqa: E731
        rows = self._climbed(best[None], value, generator)
        yield from rows[np.argsort(-value(rows), kind="stable")]
        yield from evenly(self.space, generator)

    def _process(self, state: np.random.RandomState) -> GaussianProcessRegressor:
        """The process as the library sets it up, with a kernel that sees the values in use."""
        kernel = wrap_kernel(self.kernel(), transform=self.space.snapped)
        return GaussianProcessRegressor(
            kernel, alpha=1e-6, normalize_y=True, n_restarts_optimizer=5, random_state=state
        )

    def _known(self, history: History) -> TargetSpace:
        """All that is known, and the lies, as the library holds it; points judged twice count with their mean."""
        rows = self.space.rows([*history.points, *history.running])
        lies = [float(np.mean(history.values))] * len(history.running)
        seen: dict[tuple[float, ...], list[float]] = {}
        for row, value in zip(rows, [*history.values, *lies], strict=True):
            seen.setdefault(tuple(row), []).append(value)
        known = TargetSpace(None, {d.name: (0.0, 1.0) for d in self.space.dimensions})
        for row, values in seen.items():
            known.register(np.array(row), float(np.mean(values)))
        return known

    def _climbed(self, best: Rows, value: Callable[[Rows], np.ndarray], generator: np.random.Generator) -> Rows:
        """Good rows: from the best of many uphill, by ever smaller steps of some coordinates or new draws of them."""
        rows = np.concatenate([best, self.space.uniform(generator, N_RANDOM // 10)])
        rows = _best(rows, value)
        for step in range(N_STEPS):
            near = np.repeat(rows, N_NEAR, axis=0)
            moved = np.clip(near + FIRST_STEP / 2**step * generator.normal(size=near.shape), 0.0, 1.0)
            drawn = np.where(generator.random(near.shape) < 0.5, moved, self.space.uniform(generator, len(near)))
            chosen = generator.random(near.shape) < max(0.2, 1.5 / len(self.space))
            rows = _best(np.concatenate([rows, np.where(chosen, drawn, near)]), value)
        return rows


def _best(rows: Rows, value: Callable[[Rows], np.ndarray]) -> Rows:
    return rows[np.argsort(-value(rows), kind="stable")[:N_BEST]]
