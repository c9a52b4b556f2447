"""Training and test data as one pool, split anew."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Integer

from apical.data.dataset import ArrayExamples, Dataset, Examples
from apical.data.splits import Indices


class Pooled(Examples):
    """The examples of two parts, those of the second behind those of the first; nothing is copied."""

    def __init__(self, first: Examples, second: Examples):
        self.first, self.second = first, second
        self.labels = np.concatenate([first.labels, second.labels])
        self.shape = first.shape
        self.resident = first.resident and second.resident

    def take(self, indices: Integer[np.ndarray, " k"]) -> Float32[np.ndarray, "k ..."]:
        """The inputs at `indices`, in that order, each from its own part."""
        inputs = np.empty((len(indices), *self.shape), np.float32)
        early = indices < len(self.first)
        inputs[early] = self.first.take(indices[early])
        inputs[~early] = self.second.take(indices[~early] - len(self.first))
        return inputs

    def subset(self, indices: Integer[np.ndarray, " k"]) -> ArrayExamples:
        """A copy of the examples at `indices`, in that order."""
        return ArrayExamples(self.take(indices), self.labels[indices])


def pool(dataset: Dataset) -> Dataset:
    """The same data set with all its examples as training and as test examples: one object, to be split."""
    everything = Pooled(dataset.train, dataset.test)
    return replace(dataset, train=everything, test=everything)


def split_pool(n: int, test_share: float, validation_share: float, seed: int) -> tuple[Indices, Indices, Indices]:
    """Indices of the training, validation and test part of `n` examples: disjoint, covering, shuffled by `seed` alone.

    The test part is the last `test_share` of all, the validation part the last `validation_share` of the rest. Classes
    are not balanced.
    """
    order = np.random.default_rng(seed).permutation(n).astype(np.int32)
    n_rest = n - round(n * test_share)
    n_training = n_rest - round(n_rest * validation_share)
    return order[:n_training], order[n_training:n_rest], order[n_rest:]
