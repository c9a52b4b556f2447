"""What every test runs under: CPU, quick compilation, strict promotion of dtypes, the same examples each time.

Commands that tests run find what another one has compiled.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import NoReturn

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_COMPILATION_CACHE_DIR"] = os.environ.get("APICAL_COMPILED") or tempfile.mkdtemp(
    prefix="apical-compiled-"
)
os.environ["APICAL_COMPILED"] = os.environ["JAX_COMPILATION_CACHE_DIR"]
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

import hypothesis
import jax
import pytest

jax.config.update("jax_enable_compilation_cache", False)  # for the commands that tests run, which repeat each other
jax.config.update("jax_numpy_dtype_promotion", "strict")
hypothesis.settings.register_profile("apical", derandomize=True, database=None, deadline=None, max_examples=50)
hypothesis.settings.load_profile("apical")


def pytest_configure(config: pytest.Config) -> None:
    """Quick compilation: most tests run hundreds of small programs for milliseconds each. Long ones are optimised."""
    if config.getoption("markexpr") != "long":
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0".strip()


def pytest_unconfigure(config: pytest.Config) -> None:
    """What was compiled is of use to this session alone."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop("APICAL_COMPILED"), ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """Compiled programs are let go before they use up the maps of memory that Linux grants a process (65,530)."""
    from apical.training.programs import let_go

    yield
    let_go()


@pytest.fixture(scope="session")
def lacking() -> Callable[[str], NoReturn]:
    """Say what a test lacks and how to get it: the test is skipped on a user's machine and fails where CI=true."""

    def lack(reason: str) -> NoReturn:
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)

    return lack


@pytest.fixture(scope="session")
def program(lacking: Callable[[str], NoReturn]) -> Callable[[str], str]:
    """The path of a program of the system, by any of its names; without it the test is `lacking`."""

    def find(*names: str) -> str:
        found = next(filter(None, map(shutil.which, names)), None)
        return found or lacking(f"install {' or '.join(names)} to run this test")

    return find
