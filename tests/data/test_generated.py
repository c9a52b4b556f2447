"""Bars, teacher and self-prediction: what they are made of, their options, and that values stay with their inputs."""

import itertools

import numpy as np
import pytest

from apical.data.dataset import Dataset
from apical.data.registry import DATASETS, load
from apical.data.splits import folds, split
from apical.data.yin_yang import DOT, OUTSIDE, YANG, YIN, place
from apical.errors import InputError
from apical.rules.assembly import schema
from apical.rules.registry import RULES
from apical.training.protocols import PROTOCOLS


def inputs(dataset: Dataset, part: str) -> np.ndarray:
    examples = getattr(dataset, part)
    return examples.take(np.arange(len(examples)))


def test_bars_show_every_bar_in_turn_and_none_is_kept_from_training():
    dataset = load("bars", options={"low": -0.5, "presentations": 24})
    assert set(np.unique(inputs(dataset, "train"))) == {-0.5, 1.0} and len(dataset.train) == 24
    np.testing.assert_array_equal(inputs(dataset, "train"), np.tile(inputs(dataset, "test"), (3, 1, 1, 1)))
    for protocol in ("apical", "paper"):
        training, validation, test = PROTOCOLS[protocol].parts(dataset, seed=0)
        assert sorted(training) == list(range(24)) and len(validation) == 0 and len(test) == 8


def soft_relu(u: np.ndarray, gamma: float, beta: float, theta: float) -> np.ndarray:
    return gamma * np.log1p(np.exp(beta * (u - theta)))


@pytest.mark.parametrize("seed", [0, 3])
def test_the_teacher_answers_by_its_equations_as_sacramento_has_it(seed: int):
    """phi(10 W2 phi(2 W1 r0)): an independent forward pass with the weights drawn again."""
    options = {"n_inputs": 30, "n_outputs": 10, "n_examples": 50, "teacher_hidden": (20,), "teacher_range": (2.0, 10.0)}
    options |= {"teacher_output": "rate", "teacher_gamma": 0.1, "teacher_theta": 3.0, "teacher_seed": seed}
    dataset = load("teacher", options=options)
    draw = np.random.default_rng(seed)
    first, second = 2 * draw.uniform(-1, 1, (20, 30)), 10 * draw.uniform(-1, 1, (10, 20))
    x = np.concatenate([inputs(dataset, "train"), inputs(dataset, "test")]).astype(float)
    expected = soft_relu(soft_relu(x @ first.T, 0.1, 1, 3) @ second.T, 0.1, 1, 3)
    found = np.concatenate([dataset.train.labels, dataset.test.labels])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert np.abs(x).max() <= 1 and np.abs(x.mean()) < 0.02 and dataset.n_outputs == 10 and len(dataset.train) == 50


def test_paired_inputs_are_the_positive_and_the_negative_part_of_the_same():
    plain, paired = (load("teacher", options={"n_examples": 50, "paired": p}) for p in (False, True))
    x = inputs(paired, "test")
    assert x.shape == (2000, 30) and x.min() == 0 and not np.any(x[:, :15] * x[:, 15:])
    np.testing.assert_array_equal(x[:, :15] - x[:, 15:], inputs(plain, "test"))
    np.testing.assert_array_equal(paired.test.labels, plain.test.labels)


def test_values_stay_with_their_inputs_through_split_subset_and_take():
    """The teacher is a function: of any pair, the value must be what a linear fit of all pairs gives for its input."""
    dataset = load("teacher", options={"teacher_transfer": "identity", "n_examples": 300})
    weights = np.linalg.lstsq(inputs(dataset, "test"), dataset.test.labels)[0]
    train, validation = split(dataset.train.labels, 0.1, seed=1)
    assert sorted([*train, *validation]) == list(range(300)) and len(validation) == 30
    for indices in (train, validation, *itertools.chain(*folds(dataset.train.labels, 3, seed=0))):
        part = dataset.train.subset(indices)
        order = np.random.default_rng(0).permutation(len(part))
        np.testing.assert_allclose(part.take(order) @ weights, part.labels[order], atol=1e-4)


def test_self_prediction_asks_for_nothing_and_never_twice():
    dataset = load("self-prediction", options={"n_inputs": 8, "n_outputs": 2, "n_examples": 20})
    assert not dataset.train.labels.any() and dataset.train.labels.shape == (20, 2) and dataset.task == "regression"
    every = np.concatenate([inputs(dataset, "train"), inputs(dataset, "test")])
    assert every.min() >= 0 and every.max() <= 1 and len(np.unique(every, axis=0)) == len(every)


def test_yin_and_yang_are_one_turned_around_and_each_as_large_as_half_the_disc_without_the_dots():
    axis = (np.arange(800) + 0.5) / 800
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    found, turned = place(grid, 0.1), place(1 - grid, 0.1)
    np.testing.assert_array_equal(turned, np.select([found == YIN, found == YANG], [YANG, YIN], found))
    dots = 2 * np.pi * 0.1**2
    for where, area in {YIN: (np.pi / 4 - dots) / 2, DOT: dots, OUTSIDE: 1 - np.pi / 4}.items():
        assert np.mean(found == where) == pytest.approx(area, abs=1e-3)
    told = {
        (0.5, 0.6): YIN,
        (0.5, 0.4): YANG,
        (0.25, 0.35): YIN,
        (0.75, 0.65): YANG,
        (0.25, 0.45): DOT,
        (0.75, 0.5): DOT,
    }
    np.testing.assert_array_equal(place(np.array(list(told)), 0.1), list(told.values()))


def test_yin_yang_is_balanced_and_shows_a_point_from_both_sides():
    dataset = load("yin-yang", options={"n_inputs": 5, "n_examples": 200, "points_seed": 3})
    every = np.concatenate([inputs(dataset, "train"), inputs(dataset, "test")])
    labels = np.concatenate([dataset.train.labels, dataset.test.labels])
    np.testing.assert_allclose(every[:, :2] + every[:, 2:4], 1, atol=1e-6)
    assert every.shape == (1200, 5) and (every[:, 4] == 1).all() and list(np.bincount(labels)) == [400, 400, 400]
    np.testing.assert_array_equal(place(every[:, :2].astype(float), 0.1), labels)
    assert not np.array_equal(
        every[:200], inputs(load("yin-yang", options={"n_inputs": 5, "n_examples": 200}), "train")
    )


@pytest.mark.parametrize(
    ("name", "option", "value", "message"),
    [
        ("bars", "low", 2.0, "low=2.0: low is a number at least -1 and at most 1"),
        ("bars", "presentations", 3, "presentations=3: presentations is a whole number at least 8"),
        ("bars", "lowest", 0.0, "unknown option of bars 'lowest': did you mean 'low'?"),
        ("teacher", "teacher_transfer", "sine", "teacher_transfer is one of soft-relu, tanh, identity"),
        ("digits", "low", 0.0, "unknown option of digits 'low'"),
    ],
)
def test_options_are_validated(name: str, option: str, value: float | str, message: str):
    with pytest.raises(InputError, match=message):
        load(name, options={option: value})


def test_no_option_of_a_data_set_is_a_hyperparameter_of_a_rule():
    """`--set` gives both, so a name must mean one thing."""
    taken = {key for rule in RULES.values() for network in rule.networks for key in schema(rule, network)}
    assert not taken & {key for entry in DATASETS.values() for key in entry.options}
