"""What this machine can do at most: its rate of matrix products, and of copying arrays of a given size in a loop."""

import time

import jax
import jax.numpy as jnp
import jax.random as jr

SIDE, N_COPIES = 2048, 200


def best(program: jax.stages.Wrapped, *arguments: jax.Array, n_runs: int = 5) -> float:
    """The shortest time of several runs, in seconds."""
    jax.block_until_ready(program(*arguments))
    seconds = []
    for _ in range(n_runs):
        began = time.perf_counter()
        jax.block_until_ready(program(*arguments))
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def flops_per_second() -> float:
    """Floating-point operations per second of a large float32 matrix product."""
    a = jr.normal(jr.key(0), (SIDE, SIDE))
    return 2 * SIDE**3 / best(jax.jit(jnp.matmul), a, a)


def bytes_per_second(n_bytes: int) -> float:
    """Bytes read and written per second when arrays of `n_bytes` are copied, with a change, in a compiled loop."""
    a = jnp.zeros(n_bytes // 4)

    def copied(a: jax.Array) -> jax.Array:
        return jax.lax.fori_loop(0, N_COPIES, lambda _, b: b + 1, a)

    return 2 * N_COPIES * n_bytes / best(jax.jit(copied), a)
