"""A dendritic cortical microcircuit whose cells send Poisson spikes into leaky dendrites (Gille 2023).

All weights, rates and potentials are in the units of the rate network: a cell at rate r fires psi r spikes per ms, and
a spike moves a dendrite by its weight over psi times the capacitance. With psi C large it is the rate network.
"""

from apical.core import Inputs, Neurons, PRNGKey, Scores, Weights
from apical.networks.microcircuit_settings import HARD
from apical.networks.spiking_settings import SpikingSettings
from apical.networks.spiking_steps import at_rest, read_out


class SpikingCircuit(SpikingSettings):
    """Pyramidal cells and interneurons that spike; weights, targets and loss are those of the rate network."""

    def rest(self, x: Inputs) -> Neurons:
        return None if self.reset == HARD else at_rest(self, len(x))

    def predict(self, weights: Weights, neurons: Neurons, x: Inputs, key: PRNGKey) -> Scores:
        """Output cells without a teacher, with spikes, averaged over a presentation but its `readout_lag_ms`."""
        return self.scores(read_out(self, weights, x.reshape(len(x), -1), key))
