"""What one update of a rule costs at one size: counted, asked of the compiler, and timed."""

import time
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from apical.core import Batch
from apical.probes.operations import count
from apical.rules.assembly import assemble
from apical.rules.base import AbstractRule
from apical.rules.registry import RULES

INPUTS, CLASSES, BATCH = (784,), 10, 50
AT_LEAST_S = 0.05
REPEATS = 3


@dataclass(frozen=True)
class Variant:
    """A rule in one of its presets."""

    rule: str
    preset: str

    @property
    def label(self) -> str:
        """The rule, and the preset where it is not the one that comparisons use."""
        return self.rule if self.preset == _compared(RULES[self.rule]) else f"{self.rule}, {self.preset}"


@dataclass(frozen=True)
class Size:
    """`width` units in each of `depth` hidden layers."""

    width: int
    depth: int


@dataclass(frozen=True)
class Cost:
    """What an example costs, in one update on a batch of `batch`: floating-point operations, bytes, seconds (none: not
    timed); `chain` is the longest chain of products and `memory` the most in use, both of the whole update."""

    variant: Variant
    size: Size
    batch: int
    flops: float
    bytes: float
    chain: float
    open_loops: int
    memory: float | None = None
    seconds: float | None = None


def variants() -> tuple[Variant, ...]:
    """Every rule as it is compared, and as it is trained without options where that is something else."""
    return tuple(
        Variant(name, preset)
        for name, rule in RULES.items()
        for preset in dict.fromkeys((_compared(rule), next(iter(rule.presets))))
    )


def _compared(rule: type[AbstractRule]) -> str:
    return rule.compared or next(iter(rule.presets))


def cost(variant: Variant, size: Size, timed: bool) -> Cost:
    """The cost at one size; memory and seconds only where it is `timed`, which compiles and runs it."""
    cls = RULES[variant.rule]
    preset, network = cls.presets[variant.preset], next(iter(cls.networks))
    rule = assemble(cls, network, INPUTS, CLASSES, (size.width,) * size.depth, preset.settings)
    batch = example_batch(preset.batch_size or BATCH)
    state = eqx.filter_eval_shape(rule.init, jr.key(0), batch)
    found = count(lambda rule, *rest: rule.update(*rest), rule, state, batch, jr.key(0))
    n = len(batch.y)
    memory, seconds = run(rule, batch) if timed else (None, None)
    per_example = None if seconds is None else seconds / n
    return Cost(variant, size, n, found.flops / n, found.bytes / n, found.depth, found.open_loops, memory, per_example)


def example_batch(n: int) -> Batch:
    """Random inputs with random labels."""
    draw = np.random.default_rng(0)
    x, y = draw.uniform(size=(n, *INPUTS)).astype(np.float32), draw.integers(0, CLASSES, n)
    return Batch(jnp.asarray(x), jnp.asarray(y, jnp.int32))


def run(rule: AbstractRule, batch: Batch) -> tuple[float, float]:
    """Peak memory in bytes, as the compiler plans it, and the seconds of one update in a compiled loop, at best."""
    state = eqx.filter_jit(lambda rule, key, batch: rule.init(key, batch))(rule, jr.key(0), batch)
    dynamic, static = eqx.partition((rule, state, batch), eqx.is_array)

    def loop(dynamic: Any, n: jax.Array) -> Any:
        rule, state, batch = eqx.combine(dynamic, static)
        return jax.lax.fori_loop(0, n, lambda i, state: rule.update(state, batch, jr.fold_in(jr.key(1), i))[0], state)

    compiled = jax.jit(loop).lower(dynamic, jnp.asarray(1)).compile()
    return peak(compiled), min(_timed(compiled, dynamic) for _ in range(REPEATS))


def peak(compiled: Any) -> float:
    """Bytes of arguments, results and everything between them."""
    planned = compiled.memory_analysis()
    parts = (planned.argument_size_in_bytes, planned.output_size_in_bytes, planned.temp_size_in_bytes)
    return float(sum(parts) - planned.alias_size_in_bytes)


def _timed(compiled: Any, dynamic: Any) -> float:
    """Seconds of one update, from as many of them as take long enough to be timed."""
    n = 1
    while True:
        began = time.perf_counter()
        jax.block_until_ready(compiled(dynamic, jnp.asarray(n)))
        passed = time.perf_counter() - began
        if passed > AT_LEAST_S:
            return passed / n
        n = max(n + 1, int(1.5 * n * AT_LEAST_S / max(passed, 1e-6)))
