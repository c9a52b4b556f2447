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

SACRAMENTO_MNIST: Mapping[str, Value] = {
    "engine": "two-step",
    "rate_per": "presentation",
    "transfer": "logistic",
    "targets": "rate",
    "target_low": 0.1,
    "target_high": 0.8,
    "bias": True,
    "g_leak": 0.1,
    "g_basal": 1.0,
    "g_dendrite": 1.0,
    "g_apical": 0.8,
    "g_som": 0.8,
    "initialiser": "glorot",
    "init_range": 4.0,
    "feedback_range": 20.0,
    "weight_clip": 100.0,
    "rescaled": True,
    "rate_up": 0.015,
    "rate_ip": 0.015,
}

PRESETS: Mapping[str, Preset] = {
    "two-step": Preset(
        "one pass up and one down for a batch of 50, Adam",
        "ours, after Sacramento 2018",
        settings=TWO_STEP,
        batch_size=50,
    ),
    "sacramento-2018-mnist": Preset(
        "784-500-500-10, logistic, targets are rates .1 and .8, batches of 10; rates of learning and start are ours",
        "Sacramento 2018, Figure 4",
        settings=SACRAMENTO_MNIST,
        hidden=(500, 500),
        epochs=25,
        batch_size=10,
    ),
    **TASKS,
}
