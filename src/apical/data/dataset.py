"""What every data set looks like to the rest of the package: two parts of examples with what is to be told of each."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32, Integer, UInt8

from apical.tasks import CLASSIFICATION, REGRESSION

Targets = Int32[np.ndarray, " n"] | Float32[np.ndarray, "n outputs"]


class Examples(ABC):
    """One part of a data set: inputs and what is to be told of them, on the host.

    `labels` holds the class of each example (n,), or in regression its values (n, outputs); `shape` is the shape of one
    input, channels last; `resident` says whether all inputs are in memory (True) or are read from files when they are
    taken (False).
    """

    labels: Targets
    shape: tuple[int, ...]
    resident: bool

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def take(self, indices: Integer[np.ndarray, " k"]) -> Float32[np.ndarray, "k ..."]:
        """The inputs at `indices`, in that order; images are scaled to [0, 1]."""

    @abstractmethod
    def subset(self, indices: Integer[np.ndarray, " k"]) -> "Examples":
        """The examples at `indices`, in that order, with their labels."""


class ArrayExamples(Examples):
    """Examples whose inputs are one array in memory.

    `inputs` has the shape (n, *shape); 8-bit images stay 8-bit and are divided by `scale` (the value of white) when
    they are taken.
    """

    resident = True

    def __init__(
        self,
        inputs: UInt8[np.ndarray, "n ..."] | Float32[np.ndarray, "n ..."],
        labels: Targets,
        scale: float = 1.0,
    ):
        self.inputs = inputs
        self.labels = labels
        self.scale = scale
        self.shape = inputs.shape[1:]

    def take(self, indices: Integer[np.ndarray, " k"]) -> Float32[np.ndarray, "k ..."]:
        """The inputs at `indices`, divided by `scale`."""
        return np.divide(self.inputs[indices], self.scale, dtype=np.float32)

    def subset(self, indices: Integer[np.ndarray, " k"]) -> "ArrayExamples":
        """A copy of the examples at `indices`, in that order."""
        return ArrayExamples(self.inputs[indices], self.labels[indices], self.scale)


def subset(examples: Examples, indices: Integer[np.ndarray, " k"]) -> Examples:
    """The examples at `indices`, in that order, with their labels."""
    return examples.subset(indices)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, ready to be used.

    `checksums` maps each file to the digest of its contents (`md5:...`), or each array of a generated set to the digest
    of its bytes (`sha256:...`). `warnings` are sentences for the user, as about trusted contents that differ from the
    published ones. `epochs` is a sensible number of epochs to train for. `classes` are the names of the labels, none in
    regression. `exhaustive`: the training examples are all there are, so no validation part is taken from them.
    `options` is how the set was made, where it has options.
    """

    name: str
    train: Examples
    test: Examples
    classes: tuple[str, ...]
    checksums: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    epochs: int = 10
    exhaustive: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input, channels last."""
        return self.train.shape

    @property
    def task(self) -> str:
        """Whether labels or values are asked for."""
        return CLASSIFICATION if self.train.labels.ndim == 1 else REGRESSION

    @property
    def n_outputs(self) -> int:
        """How many numbers a network answers with: one for each class, or one for each value."""
        return len(self.classes) if self.task == CLASSIFICATION else self.train.labels.shape[1]

    @property
    def n_classes(self) -> int:
        """Number of classes, named or not."""
        return len(self.classes)


def digested(train: ArrayExamples, test: ArrayExamples) -> dict[str, str]:
    """The digest of each array of a generated set, by the name of its part and what it holds."""
    parts = {"train": train, "test": test}
    return {
        f"{part} {kind}": digest(array)
        for part, examples in parts.items()
        for kind, array in (("inputs", examples.inputs), ("labels", examples.labels))
    }


def digest(array: np.ndarray) -> str:
    """The digest of the bytes of an array, as `sha256:...`."""
    return f"sha256:{hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()}"
