"""The experiments on dendritic microcircuits, in the order of a list."""

from apical.reproduce.microcircuit.chain import CHAIN
from apical.reproduce.microcircuit.deep_bars import DEEP_BARS
from apical.reproduce.microcircuit.dendritic_errors import DENDRITIC_ERRORS
from apical.reproduce.microcircuit.drift import DRIFT
from apical.reproduce.microcircuit.interneurons import MISTAKEN
from apical.reproduce.microcircuit.mnist import MNIST
from apical.reproduce.microcircuit.presentation_time import PRESENTATION_TIME
from apical.reproduce.microcircuit.sacramento import SACRAMENTO
from apical.reproduce.microcircuit.self_predicting import SELF_PREDICTING
from apical.reproduce.microcircuit.self_prediction import SELF_PREDICTION
from apical.reproduce.microcircuit.stability import STABILITY
from apical.reproduce.microcircuit.step_response import STEP_RESPONSE
from apical.reproduce.microcircuit.study_list import STUDIES
from apical.reproduce.microcircuit.teacher import TEACHER
from apical.reproduce.microcircuit.yin_yang import YIN_YANG

MICROCIRCUIT = (
    STEP_RESPONSE,
    DENDRITIC_ERRORS,
    CHAIN,
    PRESENTATION_TIME,
    SELF_PREDICTING,
    SELF_PREDICTION,
    DEEP_BARS,
    TEACHER,
    SACRAMENTO,
    MNIST,
    YIN_YANG,
    STABILITY,
    MISTAKEN,
    DRIFT,
    *(study.reproduction() for study in STUDIES),
)
