"""Checkpoints: all arrays of a tree in one safetensors file, replaced as a whole, never pickled."""

import json
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PyTree
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from apical.errors import InputError
from apical.files import write_atomically


def named_arrays(tree: PyTree) -> dict[str, np.ndarray]:
    """The arrays of a tree on the host, each under the path that leads to it."""
    leaves = jax.tree_util.tree_leaves_with_path(eqx.filter(tree, eqx.is_array))
    return {jax.tree_util.keystr(path).lstrip("."): np.asarray(leaf) for path, leaf in leaves}


def save_tree(path: Path, tree: PyTree, notes: dict[str, Any]) -> None:
    """Writes the arrays of a tree and `notes` (JSON); a crash leaves the old file or the new one."""
    arrays = {name: np.asarray(array, order="C") for name, array in named_arrays(tree).items()}
    write_atomically(path, save(arrays, metadata={"notes": json.dumps(notes)}))


def load_tree(path: Path, like: PyTree) -> tuple[PyTree, dict[str, Any]]:
    """A tree of the structure of `like` with the arrays of a file, and its notes.

    **Raises** `InputError` when the file cannot be read or was written by another run.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            notes = json.loads((file.metadata() or {})["notes"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError, KeyError, ValueError):
        raise InputError(f"{path} is no checkpoint that can be read: remove its folder and start again") from None
    wanted = named_arrays(like)
    if {k: v.shape for k, v in wanted.items()} != {k: v.shape for k, v in arrays.items()}:
        raise InputError(f"{path} belongs to another run: choose another --out, or remove the folder")
    dynamic, static = eqx.partition(like, eqx.is_array)
    leaves, structure = jax.tree_util.tree_flatten_with_path(dynamic)
    loaded = [jax.numpy.asarray(arrays[jax.tree_util.keystr(p).lstrip(".")], dtype=leaf.dtype) for p, leaf in leaves]
    return eqx.combine(jax.tree_util.tree_unflatten(structure, loaded), static), notes
