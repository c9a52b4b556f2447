"""Segregated dendrites in rate mode, in plain NumPy and float64: every step of every phase, one example at a time.

Written from the model's description alone (units and notation, one example, updates), to be compared with. Slow and
straightforward on purpose: it is also what the benchmarks measure against.
"""

from dataclasses import dataclass

import numpy as np

Layers = list[np.ndarray]


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def slope(x: np.ndarray) -> np.ndarray:
    return logistic(x) * (1 - logistic(x))


@dataclass
class Port:
    """A network with weights W, biases b, feedback Y; `rates` of all layers survive from step to step and example."""

    W: Layers
    b: Layers
    Y: Layers
    eta: float = 0.21
    max_rate: float = 0.2
    tau_L: float = 10.0
    g_B: float = 0.6
    g_A: float = 0.0
    E_E: float = 8.0
    E_I: float = -8.0
    broadcast: bool = True
    steps: int = 2

    def __post_init__(self) -> None:
        g_L, g_D = 1 / self.tau_L, self.g_B
        self.k_B = self.g_B / (g_L + self.g_B + self.g_A)
        self.k_D = g_D / (g_L + g_D)
        self.P_hidden = 20 / self.max_rate
        self.P_final = 20 / self.max_rate**2
        self.rates = [self.max_rate * logistic(np.zeros(len(b))) for b in self.b]

    def step(self, psp_input: np.ndarray, target: np.ndarray | None) -> tuple[Layers, Layers, Layers]:
        """One step: apical potentials, somas, and the potentials that entered each layer."""
        before, psps, somas, apical = list(self.rates), [psp_input], [], []
        last = len(self.W) - 1
        for l in range(len(self.W)):
            B = self.W[l] @ psps[-1] + self.b[l]
            if l < last:
                apical.append(self.Y[l] @ before[last if self.broadcast else l + 1])
                C = self.k_B * B
            elif target is None:
                C = self.k_D * B
            else:
                g_L, g_D, g_E, g_I = 1 / self.tau_L, self.g_B, target, 1 - target
                C = (g_D * B + g_E * self.E_E + g_I * self.E_I) / (g_L + g_D + g_E + g_I)
            somas.append(C)
            self.rates[l] = self.max_rate * logistic(C)
            psps.append(self.rates[l])
        return apical, somas, psps[:-1]

    def learn(self, x: np.ndarray, label: int) -> np.ndarray:
        """Shows one example, learns it, and returns the output potentials of the forward phase."""
        psp_input = self.max_rate * x
        target = np.zeros(len(self.b[-1]))
        target[label] = 1
        for _ in range(self.steps):
            apical_f, somas_f, psps_f = self.step(psp_input, None)
        for _ in range(self.steps):
            apical_t, _, _ = self.step(psp_input, target)
        taught = self.rates[-1]
        errors = [
            -(logistic(t) - logistic(f)) * self.k_B * self.max_rate * slope(C) * self.P_hidden
            for t, f, C in zip(apical_t, apical_f, somas_f[:-1], strict=True)
        ]
        free = self.max_rate * logistic(somas_f[-1])
        errors.append(-(taught - free) * self.k_D * self.max_rate * slope(somas_f[-1]) * self.P_final)
        for l, E in enumerate(errors):
            self.W[l] -= self.eta * np.outer(E, psps_f[l])
            self.b[l] -= self.eta * E
        return somas_f[-1]
