"""Ratios to peers and distances to this machine's limits, all measured in one run: `python benchmarks/run.py`."""

import argparse
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np
import torch

import limits
import peers
from apical.core import Batch
from ours import epoch, images, in_sequence
from spikes import LARGE, ONLINE, SMALL, example, in_nest, steps
from timing import Timed, in_turn

MLP_WEIGHTS = 784 * 500 + 500 * 10
LIT = 0.19  # of the pixels of MNIST's images
BARE = {"tau_delta_ms": None, "readout_lag_ms": 0.0}
BESIDE_BACKPROP = {
    "feedback-alignment": ">= 0.91",
    "direct-feedback-alignment": ">= 0.91",
    "difference-target-propagation": ">= 0.25",
    "simplified-dtp": "-",
    "ao-sdtp": "-",
}


@dataclass(frozen=True)
class Row:
    """A comparison: seconds for an example of ours and of the peer, and the least that the machine would need."""

    name: str
    ours: Timed
    peer: Timed
    limit_s: float | None
    goal: str

    def shown(self) -> str:
        """As a line of the table."""
        distance = (
            "" if self.limit_s is None else f"{self.ours.median / self.limit_s:.1f}x of {1e6 * self.limit_s:.1f} us"
        )
        ratio = self.peer.median / self.ours.median
        return f"| {self.name} | {self.ours.shown()} | {self.peer.shown()} | {ratio:.2f} | {self.goal} | {distance} |"


def compared(
    name: str, ours: Callable[[], int], peer: Callable[[], int], n: int, limit: float | None, goal: str
) -> Row:
    """A row, measured."""
    timed = in_turn({"ours": ours, "peer": peer}, n)
    return Row(name, timed["ours"], timed["peer"], limit, goal)


def arrays(data: Batch) -> tuple[np.ndarray, np.ndarray]:
    """A batch on the host."""
    return np.array(data.x), np.array(data.y)


def mlp(rule: str, linear: type, scale: int, n: int, rate: float) -> Row:
    """An epoch of 784-500-10; forward, back and outer products are 6 operations for each weight, less one back."""
    data = images(20_000 // scale, (28, 28, 1))
    flops = 6 * MLP_WEIGHTS - 2 * 784 * 500
    ours, peer = epoch(rule, data, 50), peers.torch_epoch(peers.mlp(linear), *arrays(data), 50)
    return compared(f"{rule}, 784-500-10, batch 50, against PyTorch", ours, peer, n, flops / rate, ">= 1.5")


def beside_backprop(rule: str, goal: str, scale: int, n: int) -> Row:
    """A rule on five layers of 256 units, in batches of 50; the peer is our own backprop on the same network."""
    data, hidden = images(5_000 // scale, (28, 28, 1)), (256,) * 5
    ours, peer = (epoch(name, data, 50, hidden=hidden) for name in (rule, "backprop"))
    return compared(f"{rule}, 784-5x256-10, batch 50, against our backprop", ours, peer, n, None, goal)


def segregated(scale: int, n: int) -> Row:
    """One example at a time: the first kernel is read for the drive, read again and written for the change."""
    data = images(3_000 // scale, (28, 28, 1))
    n_bytes = 4 * MLP_WEIGHTS
    least = 3 * n_bytes / limits.bytes_per_second(n_bytes)
    x, y = arrays(data)
    peer = peers.numpy_segregated(x[: 300 // scale], y[: 300 // scale], spiking=False)
    ours = epoch("segregated-dendrites", data, 1, preset="rate")
    return compared("segregated-dendrites, rate mode, online, against NumPy", ours, peer, n, least, ">= 8")


def spiking(scale: int, n: int, rate: float, lit: float) -> Row:
    """One example at a time: every input cell drives every hidden cell in each of a hundred steps."""
    data = images(500 // scale, (28, 28, 1), lit)
    x, y = arrays(data)
    peer = peers.numpy_segregated(x[: 20 // scale], y[: 20 // scale], spiking=True)
    ours = epoch("segregated-dendrites", data, 1, preset="guerguiev-2017")
    least = 2 * 100 * 784 * 500 / rate
    name = f"segregated-dendrites, spiking, online, {lit:.0%} of pixels lit, against NumPy"
    return compared(name, ours, peer, n, least, ">= 20" if lit == LIT else "-")


def microcircuit_step(scale: int, n: int) -> Row:
    """An Euler step of the bars' network, 9-30-3, one pattern at a time, with plasticity in every step."""
    data, n_steps = images(200 // scale, (9,), classes=3), 500
    presented = epoch("microcircuit", data, 1, hidden=(30,), preset="haider-2021-bars", classes=3)
    peer = peers.numpy_microcircuit(np.array(data.x[: 20 // scale], float), 30, 3, n_steps)
    return compared(
        "microcircuit, Euler step of 9-30-3, against NumPy", lambda: presented() * n_steps, peer, n, None, ">= 15"
    )


def microcircuit_batch(scale: int, n: int, rate: float) -> Row:
    """An Euler step of 64 patterns side by side; the peer is the same in 8 batches of 8."""
    data, n_steps = images(640 // scale, (28, 28, 1)), 100
    settings = {"presentation_ms": 10.0, "rate_up": 1e-4, "rate_ip": 1e-4}
    ours, peer = (epoch("microcircuit", data, size, preset="gille-2023", settings=settings | BARE) for size in (64, 8))
    least = 2 * (2 * MLP_WEIGHTS + 4 * 500 * 10) / rate
    name = "microcircuit, Euler step of 784-500-10, batch 64, against batch 8"
    return compared(name, lambda: ours() * n_steps, lambda: peer() * n_steps, n, least, "limit <= 4x")


def microcircuit_two_step(scale: int, n: int, rate: float) -> Row:
    """Sacramento's MNIST network, 784-500-500-10 in batches of 10; the peer is our backprop."""
    data, hidden = images(2_000 // scale, (28, 28, 1)), (500, 500)
    ours = epoch("microcircuit", data, 10, hidden=hidden, preset="sacramento-2018-mnist")
    peer = epoch("backprop", data, 10, hidden=hidden)
    flops = 4 * 784 * 500 + 12 * 500 * (500 + 10)
    name = "microcircuit, two-step, 784-500-500-10, batch 10, against our backprop"
    return compared(name, ours, peer, n, flops / rate, "<= 148 us")


def convolutional(side: int, channels: int, scale: int, n: int, rate: float) -> Row:
    """The convolutional preset in batches of 50."""
    data = images(1_000 // scale, (side, side, channels))
    products = (side**2 * 25 * channels * 16, (side // 2) ** 2 * 25 * 16 * 32, (side // 4) ** 2 * 32 * 10)
    flops = 6 * sum(products) - 2 * products[0]
    ours, peer = epoch("backprop", data, 50, "cnn", ()), peers.torch_epoch(peers.cnn(side, channels), *arrays(data), 50)
    return compared(f"backprop, cnn, {side}x{side}x{channels}, against PyTorch", ours, peer, n, flops / rate, "-")


def lanes(rule: str, preset: str, batch_size: int, side: int, n_lanes: int, scale: int, n: int) -> Row:
    """Seeds as lanes of one program against the same seeds one after the other."""
    n_examples = (200 if preset == "paper" else 1_300) // scale // batch_size * batch_size
    data = images(n_examples, (side, side, 1))
    together = epoch(rule, data, batch_size, n_lanes=n_lanes, preset=preset)
    apart = in_sequence(epoch(rule, data, batch_size, preset=preset), n_lanes)
    name = f"{rule} ({preset}), {side}x{side}, {n_lanes} lanes, against one after the other"
    return compared(name, together, apart, n, None, "-")


def spiking_step(held: bool, scale: int, n: int) -> Row:
    """A plastic step of a pattern in 784-300-100-10, weights held or moved in every step; the peer has 9-30-3."""
    settings = {} if held else ONLINE
    ours = steps(LARGE, "short", 10, 50, 20 // scale, settings)
    peer = steps(SMALL, "gille-2023", 500, 1, 200 // scale)
    name = f"spiking-microcircuit, a step of a pattern, {'held' if held else 'time-driven'}, batch 50"
    return compared(f"{name}: 784-300-100-10, beside 9-30-3 online", ours, peer, n, None, "<= 330 us, <= 10 us")


def spiking_psi(scale: int, n: int) -> Row:
    """The same with a thousand times the spikes."""
    ours, peer = (steps(LARGE, "short", 10, 50, 20 // scale, {"psi": psi}) for psi in (1000.0, 1.0))
    return compared("spiking-microcircuit, psi 1000 against psi 1", ours, peer, n, None, "0.83 to 1.2")


def single_neuron(scale: int, n: int) -> Row:
    """A repetition of the pattern that a neuron of Urbanczik and Senn learns."""
    made, ours = example()
    peer = in_nest(made, 20 // scale, n)
    return compared("urbanczik-senn, 200 ms, against NEST", ours(100 // scale), peer, n, None, ">= 20")


def table(only: str, quick: bool) -> list[Callable[[], Row]]:
    """The rows whose name holds `only`, each to be measured when it is called."""
    scale, n = (10, 3) if quick else (1, 7)
    rate = limits.flops_per_second()
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {rate / 1e9:.0f} Gflop/s"
    print(f"{machine}; JAX {jax.__version__}, PyTorch {torch.__version__}\n")
    rows: dict[str, Callable[[], Row]] = {
        "backprop": lambda: mlp("backprop", torch.nn.Linear, scale, n, rate),
        "feedback-alignment": lambda: mlp("feedback-alignment", peers.AlignedLinear, scale, n, rate),
        **{f"deep-{r}": lambda r=r, g=g: beside_backprop(r, g, scale, n) for r, g in BESIDE_BACKPROP.items()},
        "segregated-dendrites": lambda: segregated(scale, n),
        "spiking": lambda: spiking(scale, n, rate, LIT),
        "spiking-all-lit": lambda: spiking(scale, n, rate, 1.0),
        "microcircuit-step": lambda: microcircuit_step(scale, n),
        "microcircuit-batch": lambda: microcircuit_batch(scale, n, rate),
        "microcircuit-two-step": lambda: microcircuit_two_step(scale, n, rate),
        "spikes-held": lambda: spiking_step(True, scale, n),
        "spikes-online": lambda: spiking_step(False, scale, n),
        "spikes-psi": lambda: spiking_psi(scale, n),
        "spikes-nest": lambda: single_neuron(scale, n),
        "cnn-28": lambda: convolutional(28, 1, scale, n, rate),
        "cnn-32": lambda: convolutional(32, 3, scale, n, rate),
    }
    settings = (("backprop", "default", 50), ("segregated-dendrites", "rate", 1), ("segregated-dendrites", "paper", 1))
    for side, setting, k in itertools.product((8, 28), settings, (3, 9)):
        rows[f"lanes-{setting[1]}-{side}-{k}"] = lambda a=(*setting, side, k): lanes(*a, scale, n)
    return [row for name, row in rows.items() if only in name]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="measure the rows whose name holds this")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, for trying it out")
    arguments = parser.parse_args()
    rows = table(arguments.only, arguments.quick)
    print("| what | ours, per example | peer | peer / ours | goal | distance to the limit |\n|---|---|---|---|---|---|")
    for row in rows:
        print(row().shown(), flush=True)


if __name__ == "__main__":
    main()
