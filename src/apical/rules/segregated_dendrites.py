"""Segregated dendrites: the change of an apical plateau potential teaches the basal synapses of the same cell."""

import warnings
from collections.abc import Mapping
from typing import ClassVar, cast

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, PyTree

from apical.core import Batch, Info, Neurons, Pathway, PRNGKey, State, Weights
from apical.errors import InputError
from apical.hyperparameters import Value, real, switch
from apical.networks.dendritic import Dendritic
from apical.networks.dendritic_state import Means
from apical.networks.layers import pull
from apical.networks.synapses import Synapses
from apical.neurons.compartments import fire, fire_slope, plateau, plateau_slope
from apical.rules.base import AbstractDescentRule, Preset
from apical.rules.optimisers import AbstractOptimiser, Layers, descend
from apical.rules.pathways import direct_pathways
from apical.tasks import CLASSIFICATION

PAPER = "Guerguiev 2017"
RATES = {
    "spiking_feedforward": False,
    "spiking_feedback": False,
    "conductances": False,
    "random_phase_lengths": False,
    "forward_steps": 2,
    "target_steps": 2,
    "test_steps": 2,
    "settling_steps": 1,
    "init_spread": 2.0,
}


def read_from_last_ms(settings: Mapping[str, Value]) -> dict[str, Value]:
    """What Lange's program sets: one step of integration, at dt_ms = 1, spikes remembered for 1 ms, one g_apical.

    A phase when tested leaves out as much as one in training; so that the last ms alone is read there too, it lasts as
    long as the forward phase.
    """
    length = cast(int, settings["forward_steps"])
    changes: dict[str, Value] = {"settling_steps": length - 1, "test_steps": length, "g_apical": 0.05}
    if settings["spiking_feedforward"] or settings["spiking_feedback"]:
        changes["spike_memory"] = max(1, int(1 / cast(float, settings["dt_ms"])))
    return changes


WINDOW_SHARE = 0.4  # of a phase in the paper: 20 of 50 ms


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
    forward_rate_decay: Array = real(
        0.0, "the rate of the basal synapses falls as 1 / (1 + forward_rate_decay * updates)", low=0, unit="1/update"
    )

    def init(self, weights: Layers) -> PyTree:
        return jnp.zeros((), dtype=int)

    def update(self, direction: Layers, memory: PyTree, weights: Layers) -> tuple[Layers, PyTree]:
        rate = self.forward_rate / (1 + self.forward_rate_decay * memory.astype(self.forward_rate.dtype))
        return descend(weights, direction, rate), memory + 1


class ApicalPlasticity(AbstractOptimiser):
    """Plain descent of the apical synapses, where they learn at all."""

    learn_feedback: bool = switch(
        False,
        "apical synapses learn to predict the soma",
        needs=(("symmetric_feedback", False),),
        source=PAPER,
        search={"lange-2019": (False, True)},
    )
    feedback_rate: Array = real(
        0.01,
        "learning rate of the apical synapses, where they learn",
        low=0,
        per_layer=True,
        needs=(("learn_feedback", True),),
        source="ours: the paper gives none",
        search={"own": (0.0, 0.05), "lange-2019": (0.0, 0.05)},
    )

    @property
    def frozen(self) -> bool:
        return not self.learn_feedback

    def init(self, weights: Layers) -> PyTree:
        return ()

    def update(self, direction: Layers, memory: PyTree, weights: Layers) -> tuple[Layers, PyTree]:
        return descend(weights, direction, self.feedback_rate), memory


class SegregatedDendrites(AbstractDescentRule):
    """Cells with segregated dendrites, learning from the difference of two plateau potentials.

    An example is shown twice, first freely (f), then with the output cells driven to the target (t). Hidden cells
    descend E_l = -(alpha_l^t - alpha_l^f) k_B lambda_max sigma'(C_l^f), the output E_L = -(lambda_L^t - lambda_max
    sigma(C_L^f)) k_D lambda_max sigma'(C_L^f), each times its presynaptic potential and a fixed scale: 20/lambda_max in
    hidden layers, 20/lambda_max^2 in the output (Guerguiev 2017, eqs. 5-8). No weight is transported and no error
    signal travels: the apical dendrite hears nothing but the activity above it.

    Where feedback learns, Y_l descends E = -(lambda_max sigma(C_l^f) - alpha_l^f) sigma'(A_l^f): the compartmental form
    of target propagation, in which the apical dendrite learns to predict the soma (no scale).

    **Raises** `InputError` for switches that contradict each other; warns where lower layers cannot learn.

    @article{guerguiev2017,
      title = {Towards deep learning with segregated dendrites},
      author = {Guerguiev, Jordan and Lillicrap, Timothy P. and Richards, Blake A.},
      journal = {eLife}, volume = {6}, pages = {e22901}, year = {2017}
    }
    """

    name: ClassVar = "segregated-dendrites"
    tasks: ClassVar = (CLASSIFICATION,)
    networks: ClassVar = {"mlp": Dendritic}
    plasticity: ClassVar = {"forward": BasalPlasticity, "feedback": ApicalPlasticity}
    presets: ClassVar[Mapping[str, Preset]] = {
        "paper": Preset("the paper's equations: spikes, exact kernel, one example at a time", PAPER, batch_size=1),
        "rate": Preset(
            "two-step phases without spikes, one example at a time",
            "programs of 2017 and 2019",
            settings=RATES,
            batch_size=1,
        ),
        "guerguiev-2017": Preset(
            "the program of 2017: spikes remembered for 10 ms, initial weights of twice the spread",
            "program of 2017",
            settings={"spike_memory": 10, "init_spread": 2.0},
            batch_size=1,
        ),
        "lange-2019": Preset(
            "the setting of Lange's Figures 5 and 6: rate mode, 500 hidden cells, 10 epochs",
            "Lange 2019, logs",
            settings={**RATES, "forward_rate": 0.21},
            hidden=(500,),
            batch_size=1,
            epochs=10,
        ),
    }
    compared: ClassVar = "rate"
    protocols: ClassVar = {"lange-2019": read_from_last_ms}
    network: Dendritic
    optimisers: dict[str, AbstractOptimiser]
    hidden_error_scale: Array = real(
        20.0,
        "scale of hidden errors, divided by max_rate",
        low=0,
        scale="log",
        source=PAPER,
        search={"own": (5.0, 80.0)},
    )
    output_error_scale: Array = real(
        20.0,
        "scale of output errors, divided by max_rate^2",
        low=0,
        scale="log",
        source=PAPER,
        search={"own": (5.0, 80.0)},
    )

    def __check_init__(self) -> None:
        net = self.network
        if "feedback" in self.optimisers and net.symmetric_feedback:
            raise InputError(
                "learn_feedback=true contradicts symmetric_feedback=true, which renews the feedback weights after "
                "every update: choose one"
            )
        if not net.broadcast and len(net.hidden) > 1 and not net.apical_acts:
            warnings.warn(
                "broadcast=false: the target reaches the last hidden layer alone, lower ones do not learn, unless "
                "apical_conductance=true and conductances=true",
                stacklevel=2,
            )

    @classmethod
    def follows(cls, settings: Mapping[str, Value]) -> Mapping[str, Value]:
        """Where the phases are searched, means are taken over the paper's share of the shorter one, its last 40 %."""
        free, taught = cast(int, settings["forward_steps"]), cast(int, settings["target_steps"])
        return {"settling_steps": free - max(1, round(WINDOW_SHARE * min(free, taught)))}

    def init_weights(self, key: PRNGKey) -> Weights:
        key_forward, key_feedback = jr.split(key)
        forward = self.network.init(key_forward)
        return Weights(forward, self.network.init_feedback(key_feedback, forward))

    def assign_credit(self, state: State, batch: Batch, key: PRNGKey) -> tuple[Info, Neurons]:
        net, weights = self.network, state.weights
        free, taught, neurons = net.show(weights, state.neurons, batch, key)
        errors = self.errors(free, taught)
        forward = tuple(pull(f, h, e / len(e)) for f, h, e in zip(weights.forward, free.psps, errors, strict=True))
        feedback = self.feedback_direction(weights.feedback, free) if "feedback" in self.optimisers else ()
        loss = net.distance(fire(free.somas[-1], net.max_rate), taught.rate)
        return Info(loss, net.scores(free.somas[-1]), Weights(forward, feedback)), neurons

    def errors(self, free: Means, taught: Means) -> list[Array]:
        """What each layer's basal potentials descend along, (batch, units), from the input up."""
        net = self.network
        scale = self.hidden_error_scale / net.max_rate * net.k_basal
        plateaus = zip(taught.apical, free.apical, strict=True)
        errors = [-(plateau(t) - plateau(f)) * scale for t, f in plateaus]
        change = taught.rate - fire(free.somas[-1], net.max_rate)
        errors.append(-change * self.output_error_scale / net.max_rate**2 * net.k_output)
        return [e * fire_slope(c, net.max_rate) for e, c in zip(errors, free.somas, strict=True)]

    def feedback_direction(self, feedback: tuple[Synapses, ...], free: Means) -> tuple[Synapses, ...]:
        """What the apical synapses descend along; those that are missing stay missing."""
        net, direction = self.network, []
        for synapses, soma, apical, heard in zip(feedback, free.somas[:-1], free.apical, free.heard, strict=True):
            error = -(fire(soma, net.max_rate) - plateau(apical)) * plateau_slope(apical) / len(soma)
            kernel = jnp.where(synapses.kernel == 0, 0.0, error.T @ heard)
            direction.append(Synapses(kernel, None if synapses.bias is None else error.sum(0)))
        return tuple(direction)

    def renewed(self, weights: Weights, key: PRNGKey) -> Weights:
        feedback = self.network.symmetrised(weights.forward, weights.feedback, key)
        return Weights(weights.forward, feedback)

    def pathways(self, weights: Weights) -> tuple[Pathway, ...]:
        kernels = tuple(synapses.kernel for synapses in weights.feedback)
        if self.network.broadcast:
            return direct_pathways(weights.forward, kernels)
        pairs = zip(weights.forward[1:], kernels, strict=True)
        return tuple(Pathway(l, above.kernel, y.T) for l, (above, y) in enumerate(pairs))
