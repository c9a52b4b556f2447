"""What every data set looks like to the rest of the package: two parts of labelled examples on the host."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Int32, Integer, UInt8


class Examples(ABC):
    """One part of a data set: inputs and their labels, on the host.

    `labels` holds the class of each example; `shape` is the shape of one input, channels last; `resident` says whether
    all inputs are in memory (True) or are read from files when they are taken (False).
    """

    labels: Int32[np.ndarray, " n"]
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
        labels: Int32[np.ndarray, " n"],
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
    published ones. `epochs` is a sensible number of epochs to train for.
    """

    name: str
    train: Examples
    test: Examples
    classes: tuple[str, ...]
    checksums: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    epochs: int = 10

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input, channels last."""
        return self.train.shape

    @property
    def n_classes(self) -> int:
        """Number of classes, named or not."""
        return len(self.classes)
