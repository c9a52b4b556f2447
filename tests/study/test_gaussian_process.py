"""The Gaussian process: the library's own suggestions, and searches that beat chance."""

import numpy as np
import pytest
from scipy import stats

bayes_opt = pytest.importorskip("bayes_opt")

from apical.study.dimension import Condition, Dimension  # noqa: E402
from apical.study.gaussian_process import N_FIRST, GaussianProcess  # noqa: E402
from apical.study.proposers import History, Proposer, Uniform  # noqa: E402
from apical.study.space import Point, Space  # noqa: E402

PLANE = Space([Dimension("x", "real", 0.0, 1.0), Dimension("y", "real", 0.0, 1.0)])
TOY = Space(
    [
        Dimension("rate", "real", 1e-4, 1.0, log=True),
        Dimension("shift", "real", -1.0, 1.0),
        Dimension("n", "integer", 1, 20),
        Dimension("on", "switch", levels=(False, True)),
        Dimension("gain", "real", 0.0, 2.0, when=(Condition("on", True),)),
        Dimension("kind", "choice", levels=("a", "b", "c")),
    ]
)


def branin(point: Point) -> float:
    """Branin's function on the unit square, its sign changed and scaled: at most -0.398 / 100."""
    x, y = 15 * point["x"] - 5, 15 * point["y"]
    bowl = (y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6) ** 2
    return -(bowl + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10) / 100


def toy(point: Point) -> float:
    """Highest, 0, at rate 0.01, shift 0.3, n 13, on with gain 1.5, kind b."""
    far = (np.log10(point["rate"]) + 2) ** 2 / 4 + (point["shift"] - 0.3) ** 2 + ((point["n"] - 13) / 10) ** 2
    far += (point["gain"] - 1.5) ** 2 if point["on"] else 1.0
    return -float(far) - 0.5 * (point["kind"] != "b")


def searched(proposer: Proposer, function: object, n: int, seed: int) -> list[float]:
    """The values of so many proposals, one after another."""
    points: list[Point] = []
    values: list[float] = []
    for i in range(n):
        found = proposer.propose(History(points, values, []), np.random.default_rng([seed, i]))
        points.append(found.point)
        values.append(function(found.point))  # type: ignore[operator]
    return values


@pytest.mark.parametrize("name,acquisition", [("gp-ucb", "UpperConfidenceBound"), ("gp-ei", "ExpectedImprovement")])
def test_suggestions_are_the_librarys_own(name: str, acquisition: str) -> None:
    points = [PLANE.point(row) for row in PLANE.uniform(np.random.default_rng(3), 8)]
    values = [branin(point) for point in points]
    ours = GaussianProcess(PLANE, lambda point: True, name, kappa=2.5)
    found = ours.propose(History(points, values, []), np.random.default_rng(5)).point
    state = int(np.random.default_rng(5).integers(2**31))
    about = {"kappa": 2.5} if name == "gp-ucb" else {"xi": 0.01}
    chosen = getattr(bayes_opt.acquisition, acquisition)(**about)
    bounds = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
    library = bayes_opt.BayesianOptimization(None, bounds, chosen, random_state=state, verbose=0)
    for point, value in zip(points, values, strict=True):
        library.register(point, value)
    theirs = library.suggest()
    assert found == pytest.approx({k: float(v) for k, v in theirs.items()}, abs=1e-9)


def test_invalid_points_are_passed_over_and_counted() -> None:
    ours = GaussianProcess(PLANE, lambda point: point["x"] < 0.2)
    points = [PLANE.point(row) for row in PLANE.uniform(np.random.default_rng(0), N_FIRST)]
    values = [point["x"] for point in points]  # the process would go where nothing is valid
    found = ours.propose(History(points, values, []), np.random.default_rng(0))
    assert found.point["x"] < 0.2 and found.n_invalid >= 1


def test_nobody_looks_beside_a_running_trial() -> None:
    ours = GaussianProcess(PLANE, lambda point: True)
    points = [PLANE.point(row) for row in PLANE.uniform(np.random.default_rng(1), 12)]
    history = History(points, [branin(point) for point in points], [])
    first = ours.propose(history, np.random.default_rng(0)).point
    second = ours.propose(history._replace(running=[first]), np.random.default_rng(0)).point
    assert max(abs(first[k] - second[k]) for k in first) > 0.05


@pytest.mark.long
@pytest.mark.parametrize(
    "function,space,n",
    [
        pytest.param(
            branin,
            PLANE,
            25,
            marks=pytest.mark.xfail(
                strict=True, reason="so wide a bound still explores: p = .16, and .003 over seeds 20 to 39"
            ),
        ),
        (branin, PLANE, 40),
        (toy, TOY, 40),
    ],
)
def test_beats_chance(function: object, space: Space, n: int) -> None:
    valid = lambda point: True  # noqa: E731
    ours = [max(searched(GaussianProcess(space, valid), function, n, seed)) for seed in range(20)]
    chance = [max(searched(Uniform(space, valid), function, n, seed)) for seed in range(20)]
    assert stats.wilcoxon(ours, chance, alternative="greater").pvalue < 0.01
