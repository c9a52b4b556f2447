"""Named settings of dendritic microcircuits."""

from collections.abc import Mapping

from apical.hyperparameters import Value
from apical.rules.base import Preset
from apical.rules.microcircuit_tasks import TASKS

TWO_STEP: Mapping[str, Value] = {
    "engine": "two-step",
    "rate_per": "presentation",
    "transfer": "tanh",
    "bias": True,
    "initialiser": "glorot",
    "init_range": 1.5,
    "feedback_range": 4.6,
    "weight_clip": 20.0,
    "optimiser": "adam",
    "rate_up": 2e-3,
    "rate_ip": 4e-3,
    "rate_decay": 5e-4,
}

PRESETS: Mapping[str, Preset] = {
    "two-step": Preset(
        "one pass up and one down for a batch of 50, Adam",
        "ours, after Sacramento 2018",
        settings=TWO_STEP,
        batch_size=50,
    ),
    **TASKS,
}
