"""What is measured of layer targets, where the answer is known."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import pytest

from apical.core import Batch, Weights
from apical.networks.inverses import Inverse
from apical.probes.targets import target_probes
from apical.rules.assembly import assemble
from apical.rules.layer_targets import AbstractLayerTargets
from apical.rules.registry import RULES


def linear(**settings: object) -> tuple[AbstractLayerTargets, Weights, Batch]:
    """A square linear network with exact inverses, its weights and a batch."""
    given = {"activation": "identity", "target_step": 0.01, **settings}
    rule = assemble(RULES["difference-target-propagation"], "mlp", (6,), 6, (6, 6), given)
    assert isinstance(rule, AbstractLayerTargets)
    weights = rule.init_weights(jr.key(0))
    kernel = jnp.eye(6) + 0.2 * weights.forward[1].kernel
    weights = eqx.tree_at(lambda w: w.forward[1].layer.kernel, weights, kernel)
    inverse = Inverse(jnp.linalg.inv(kernel).T, jnp.zeros(6))
    return (
        rule,
        dataclasses.replace(weights, feedback=(inverse,)),
        Batch(jr.normal(jr.key(1), (9, 6)), jnp.arange(9) % 6),
    )


def test_an_exact_inverse_has_no_error_and_one_that_is_silent_no_merit() -> None:
    rule, weights, batch = linear()
    assert float(target_probes(rule, weights, batch)["reconstruction_error"]["0"]) < 1e-8
    silent = jax.tree.map(jnp.zeros_like, weights.feedback)
    found = target_probes(rule, dataclasses.replace(weights, feedback=silent), batch)
    assert float(found["reconstruction_error"]["0"]) >= 1


def test_orthogonal_output_weights_make_the_target_a_gauss_newton_step() -> None:
    """With W_L and the layer below orthogonal, J^T and its damped pseudo-inverse point the same way, layer by layer."""
    rule, weights, batch = linear()
    turn = jnp.linalg.qr(jr.normal(jr.key(3), (6, 6)))[0]
    whole = eqx.tree_at(lambda w: (w.forward[1].layer.kernel, w.forward[2].layer.kernel), weights, (turn, turn.T))
    whole = dataclasses.replace(whole, feedback=(Inverse(turn, jnp.zeros(6)),))
    found = target_probes(rule, whole, batch)
    assert all(float(angle) < 0.5 for angle in found["angle_to_gauss_newton"].values())
    crooked = target_probes(rule, weights, batch)["angle_to_gauss_newton"]
    assert all(5 < float(angle) < 90 for angle in crooked.values())


def test_the_target_lies_as_far_as_the_step_is_long() -> None:
    distances = [float(target_probes(*linear(target_step=step))["target_distance"]["1"]) for step in (0.01, 0.05)]
    assert distances[1] == pytest.approx(5 * distances[0], rel=1e-3)
