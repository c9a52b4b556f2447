"""The scikit-learn estimator: scikit-learn's own checks, and that it learns as the training loop does."""

import pickle
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from apical.errors import InputError
from apical.sklearn import CreditClassifier

QUICK = {
    "check_estimator_cloneable",
    "check_no_attributes_set_in_init",
    "check_methods_subset_invariance",
    "check_classifiers_one_label",
}
# scikit-learn skips these by itself where pandas is missing, or its array API is not switched on
OPTIONAL = {"check_classifier_data_not_an_array", "check_array_api_input"}


def checks() -> list[Any]:
    """Every check that scikit-learn has for a classifier like ours, long but for a few."""
    made = []
    for estimator, check in estimator_checks_generator(CreditClassifier()):
        name = check.func.__name__  # type: ignore[attr-defined]
        marks = () if name in QUICK else (pytest.mark.long,)
        made.append(pytest.param(estimator, check, marks=marks, id=f"{len(made)}-{name}"))
    return made


@pytest.mark.parametrize(("estimator", "check"), checks())
def test_scikit_learn_checks(estimator: CreditClassifier, check: Callable) -> None:
    name = check.func.__name__  # type: ignore[attr-defined]
    try:
        check(estimator)
    except BaseException as raised:
        if type(raised).__name__ not in ("SkipTest", "Skipped") or name not in OPTIONAL:
            raise


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(n_class=4, return_X_y=True)
    return X[:200] / 16, np.array(["zero", "one", "two", "three"])[y[:200]]


@pytest.fixture(scope="module")
def fitted(digits: tuple) -> CreditClassifier:
    return CreditClassifier("feedback-alignment", hidden=(20,), epochs=5, random_state=1).fit(*digits)


def test_partial_fits_are_a_fit(digits: tuple, fitted: CreditClassifier) -> None:
    step_by_step = clone(fitted)
    for _ in range(5):
        step_by_step.partial_fit(*digits, classes=["two", "three", "zero", "one"])
    np.testing.assert_array_equal(step_by_step.predict_proba(digits[0]), fitted.predict_proba(digits[0]))
    assert step_by_step.loss_curve_ == fitted.loss_curve_ and fitted.n_iter_ == 5
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0]


def test_probabilities_are_the_softmax_of_the_network(digits: tuple, fitted: CreditClassifier) -> None:
    scores = fitted.rule_.network.apply(fitted.state_.weights.forward, jnp.asarray(digits[0], jnp.float32))
    np.testing.assert_allclose(fitted.predict_proba(digits[0]), jax.nn.softmax(scores), atol=1e-5)
    assert (fitted.predict(digits[0]) == np.array(["one", "three", "two", "zero"])[scores.argmax(-1)]).all()


def test_it_can_be_kept_and_goes_on(digits: tuple, fitted: CreditClassifier) -> None:
    kept = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(kept.predict_proba(digits[0]), fitted.predict_proba(digits[0]))
    assert kept.partial_fit(*digits).n_iter_ == 6


def test_a_grid_search_in_a_pipeline_finds_the_rate_that_learns(digits: tuple) -> None:
    pipeline = make_pipeline(MinMaxScaler(), CreditClassifier(hidden=(20,), epochs=10, random_state=0))
    grid = {"creditclassifier__settings": [{"rate": 1e-8}, {"rate": 3e-2}]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(*digits)
    assert search.best_params_["creditclassifier__settings"] == {"rate": 3e-2}
    assert search.best_score_ > 0.8


def test_what_is_not_valid_is_said_when_fitted(digits: tuple) -> None:
    with pytest.raises(InputError, match="did you mean 'backprop'"):
        CreditClassifier("backdrop").fit(*digits)
    with pytest.raises(InputError, match="unknown hyperparameter"):
        CreditClassifier(settings={"rates": 1}).fit(*digits)
    with pytest.raises(InputError, match="X has 64 features: choose"):
        CreditClassifier(network="cnn", image_shape=(7, 7, 1)).fit(*digits)
    with pytest.raises(ValueError, match="not among the classes"):
        CreditClassifier(hidden=(5,)).partial_fit(digits[0], digits[1], classes=["zero", "one"])


@pytest.mark.long
@pytest.mark.parametrize(
    "settings",
    [
        {"rule": "segregated-dendrites", "epochs": 5},
        {"rule": "difference-target-propagation"},
        {"rule": "backprop", "network": "cnn", "image_shape": (8, 8, 1), "epochs": 10},
    ],
    ids=lambda settings: settings["rule"],
)
def test_other_rules_and_networks_learn(settings: dict, digits: tuple) -> None:
    assert CreditClassifier(**settings, random_state=0).fit(*digits).score(*digits) > 0.9
