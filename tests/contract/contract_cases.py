"""Every rule of the registry on every network it has, small, with toy data that its own default preset can learn."""

import dataclasses
from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from apical.core import Batch, PRNGKey, State
from apical.rules.assembly import assemble
from apical.rules.base import AbstractRule
from apical.rules.registry import RULES
from apical.training.loop import Scored, Segment
from apical.training.programs import advanced

SHAPE, CLASSES = (6, 6, 1), 4
N_TRAIN, N_TEST = 400, 200
# A network that is missing here fails every test of its rules. Each has more than one hidden layer.
SMALL: Mapping[str, tuple[tuple[int, ...], dict]] = {
    "mlp": ((32, 24), {}),
    "cnn": ((12,), {"channels": (4,), "kernels": (3,), "padding": (1,)}),
    "lc": ((12,), {"channels": (4,), "kernels": (3,), "strides": (2,)}),
}
PAIRS = [(name, network) for name, rule in RULES.items() for network in rule.networks]
# What a comparison uses, and what is trained without options where that is something else.
CASES = [
    (name, network, preset)
    for name, network in PAIRS
    for preset in dict.fromkeys(
        (RULES[name].compared or next(iter(RULES[name].presets)), next(iter(RULES[name].presets)))
    )
]


def blobs(n: int, seed: int) -> Batch:
    """Noisy images of four random patterns, one for each class, within [0, 1]."""
    patterns = np.random.default_rng(0).uniform(0.1, 0.9, (CLASSES, *SHAPE))
    generator = np.random.default_rng([1, seed])
    labels = generator.integers(0, CLASSES, n)
    x = np.clip(patterns[labels] + generator.normal(0, 0.15, (n, *SHAPE)), 0, 1)
    return Batch(jnp.asarray(x, jnp.float32), jnp.asarray(labels, jnp.int32))


def small(name: str, network: str, **settings: object) -> AbstractRule:
    """A rule with its own defaults on a small network."""
    hidden, sizes = SMALL[network]
    return assemble(RULES[name], network, SHAPE, CLASSES, hidden, {**sizes, **settings})


def copied(tree: State) -> State:
    """A copy that may be donated."""
    return jax.tree.map(lambda leaf: leaf.copy() if eqx.is_array(leaf) else leaf, tree)


predicted = eqx.filter_jit(lambda rule, state, x, key: rule.predict(state, x, key))
applied = eqx.filter_jit(lambda rule, state, x: rule.network.apply(state.weights.forward, x))


@dataclasses.dataclass(frozen=True)
class Case:
    """A rule on a network, its toy data, and the production loop over them; every call shares one compiled program."""

    name: str
    network: str
    settings: dict
    rule: AbstractRule
    data: Batch
    test: Batch
    batch_size: int

    @property
    def batch(self) -> Batch:
        """The first batch of the toy data."""
        return jax.tree.map(lambda a: a[: self.batch_size], self.data)

    @property
    def order(self) -> jax.Array:
        """Ten epochs of the toy data, in their own order."""
        n_steps = N_TRAIN // self.batch_size
        epoch = jnp.arange(n_steps * self.batch_size).reshape(n_steps, self.batch_size)
        return jnp.tile(epoch, (10, 1))

    def state(self, seed: int = 0) -> State:
        """The state before learning."""
        return self.rule.init(jr.key(seed), self.batch)

    def learn(
        self,
        state: State,
        start: int = 0,
        stop: int = 4,
        key: PRNGKey | None = None,
        data: Batch | None = None,
        rule: AbstractRule | None = None,
    ) -> tuple[State, Scored]:
        """The state after some steps of the loop that trains."""
        key = jr.key(7) if key is None else key
        limits = jnp.asarray(start), jnp.asarray(stop)
        segment = Segment(rule or self.rule, data or self.data, self.order, *limits, key)
        return advanced(segment, copied(state))

    def predict(self, state: State) -> jax.Array:
        """Scores of the test part, as after learning."""
        return predicted(self.rule, state, self.test.x, jr.key(8))

    def apply(self, state: State) -> jax.Array:
        """Scores of the test part, as in training: batch normalisation has no memory here."""
        return applied(self.rule, state, self.test.x)
