"""From names and values to a rule, and what is said where they do not fit."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch
from apical.errors import InputError
from apical.rules.assembly import assemble, complete, schema
from apical.rules.base import AbstractRule
from apical.rules.pathways import direct_pathways, layer_pathways
from apical.rules.registry import RULES, find, unknown

IMAGE, CLASSES = (8, 8, 1), 10


def made(name: str, network: str, hidden: tuple[int, ...] = (6, 5), **settings: object) -> AbstractRule:
    return assemble(find(name), network, IMAGE, CLASSES, hidden, settings)


def test_every_setting_arrives_where_it_was_declared() -> None:
    given = {"rate": (0.3, 0.2), "optimiser": "sgd", "feedback_scale": 0.7, "activation": "tanh", "weight_decay": 0.1}
    rule = made("feedback-alignment", "mlp", **given)
    np.testing.assert_allclose(rule.optimisers["forward"].rate, (0.3, 0.2), rtol=1e-6)
    assert (rule.optimisers["forward"].optimiser, rule.network.activation) == ("sgd", "tanh")
    np.testing.assert_allclose((rule.feedback_scale, rule.optimisers["forward"].weight_decay), (0.7, 0.1), rtol=1e-6)
    assert (rule.network.shape, rule.network.classes, rule.network.hidden) == (IMAGE, CLASSES, (6, 5))


def test_what_is_not_given_is_the_default() -> None:
    settings = complete(find("backprop"), "cnn", {"rate": 0.5})
    assert settings == {k: d.default for k, d in schema(find("backprop"), "cnn").items()} | {"rate": 0.5}


@pytest.mark.parametrize(
    ("network", "hidden", "settings", "said"),
    [
        ("mlp", (5, 0), {}, "hidden=5,0: every hidden layer needs at least one unit"),
        ("mlp", (), {"chanels": (3,)}, "unknown hyperparameter of backprop 'chanels'"),
        ("mlp", (), {"activation": "relux"}, "activation is one of"),
        ("mpl", (), {}, "has no network 'mpl'"),
    ],
)
def test_mistakes_are_refused(network: str, hidden: tuple[int, ...], settings: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        made("backprop", network, hidden, **settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kernels": (3, 3, 3)}, "kernels has 3 values for 2 layers"),
        ({"strides": (2, 2, 2)}, "strides has 3 values"),
        ({"kernels": (9,), "padding": (0,)}, "leave nothing of a 8x8 image"),
        ({"channels": (2,) * 5, "kernels": (3,), "padding": (1,)}, "leave nothing of a 1x1 image"),
    ],
)
def test_images_that_shrink_to_nothing_are_refused(settings: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        jax.eval_shape(made("backprop", "cnn", **settings).network.init, jr.key(0))


def test_image_networks_need_images() -> None:
    rule = assemble(find("backprop"), "lc", (7,), 3, (), {})
    with pytest.raises(InputError, match="use --network mlp"):
        jax.eval_shape(rule.network.init, jr.key(0))


def test_a_network_without_hidden_layers_learns_alike_by_every_rule_with_backprops_output() -> None:
    batch = Batch(jr.uniform(jr.key(0), (4, *IMAGE)), jnp.arange(4))
    found = []
    for name in ("backprop", "feedback-alignment", "direct-feedback-alignment"):
        rule = made(name, "mlp", ())
        state = rule.init(jr.key(1), batch)
        assert jax.tree.leaves(state.weights.feedback) == [] and rule.pathways(state.weights) == ()
        gradient = jax.grad(lambda f, net=rule.network: net.loss(net.apply(f, batch.x), batch.y))(state.weights.forward)
        found.append((rule.update(state, batch, jr.key(2))[1].direction.forward[0].kernel, gradient[0].kernel))
    for direction, gradient in found:
        np.testing.assert_allclose(direction, gradient, rtol=1e-5, atol=1e-7)


def test_names_near_by_are_offered() -> None:
    assert "did you mean 'backprop'" in unknown("rule", "backdrop", RULES)
    assert all(name in unknown("rule", "zzz", RULES) for name in RULES)
    with pytest.raises(InputError, match="did you mean 'feedback-alignment'"):
        find("feedback-aligment")


def test_pathways_pair_each_feedback_matrix_with_what_it_stands_for() -> None:
    batch = Batch(jnp.zeros((2, *IMAGE)), jnp.zeros(2, int))
    layered = made("feedback-alignment", "mlp")
    weights = layered.init(jr.key(0), batch).weights
    for l, pathway in enumerate(layer_pathways(weights.forward, weights.feedback)):
        assert pathway.layer == l
        np.testing.assert_array_equal(pathway.forward, weights.forward[l + 1].kernel)
        np.testing.assert_array_equal(pathway.feedback, weights.feedback[l])
    direct = made("direct-feedback-alignment", "mlp")
    weights = direct.init(jr.key(0), batch).weights
    first, second = direct_pathways(weights.forward, weights.feedback)
    w = [np.asarray(block.kernel) for block in weights.forward]
    np.testing.assert_allclose(first.forward, w[2] @ w[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(second.forward, w[2])
    np.testing.assert_array_equal(first.feedback, weights.feedback[0].T)
    assert first.feedback.shape == first.forward.shape and second.feedback.shape == second.forward.shape


def test_pathways_leave_out_layers_below_a_convolution() -> None:
    rule = made("direct-feedback-alignment", "cnn", (5,), channels=(2, 3), kernels=(3,), padding=(1,))
    weights = rule.init(jr.key(0), Batch(jnp.zeros((2, *IMAGE)), jnp.zeros(2, int))).weights
    assert [p.layer for p in rule.pathways(weights)] == [1, 2]


def test_feedback_that_is_learnt_from_is_not_the_forward_weights() -> None:
    rule = made("feedback-alignment", "mlp")
    weights = rule.init(jr.key(0), Batch(jnp.zeros((2, *IMAGE)), jnp.zeros(2, int))).weights
    for block, matrix in zip(weights.forward[1:], weights.feedback, strict=True):
        cosine = np.vdot(block.kernel, matrix) / np.linalg.norm(block.kernel) / np.linalg.norm(matrix)
        assert abs(cosine) < 0.6
