"""Sample images of every class, read from the `samples.safetensors` that a comparison leaves."""

import json
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from safetensors import SafetensorError, safe_open

from apical.errors import InputError
from apical.report.comparison import Comparison
from apical.report.figure import ImageGrid, Tile, TileRow

Images = UInt8[np.ndarray, "classes samples height width channels"]

_SHOWN = 3


def samples(comparison: Comparison) -> ImageGrid | None:
    """One row of tiles, one tile per class."""
    for folder in comparison.folders():
        content = read_samples(folder / "samples.safetensors")
        if content is not None and content[2] in ("", comparison.dataset):
            images, names = content[0][:, :_SHOWN], content[1]
            grey = ", dark where the input is large" if images.shape[4] == 1 else ""
            tiles = tuple(Tile(name, tuple(stack)) for name, stack in zip(names, images, strict=True))
            caption = (
                f"What the networks see: {images.shape[1]} training images of each of the {len(names)} classes{grey}."
            )
            return ImageGrid("samples", "The data", caption, (TileRow("", tiles),))
    return None


def read_samples(path: Path) -> tuple[Images, list[str], str] | None:
    """Images, class names and data set of a file of samples, None where there is none. Raises InputError if broken."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            images, metadata = file.get_tensor("images"), file.metadata() or {}
        names = [str(name) for name in json.loads(metadata["classes"])]
        if images.dtype != np.uint8 or images.ndim != 5 or len(names) != len(images) or images.shape[4] not in (1, 3):
            raise ValueError("images must be uint8 of shape (classes, samples, height, width, 1 or 3)")
    except (SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a file of sample images ({error}): run the comparison again") from None
    return images, names, metadata.get("dataset", "")
