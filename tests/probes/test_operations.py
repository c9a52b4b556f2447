"""Operations counted from a program agree with closed forms, loops included."""

import itertools

import jax
import jax.numpy as jnp
import jax.random as jr
import pytest

from apical.core import Batch
from apical.networks.feedforward import MLP
from apical.probes.operations import Operations, count
from apical.rules.backprop import Backprop
from apical.rules.feedback_alignment import DirectFeedbackAlignment, FeedbackAlignment
from apical.rules.optimisers import Optimiser

SIZES = (30, 20, 15, 4)
BATCH = 5
N_STEPS = 7


def update_of(rule_class: type, sizes: tuple[int, ...] = SIZES) -> Operations:
    """The operations of one update with plain descent."""
    rule = rule_class(MLP(sizes[:1], sizes[-1], sizes[1:-1]), {"forward": Optimiser(optimiser="sgd")})
    batch = Batch(jnp.ones((BATCH, *sizes[:1])), jnp.zeros(BATCH, int))
    state = rule.init(jr.key(0), batch)
    return count(lambda rule, *rest: rule.update(*rest), rule, state, batch, jr.key(0))


def products(sizes: tuple[int, ...] = SIZES) -> tuple[int, int]:
    """Operations of a layer's products on the way up, and of carrying an error down to the first hidden layer."""
    pairs = list(itertools.pairwise(sizes))
    return 2 * BATCH * sum(a * b for a, b in pairs), 2 * BATCH * sum(a * b for a, b in pairs[1:])


@pytest.mark.parametrize("rule_class", [Backprop, FeedbackAlignment], ids=lambda rule: rule.name)
def test_an_mlp_costs_what_its_layers_cost(rule_class: type) -> None:
    """Up, the change of every kernel, and down through all but the first; the rest is elementwise and small."""
    up, down = products()
    found, n_weights = update_of(rule_class), sum(a * b + b for a, b in itertools.pairwise(SIZES))
    elementwise = found.flops - (2 * up + down)
    assert 2 * n_weights <= elementwise <= 4 * n_weights + 60 * BATCH * sum(SIZES[1:])


def test_wide_layers_outweigh_everything_else() -> None:
    sizes = (600, 500, 400, 10)
    up, down = products(sizes)
    assert update_of(Backprop, sizes).flops == pytest.approx(2 * up + down, rel=0.25)


def test_the_chain_grows_by_two_products_with_a_layer_and_by_one_where_the_output_calls_all() -> None:
    """Backprop: up and down; direct feedback: up alone. Both end with the change of a kernel."""
    for depth in (1, 3):
        sizes = (6, *(5,) * depth, 3)
        assert update_of(Backprop, sizes).depth == (depth + 1) + depth + 1
        assert update_of(DirectFeedbackAlignment, sizes).depth == (depth + 1) + 1 + 1


def scanned(w: jax.Array, h: jax.Array) -> jax.Array:
    """A product in each of some steps."""
    return jax.lax.scan(lambda h, _: (jnp.tanh(h @ w), None), h, None, N_STEPS)[0]


def test_a_loop_counts_as_often_as_it_runs() -> None:
    w, h = jnp.ones((6, 6)), jnp.ones((3, 6))
    once = count(lambda w, h: jnp.tanh(h @ w), w, h)
    assert once == Operations(2.0 * 3 * 6 * 6 + 3 * 6, 4.0 * (6 * 6 + 2 * 3 * 6), 1.0)
    assert count(scanned, w, h) == Operations(N_STEPS * once.flops, N_STEPS * once.bytes, float(N_STEPS))
    unrolled = count(lambda w, h: [h := jnp.tanh(h @ w) for _ in range(N_STEPS)][-1], w, h)
    assert unrolled == count(scanned, w, h)
    compiled = jax.jit(scanned).lower(w, h).compile().cost_analysis()
    assert compiled["flops"] < 2 * once.flops, "the compiler has learnt to count loops: use its count"


def test_loops_of_unknown_length_are_reported() -> None:
    found = count(lambda n, h: jax.lax.fori_loop(0, n, lambda _, h: h * 2.0, h), jnp.asarray(3), jnp.ones(4))
    assert found == Operations(4.0, 0.0, 0.0, 1)


def test_convolutions_branches_and_what_nobody_needs() -> None:
    x, k = jnp.ones((2, 8, 8, 3)), jnp.ones((5, 5, 3, 4))

    def convolve(x: jax.Array, k: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(x, k, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    assert count(convolve, x, k).flops == 2 * (2 * 8 * 8 * 4) * (5 * 5 * 3)
    h = jnp.ones((3, 6))
    dear = count(lambda p, h: jax.lax.cond(p, lambda h: h @ h.T @ h, lambda h: h, h), jnp.asarray(True), h)
    assert dear.flops == 2 * (2 * 3 * 6 * 3)
    assert count(lambda h: (h @ h.T, h + h)[1], h).flops == h.size
