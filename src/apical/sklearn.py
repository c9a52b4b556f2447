"""Every learning rule as a scikit-learn classifier: pipelines, grid search and cross-validation take it as it is."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from apical.core import Batch, Inputs, PRNGKey, State
from apical.data.dataset import ArrayExamples, Dataset
from apical.errors import InputError
from apical.hyperparameters import Value
from apical.rules.base import AbstractRule
from apical.rules.registry import find
from apical.training.config import Request, resolve
from apical.training.loop import Segment
from apical.training.programs import advanced, initialise, ordered
from apical.training.train import build

CHUNK = 100
NAME = "the data given"

_scored = eqx.filter_jit(lambda rule, state, x, key: rule.predict(state, x, key))


class CreditClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that learns by a rule of credit assignment.

    `rule` is a name of `apical rules`; `preset`, `network`, `hidden`, `batch_size` are as on the command line (None: as
    comparisons have it), `settings` maps names of hyperparameters to values. `epochs` is how often `fit` goes through
    the data. `image_shape` is the shape of one input, channels last, where a network sees images; rows are then
    images laid out flat. Inputs are taken as they are: rules with firing rates want them within [0, 1].

    After `fit`: `classes_`, `n_features_in_`, `rule_` (the rule over its network), `state_` (weights, optimiser,
    neurons), `loss_curve_` (mean loss in each epoch, before each update), `n_iter_` (epochs learnt).

    **Raises** `InputError`, a ValueError, when fitted with a name or value that is not valid.
    """

    classes_: np.ndarray
    n_features_in_: int

    def __init__(
        self,
        rule: str = "backprop",
        *,
        preset: str | None = None,
        network: str | None = None,
        hidden: Sequence[int] | None = None,
        epochs: int = 50,
        batch_size: int | None = None,
        settings: Mapping[str, Value] | None = None,
        image_shape: Sequence[int] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.rule = rule
        self.preset = preset
        self.network = network
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.settings = settings
        self.image_shape = image_shape
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> "CreditClassifier":
        """Learns from scratch, `epochs` times through inputs (n, features) with their labels (n,)."""
        X, y = self._checked(X, y, reset=True)
        self._begin(X, np.unique(y))
        data = self._data(X, y)
        for _ in range(self.epochs):
            self._epoch(data)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> "CreditClassifier":
        """Goes on learning, once through these examples; the first call needs all `classes` there will be.

        **Raises** ValueError where they are missing, other than before, or do not hold a label.
        """
        first = not hasattr(self, "state_")
        X, y = self._checked(X, y, reset=first)
        if first:
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit")
            self._begin(X, np.unique(classes))
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes={classes!r} are not those of the first call to partial_fit, {self.classes_!r}")
        if not np.isin(y, self.classes_).all():
            raise ValueError(f"y holds labels that are not among the classes {self.classes_!r}")
        self._epoch(self._data(X, y))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """The softmax of the scores, (n, classes)."""
        return np.asarray(jax.nn.softmax(self._scores(X)), np.float64)

    def predict(self, X: Any) -> np.ndarray:
        """The class with the largest score, (n,)."""
        best = np.asarray(self._scores(X)).argmax(-1)
        return self.classes_[best]

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, dtype=np.float32, reset=reset)
        check_classification_targets(y)
        return X, column_or_1d(y)

    def _begin(self, X: np.ndarray, classes: np.ndarray) -> None:
        """The rule with fresh weights for these classes and for inputs like these."""
        self.classes_ = classes
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31)
        self._key = np.asarray(jr.key_data(jr.key(seed)))  # typed keys cannot be pickled
        self.rule_ = self._built(X)
        key, example = self._draw(0), self._batch(X[:1], np.zeros(1, np.int32))
        self.state_: State = initialise(self.rule_, key, example)
        self.loss_curve_: list[float] = []
        self.n_iter_ = 0

    def _built(self, X: np.ndarray) -> AbstractRule:
        labels = np.zeros(len(X), np.int32)
        examples = ArrayExamples(X.reshape(len(X), *self._shape()), labels)
        dataset = Dataset(NAME, examples, examples, tuple(map(str, self.classes_)))
        preset = self.preset or find(self.rule).compared or None
        hidden = None if self.hidden is None else tuple(self.hidden)
        asked = Request(
            self.rule,
            NAME,
            preset,
            self.network,
            hidden,
            self.epochs,
            self.batch_size,
            settings=dict(self.settings or {}),
        )
        config = resolve(asked, dataset)
        self._batch_size = config.batch_size
        return build(config, dataset)

    def _shape(self) -> tuple[int, ...]:
        """The shape of one input.

        **Raises** `InputError` where the features are not as many as an image has numbers.
        """
        shape = (self.n_features_in_,) if self.image_shape is None else tuple(self.image_shape)
        if np.prod(shape) != self.n_features_in_:
            raise InputError(
                f"image_shape={shape} holds {np.prod(shape)} numbers, X has {self.n_features_in_} features: choose the "
                "shape of one row of X"
            )
        return shape

    def _data(self, X: np.ndarray, y: np.ndarray) -> Batch:
        return self._batch(X, np.searchsorted(self.classes_, y).astype(np.int32))

    def _batch(self, X: np.ndarray, labels: np.ndarray) -> Batch:
        return Batch(self._inputs(X), jnp.asarray(labels))

    def _inputs(self, X: np.ndarray) -> Inputs:
        return jnp.asarray(X.reshape(len(X), *self._shape()))

    def _draw(self, purpose: int) -> PRNGKey:
        return jr.fold_in(jr.wrap_key_data(jnp.asarray(self._key)), purpose)

    def _epoch(self, data: Batch) -> None:
        """Learns once from every example, but for those that do not fill the last batch."""
        n, batch_size = len(data.y), min(self._batch_size, len(data.y))
        order, key = ordered(jnp.arange(n), batch_size, self._draw(self.n_iter_ + 1))
        rule = self.rule_.in_epoch(jnp.asarray(self.n_iter_))
        segment = Segment(rule, data, order, jnp.asarray(0), jnp.asarray(len(order)), key)
        self.state_, seen = advanced(segment, self.state_)
        self.loss_curve_.append(float(seen.loss))
        self.n_iter_ += 1

    def _scores(self, X: Any) -> Array:
        """Scores, computed for parts of one size, so that no example depends on the others beside it."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        padded = np.concatenate([X, np.zeros((-len(X) % CHUNK, X.shape[1]), X.dtype)])
        parts = np.split(padded, len(padded) // CHUNK)
        score = functools.partial(_scored, self.rule_, self.state_, key=self._draw(0))
        return jnp.concatenate([score(x=self._inputs(part)) for part in parts])[: len(X)]
