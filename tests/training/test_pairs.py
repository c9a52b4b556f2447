"""Images and labels move together, from the host through shuffling to the batch a rule sees."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from apical.core import Batch, Info, Inputs, PRNGKey, Scores, State, Weights
from apical.data.dataset import ArrayExamples, Examples
from apical.rules.base import AbstractRule
from apical.rules.registry import RULES
from apical.training import programs
from apical.training.feed import Resident, Streamed
from apical.training.loop import Segment, shuffle
from apical.training.programs import ordered, score

N, BATCH = 103, 10


class Marked(Examples):
    """Examples whose only pixel is (label + 1000 * index): what is seen says which example it is."""

    shape = (1,)

    def __init__(self, resident: bool) -> None:
        self.resident = resident
        self.labels = self.shown = np.random.default_rng(0).integers(0, 10, N).astype(np.int32)

    def take(self, indices: np.ndarray) -> np.ndarray:
        return (self.shown[indices] + 1000.0 * indices).astype(np.float32)[:, None]

    def subset(self, indices: np.ndarray) -> Examples:
        raise NotImplementedError


class Witness(AbstractRule):
    """Learns nothing; counts how often it saw each example, and the pairs that do not fit."""

    network: None = None

    def init(self, key: PRNGKey, batch: Batch) -> State:
        return State(Weights((jnp.zeros(N), jnp.zeros(()))), (), ())

    def update(self, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Info]:
        index = jnp.round(batch.x[:, 0] // 1000).astype(int)
        wrong = (batch.x[:, 0] - 1000.0 * index.astype(float) != batch.y.astype(float)).sum().astype(float)
        seen, mistakes = state.weights.forward
        forward = (seen.at[index].add(1.0), mistakes + wrong)
        return State(Weights(forward), (), ()), Info(jnp.zeros(()), self.predict(state, batch.x, key), Weights(()))

    def predict(self, state: State, x: Inputs, key: PRNGKey) -> Scores:
        return jax.nn.one_hot(jnp.round(x[:, 0] % 1000).astype(int), 10)


@pytest.mark.parametrize("resident", [True, False])
def test_every_example_is_seen_once_with_its_own_label(resident: bool) -> None:
    source = Resident(Marked(True)) if resident else Streamed(Marked(False))
    rule, indices = Witness(), np.random.default_rng(1).permutation(N).astype(np.int32)[:57]
    state = rule.init(jr.key(0), Batch(jnp.zeros((BATCH, 1)), jnp.zeros(BATCH, int)))
    order, key = ordered(jnp.asarray(indices), BATCH, jr.key(0))
    for start, stop in ((0, 3), (3, 5)):
        data, rows, first, last = source.window(order, start, stop)
        segment = Segment(rule, data, rows, jnp.asarray(first), jnp.asarray(last), key)
        state, scored = programs.advanced(segment, state)
        assert float(scored.accuracy) == 1.0
    seen, mistakes = state.weights.forward
    assert float(mistakes) == 0
    assert set(np.flatnonzero(np.asarray(seen))) <= set(indices.tolist())
    assert seen.max() == 1 and seen.sum() == 50


@pytest.mark.parametrize("resident", [True, False])
@pytest.mark.parametrize("n", [1, 57, 103])
def test_scores_count_every_example_once(resident: bool, n: int) -> None:
    examples = Marked(resident)
    source = Resident(examples) if resident else Streamed(examples)
    wrong = Marked(resident)
    wrong.labels = (examples.labels + (np.arange(N) % 3 == 0)).astype(np.int32) % 10
    indices = np.random.default_rng(2).permutation(N).astype(np.int32)[:n]
    state = Witness().init(jr.key(0), Batch(jnp.zeros((BATCH, 1)), jnp.zeros(BATCH, int)))
    assert float(score(Witness(), state, source, indices, jr.key(0)).accuracy) == pytest.approx(1.0)
    source.examples = wrong
    batch = getattr(source, "batch", None)
    if batch is not None:
        source.batch = Batch(batch.x, jnp.asarray(wrong.labels))
    expected = 1 - np.mean(indices % 3 == 0)
    assert float(score(Witness(), state, source, indices, jr.key(0)).accuracy) == pytest.approx(expected)


def test_orders_differ_between_epochs_and_cover() -> None:
    first, second = (np.asarray(shuffle(N, BATCH, jr.key(e))).ravel() for e in (0, 1))
    assert len(set(first)) == len(first) == 100 and not np.array_equal(first, second)
    assert set(range(N)) >= set(first)


def test_images_become_what_take_gives() -> None:
    images = np.arange(24, dtype=np.uint8).reshape(6, 2, 2, 1)
    feed = Resident(ArrayExamples(images, np.arange(6, dtype=np.int32), 255.0))
    np.testing.assert_array_equal(np.asarray(feed.batch.x), images / np.float32(255))


def test_the_registry_is_what_is_trained() -> None:
    assert Witness not in RULES.values()
