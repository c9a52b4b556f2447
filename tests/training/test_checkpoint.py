"""Checkpoints: every array comes back to the bit, and what is no checkpoint of this run is refused."""

from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch
from apical.errors import InputError
from apical.rules.assembly import assemble
from apical.rules.registry import RULES
from apical.training.checkpoint import load_tree, save_tree


def state(hidden: int, seed: int = 0) -> object:
    rule = assemble(RULES["feedback-alignment"], "cnn", (8, 8, 1), 10, (hidden,), {"channels": (2, 3)})
    return rule.init(jr.key(seed), Batch(jnp.zeros((4, 8, 8, 1)), jnp.zeros(4, int)))


def test_round_trip(tmp_path: Path) -> None:
    saved, path = state(5), tmp_path / "deep" / "state.safetensors"
    save_tree(path, saved, {"done": 3, "seconds": 0.25})
    loaded, notes = load_tree(path, state(5, seed=1))
    assert notes == {"done": 3, "seconds": 0.25}
    assert jax.tree.structure(loaded) == jax.tree.structure(saved)
    for a, b in zip(jax.tree.leaves(loaded), jax.tree.leaves(saved), strict=True):
        assert a.dtype == b.dtype and np.array_equal(a, b)
    assert [p.name for p in path.parent.iterdir()] == ["state.safetensors"]


def test_the_state_of_another_run_is_refused(tmp_path: Path) -> None:
    save_tree(tmp_path / "s", state(5), {})
    with pytest.raises(InputError, match="another run"):
        load_tree(tmp_path / "s", state(6))


@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"\x00" * len(b)])
def test_a_broken_file_is_refused(tmp_path: Path, spoil: object) -> None:
    path = tmp_path / "s"
    save_tree(path, state(5), {})
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(InputError, match="start again"):
        load_tree(path, state(5))
