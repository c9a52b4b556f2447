"""Half of the synapses removed: need feedback be complete for errors to arrive?"""

from functools import partial

from apical.reproduce.base import Reproduction
from apical.reproduce.lillicrap.image_page import Errors, Experiment, last, make
from apical.reproduce.lillicrap.images import Learner
from apical.reproduce.lillicrap.ways import BACKPROP, FEEDBACK_ALIGNMENT
from apical.reproduce.page import Claim

RATE = 0.3
REMOVED = 0.5
LEARNERS = (
    Learner(BACKPROP, "Backprop", RATE),
    Learner(BACKPROP, "Backprop, half removed", RATE, sparsity=REMOVED, colour="#8a94a3", dash="dash"),
    Learner(FEEDBACK_ALIGNMENT, "Feedback alignment", RATE),
    Learner(
        FEEDBACK_ALIGNMENT, "Feedback alignment, half removed", RATE, sparsity=REMOVED, colour="#56b4e9", dash="dash"
    ),
)


def seen(errors: Errors) -> str:
    """What one sees, in numbers."""
    full, half = (last(errors, label) for label in ("Feedback alignment", "Feedback alignment, half removed"))
    return f"Feedback alignment ends at a test error of {full} with all synapses, at {half} with half of them."


def claims(errors: Errors) -> tuple[Claim, ...]:
    """The paper's claim and what was measured."""
    full, half = (last(errors, label) for label in ("Backprop", "Backprop, half removed"))
    return (
        ("Feedback alignment still learns when half of the forward and feedback synapses are missing.", seen(errors)),
        ("(For comparison)", f"Backprop ends at {full} with all synapses, at {half} with half of them."),
    )


EXPERIMENT = Experiment(
    "lillicrap-sparse",
    "Half of the synapses removed",
    "Before learning half of the forward and of the feedback synapses are removed, at random and each by itself, and "
    "those that remain made larger so that the power stays. A removed synapse never returns.",
    {"Test error": LEARNERS},
    seen,
    claims,
    f"Hidden units are tanh, the loss is the cross-entropy, the rate is {RATE:g} for all layers and learners. Where "
    "half of the synapses are missing backprop carries errors by the forward ones that are left, feedback alignment by "
    "random ones of which half are missing, too, but others.",
)
LILLICRAP_SPARSE = Reproduction(EXPERIMENT.name, EXPERIMENT.title, "Lillicrap 2016", partial(make, EXPERIMENT))
