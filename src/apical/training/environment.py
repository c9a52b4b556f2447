"""Where a run was made: versions, device, commit, data."""

import platform
import shlex
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from apical.data.dataset import Dataset

PACKAGES = ("apical", "jax", "jaxlib", "equinox", "optax", "numpy")
FLAGS = ("jax_enable_x64", "jax_default_matmul_precision", "jax_numpy_dtype_promotion", "jax_threefry_partitionable")


def describe(dataset: Dataset, words: list[str]) -> dict[str, Any]:
    """What `environment.json` holds; `words` are the command that started the run."""
    device = jax.devices()[0]
    return {
        **{name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": f"{device.platform}: {device.device_kind} x {jax.device_count()}",
        "flags": {flag: getattr(jax.config, flag) for flag in FLAGS},
        "git_commit": git_commit(),
        "command": shlex.join(words),
        "data": {"name": dataset.name, "checksums": dict(dataset.checksums), "warnings": list(dataset.warnings)},
    }


def git_commit() -> str | None:
    """The commit of the checkout this package runs from, with a + behind it where files differ; none elsewhere."""
    here = Path(__file__).parent
    try:
        _git(here, "ls-files", "--error-unmatch", Path(__file__).name)
        head = _git(here, "rev-parse", "HEAD")
        return head + ("+" if _git(here, "status", "--porcelain", "--untracked-files=no", "--", str(here)) else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()
