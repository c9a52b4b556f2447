"""MNIST in spikes, beside the same cells in rates and backprop through time."""

from apical.reproduce.microcircuit.learners import Learner
from apical.reproduce.microcircuit.mnist import OnImages
from apical.rules.spiking_microcircuit import SpikingMicrocircuit

HIDDEN = (300,)
CHANCE = "chance"
AS_SPIKING = {"transfer": "logistic", "beta": 4.0, "theta": 0.5, "init_range": 1.0}

LEARNERS = (
    Learner("spikes, psi 100", CHANCE, hidden=HIDDEN, kind=SpikingMicrocircuit),
    Learner("spikes, 1 kHz at most", CHANCE, hidden=HIDDEN, kind=SpikingMicrocircuit, own="low-rate"),
    Learner("the same cells in rates", CHANCE, AS_SPIKING, HIDDEN, own="two-step"),
    Learner("surrogate gradient, psi 100", hidden=HIDDEN, kind=SpikingMicrocircuit, backprop=True),
)

MNIST = OnImages(
    "spikes-mnist",
    "Spiking microcircuits on MNIST",
    "Gille 2023, MNIST",
    "How far do spikes come on MNIST?",
    LEARNERS,
    "short",
    5.0,
    "784-300-10. The surrogate gradient is backprop through time in the same cells and spikes, without their apical "
    "dendrites.",
    50,
    "asked for",
    (1, 2, 3, 4, 5, 7, 10),
).reproduction()
