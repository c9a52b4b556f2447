"""The experiments on spikes, in the order of a list."""

from apical.reproduce.spikes.limit import LIMIT
from apical.reproduce.spikes.mnist import MNIST
from apical.reproduce.spikes.rasters import RASTERS
from apical.reproduce.spikes.self_prediction import SELF_PREDICTION
from apical.reproduce.spikes.signal import SIGNAL
from apical.reproduce.spikes.study_list import SPIKING_STUDIES
from apical.reproduce.spikes.teacher import TEACHER

SPIKES = (RASTERS, LIMIT, SIGNAL, SELF_PREDICTION, TEACHER, MNIST, *(study.reproduction() for study in SPIKING_STUDIES))
