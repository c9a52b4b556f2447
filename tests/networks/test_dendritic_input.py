"""Examples gone through without silent input cells: nothing but the time it takes may change."""

import functools
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apical.core import Batch, State
from apical.networks import dendritic
from apical.networks.dendritic_input import is_felt, pays
from apical.neurons.kernels import Trace
from apical.neurons.spikes import draw_words
from apical.rules.assembly import assemble
from apical.rules.registry import RULES

N_INPUTS, CLASSES = 300, 3
SHORT = {"forward_steps": 8, "target_steps": 7, "settling_steps": 5, "spike_memory": 3}


def examples() -> Batch:
    """Images with few pixels lit but the third, so that there is no room for it and the next."""
    generator = np.random.default_rng(0)
    x = generator.uniform(0.2, 1, (5, N_INPUTS)) * (generator.random((5, N_INPUTS)) < 0.15)
    x[2] = generator.uniform(0.2, 1, N_INPUTS)
    return Batch(jnp.asarray(x), jnp.arange(5) % CLASSES)


def learnt(silent_left_out: bool, monkeypatch: pytest.MonkeyPatch) -> list[State]:
    """States after each example."""
    monkeypatch.setattr(dendritic, "pays", lambda *_: silent_left_out)
    rule = assemble(RULES["segregated-dendrites"], "mlp", (N_INPUTS,), CLASSES, (6,), SHORT)
    each = [Batch(x[None], y[None]) for x, y in zip(*jax.tree.leaves(examples()), strict=True)]
    states = [eqx.filter_jit(rule.init)(jax.random.key(1), each[0])]
    update = eqx.filter_jit(lambda state, example, key: rule.update(state, example, key)[0])
    for i, example in enumerate(each):
        states.append(update(states[-1], example, jax.random.key(i)))
    return states


def test_silent_cells_left_out_change_no_spike_and_no_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    with jax.enable_x64(True):
        ours, theirs = (learnt(left_out, monkeypatch) for left_out in (True, False))
    for after, same in zip(ours, theirs, strict=True):
        for a, b in zip(jax.tree.leaves(after), jax.tree.leaves(same), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    kernels = [np.asarray(state.weights.forward[0].kernel) for state in ours]
    assert all((before != after).any() for before, after in itertools.pairwise(kernels))


def test_a_cell_is_felt_while_its_spikes_are_remembered() -> None:
    x = jnp.asarray([[0.0, 0.5, 0.0, 0.0]])
    past, psp = jnp.zeros((2, 1, 4)).at[1, 0, 2].set(1.0), jnp.zeros((1, 4)).at[0, 3].set(1e-30)
    assert is_felt(Trace(past, psp), x).tolist() == [False, True, True, True]
    assert is_felt(None, x).tolist() == [False, True, False, False]


def test_cells_have_the_words_that_they_have_among_all() -> None:
    words = functools.partial(draw_words, jax.random.key(3), (4, 1, 10))
    columns = jnp.asarray([1, 7, 10])  # the last is no cell
    assert (words(0, columns)[..., :2] == words()[..., jnp.asarray([1, 7])]).all()


def test_few_inputs_and_batches_are_gone_through_as_they_are() -> None:
    assert pays(784, 1) == (jax.default_backend() == "cpu")
    assert not pays(64, 1)
    assert not pays(784, 2)
