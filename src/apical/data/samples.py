"""A few images of each class, as a figure shows them."""

import numpy as np
from jaxtyping import UInt8

from apical.data.dataset import Dataset


def class_samples(dataset: Dataset, n: int) -> UInt8[np.ndarray, "classes k rows columns channels"]:
    """The first `n` training images of each class, 0 to 255; fewer where the smallest class has fewer."""
    chosen = [np.flatnonzero(dataset.train.labels == c)[:n] for c in range(dataset.n_classes)]
    k = min(map(len, chosen))
    images = dataset.train.take(np.concatenate([indices[:k] for indices in chosen]))
    return np.round(np.clip(images, 0, 1) * 255).astype(np.uint8).reshape(dataset.n_classes, k, *dataset.shape)
