"""Images in folders: labels follow the folders, pixels the files, and nothing is read before it is taken."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apical.data.folder import decode
from apical.data.registry import load
from apical.errors import InputError


@pytest.fixture
def base(tmp_path: Path, write_images: Callable) -> Path:
    write_images(tmp_path / "imagenet-folder")
    return tmp_path / "imagenet-folder"


def refused(base: Path, message: str, image_size: int = 16) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load("imagenet-folder", data_dir=base.parent, image_size=image_size)
    assert "\n" not in str(caught.value)


def test_classes_and_images_are_sorted_by_name(base: Path, tmp_path: Path):
    dataset = load("imagenet-folder", data_dir=tmp_path, image_size=16)
    assert dataset.classes == ("ant", "bee", "cow") and dataset.shape == (16, 16, 3)
    assert dataset.train.labels.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    for index, name in ((0, "ant/0"), (9, "bee/1"), (23, "cow/7")):
        pixels = np.asarray(Image.open(base / "train" / f"{name}.png"))
        assert np.array_equal(dataset.train.take(np.asarray([index]))[0] * 255, pixels.astype(np.float32))


def test_the_data_folder_itself_may_hold_the_parts(base: Path, tmp_path: Path):
    below = load("imagenet-folder", data_dir=tmp_path)
    itself = load("imagenet-folder", data_dir=base)
    assert itself.checksums == below.checksums and len(itself.train) == 24


def test_labelled_test_images_go_before_val_and_unlabelled_ones_do_not(base: Path, tmp_path: Path):
    (base / "test").mkdir()
    shutil.copy(base / "val" / "ant" / "0.png", base / "test" / "ILSVRC2012_test_00000001.png")
    assert len(load("imagenet-folder", data_dir=tmp_path).test) == 9
    shutil.copytree(base / "val" / "cow", base / "test" / "cow")
    test = load("imagenet-folder", data_dir=tmp_path).test
    assert test.labels.tolist() == [2, 2, 2], "a class keeps its label where others have no images"


def test_images_are_scaled_by_the_shorter_side_and_cropped_at_the_centre(tmp_path: Path):
    """Three square fields side by side: only the middle one is left, whatever the direction."""
    fields = np.zeros((40, 120, 3), np.uint8)
    fields[:, 40:80], fields[:, 80:] = (0, 200, 0), (255, 0, 0)
    for number, pixels in enumerate((fields, fields.transpose(1, 0, 2))):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.ascontiguousarray(pixels)).save(path)
        image = decode(str(path), 10)
        assert image.shape == (10, 10, 3) and np.array_equal(image[1:-1, 1:-1], np.full((8, 8, 3), (0, 200, 0)))


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK"])
def test_every_kind_of_image_becomes_rgb(tmp_path: Path, mode: str):
    path = tmp_path / ("image.jpg" if mode == "CMYK" else "image.png")
    Image.new("RGB", (20, 20), (255, 255, 255)).convert(mode).save(path)
    assert np.array_equal(decode(str(path), 8), np.full((8, 8, 3), 255))


def test_nothing_is_read_before_it_is_taken(base: Path, tmp_path: Path):
    """A damaged image is found when it is taken, by its name, and only then."""
    damaged = base / "train" / "bee" / "1.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    train = load("imagenet-folder", data_dir=tmp_path).train
    assert train.take(np.asarray([8, 10])).shape == (2, 64, 64, 3)
    with pytest.raises(InputError, match=r"bee/1\.png cannot be read as an image"):
        train.take(np.asarray([8, 9, 10]))


@pytest.mark.parametrize("file", [b"", b"<html>", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_files_that_are_no_images(tmp_path: Path, file: bytes):
    path = tmp_path / "image.png"
    path.write_bytes(file)
    with pytest.raises(InputError, match=r"image\.png cannot be read as an image"):
        decode(str(path), 8)


def test_a_truncated_jpeg(tmp_path: Path):
    path = tmp_path / "image.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"image\.jpg cannot be read as an image"):
        decode(str(path), 8)


def test_other_files_are_passed_over(base: Path, tmp_path: Path):
    for name in ("notes.txt", ".hidden.png", "ant/readme.md", "ant/.DS_Store"):
        (base / "train" / name).write_text("not an image")
    assert len(load("imagenet-folder", data_dir=tmp_path).train) == 24


def test_the_digest_sees_a_file_that_is_renamed_or_changed(base: Path, tmp_path: Path):
    before = load("imagenet-folder", data_dir=tmp_path).checksums
    (base / "train" / "ant" / "0.png").rename(base / "train" / "ant" / "x.png")
    after = load("imagenet-folder", data_dir=tmp_path).checksums
    assert [before[part] == after[part] for part in before] == [False, True]


def test_missing_folders_and_images(base: Path, tmp_path: Path):
    refused(tmp_path / "elsewhere" / "imagenet-folder", "put one folder of images per class into .*train")
    refused(base, "the image size is 0", image_size=0)
    (base / "val" / "dog").mkdir()
    refused(base, "val/dog has no counterpart in train")
    (base / "train" / "dog").mkdir()
    refused(base, "train/dog holds no images")
    shutil.rmtree(base / "val")
    refused(base, "imagenet-folder: put one folder of images per class")
