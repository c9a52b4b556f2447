"""A rule under audit: a small network, one batch, and what the rule's update makes of both.

Everything is asked from outside, of `init`, `update` and the network: weights, labels or keys are changed, and the
directions compared. All questions to one rule share one compiled update.
"""

import dataclasses
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PyTree

from apical.core import Batch, Info, PRNGKey, Scores, State, Weights
from apical.hyperparameters import Value
from apical.networks.base import AbstractNetwork, Recording
from apical.probes.credit import angle_to_backprop
from apical.rules.assembly import assemble
from apical.rules.base import AbstractRule

SHAPE, HIDDEN, CLASSES, BATCH = (9,), (16, 14, 12), 4, 3
POOL = 60
STRONGER = 1.5
TINY, LARGE = 1e-9, 0.2  # changes of the inputs
N_UPDATES, N_LIMIT = 3000, 20_000
INIT, UPDATE, DATA, LEARN = range(4)

Kernels = tuple[np.ndarray, ...]


def quick(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled without optimisation: programs that run for microseconds are asked hundreds of times."""
    return eqx.filter_jit(function, compiler_options={"xla_backend_optimization_level": 0})  # type: ignore[call-overload]


initialised = quick(lambda rule, key, batch: rule.init(key, batch))
angles = quick(angle_to_backprop)


@quick
def _updated(rule: AbstractRule, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Info]:
    return rule.update(state, batch, key)


@quick
def predicted(rule: AbstractRule, state: State, x: Array, key: PRNGKey) -> Scores:
    """Scores as after learning."""
    return rule.predict(state, x, key)


@quick
def _recorded(net: AbstractNetwork, weights: Weights, batch: Batch, key: PRNGKey) -> tuple[Recording, ...]:
    return net.record(weights, net.rest(batch.x), batch, key)


@quick
def _gradient(net: AbstractNetwork, forward: tuple[PyTree, ...], batch: Batch) -> tuple[PyTree, ...]:
    return jax.grad(lambda f: net.loss(net.apply(f, batch.x), batch.y))(forward)


@quick
def _jacobian(net: AbstractNetwork, forward: tuple[PyTree, ...], x: Array) -> tuple[PyTree, ...]:
    return jax.jacrev(lambda f: net.apply(f, x))(forward)


@quick
def _learnt(rule: AbstractRule, state: State, data: tuple[Array, Array], key: PRNGKey, n: Array) -> State:
    def step(i: Array, state: State) -> State:
        batch = Batch(*(a[i % (POOL // BATCH)] for a in data))
        return rule.update(state, batch, jr.fold_in(key, i))[0]

    return jax.lax.fori_loop(0, n, step, state)


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """One rule in one setting. `setting` says which, `own` is the same rule as it is trained without any option."""

    rule: AbstractRule
    setting: str = ""
    other: "Subject | None" = None
    limit: "Subject | None" = None

    @property
    def own(self) -> "Subject":
        """The rule in its own first preset, which may spike where the setting of comparisons has rates."""
        return self.other or self

    @cached_property
    def data(self) -> tuple[Array, Array]:
        """Patterns with random labels, (steps, batch, ...)."""
        draw = np.random.default_rng(DATA)
        x, y = draw.uniform(size=(POOL, *SHAPE)), draw.integers(0, CLASSES, POOL)
        return jnp.asarray(x.reshape(-1, BATCH, *SHAPE)), jnp.asarray(y.reshape(-1, BATCH))

    @cached_property
    def batch(self) -> Batch:
        """The batch on which the rule is questioned: each example of another class."""
        x = np.random.default_rng(DATA + 1).uniform(size=(BATCH, *SHAPE))
        return Batch(jnp.asarray(x), jnp.asarray(np.arange(BATCH)))

    @cached_property
    def state(self) -> State:
        """The state before learning."""
        return initialised(self.rule, jr.key(INIT), self.batch)

    @property
    def weights(self) -> Weights:
        """The weights before learning."""
        return self.state.weights

    @property
    def layers(self) -> int:
        """How many layers of forward weights there are."""
        return len(self.weights.forward)

    @cached_property
    def felt(self) -> tuple[float, float]:
        """How much scores change with a tiny and with a larger change of the inputs."""
        steps = (jnp.zeros(()), TINY, LARGE)
        base, *others = (predicted(self.rule, self.state, self.batch.x + step, jr.key(0)) for step in steps)
        small, large = (change(base, other) for other in others)
        return small, large

    @property
    def spikes(self) -> bool:
        """Whether cells send events."""
        small, large = self.felt
        return small == 0 and large > 0

    @property
    def hidden(self) -> range:
        """The layers of forward weights below the output's."""
        return range(self.layers - 1)

    def updated(
        self, weights: Weights | None = None, batch: Batch | None = None, key: int = UPDATE, neurons: PyTree = None
    ) -> tuple[State, Info]:
        """State and report after one update, from rest unless `neurons` are given."""
        batch = batch or self.batch
        neurons = self.rule.network.rest(batch.x) if neurons is None else neurons
        state = State(weights or self.weights, self.state.optimiser, neurons)
        return _updated(self.rule, state, batch, jr.key(key))

    @cached_property
    def after(self) -> State:
        """The state after one update from rest."""
        return self._base[0]

    @cached_property
    def direction(self) -> Weights:
        """What the weights descend along on the batch, from rest."""
        return self._base[1].direction

    @cached_property
    def scores(self) -> Array:
        """The scores before the update."""
        return self._base[1].scores

    @cached_property
    def _base(self) -> tuple[State, Info]:
        return self.updated()

    @cached_property
    def recordings(self) -> tuple[Recording, ...]:
        """What electrodes record while the batch is learnt, a recording for each phase."""
        return self.record()

    def record(self, weights: Weights | None = None, batch: Batch | None = None) -> tuple[Recording, ...]:
        """The recordings at other weights, or of another batch."""
        return _recorded(self.rule.network, weights or self.weights, batch or self.batch, jr.key(UPDATE))

    @cached_property
    def relabelled(self) -> Batch:
        """The same inputs, every one of another class."""
        return Batch(self.batch.x, jnp.asarray((np.asarray(self.batch.y) + 1) % CLASSES))

    @cached_property
    def direction_relabelled(self) -> Weights:
        """What the weights would descend along if every example were of another class."""
        return self.updated(batch=self.relabelled)[1].direction

    @cached_property
    def heard_by_labels(self) -> list[float]:
        """How much the direction of each layer's forward weights changes with the labels."""
        return responses(self.direction.forward, self.direction_relabelled.forward)

    @cached_property
    def gradient(self) -> tuple[PyTree, ...]:
        """The gradient of the network's own loss."""
        return _gradient(self.rule.network, self.weights.forward, self.batch)

    @cached_property
    def jacobian(self) -> Kernels:
        """The derivative of the scores with respect to each kernel, (batch * classes * above, below)."""
        found = _jacobian(self.rule.network, self.weights.forward, self.batch.x)
        return tuple(np.asarray(layer.kernel).reshape(-1, layer.kernel.shape[-1]) for layer in found)

    def learnt(self, n_updates: int) -> "Subject":
        """The same rule with the weights that it has learnt by so many updates."""
        state = _learnt(self.rule, self.state, self.data, jr.key(LEARN), jnp.asarray(n_updates))
        return self.standing(state)

    def standing(self, state: State) -> "Subject":
        """The same rule in another state."""
        other = Subject(self.rule, self.setting)
        other.__dict__["state"] = state
        return other


def subject(rule: type[AbstractRule]) -> Subject:
    """A registered rule under audit, in the setting that comparisons use."""
    first, compared = next(iter(rule.presets)), rule.compared or next(iter(rule.presets))
    settings = rule.presets[compared].settings
    own = None if compared == first else built(rule, rule.presets[first].settings, first)
    limit = None if rule.limit is None else built(rule, {**settings, **rule.limit}, shown(rule.limit))
    return dataclasses.replace(built(rule, settings, compared), other=own, limit=limit)


def built(rule: type[AbstractRule], settings: Mapping[str, Value], name: str = "") -> Subject:
    """A rule with these settings under audit; `name` says which they are."""
    return Subject(assemble(rule, next(iter(rule.networks)), SHAPE, CLASSES, HIDDEN, settings), name)


def shown(settings: Mapping[str, Value]) -> str:
    """Settings as on the command line."""
    return " ".join(f"{name}={value}" for name, value in settings.items())


def flat(tree: PyTree) -> Float[np.ndarray, " n"]:
    """All numbers of a tree in one vector, on the host."""
    return np.concatenate([np.zeros(0), *(np.ravel(leaf) for leaf in jax.tree.leaves(eqx.filter(tree, eqx.is_array)))])


def stronger(synapses: PyTree) -> PyTree:
    """Synapses half as strong again."""
    return jax.tree.map(lambda w: jnp.asarray(STRONGER * np.asarray(w)), synapses)


def change(before: PyTree, after: PyTree) -> float:
    """|after - before| / |before| over all numbers of a tree; infinite where there was nothing before."""
    a, b = flat(before), flat(after)
    moved, size = np.linalg.norm(b - a), np.linalg.norm(a)
    return 0.0 if moved == 0 else float(moved / size) if size else float("inf")


def responses(before: tuple[PyTree, ...], after: tuple[PyTree, ...]) -> list[float]:
    """`change` of each layer."""
    return [change(a, b) for a, b in zip(before, after, strict=True)]
