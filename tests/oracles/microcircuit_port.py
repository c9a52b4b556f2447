"""A dendritic microcircuit in rates, in plain NumPy and float64: one pattern at a time, step by step.

Written from the equations alone, to be compared with. Slow and straightforward on purpose: it is also what the
benchmarks measure against.
"""

from dataclasses import dataclass, field

import numpy as np

Layers = list[np.ndarray]


def softplus(u: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, u)


@dataclass
class Port:
    """Weights `up` of every layer, `ip`, `pi` and `down` of hidden ones; `eta` holds a rate per ms for each family."""

    up: Layers
    ip: Layers
    pi: Layers
    down: Layers
    eta: dict[str, list[float]]
    g_l: float = 0.03
    g_A: float = 0.06
    g_D: float = 0.1
    g_som: float = 0.06
    dt: float = 0.1
    latent: bool = True
    tau_delta: float = 0.0
    clip: float = 4.0
    u: Layers = field(default_factory=list)

    def __post_init__(self) -> None:
        self.n_hidden = len(self.down)
        self.g_B, g = self.g_D, self.g_l + self.g_D
        self.share = [self.g_B / (g + self.g_A)] * self.n_hidden + [self.g_B / g]
        self.traces = {name: [np.zeros_like(w) for w in getattr(self, name)] for name in self.eta}
        self.rest()

    def rest(self) -> None:
        """All potentials 0: pyramidal cells first, then interneurons."""
        sizes = [len(w) for w in self.up] + [len(w) for w in self.up[1:]]
        self.u = [np.zeros(n) for n in sizes]
        self.acting = [np.zeros(n) for n in sizes]

    def step(self, x: np.ndarray, target: np.ndarray | None, plastic: bool = True) -> None:
        """One step of dt: dendrites, somas, then weights."""
        n, N = self.n_hidden, self.n_hidden + 1
        rates = [softplus(u) for u in self.acting]
        r, r_I = [x, *rates[:N]], rates[N:]
        v_B = [w @ below for w, below in zip(self.up, r[:-1], strict=True)]
        v_A = [self.down[k] @ r[k + 2] + self.pi[k] @ r_I[k] for k in range(n)]
        v_I = [self.ip[k] @ r[k + 1] for k in range(n)]
        change, pull = [], []
        for k in range(n):
            pull.append(self.g_l + self.g_B + self.g_A)
            change.append(self.g_B * v_B[k] + self.g_A * v_A[k] - pull[-1] * self.u[k])
        pull.append(self.g_l + self.g_B + (0 if target is None else self.g_som))
        taught = 0 if target is None else self.g_som * target
        change.append(self.g_B * v_B[n] + taught - pull[-1] * self.u[n])
        for k in range(n):
            pull.append(self.g_l + self.g_D + self.g_som)
            change.append(self.g_D * v_I[k] + self.g_som * self.acting[k + 1] - pull[-1] * self.u[N + k])
        ahead = [u + c / g for u, c, g in zip(self.u, change, pull, strict=True)]
        self.u = [u + self.dt * c for u, c in zip(self.u, change, strict=True)]
        self.acting = ahead if self.latent else self.u
        if plastic:
            self.learn(r, r_I, v_B, v_A, v_I)

    def learn(self, r: Layers, r_I: Layers, v_B: Layers, v_A: Layers, v_I: Layers) -> None:
        """Every synapse by what its own cell knows."""
        n, N, phi = self.n_hidden, self.n_hidden + 1, softplus
        a_I = self.g_D / (self.g_l + self.g_D)
        pushes = {
            "up": [np.outer(phi(self.acting[k]) - phi(self.share[k] * v_B[k]), r[k]) for k in range(N)],
            "ip": [np.outer(phi(self.acting[N + k]) - phi(a_I * v_I[k]), r[k + 1]) for k in range(n)],
            "pi": [np.outer(-v_A[k], r_I[k]) for k in range(n)],
            "down": [np.outer(phi(self.acting[k]) - phi(self.down[k] @ r[k + 2]), r[k + 2]) for k in range(n)],
        }
        for name, etas in self.eta.items():
            for k, (w, eta) in enumerate(zip(getattr(self, name), etas, strict=True)):
                w += eta * self.filtered(name, k, pushes[name][k])
                np.clip(w, -self.clip, self.clip, out=w)

    def filtered(self, name: str, k: int, push: np.ndarray) -> np.ndarray:
        """The integral over a step of plasticity low-passed with tau_delta."""
        if not self.tau_delta:
            return self.dt * push
        decay, trace = np.exp(-self.dt / self.tau_delta), self.traces[name][k]
        integral = self.dt * push + self.tau_delta * (1 - decay) * (trace - push)
        self.traces[name][k] = push + decay * (trace - push)
        return integral
