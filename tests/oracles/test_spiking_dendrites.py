"""Segregated dendrites with spikes against an independent port: the same draws give the same spikes and potentials."""

from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats
from spiking_port import SpikingPort

from apical.core import Batch, State
from apical.networks import dendritic_phases
from apical.networks.dendritic_settings import DendriticSettings
from apical.neurons.spikes import MOST
from apical.rules.assembly import assemble
from apical.rules.base import AbstractRule
from apical.rules.registry import RULES

WORDS = np.load(Path(__file__).parent / "draws.npz")["words"]  # examples, phases, steps, cells
N_EXAMPLES, _, N_STEPS, _ = WORDS.shape
N_INPUTS, CLASSES = 16, 4
SHORT = {
    "random_phase_lengths": False,
    "forward_steps": N_STEPS,
    "target_steps": N_STEPS,
    "test_steps": N_STEPS,
    "settling_steps": 14,
}


def made(hidden: tuple[int, ...], **settings: object) -> AbstractRule:
    return assemble(RULES["segregated-dendrites"], "mlp", (N_INPUTS,), CLASSES, hidden, {**SHORT, **settings})


def examples() -> Batch:
    generator = np.random.default_rng(1)
    x = generator.uniform(0, 1, (N_EXAMPLES, N_INPUTS)) * (generator.random((N_EXAMPLES, N_INPUTS)) < 0.6)
    return Batch(jnp.asarray(x, float), jnp.asarray(generator.integers(0, CLASSES, N_EXAMPLES)))


class Draws:
    """Hands out the words of the file, phase by phase, to the library and, as spikes, to the port."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self.edges = np.cumsum([0, *sizes])
        self.pending: list[jax.Array] = []
        self.calls = 0
        self.spikes: list[np.ndarray] = []

    def draw(self, net: DendriticSettings, *block: object) -> tuple[jax.Array, ...]:
        _, _, n_steps, batch, _ = block
        assert (n_steps, batch) == (N_STEPS, 1)
        words = self.pending.pop(0)[:, None]
        return tuple(words[..., self.edges[l] : self.edges[l + 1]] for l in range(len(net.sizes)))

    def port(self, layer: int, rate: np.ndarray) -> np.ndarray:
        """The counts of one layer at the step that the calls have come to, every layer being called once in a step."""
        step = self.calls // (len(self.edges) - 1)
        self.calls += 1
        words = WORDS[step // N_STEPS // 2, step // N_STEPS % 2, step % N_STEPS]
        uniform = words[self.edges[layer] : self.edges[layer + 1]] / 2.0**31
        counts = (uniform[:, None] < stats.poisson.sf(np.arange(MOST), rate[:, None])).sum(1)
        self.spikes.append(counts)
        return counts.astype(float)


# hidden sizes, our settings, the port's
CASES: dict[str, tuple[tuple[int, ...], dict, dict]] = {
    "the paper's equations": ((12,), {}, {}),
    "the program's memory": ((12,), {"spike_memory": 10, "init_spread": 2.0}, {"memory": 10}),
    "two hidden layers": ((12, 8), {}, {}),
    "apical conductance": ((12,), {"apical_conductance": True}, {"g_A": 0.05}),
    "apical conductance, layer by layer": (
        (12, 8),
        {"apical_conductance": True, "broadcast": False, "g_apical": 0.09, "spike_memory": 4},
        {"g_A": 0.09, "broadcast": False, "memory": 4},
    ),
    "learned feedback with biases": (
        (12, 8),
        {"learn_feedback": True, "feedback_rate": 0.4, "feedback_bias": True},
        {"eta_b": 0.4},
    ),
    "rates upwards": ((12, 8), {"spiking_feedforward": False}, {"spiking_feedforward": False}),
    "rates downwards": ((12, 8), {"spiking_feedback": False}, {"spiking_feedback": False}),
    "rates both ways, with conductances": (
        (12,),
        {"spiking_feedback": False, "spiking_feedforward": False},
        {"spiking_feedback": False, "spiking_feedforward": False},
    ),
    "no conductances": ((12,), {"conductances": False}, {"conductances": False}),
    "half the time step, other numbers": (
        (12,),
        {
            "dt_ms": 0.5,
            "forward_steps": 12,
            "target_steps": 12,
            "test_steps": 12,
            "settling_steps": 7,
            "max_rate": 0.4,
            "tau_s_ms": 2.0,
            "tau_L_ms": 8.0,
            "g_basal": 0.4,
            "e_exc": 6.0,
            "e_inh": -11.0,
        },
        {"dt": 0.5, "settling": 14, "max_rate": 0.4, "tau_s": 2.0, "tau_L": 8.0, "g_B": 0.4, "E_E": 6.0, "E_I": -11.0},
    ),
}


@pytest.mark.filterwarnings("ignore:broadcast=false")
@pytest.mark.parametrize("name", CASES)
def test_spikes_potentials_and_weights_agree_with_the_port(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden, settings, theirs = CASES[name]
    with jax.enable_x64(True):
        rule, data = made(hidden, **settings), examples()
        net, draws = rule.network, Draws((N_INPUTS, *hidden, CLASSES))
        monkeypatch.setattr(dendritic_phases, "draw", draws.draw)
        state = rule.init(jr.key(3), Batch(data.x[:1], data.y[:1]))
        weights = state.weights
        doubles = lambda arrays: [np.array(a, dtype=np.float64) for a in arrays]  # noqa: E731
        biases = doubles(y.bias for y in weights.feedback) if settings.get("feedback_bias") else None
        port = SpikingPort(
            doubles(f.kernel for f in weights.forward),
            doubles(f.bias for f in weights.forward),
            doubles(y.kernel for y in weights.feedback),
            draws.port,
            biases,
            **{"memory": 500, "forward_steps": N_STEPS, "target_steps": N_STEPS, "settling": 14, **theirs},
        )
        histories, run_block = [], dendritic_phases.run_block

        def recorded(*arguments: object) -> tuple:
            cells, means, history = run_block(*arguments)
            histories.append(history)
            return cells, means, history

        monkeypatch.setattr(dendritic_phases, "run_block", recorded)

        @eqx.filter_jit
        def learn(state: State, example: Batch, words: jax.Array) -> tuple:
            draws.pending = [words[0], words[1]]
            start = len(histories)
            state, info = rule.update(state, example, jr.key(0))
            traced, histories[start:] = histories[start:], []
            return state, info, traced

        for x, y, words in zip(data.x, data.y, WORDS, strict=True):
            state, info, phases = learn(state, Batch(x[None], y[None]), jnp.asarray(words))
            histories += phases
            free = port.learn(np.asarray(x), int(y))
            np.testing.assert_allclose(info.scores[0], free.C[-1], rtol=1e-5, atol=1e-5)
        layers = len(net.sizes)
        for l in range(1, layers):
            ours = np.concatenate([np.asarray(h.spikes[l - 1])[:, 0] for h in histories])
            np.testing.assert_array_equal(ours, np.stack(draws.spikes[l::layers]))
            assert 0.02 < ours.mean() < 0.5
        for l, C in enumerate(port.C):
            np.testing.assert_allclose(histories[-1].somas[l][-1, 0], C, rtol=1e-5, atol=1e-5)
        for l, (ours, W, b) in enumerate(zip(state.weights.forward, port.W, port.b, strict=True)):
            np.testing.assert_allclose(ours.kernel, W, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(ours.bias, b, rtol=1e-5, atol=1e-6)
            assert np.abs(W - np.asarray(weights.forward[l].kernel)).max() > 1e-3
        for l, (ours, Y) in enumerate(zip(state.weights.feedback, port.Y, strict=True)):
            np.testing.assert_allclose(ours.kernel, Y, rtol=1e-5, atol=1e-6)
            assert (ours.kernel == weights.feedback[l].kernel).all() != bool(settings.get("learn_feedback"))
            if port.c:
                np.testing.assert_allclose(ours.bias, port.c[l], rtol=1e-5, atol=1e-6)
