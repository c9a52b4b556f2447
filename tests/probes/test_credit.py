"""What is measured of credit, against closed forms."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apical.core import Batch, Pathway, State
from apical.probes.alignment import feedback_alignment, pseudo_inverse_alignment
from apical.probes.credit import angle, angle_to_backprop, ask, gradient, log10_norm_ratio
from apical.probes.dynamics import relative_change, weight_norm
from apical.rules.assembly import assemble
from apical.rules.base import AbstractRule
from apical.rules.registry import RULES


def drawn(*shape: int, seed: int = 0) -> jax.Array:
    return jr.normal(jr.key(seed), shape)


@pytest.mark.parametrize("size", [2, 100, 100_000])
@pytest.mark.parametrize("scale", [1e-10, 1.0, 1e10])
def test_angle_of_equal_and_opposite_arrays(size: int, scale: float) -> None:
    a = scale * drawn(size)
    assert float(angle(a, a)) == pytest.approx(0, abs=0.1)
    assert float(angle(a, 3 * a)) == pytest.approx(0, abs=0.1)
    assert float(angle(a, -a)) == pytest.approx(180, abs=0.1)


@given(st.floats(1, 179), st.floats(0.1, 10))
def test_angle_in_the_plane(degrees: float, length: float) -> None:
    turned = length * jnp.asarray([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], jnp.float32)
    assert float(angle(jnp.asarray([2.0, 0.0]), turned)) == pytest.approx(degrees, abs=0.02)


def test_angle_of_matrices_is_that_of_all_their_numbers() -> None:
    a, b = drawn(4, 5), drawn(4, 5, seed=1)
    cosine = np.vdot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)
    assert float(angle(a, b)) == pytest.approx(np.degrees(np.arccos(cosine)), rel=1e-5)


def test_angle_to_nothing_is_not_a_number() -> None:
    assert np.isnan(angle(jnp.zeros(3), drawn(3))) and np.isnan(angle(drawn(3), jnp.zeros(3)))
    assert np.isnan(angle(jnp.zeros(3), jnp.zeros(3)))


LAYERS = tuple({"w": drawn(3, 2, seed=s), "b": drawn(3, seed=10 + s)} for s in range(3))


def test_angles_are_measured_for_each_layer_and_in_total() -> None:
    """Weights and biases of a layer count together; the total is of all numbers, not a mean of angles."""
    turned = (LAYERS[0], jax.tree.map(lambda a: -a, LAYERS[1]), jax.tree.map(lambda a: 2 * a, LAYERS[2]))
    found = {name: float(value) for name, value in angle_to_backprop(turned, LAYERS).items()}
    assert list(found) == ["0", "1", "2", "total"]
    assert [found["0"], found["1"], found["2"]] == pytest.approx([0, 180, 0], abs=0.1)
    squares = [sum(float(jnp.sum(a**2)) for a in layer.values()) for layer in LAYERS]
    across = squares[0] - squares[1] + 2 * squares[2]
    lengths = np.sqrt((squares[0] + squares[1] + 4 * squares[2]) * sum(squares))
    assert found["total"] == pytest.approx(np.degrees(np.arccos(across / lengths)), abs=0.01)


def test_norm_ratio_of_scaled_directions() -> None:
    scaled = tuple(jax.tree.map(lambda a, s=s: s * a, layer) for s, layer in zip((10, 1, 0.01), LAYERS, strict=True))
    found = {name: float(value) for name, value in log10_norm_ratio(scaled, LAYERS).items()}
    assert [found["0"], found["1"], found["2"]] == pytest.approx([1, 0, -2], abs=1e-5)
    squares = np.asarray([sum(float(jnp.sum(a**2)) for a in layer.values()) for layer in LAYERS])
    expected = np.log10(np.sqrt((squares * [100, 1, 1e-4]).sum() / squares.sum()))
    assert found["total"] == pytest.approx(expected, abs=1e-5)


def test_weight_norm_and_relative_change() -> None:
    before = (jnp.asarray([[3.0, 0.0], [0.0, 4.0]]), jnp.zeros(2))
    now = (before[0] + jnp.asarray([[0.0, 1.0], [0.0, 0.0]]), jnp.ones(2))
    assert [float(v) for v in weight_norm(before).values()] == [5.0, 0.0]
    change = relative_change(now, before)
    assert float(change["0"]) == pytest.approx(0.2) and np.isinf(change["1"])


def pathway(forward: jax.Array, feedback: jax.Array) -> tuple[Pathway, ...]:
    return (Pathway(1, forward, feedback),)


def test_alignment_of_forward_and_feedback_matrices() -> None:
    w = drawn(3, 5)
    assert float(feedback_alignment(pathway(w, 2 * w))["1"]) == pytest.approx(0, abs=0.1)
    assert float(feedback_alignment(pathway(w, -w))["1"]) == pytest.approx(180, abs=0.1)


def test_pseudo_inverse_alignment_is_none_for_the_inverse_of_the_feedback() -> None:
    """B carries errors down as B^T; W is aligned where W = (B^T)^+ = B (B^T B)^-1 or, for wide B, (B B^T)^-1 B."""
    b = drawn(3, 5)
    inverse = jnp.asarray(np.linalg.inv(np.asarray(b @ b.T)) @ np.asarray(b))
    assert float(pseudo_inverse_alignment(pathway(inverse, b))["1"]) == pytest.approx(0, abs=0.1)
    assert float(pseudo_inverse_alignment(pathway(b, b))["1"]) > 5
    rotation = jnp.asarray(np.linalg.qr(np.asarray(drawn(5, 5)))[0][:3])
    assert float(pseudo_inverse_alignment(pathway(rotation, rotation))["1"]) == pytest.approx(0, abs=0.1)


def learner(name: str, network: str = "mlp", **settings: object) -> tuple[AbstractRule, State, Batch]:
    rule = assemble(RULES[name], network, (6, 6, 1), 4, (5,), settings)
    batch = Batch(jr.uniform(jr.key(0), (8, 6, 6, 1)), jnp.arange(8) % 4)
    return rule, eqx.filter_jit(rule.init)(jr.key(1), batch), batch


asked = eqx.filter_jit(ask)
graded = eqx.filter_jit(gradient)


@pytest.mark.parametrize("network", ["mlp", "cnn"])
def test_backprop_has_no_angle_to_itself(network: str) -> None:
    sizes = {} if network == "mlp" else {"channels": (3,), "kernels": (3,), "padding": (1,)}
    rule, state, batch = learner("backprop", network, **sizes)
    direction, reference = asked(rule, state, batch, jr.key(2)).direction.forward, graded(rule, state, batch)
    for value in angle_to_backprop(direction, reference).values():
        assert float(value) == pytest.approx(0, abs=0.2)
    for value in log10_norm_ratio(direction, reference).values():
        assert float(value) == pytest.approx(0, abs=1e-3)


def test_feedback_alignment_has_an_angle_in_the_hidden_layer_alone() -> None:
    rule, state, batch = learner("feedback-alignment")
    direction, reference = asked(rule, state, batch, jr.key(2)).direction.forward, graded(rule, state, batch)
    found = angle_to_backprop(direction, reference)
    assert float(found["0"]) > 10 and float(found["1"]) == pytest.approx(0, abs=0.1)
    assert 0 < float(found["total"]) < float(found["0"])


def test_asking_starts_from_rest() -> None:
    rule, state, batch = learner("backprop", "cnn", channels=(3,), kernels=(3,), padding=(1,))
    elsewhere = State(state.weights, state.optimiser, jax.tree.map(lambda a: a + 5, state.neurons))
    one, other = (asked(rule, s, batch, jr.key(2)) for s in (state, elsewhere))
    assert jax.tree.all(jax.tree.map(jnp.array_equal, one, other))
