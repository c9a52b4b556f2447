"""Poisson spikes from one uniform number each, by inverse transform.

P(more than k spikes) at rate r is summed from its tail, so that small rates keep all their digits; the count is how
many of these probabilities lie above the uniform number. Counts stop at `MOST`: at 0.2 spikes per step that leaves out
2e-9 of the law, at 1 spike per step 8e-5. `poisson` counts as far as any rate needs: by the same sum below `FEW`
spikes per step, above it by an expansion of the inverse law in the normal quantile (Cornish-Fisher; Giles 2016), whose
mean is within 1e-4 of the rate and which gives another count than the exact inverse once in a thousand times.

The numbers are JAX's own generator, Threefry-2x32 (Salmon et al. 2011), written out: on a CPU the library runs its
rounds as a loop over memory, which took longer than the matrix product that the spikes enter. Of its 20 rounds spikes
take 13, the fewest with which it passes every test of randomness that its authors put it to.
"""

import math

import jax
import jax.numpy as jnp
import jax.random as jr
from jax import lax
from jaxtyping import Array, Float, Int, Int32, UInt32

from apical.core import PRNGKey

MOST = 6
FEW, ENOUGH = 5.0, 16  # spikes per step; terms that leave out 2e-5 of the law at so many
RANGE = 2.0**31
ROUNDS = 13
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA

Words = UInt32[Array, "..."]


def threefry(key: tuple[Words, Words], high: Words, low: Words, rounds: int = 20) -> tuple[Words, Words]:
    """Threefry-2x32 with so many rounds: two words for two words of counter."""
    keys = (*key, key[0] ^ key[1] ^ jnp.uint32(PARITY))
    high, low = high + keys[0], low + keys[1]
    for done in range(1, rounds + 1):
        group, place = divmod(done - 1, 4)
        bits = ROTATIONS[group % 2][place]
        high = high + low
        low = high ^ ((low << bits) | (low >> (32 - bits)))
        if place == 3:
            high, low = high + keys[(group + 1) % 3], low + keys[(group + 2) % 3] + jnp.uint32(group + 1)
    return high, low


def draw_words(
    key: PRNGKey,
    shape: tuple[int, ...],
    stream: int | Int[Array, ""] = 0,
    columns: Int[Array, " n"] | None = None,
) -> Int32[Array, "..."]:
    """Uniform whole numbers in [0, 2^31), others in each stream; where `columns` of the last axis are given, those."""
    counter = lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
    if columns is not None:
        counter = counter[..., :1] + columns.astype(jnp.uint32)
    words, second = jr.key_data(key), jnp.asarray(stream).astype(jnp.uint32)
    drawn, _ = threefry((words[0], words[1]), counter, jnp.broadcast_to(second, counter.shape), ROUNDS)
    return lax.bitcast_convert_type(drawn >> 1, jnp.int32)


def spike_counts(words: Int32[Array, "..."], rate: Float[Array, "..."], most: int = MOST) -> Float[Array, "..."]:
    """Poisson counts, at most so many, for uniform words and rates in spikes per step, of the shape they broadcast to.

    With u uniform in [0, 1), the count is the number of k = 0, 1, ... for which u exp(r) < sum over i > k of r^i / i!.
    """
    uniform = words.astype(rate.dtype) / RANGE * jnp.exp(rate)
    term, above = jnp.ones_like(rate), jnp.zeros_like(rate)
    terms = [term := term * rate * (1 / k) for k in range(1, most + 1)]
    count = jnp.zeros(uniform.shape, rate.dtype)
    for term in reversed(terms):
        above = above + term
        count = count + jnp.where(uniform < above, 1.0, 0.0)
    return count


def poisson(words: Int32[Array, "..."], rate: Float[Array, "..."]) -> Float[Array, "..."]:
    """Poisson counts for uniform words and any rates in spikes per step, at a cost that none of them changes."""
    few = spike_counts(words, jnp.minimum(rate, FEW), ENOUGH)
    uniform, edge = words.astype(rate.dtype) / RANGE, jnp.finfo(rate.dtype).epsneg
    w = jnp.sqrt(2.0).astype(rate.dtype) * lax.erf_inv(jnp.clip(2 * uniform - 1, edge - 1, 1 - edge))
    many = jnp.maximum(rate, FEW)
    root, square = jnp.sqrt(many), w * w
    quantile = many + root * w + (2 + square) / 6 - w * (2 + square) / (72 * root)
    quantile = quantile + (square * (square / 270 + 7 / 810) - 8 / 405) / many
    return jnp.where(rate < FEW, few, jnp.maximum(jnp.floor(quantile), 0.0))


@jax.custom_jvp
def surrogate(spikes: Float[Array, "..."], mean: Float[Array, "..."]) -> Float[Array, "..."]:
    """The spikes, whose derivative is that of their mean: what was drawn has none of its own."""
    return spikes


@surrogate.defjvp
def _change(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    return primals[0], tangents[1]


def omitted_tail(rate: float) -> float:
    """The probability, at this rate, of more spikes in a step than are ever drawn."""
    return 1 - sum(math.exp(-rate) * rate**k / math.factorial(k) for k in range(MOST + 1))
