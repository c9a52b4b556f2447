"""Units that spike at random: does random feedback teach where activity is all or none?"""

from functools import partial

from apical.reproduce.base import Reproduction
from apical.reproduce.lillicrap.image_page import Errors, Experiment, last, make
from apical.reproduce.lillicrap.images import Learner, spikes_pass
from apical.reproduce.lillicrap.ways import BACKPROP, FEEDBACK_ALIGNMENT, OUTPUT_ALONE, WAYS
from apical.reproduce.page import Claim

RATES = {BACKPROP.name: 2.0, FEEDBACK_ALIGNMENT.name: 2.0, OUTPUT_ALONE.name: 0.02}
PASSES = 8
SPIKES = tuple(
    Learner(w, f"{w.label}, spikes", RATES[w.name], "logistic", spikes_pass, passes=PASSES, dash=w.dash) for w in WAYS
)
STEADY = tuple(Learner(w, w.label, RATES[w.name], "logistic", dash=w.dash) for w in WAYS)


def seen(errors: Errors) -> str:
    """What one sees, in numbers."""
    found = [f"{learner.way.label.lower()} {last(errors, learner.label)}" for learner in SPIKES]
    return f"With spikes the test error ends at: {', '.join(found)}."


def claims(errors: Errors) -> tuple[Claim, ...]:
    """The paper's claim and what was measured."""
    found = [f"{learner.way.label.lower()} {last(errors, learner.label)}" for learner in STEADY]
    return (
        ("Feedback alignment teaches hidden units whose spikes are stochastic.", seen(errors)),
        ("(For comparison)", f"Where units give on their rate instead: {', '.join(found)}."),
    )


EXPERIMENT = Experiment(
    "lillicrap-spiking",
    "Hidden units that spike at random",
    "Left: for every image a hidden unit spikes once or not at all, with a probability that is the logistic of its "
    "drive; the layer above hears the spikes alone, and learns from them. Right: the same units give on the "
    "probability itself.",
    {"Spikes": SPIKES, "Rates": STEADY},
    seen,
    claims,
    "Each image is one draw of spikes in learning; to recognise one, the scores of "
    f"{PASSES} draws are added up. The slope in a unit's error is that of its probability. The loss is the "
    f"cross-entropy; rates: {', '.join(f'{w.label.lower()} {RATES[w.name]:g}' for w in WAYS)}.",
)
LILLICRAP_SPIKING = Reproduction(EXPERIMENT.name, EXPERIMENT.title, "Lillicrap 2016", partial(make, EXPERIMENT))
