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
    "transfer": "tanh",
    "bias": True,
    "g_som": 0.3,
    "initialiser": "glorot",
    "init_range": 0.3,
    "feedback_range": 30.0,
    "weight_clip": 50.0,
    "optimiser": "adam",
    "rate_input": 4e-3,
    "rate_up": (2e-4, 1.4e-4),
    "rate_ip": (1.368e-4, 1.4e-4),
    "rate_decay": 5e-5,
    "rate_drops": (44, 51),
    "input_noise": 0.22,
}

PRESETS: Mapping[str, Preset] = {
    "two-step": Preset(
        "one pass up and one down for a batch of 50, Adam",
        "ours, after Sacramento 2018",
        settings=TWO_STEP,
        batch_size=50,
    ),
    "sacramento-2018-mnist": Preset(
        "784-500-500-10 in batches of 10; tanh, Adam, noise on inputs, rates of learning and start are ours",
        "Sacramento 2018, Figure 4",
        settings=SACRAMENTO_MNIST,
        hidden=(500, 500),
        epochs=56,
        batch_size=10,
    ),
    **TASKS,
}
