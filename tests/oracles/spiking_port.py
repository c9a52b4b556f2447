"""Segregated dendrites with spikes, in plain NumPy and float64: every cell at every step, one example at a time.

Written from the model's description alone (units and notation, one example, updates), to be compared with. Slow and
straightforward on purpose: it is also what the benchmarks measure against. Every spike train is kept as a history of
its last steps, which a sampled kernel weighs anew at each step; spikes come from uniform numbers that are handed in, or
from NumPy's Poisson generator.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from segregated_port import Layers, logistic, slope

Spikes = Callable[[int, np.ndarray], np.ndarray]  # (layer, rate per step) -> counts; layer 0 is the input


@dataclass
class Means:
    """What one phase leaves: means over its window."""

    A: Layers
    C: Layers
    psp: Layers
    rate: np.ndarray
    heard: Layers


@dataclass
class SpikingPort:
    """A network with weights W, biases b, feedback Y (and biases c), its somas and its spikes of the last steps."""

    W: Layers
    b: Layers
    Y: Layers
    spikes: Spikes
    c: Layers | None = None
    eta: float = 0.21
    eta_b: float | None = None
    max_rate: float = 0.2
    tau_s: float = 3.0
    tau_L: float = 10.0
    g_B: float = 0.6
    g_A: float = 0.0
    E_E: float = 8.0
    E_I: float = -8.0
    dt: float = 1.0
    memory: int = 100  # in 100 ms all but 1e-4 of the kernel's area
    broadcast: bool = True
    conductances: bool = True
    spiking_feedforward: bool = True
    spiking_feedback: bool = True
    forward_steps: int = 50
    target_steps: int = 50
    settling: int = 30

    def __post_init__(self) -> None:
        self.g_L = 1 / self.tau_L
        self.k_B = self.g_B / (self.g_L + self.g_B + self.g_A)
        self.k_D = self.g_B / (self.g_L + self.g_B)
        self.sizes = [self.W[0].shape[1], *(len(b) for b in self.b)]
        self.reset()
        t = self.dt * np.arange(1, self.memory + 1)
        self.kappa = (np.exp(-t / self.tau_L) - np.exp(-t / self.tau_s)) / (self.tau_L - self.tau_s)

    def reset(self) -> None:
        self.C = [np.zeros(n) for n in self.sizes[1:]]
        self.history = [np.zeros((n, self.memory)) for n in self.sizes]  # newest in the first column

    def fire(self, C: np.ndarray) -> np.ndarray:
        return self.max_rate * logistic(C)

    def receive(self, layer: int, rate: np.ndarray) -> np.ndarray:
        """The spikes of a layer in this step join its history; the potential they leave."""
        count = self.spikes(layer, self.dt * rate)
        self.history[layer] = np.roll(self.history[layer], 1, axis=1)
        self.history[layer][:, 0] = count
        return self.history[layer] @ self.kappa

    def step(self, x: np.ndarray, target: np.ndarray | None) -> tuple[Layers, Layers, Layers]:
        """One step: apical potentials, what enters each layer, what each apical dendrite heard."""
        n_hidden = len(self.W) - 1
        spiking_source = self.spiking_feedback
        before = [h @ self.kappa if spiking_source else None for h in self.history[1:]]
        rates = [self.fire(C) for C in self.C]
        sources = [n_hidden if self.broadcast else l + 1 for l in range(n_hidden)]
        heard = [before[s] if spiking_source else rates[s] for s in sources]
        A = [self.Y[l] @ heard[l] + (self.c[l] if self.c else 0) for l in range(n_hidden)]
        psp = self.receive(0, self.max_rate * x)
        if not self.spiking_feedforward:
            psp = self.max_rate * x
        psps = []
        for l in range(n_hidden + 1):
            psps.append(psp)
            B = self.W[l] @ psp + self.b[l]
            self.C[l] = self.soma(l, self.C[l], B, A[l] if l < n_hidden else None, target)
            psp = self.receive(l + 1, self.fire(self.C[l]))
            if not self.spiking_feedforward:
                psp = self.fire(self.C[l])
        return A, psps, heard

    def soma(self, l: int, C: np.ndarray, B: np.ndarray, A: np.ndarray | None, target: np.ndarray | None) -> np.ndarray:
        if A is not None:
            if not self.conductances:
                return self.k_B * B
            return C + self.dt * (-self.g_L * C + self.g_B * (B - C) + self.g_A * (A - C))
        g_E, g_I = (0, 0) if target is None else (target, 1 - target)
        if not self.conductances:
            return (self.g_B * B + g_E * self.E_E + g_I * self.E_I) / (self.g_L + self.g_B + g_E + g_I)
        pulled = g_E * (self.E_E - C) + g_I * (self.E_I - C)
        return C + self.dt * (-self.g_L * C + self.g_B * (B - C) + pulled)

    def phase(self, x: np.ndarray, target: np.ndarray | None, n_steps: int, n_window: int) -> Means:
        """A phase, averaged over its last `n_window` steps."""
        kept = []
        for t in range(n_steps):
            A, psps, heard = self.step(x, target)
            if t >= n_steps - n_window:
                kept.append((A, [C.copy() for C in self.C], psps, [self.fire(self.C[-1])], heard))
        mean = lambda rows: [np.mean(layer, axis=0) for layer in zip(*rows, strict=True)]  # noqa: E731
        A, C, psp, rate, heard = (mean(rows) for rows in zip(*kept, strict=True))
        return Means(A, C, psp, rate[0], heard)

    def learn(self, x: np.ndarray, label: int) -> Means:
        """Shows one example, learns it, and returns the means of the forward phase."""
        target = np.zeros(len(self.b[-1]))
        target[label] = 1
        n_window = self.forward_steps - self.settling
        free = self.phase(x, None, self.forward_steps, n_window)
        taught = self.phase(x, target, self.target_steps, n_window)
        E = [
            -(logistic(a_t) - logistic(a_f)) * self.k_B * self.max_rate * slope(C) * 20 / self.max_rate
            for a_t, a_f, C in zip(taught.A, free.A, free.C[:-1], strict=True)
        ]
        change = taught.rate - self.fire(free.C[-1])
        E.append(-change * self.k_D * self.max_rate * slope(free.C[-1]) * 20 / self.max_rate**2)
        for l, error in enumerate(E):
            self.W[l] -= self.eta * np.outer(error, free.psp[l])
            self.b[l] -= self.eta * error
        if self.eta_b is not None:
            for l, Y in enumerate(self.Y):
                error = -(self.fire(free.C[l]) - logistic(free.A[l])) * slope(free.A[l])
                Y -= self.eta_b * np.outer(error, free.heard[l])
                if self.c:
                    self.c[l] -= self.eta_b * error
        return free


def poisson(seed: int) -> Spikes:
    """Spikes from NumPy's own generator."""
    draw = np.random.default_rng(seed)
    return lambda layer, rate: draw.poisson(rate)
