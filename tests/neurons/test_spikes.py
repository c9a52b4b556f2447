"""Spike counts against the Poisson law, and the generator against JAX's own."""

import jax
import jax.extend.random
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

from apical.neurons.spikes import MOST, draw_words, omitted_tail, spike_counts, threefry

N = 1_000_000
LEVEL = 1e-3  # a right program fails one of these checks in a thousand draws of keys; the keys are fixed


@pytest.mark.parametrize("key", [0, 1, 2**31])
def test_words_are_those_of_the_library(key: int) -> None:
    words = jr.key_data(jr.key(key))
    high, low = jnp.arange(7, dtype=jnp.uint32), jnp.arange(100, 107, dtype=jnp.uint32)
    ours = jnp.concatenate(threefry((words[0], words[1]), high, low))
    theirs = jax.extend.random.threefry_2x32(words, jnp.concatenate([high, low]))
    np.testing.assert_array_equal(ours, theirs)


def test_words_are_uniform_and_differ_between_keys_and_places() -> None:
    words = np.asarray(draw_words(jr.key(3), (1000, 100)))
    assert words.min() >= 0 and len(np.unique(words)) > 99_990
    assert stats.kstest(words.ravel() / 2.0**31, "uniform").pvalue > LEVEL
    for other in (draw_words(jr.key(4), (1000, 100)), draw_words(jr.key(3), (1000, 100), -1)):
        assert abs(np.corrcoef(words.ravel(), np.asarray(other).ravel())[0, 1]) < 0.015
    bits = (words[..., None] >> np.arange(31)) & 1
    assert np.abs(bits.mean((0, 1)) - 0.5).max() < 0.007  # 4.4 s.d.
    assert abs(np.corrcoef(words[:-1].ravel(), words[1:].ravel())[0, 1]) < 0.015


@pytest.mark.parametrize("rate", [8e-4, 0.02, 0.2, 0.5, 1.0])
def test_counts_follow_the_poisson_law(rate: float) -> None:
    counts = np.asarray(spike_counts(draw_words(jr.key(7), (N,)), jnp.asarray(rate)))
    assert abs(counts.mean() - rate) < 4 * np.sqrt(rate / N)
    fourth = rate + 3 * rate**2  # central moment, for the variance of the variance
    assert abs(counts.var() - rate) < 4 * np.sqrt((fourth - rate**2) / N)
    expected = stats.poisson.pmf(np.arange(MOST + 1), rate) * N
    kept = max(k for k in range(MOST + 1) if expected[k:].sum() > 5)
    seen = np.bincount(counts.astype(int), minlength=MOST + 1)
    pooled = [np.append(a[:kept], a[kept:].sum()) for a in (seen, expected)]
    assert stats.chisquare(pooled[0], pooled[1] * N / pooled[1].sum()).pvalue > LEVEL


@pytest.mark.parametrize("rate", [0.2, 1.0])
def test_what_is_left_out_of_the_law_is_as_stated(rate: float) -> None:
    assert omitted_tail(rate) == pytest.approx(stats.poisson.sf(MOST, rate), rel=1e-6)
    assert omitted_tail(rate) < {0.2: 3e-9, 1.0: 1e-4}[rate]
    most = spike_counts(jnp.zeros(1, jnp.int32), jnp.asarray(rate))
    assert float(most[0]) == MOST


def test_small_rates_keep_their_digits() -> None:
    """A rate of 1e-6 fires for the words below 1e-6 of their range, to one word in a thousand."""
    edge = int(2.0**31 * -np.expm1(-1e-6))
    words = jnp.asarray([edge - 3, edge + 3], jnp.int32)
    np.testing.assert_array_equal(spike_counts(words, jnp.asarray(1e-6)), [1.0, 0.0])
