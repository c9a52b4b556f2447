"""One step of each rule of the target propagation family, in plain NumPy: dense tanh layers, one example at a time.

Written from the equations alone, to be compared with: forward pass, targets, and the directions of forward weights and
of inverses (averaged over the batch). Noise is given from outside.
"""

from dataclasses import dataclass, field

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]


def softmax(a: np.ndarray) -> np.ndarray:
    powers = np.exp(a - a.max())
    return powers / powers.sum()


@dataclass
class Port:
    """Layers (W, b) and inverses (V, c), V of the shape of W; inverse i gives back the activity below layer i + 1.

    `kind` is tp, dtp, sdtp or ao; A are the fixed weights of the auxiliary outputs.
    """

    kind: str
    layers: list[Pair]
    inverses: list[Pair]
    A: np.ndarray | None = None
    target_step: float = 1.0
    smoothing: float = 0.0
    forward: list[Pair] = field(default_factory=list)
    feedback: list[Pair] = field(default_factory=list)
    targets: list[np.ndarray] = field(default_factory=list)

    def inverse(self, l: int, heard: np.ndarray) -> np.ndarray:
        V, c = self.inverses[l - 1]
        return np.tanh(heard @ V + c)

    def code(self, h: np.ndarray) -> np.ndarray:
        """What the inverse of the output layer hears."""
        W, b = self.layers[-1]
        p = softmax(W @ h + b)
        return p if self.A is None else np.concatenate([p, np.tanh(self.A @ h)])

    def heard(self, l: int, h: np.ndarray) -> np.ndarray:
        if l == len(self.layers) - 1:
            return self.code(h)
        W, b = self.layers[l]
        return np.tanh(W @ h + b)

    def top(self, h: np.ndarray, label: np.ndarray) -> np.ndarray:
        """The target of the last hidden layer."""
        W, b = self.layers[-1]
        if self.kind in ("tp", "dtp"):
            return h - self.target_step * W.T @ (softmax(W @ h + b) - label)
        code, last = self.code(h), len(self.layers) - 1
        goal = np.concatenate([label, code[len(label) :]])
        return h + self.inverse(last, goal) - self.inverse(last, code)

    def example(self, x: np.ndarray, y: int, noise: list[np.ndarray], share: float) -> None:
        """Adds this example's share to the directions."""
        hs = [x]
        for W, b in self.layers[:-1]:
            hs.append(np.tanh(W @ hs[-1] + b))
        W, b = self.layers[-1]
        n = len(b)
        label = (1 - self.smoothing) * np.eye(n)[y] + self.smoothing / n
        targets = {len(self.layers) - 2: self.top(hs[-1], label)}
        for l in range(len(self.layers) - 2, 0, -1):
            back = self.inverse(l, targets[l])
            targets[l - 1] = back if self.kind == "tp" else hs[l] + back - self.inverse(l, hs[l + 1])
        self.targets = [targets[l] for l in range(len(self.layers) - 1)]
        deltas = [(hs[l + 1] - targets[l]) * (1 - hs[l + 1] ** 2) for l in range(len(self.layers) - 1)]
        deltas.append(softmax(W @ hs[-1] + b) - label)
        for l, delta in enumerate(deltas):
            self.forward[l][0][...] += share * np.outer(delta, hs[l])
            self.forward[l][1][...] += share * delta
        for l in range(1, len(self.inverses) + 1):
            noisy = hs[l] + noise[l - 1]
            heard = self.heard(l, noisy)
            back = self.inverse(l, heard)
            error = (back - noisy) * (1 - back**2)
            self.feedback[l - 1][0][...] += share * np.outer(heard, error)
            self.feedback[l - 1][1][...] += share * error

    def step(self, x: np.ndarray, y: np.ndarray, noise: list[np.ndarray]) -> None:
        """Directions of all weights for a batch; `noise[i]` is that of the batch's activity of hidden layer i."""
        self.forward = [(0 * W, 0 * b) for W, b in self.layers]
        self.feedback = [(0 * V, 0 * c) for V, c in self.inverses]
        for i in range(len(x)):
            self.example(x[i], int(y[i]), [n[i] for n in noise], 1 / len(x))
