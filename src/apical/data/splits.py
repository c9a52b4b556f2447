"""Splits of the training data, stratified where there are classes: a validation part, and folds."""

import numpy as np
from jaxtyping import Int32

from apical.data.dataset import Targets
from apical.errors import InputError

Indices = Int32[np.ndarray, " _"]


def split(labels: Targets, validation_share: float, seed: int) -> tuple[Indices, Indices]:
    """Indices of the training and of the validation part: disjoint, covering, with the class shares of the whole.

    Both are in a random order that depends on `seed` alone, so the first N of the training part are a fair sample.
    Raises InputError if the share is not in [0, 1) or leaves a part without room for every class.
    """
    if not 0 <= validation_share < 1:
        raise InputError(f"the validation share is {validation_share}; choose one from 0 to below 1")
    order = np.random.default_rng(_checked(seed)).permutation(len(labels)).astype(np.int32)
    if validation_share == 0:
        return order, order[:0]
    n_validation = round(len(labels) * validation_share)
    _check_room(labels, n_validation, validation_share)
    from sklearn.model_selection import train_test_split  # takes a second to import

    parts = train_test_split(order, test_size=n_validation, stratify=_strata(labels)[order], random_state=seed)
    train, validation = map(np.asarray, parts)
    return train, validation


def folds(labels: Targets, n_folds: int, seed: int) -> list[tuple[Indices, Indices]]:
    """The (training, validation) parts of `n_folds` folds, stratified by class, each as `split` returns it.

    Every example is in the validation part of exactly one fold. Raises InputError if there are fewer than two folds, or
    more than examples in some class.
    """
    n_rarest = int(_class_sizes(labels).min(initial=len(labels)))
    if not 2 <= n_folds <= n_rarest:
        raise InputError(f"{n_folds} folds do not fit: choose from 2 to {n_rarest}, the size of the smallest class")
    from sklearn.model_selection import StratifiedKFold

    generator = np.random.default_rng(_checked(seed))
    strata = _strata(labels)
    parts = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(strata, strata)
    return [(_shuffled(train, generator), _shuffled(validation, generator)) for train, validation in parts]


def _shuffled(indices: np.ndarray, generator: np.random.Generator) -> Indices:
    return generator.permutation(indices).astype(np.int32)


def _checked(seed: int) -> int:
    if not 0 <= seed < 2**32:
        raise InputError(f"the seed is {seed}; choose one from 0 to {2**32 - 1}")
    return seed


def _class_sizes(labels: Targets) -> np.ndarray:
    return np.unique(_strata(labels), return_counts=True)[1]


def _strata(labels: Targets) -> np.ndarray:
    """What a split balances: the classes; in regression there is nothing to balance."""
    return labels if labels.ndim == 1 else np.zeros(len(labels), np.int32)


def _check_room(labels: Targets, n_validation: int, share: float) -> None:
    sizes = _class_sizes(labels)
    if min(n_validation, len(labels) - n_validation) < len(sizes) or sizes.min() < 2:
        raise InputError(
            f"a validation share of {share} of {len(labels)} examples leaves no room for all {len(sizes)} classes "
            "in both parts; choose another share, or more examples"
        )
