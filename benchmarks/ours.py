"""Our programs, as training runs them: a rule on random images, a part of an epoch as one call."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import jax.random as jr

from apical.core import Batch
from apical.hyperparameters import Value
from apical.rules.assembly import assemble
from apical.rules.registry import find
from apical.training import programs
from apical.training.loop import Segment, shuffle


def images(n: int, shape: tuple[int, ...], lit: float = 1.0, classes: int = 10) -> Batch:
    """Random images and labels; a share of the pixels is lit, the others are 0."""
    x = jr.uniform(jr.key(0), (n, *shape)) * jr.bernoulli(jr.key(2), lit, (n, *shape))
    return Batch(x, jr.randint(jr.key(1), (n,), 0, classes))


def epoch(
    rule: str,
    data: Batch,
    batch_size: int,
    network: str = "mlp",
    hidden: tuple[int, ...] = (500,),
    n_lanes: int = 1,
    preset: str = "default",
    classes: int = 10,
    settings: Mapping[str, Value] | None = None,
) -> Callable[[], int]:
    """A program that trains once through `data`, in each of `n_lanes` lanes, and returns the number of examples."""
    found = find(rule)
    chosen = {**found.presets[preset].settings, **(settings or {})}
    made = assemble(found, network, data.x.shape[1:], classes, hidden, chosen)
    first = jax.tree.map(lambda a: a[:batch_size], data)
    states = [programs.initialise(made, jr.key(seed), first) for seed in range(n_lanes)]
    orders = [shuffle(len(data.y), batch_size, jr.key(seed)) for seed in range(n_lanes)]
    keys = [jr.key(seed) for seed in range(n_lanes)]
    steps = jnp.asarray(0), jnp.asarray(len(data.y) // batch_size)
    segment = Segment(made, data, programs.stack(orders), *steps, programs.stack(keys))
    run = programs.advanced if n_lanes == 1 else programs.advanced_lanes
    held = [programs.stack(states)]

    def once() -> int:
        held[0], scored = run(segment, held[0])
        jax.block_until_ready(scored)
        return n_lanes * int(steps[1]) * batch_size

    return once


def in_sequence(program: Callable[[], int], n: int) -> Callable[[], int]:
    """The program, n times one after the other."""
    return lambda: sum(program() for _ in range(n))
