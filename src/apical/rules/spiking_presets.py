"""Named settings of spiking microcircuits."""

from collections.abc import Mapping

from apical.hyperparameters import Value
from apical.rules.base import Preset

SHORT: Mapping[str, Value] = {
    "presentation_ms": 10.0,
    "dt_ms": 1.0,
    "basal_capacitance": 1.5,
    "apical_capacitance": 1.5,
    "plasticity_onset_ms": 5.0,
    "readout_lag_ms": 4.0,
    "readout": "prospective",
    "rate_per": "presentation",
    "transfer": "logistic",
    "beta": 4.0,
    "theta": 0.5,
    "bias": True,
    "initialiser": "glorot",
    "feedback_range": 4.6,
    "weight_clip": 20.0,
    "optimiser": "adam",
    "rate_up": 2e-3,
    "rate_ip": 4e-3,
    "rate_decay": 5e-4,
}
LOW: Mapping[str, Value] = {
    **SHORT,
    "psi": 1.0,
    "basal_capacitance": 2.0,
    "apical_capacitance": 2.0,
    "presentation_ms": 20.0,
    "plasticity_onset_ms": 8.0,
    "readout_lag_ms": 6.0,
}
GILLE_2023: Mapping[str, Value] = {
    "plasticity_engine": "time-driven",
    "presentation_ms": 50.0,
    "readout_lag_ms": 35.0,
    "psi": 100.0,
    "tau_delta_ms": 1.0,
    "rate_up": (0.01, 0.003),
    "rate_ip": 0.004,
    "rate_pi": 0.01,
}
BARS: Mapping[str, Value] = {
    "presentation_ms": 10.0,
    "dt_ms": 0.5,
    "psi": 500.0,
    "rate_per": "presentation",
    "optimiser": "adam",
    "rate_up": 0.06,
    "rate_ip": 0.1,
    "rate_decay": 5e-3,
    "target_low": 0.1,
    "weight_clip": 20.0,
    "plasticity_onset_ms": 4.0,
    "readout_lag_ms": 4.0,
    "readout": "prospective",
}
SELF_PREDICTION: Mapping[str, Value] = {
    "presentation_ms": 15.0,
    "plasticity_onset_ms": 5.0,
    "dt_ms": 0.5,
    "psi": 250.0,
    "rate_per": "presentation",
    "start": "random",
    "taught": False,
    "rate_up": 0.0,
    "rate_ip": 0.5,
    "rate_pi": 0.5,
}
TEACHER: Mapping[str, Value] = {
    "presentation_ms": 10.0,
    "dt_ms": 0.5,
    "psi": 500.0,
    "rate_per": "presentation",
    "gamma": 0.8,
    "weight_clip": 6.0,
    "rate_up": (1.0, 0.03),
    "rate_ip": 0.06,
    "plasticity_onset_ms": 4.0,
    "readout_lag_ms": 4.0,
    "readout": "prospective",
}

PRESETS: Mapping[str, Preset] = {
    "short": Preset("patterns for 10 ms, a batch of 50 at once, Adam", "ours", settings=SHORT, batch_size=50),
    "low-rate": Preset(
        "the same at 1 kHz at most, with slower dendrites and 20 ms", "ours", settings=LOW, batch_size=50
    ),
    "gille-2023": Preset(
        "the setting of the thesis: every synapse plastic in every step, one pattern at a time",
        "Gille 2023",
        settings=GILLE_2023,
        hidden=(30,),
        batch_size=1,
    ),
    "bars": Preset(
        "9-30-3 on the bars, one for 10 ms, Adam; an epoch shows each three times",
        "ours, after Haider 2021",
        settings=BARS,
        hidden=(30,),
        epochs=300,
        batch_size=1,
        data={"low": 0.0, "presentations": 24},
    ),
    "self-prediction": Preset(
        "interneurons learn to predict, forward weights rest: 5-8-3 from random weights, without a teacher",
        "ours, after Gille 2023",
        settings=SELF_PREDICTION,
        hidden=(8,),
        epochs=100,
        batch_size=1,
    ),
    "teacher": Preset(
        "15-20-5 learns a random teacher of 15-15-5, in batches of 10; two cells for each input",
        "ours, after Gille 2023",
        settings=TEACHER,
        hidden=(20,),
        epochs=40,
        batch_size=10,
        data={"paired": True},
    ),
}
