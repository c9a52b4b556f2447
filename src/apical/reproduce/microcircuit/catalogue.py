"""The experiments on dendritic microcircuits, in the order of a list."""

from apical.reproduce.microcircuit.deep_bars import DEEP_BARS
from apical.reproduce.microcircuit.mnist import MNIST
from apical.reproduce.microcircuit.presentation_time import PRESENTATION_TIME
from apical.reproduce.microcircuit.sacramento import SACRAMENTO
from apical.reproduce.microcircuit.self_prediction import SELF_PREDICTION
from apical.reproduce.microcircuit.stability import STABILITY
from apical.reproduce.microcircuit.study_list import STUDIES
from apical.reproduce.microcircuit.teacher import TEACHER
from apical.reproduce.microcircuit.traces import DENDRITIC_ERRORS, STEP_RESPONSE

MICROCIRCUIT = (
    STEP_RESPONSE,
    DENDRITIC_ERRORS,
    PRESENTATION_TIME,
    SELF_PREDICTION,
    DEEP_BARS,
    TEACHER,
    SACRAMENTO,
    MNIST,
    STABILITY,
    *(study.reproduction() for study in STUDIES),
)
