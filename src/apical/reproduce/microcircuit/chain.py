"""The smallest microcircuit, 1-1-1, learns another chain, while its input may change faster than its cells follow."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Array, Float

from apical.core import Batch, PRNGKey, State
from apical.data.dataset import Dataset
from apical.data.generated import Teacher
from apical.probes.microcircuit import free_output_error
from apical.report import Axis, Figure, Panel, Reference, Series
from apical.reproduce.base import Request
from apical.reproduce.microcircuit.frame import COLOURS, Beside, Findings, curve, experiment
from apical.reproduce.microcircuit.lanes import History, dataset_for, made, train_lanes
from apical.rules.microcircuit import Microcircuit

NAME, PRESET = "microcircuit-chain", "haider-2021-bars"
TEACHER = {
    "n_inputs": 1,
    "n_outputs": 1,
    "teacher_hidden": (1,),
    "teacher_range": 2.0,
    "teacher_gamma": 1.0,
    "teacher_seed": 5,
}
PER_EPOCH, SEEDS, EPOCHS = 500, 12, (1, 2, 3, 5, 8, 12)
QUICK_SEEDS, QUICK_EPOCHS = 8, (1, 2, 4)
LEARNT = 0.01


@dataclass(frozen=True)
class Case:
    """Cells of a kind, how long an input is shown to them, and in steps of what length."""

    latent: bool
    time_ms: float
    dt_ms: float

    @property
    def label(self) -> str:
        """How it is called in figures and tables."""
        return f"{'with' if self.latent else 'without'}, {self.time_ms:g} ms in steps of {self.dt_ms:g} ms"


CASES = (Case(True, 1.0, 0.01), Case(True, 1.0, 0.1), Case(False, 1.0, 0.01), Case(False, 10.0, 0.1))

CAPTION = (
    "A chain of one input, one hidden and one output cell learns from the output potential of another, whose weights "
    "it can reach, with latent equilibrium or without; a new random input every 1 or 10 ms, while 5.3 and 7.7 ms are "
    "the time constants of its cells. First: squared error without a teacher, in the steady state, over the variance "
    "of the target; mean of logarithms over the seeds whose weight from above has the sign of the teacher's, with "
    "their range. Others: the two weights on their way, over those of the teacher, at (1, 1); each line is a seed."
)
LATE = (
    "A change takes a step of time for each hop. In steps of 0.1 ms these are three of the ten of a presentation, in "
    "which the cells learn from the input before, and the first weight goes on beyond the teacher's; in steps of 0.01 "
    "ms, as published, they are three of a hundred."
)
SIGN = (
    "The weight from above is drawn at random and fixed. With one cell in a layer forward weights cannot align with it "
    "as a whole: where its sign is not that of the teacher's, the hidden cell is told the opposite of what it should "
    "do for as long as the weight onto the output has the teacher's sign."
)


def chain_probe(rule: Microcircuit, state: State, test: Batch, key: PRNGKey) -> dict[str, Array]:
    """The free output's error over the variance of what is asked for, and the weights."""
    first, last = state.weights.forward
    return {
        "error": free_output_error(rule.network, state.weights, test) / test.y.var(),
        "first": first.kernel[0, 0],
        "last": last.kernel[0, 0],
        "above": state.weights.feedback[0].kernel[0, 0],
    }


def run(request: Request) -> Findings:
    """Every case from every seed."""
    n_seeds, epochs = (QUICK_SEEDS, QUICK_EPOCHS) if request.quick else (SEEDS, EPOCHS)
    dataset = dataset_for("teacher", PRESET, {**TEACHER, "n_examples": PER_EPOCH})
    found = {case: learnt(dataset, case, n_seeds, epochs) for case in CASES}
    ideal = reachable(dataset)
    rows = [
        (case.label, seed, epoch * PER_EPOCH, *values)
        for case, h in found.items()
        for seed, epoch, *values in h.rows(*MEASURES)
    ]
    said = "; ".join(f"{_learnt(h.last('error')[helped(h)])} {case.label}" for case, h in found.items())
    return Findings(
        f"Seeds that learn within {epochs[-1] * PER_EPOCH:,} presentations, of those whose feedback has the teacher's "
        f"sign, with latent equilibrium or without: {said}.",
        (_figure(found, ideal),),
        ("latent_equilibrium", "seed", "presentations", *MEASURES),
        rows,
        tuple(_beside(found)),
        (
            f"{n_seeds} seeds, {epochs[-1] * PER_EPOCH:,} presentations, 1-1-1, preset {PRESET} (rates of learning are "
            f"divided by the length of a presentation; the teacher is a step late). Weights of the teacher, in the "
            f"unit of the chain's: {ideal[0]:.3f} and {ideal[1]:.3f}. Learnt: an error below {LEARNT:g}.",
            SIGN,
            LATE,
        ),
    )


MEASURES = ("error", "first", "last", "above")


def learnt(dataset: Dataset, case: Case, n_seeds: int, epochs: tuple[int, ...]) -> History:
    """All seeds of a case."""
    times = {"presentation_ms": case.time_ms, "dt_ms": case.dt_ms, "target_delay_ms": case.dt_ms}
    rule = made(dataset, PRESET, (1,), {"latent_equilibrium": case.latent, **times})
    return train_lanes([rule], range(n_seeds), dataset, 1, epochs, chain_probe)


def reachable(dataset: Dataset) -> Float[np.ndarray, " 2"]:
    """The weights with which the chain is its teacher: somas follow their dendrites by a share alone."""
    teacher = Teacher(**dataset.options)
    drawn = teacher.weights(np.random.default_rng(teacher.teacher_seed))
    shares = made(dataset, PRESET, (1,)).network.shares()
    return np.array([w.item() / float(share) for w, share in zip(drawn, shares, strict=True)])


def helped(history: History) -> np.ndarray:
    """Which seeds have a weight from above with the sign of the teacher's, which is positive."""
    return history.measured["above"][0] > 0


def _learnt(errors: Float[np.ndarray, " seeds"]) -> str:
    return f"{int((errors < LEARNT).sum())} of {len(errors)}"


def _figure(found: Mapping[Case, History], ideal: Float[np.ndarray, " 2"]) -> Figure:
    errors = tuple(
        curve(case.label, colour, PER_EPOCH * h.epochs[1:], h.measured["error"][1:, helped(h)], geometric=True)
        for (case, h), colour in zip(found.items(), COLOURS, strict=False)
    )
    error = Panel("Error", Axis("presentations", log=True), Axis("squared error", log=True), errors)
    paths = (_paths(case.label.capitalize(), found[case], ideal) for case in CASES[:3])
    return Figure("chain", "Does a chain of three cells learn another?", CAPTION, (error, *paths))


def _paths(title: str, history: History, ideal: Float[np.ndarray, " 2"]) -> Panel:
    kinds = {True: ("feedback of the teacher's sign", COLOURS[5]), False: ("of the other sign", COLOURS[4])}
    first, last = history.measured["first"] / ideal[0], history.measured["last"] / ideal[1]
    series = [Series(*kinds[bool(right)], first[:, i], last[:, i]) for i, right in enumerate(helped(history))]
    goal = (Reference(1.0), Reference(1.0, along="x"))
    x, y = (Axis(f"{name} weight", limits=(-2.0, 2.0)) for name in ("first", "second"))
    return Panel(title, x, y, tuple(series), goal)


def _beside(found: Mapping[Case, History]) -> list[Beside]:
    rows = []
    for case, h in found.items():
        for right, word in ((True, "the teacher's sign"), (False, "the other sign")):
            errors = h.last("error")[helped(h) == right]
            text = f"{_learnt(errors)} learn; median error {np.median(errors):.2g}" if errors.size else "none"
            rows.append(Beside(f"{case.label}, feedback of {word}", "a figure, no number", text))
    return rows


CHAIN = experiment(NAME, "A chain of three cells learns another", "Haider 2021, program", run)
