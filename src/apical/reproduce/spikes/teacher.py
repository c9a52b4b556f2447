"""Students that spike of a random teacher network."""

from apical.reproduce.microcircuit.teacher import Students
from apical.rules.spiking_microcircuit import SpikingMicrocircuit

TEACHER = Students(
    "spikes-teacher",
    "Spiking students of a random teacher network",
    "Every pattern for 10 ms at psi 500, plasticity from 4 ms on, the rates of learning of the students in rates. "
    "Cells cannot fire at a negative rate: every input is two cells, for what is above 0 and for what is below.",
    kind=SpikingMicrocircuit,
).reproduction()
