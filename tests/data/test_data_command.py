"""`apical data`: what it prints, what it returns, and that failures are one sentence with nothing on the output."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from apical.cli import data
from apical.data.registry import DATASETS
from apical.errors import InputError


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Run the command and give the lines it prints; its return code must be 0."""
    parser = argparse.ArgumentParser()
    data.add_arguments(parser)

    def run(*words: object) -> list[str]:
        assert data.run(parser.parse_args([str(word) for word in words])) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out.splitlines()

    return run


def test_list_of_one_set_shows_its_options(command: Callable):
    found = "\n".join(command("list", "bars"))
    assert "low" in found and "input outside the bar; a number at least -1 and at most 1 [Haider 2021]" in found
    assert "none" in "\n".join(command("list", "digits"))


def test_list_shows_every_set_and_whether_it_is_there(command: Callable, tmp_path: Path, write_idx: Callable):
    write_idx(tmp_path / "mnist")
    head, *rows = command("list", "--data-dir", tmp_path)
    found = {row.split()[0]: row for row in rows}
    assert list(found) == list(DATASETS) and head.split()[0] == "name"
    assert found["mnist"].split() == ["mnist", "60,000", "10,000", "28x28x1", "10", "found", str(tmp_path / "mnist")]
    assert "missing" in found["cifar10"] and "missing" in found["imagenet-folder"] and "none needed" in found["digits"]


def test_verify_prints_a_digest_for_each_file(command: Callable, tmp_path: Path, write_cifar: Callable):
    write_cifar(tmp_path / "cifar10" / "cifar-10-batches-bin")
    lines = command("verify", "cifar10", "--data-dir", tmp_path, "--trust-data")
    assert len(lines) == 6 and all("md5:" in line and line.endswith("  differs") for line in lines)
    assert all(line.endswith("  ok") for line in command("verify", "digits"))


def test_verify_refuses_in_one_sentence(
    command: Callable, tmp_path: Path, write_idx: Callable, capsys: pytest.CaptureFixture[str]
):
    write_idx(tmp_path / "mnist")
    with pytest.raises(InputError, match="4 of 4 files") as caught:
        command("verify", "mnist", "--data-dir", tmp_path)
    assert "\n" not in str(caught.value) and capsys.readouterr().out == ""


def test_verify_reads_every_image(command: Callable, tmp_path: Path, write_images: Callable):
    write_images(tmp_path / "imagenet-folder")
    assert len(command("verify", "imagenet-folder", "--data-dir", tmp_path)) == 2
    (tmp_path / "imagenet-folder" / "val" / "cow" / "2.png").write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"val/cow/2\.png cannot be read"):
        command("verify", "imagenet-folder", "--data-dir", tmp_path)


def test_verify_passes_the_real_data(command: Callable, real_data: Callable):
    lines = command("verify", "fashion-mnist", "--data-dir", real_data("fashion_mnist"))
    assert len(lines) == 4 and all(line.endswith("  ok") for line in lines)


def test_fetch_of_sets_that_are_not_downloaded(command: Callable, tmp_path: Path):
    assert command("fetch", "digits", "--data-dir", tmp_path) == ["digits needs no files"]
    with pytest.raises(InputError, match="cannot be downloaded; put your images into"):
        command("fetch", "imagenet-folder", "--data-dir", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_fetch_with_the_network_off(command: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("APICAL_MIRROR", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(InputError, match=r"cannot be reached.*check the network") as caught:
        command("fetch", "cifar10", "--data-dir", tmp_path)
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []


def test_fetch_of_what_is_there(command: Callable, real_data: Callable, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("APICAL_MIRROR", "http://127.0.0.1:9")
    root = real_data("mnist")
    assert command("fetch", "mnist", "--data-dir", root) == [f"mnist is complete in {root / 'mnist'}"]


@pytest.mark.parametrize("action", ["fetch", "verify"])
def test_unknown_names(command: Callable, action: str):
    with pytest.raises(InputError, match="did you mean mnist"):
        command(action, "minst")
