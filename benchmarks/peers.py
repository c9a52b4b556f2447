"""What we are compared with: PyTorch at its best in plain style, and plain NumPy going through every step."""

import os
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "oracles"))
from microcircuit_port import Port as MicrocircuitPort
from segregated_port import Port
from spiking_port import SpikingPort, poisson


class Aligned(torch.autograd.Function):
    """A linear layer whose error travels down through a fixed matrix: feedback alignment."""

    @staticmethod
    def forward(ctx: Any, h: torch.Tensor, W: torch.Tensor, b: torch.Tensor, B: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(h, B)
        return torch.addmm(b, h, W.t())

    @staticmethod
    def backward(ctx: Any, error: torch.Tensor) -> tuple:
        h, B = ctx.saved_tensors
        return error @ B, error.t() @ h, error.sum(0), None


class AlignedLinear(nn.Linear):
    """`nn.Linear` with a feedback matrix of its own."""

    def __init__(self, below: int, above: int) -> None:
        super().__init__(below, above)
        self.register_buffer("feedback", torch.randn(above, below) / below**0.5)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        return Aligned.apply(h, self.weight, self.bias, self.feedback)


def mlp(linear: type[nn.Linear]) -> nn.Module:
    """784-500-10."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 500), nn.ReLU(), linear(500, 10))


def cnn(side: int, channels: int) -> nn.Module:
    """The convolutional preset: 16 and 32 channels, 5x5, batch norm, ReLU, 2x2 max pool, linear."""
    layers: list[nn.Module] = []
    for below, above in ((channels, 16), (16, 32)):
        layers += [nn.Conv2d(below, above, 5, padding=2), nn.BatchNorm2d(above), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear((side // 4) ** 2 * 32, 10))


def torch_epoch(model: nn.Module, x: np.ndarray, y: np.ndarray, batch_size: int) -> Callable[[], int]:
    """Adam at 1e-3 once through the data, as fast as PyTorch is without its compiler.

    The data lie in tensors, no loader between; Adam is the fused one, images are laid out channels last, and it runs on
    all cores or on one, whichever is faster at first.
    """
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    inputs, labels = torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(y.astype(np.int64))
    optimiser, loss = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True), nn.CrossEntropyLoss()
    n_batches = len(labels) // batch_size

    def learn(n: int) -> None:
        for index in torch.randperm(len(labels))[: n * batch_size].reshape(n, batch_size):
            optimiser.zero_grad(set_to_none=True)
            loss(model(inputs.index_select(0, index)), labels.index_select(0, index)).backward()
            optimiser.step()

    n_threads = fastest_threads(lambda: learn(min(n_batches, 20)))

    def once() -> int:
        torch.set_num_threads(n_threads)
        learn(n_batches)
        return n_batches * batch_size

    return once


def fastest_threads(trial: Callable[[], None]) -> int:
    """One thread, or one for each core: with which a trial is done sooner."""

    def seconds(n_threads: int) -> float:
        torch.set_num_threads(n_threads)
        return min(timeit.repeat(trial, number=1, repeat=3))

    return min((1, os.cpu_count() or 1), key=seconds)


def numpy_segregated(x: np.ndarray, y: np.ndarray, spiking: bool, hidden: int = 500) -> Callable[[], int]:
    """Segregated dendrites, float64, one example at a time through all steps: four in rate mode, 100 with spikes.

    With spikes they are remembered for ten steps, as in the program of 2017.
    """
    draw, below = np.random.default_rng(0), int(np.prod(x.shape[1:]))
    weights = [draw.normal(size=(hidden, below)), draw.normal(size=(10, hidden))]
    biases, feedback = [np.full(hidden, 0.8), np.full(10, 0.8)], [draw.normal(size=(hidden, 10))]
    port = SpikingPort(weights, biases, feedback, poisson(0), memory=10) if spiking else Port(weights, biases, feedback)
    flat = x.reshape(len(x), -1).astype(np.float64)

    def once() -> int:
        for example, label in zip(flat, y, strict=True):
            port.learn(example, int(label))
        return len(y)

    return once


def numpy_microcircuit(x: np.ndarray, hidden: int, outputs: int, n_steps: int) -> Callable[[], int]:
    """A microcircuit of one hidden layer, float64, one pattern at a time, weights moving in every Euler step."""
    draw, below = np.random.default_rng(0), x.shape[1]
    shapes = {"up": [(hidden, below), (outputs, hidden)], "ip": [(outputs, hidden)]}
    shapes |= {"pi": [(hidden, outputs)], "down": [(hidden, outputs)]}
    weights = {name: [draw.uniform(-1, 1, shape) for shape in of] for name, of in shapes.items()}
    port = MicrocircuitPort(**weights, eta={"up": [0.01, 0.002], "ip": [0.004]})

    def once() -> int:
        for pattern in x:
            for _ in range(n_steps):
                port.step(pattern, np.zeros(outputs))
        return len(x) * n_steps

    return once
