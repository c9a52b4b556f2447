"""Segregated dendrites: the change of an apical plateau potential teaches the basal synapses of the same cell."""

import warnings
from collections.abc import Mapping
from typing import ClassVar

import jax.random as jr
from jaxtyping import Array, PyTree

from apical.core import Batch, Info, Neurons, Pathway, PRNGKey, State, Weights
from apical.hyperparameters import real
from apical.networks.dendritic import Dendritic, Phase
from apical.networks.layers import pull
from apical.neurons.compartments import fire_slope
from apical.rules.base import AbstractDescentRule, Preset
from apical.rules.optimisers import AbstractOptimiser, Layers, descend
from apical.rules.pathways import direct_pathways

PAPER = "Guerguiev 2017"


class BasalPlasticity(AbstractOptimiser):
    """Plain descent of the basal synapses, with one rate for all layers or one each."""

    forward_rate: Array = real(
        0.21,
        "learning rate of the basal synapses",
        low=0,
        scale="log",
        per_layer=True,
        source=PAPER,
        search={"own": (0.01, 0.5), "lange-2019": (0.01, 0.05)},
    )

    def init(self, weights: Layers) -> PyTree:
        return ()

    def update(self, direction: Layers, memory: PyTree, weights: Layers) -> tuple[Layers, PyTree]:
        return descend(weights, direction, self.forward_rate), memory


class SegregatedDendrites(AbstractDescentRule):
    """Cells with segregated dendrites, learning from the difference of two plateau potentials (here: rate mode).

    An example is shown twice, first freely (f), then with the output cells driven to the target (t). Hidden cells
    descend E_l = -(alpha_l^t - alpha_l^f) k_B lambda_max sigma'(C_l^f), the output E_L = -(lambda_L^t - lambda_max
    sigma(C_L^f)) k_D lambda_max sigma'(C_L^f), each times its presynaptic potential and a fixed scale: 20/lambda_max in
    hidden layers, 20/lambda_max^2 in the output (Guerguiev 2017, eqs. 5-8). No weight is transported and no error
    signal travels: the apical dendrite hears nothing but the output's activity.

    @article{guerguiev2017,
      title = {Towards deep learning with segregated dendrites},
      author = {Guerguiev, Jordan and Lillicrap, Timothy P. and Richards, Blake A.},
      journal = {eLife}, volume = {6}, pages = {e22901}, year = {2017}
    }
    """

    name: ClassVar = "segregated-dendrites"
    networks: ClassVar = {"mlp": Dendritic}
    plasticity: ClassVar = {"forward": BasalPlasticity}
    presets: ClassVar[Mapping[str, Preset]] = {
        "rate": Preset(
            "two-step phases without spikes, one example at a time", "programs of 2017 and 2019", batch_size=1
        ),
        "lange-2019": Preset(
            "the setting of Lange's Figures 5 and 6: rate mode, 500 hidden cells, 10 epochs",
            "Lange 2019, logs",
            settings={"forward_rate": 0.21, "init_spread": 2.0},
            hidden=(500,),
            batch_size=1,
            epochs=10,
        ),
    }
    network: Dendritic
    optimisers: dict[str, AbstractOptimiser]
    hidden_error_scale: Array = real(
        20.0, "scale of hidden errors, divided by max_rate", low=0, scale="log", source=PAPER
    )
    output_error_scale: Array = real(
        20.0, "scale of output errors, divided by max_rate^2", low=0, scale="log", source=PAPER
    )

    def __check_init__(self) -> None:
        if not self.network.broadcast and len(self.network.hidden) > 1:
            warnings.warn(
                "broadcast=false in rate mode: the target reaches the last hidden layer alone, lower ones do not learn",
                stacklevel=2,
            )

    def init_weights(self, key: PRNGKey) -> Weights:
        key_forward, key_feedback = jr.split(key)
        return Weights(self.network.init(key_forward), self.network.init_feedback(key_feedback))

    def assign_credit(self, state: State, batch: Batch, key: PRNGKey) -> tuple[Info, Neurons]:
        net, weights = self.network, state.weights
        free = net.forward_phase(weights.forward, batch.x)
        taught = net.taught_rate(free.somas[-1], batch.y)
        errors = self.errors(weights.feedback, free, taught)
        direction = tuple(pull(f, h, e / len(e)) for f, h, e in zip(weights.forward, free.psps, errors, strict=True))
        scores = free.somas[-1]
        return Info(net.loss(scores, batch.y), scores, Weights(direction)), state.neurons

    def errors(self, feedback: tuple[Array, ...], free: Phase, taught: Array) -> list[Array]:
        """What each layer's basal potentials descend along, (batch, units), from the input up."""
        net = self.network
        before = net.plateaus(feedback, free.rates)
        after = net.plateaus(feedback, (*free.rates[:-1], taught))
        scale = self.hidden_error_scale / net.max_rate * net.k_basal
        errors = [-(t - f) * scale for t, f in zip(after, before, strict=True)]
        errors.append(-(taught - free.rates[-1]) * self.output_error_scale / net.max_rate**2 * net.k_output)
        return [e * fire_slope(c, net.max_rate) for e, c in zip(errors, free.somas, strict=True)]

    def pathways(self, weights: Weights) -> tuple[Pathway, ...]:
        if self.network.broadcast:
            return direct_pathways(weights.forward, weights.feedback)
        pairs = zip(weights.forward[1:], weights.feedback, strict=True)
        return tuple(Pathway(l, above.kernel, y.T) for l, (above, y) in enumerate(pairs))
