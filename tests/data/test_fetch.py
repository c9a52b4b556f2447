"""Downloads from a server on this machine: resumed, checked, and never half a file under a final name."""

import gzip
import hashlib
import io
import re
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from apical.data.fetch import PIECE_BYTES, fetch
from apical.data.published import Published, PublishedFile
from apical.errors import InputError

FILES = {name: np.random.default_rng(seed).bytes(200_000) for seed, name in enumerate(("images", "labels"))}
WRAPPED = {f"/tiny/{name}.gz": gzip.compress(file) for name, file in FILES.items()}
IMAGES = "/tiny/images.gz"


@dataclass
class Mirror:
    """What a server offers and how it misbehaves; `asked` records (path, Range header) of each request."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(WRAPPED))
    ranges: bool = True
    states_length: bool = True
    cuts: list[int] = field(default_factory=list)  # one answer each is cut after so many bytes
    shift: int = 0  # added to the start of every range: a server that answers another one than was asked for
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    """Serves the mirror that its server carries."""

    def do_GET(self) -> None:
        mirror: Mirror = self.server.mirror  # type: ignore[attr-defined]
        wanted = self.headers.get("Range")
        mirror.asked.append((self.path, wanted))
        file = mirror.files.get(self.path)
        if file is None:
            return self.send_error(404)
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) + mirror.shift if wanted and mirror.ranges else None
        if start is not None and start >= len(file):
            return self.answer(416, b"", {"Content-Range": f"bytes */{len(file)}"})
        body = file[start or 0 :]
        ranged = {} if start is None else {"Content-Range": f"bytes {start}-{len(file) - 1}/{len(file)}"}
        length = {"Content-Length": str(len(body))} if mirror.states_length else {}
        kept = body[: mirror.cuts.pop(0)] if mirror.cuts else body
        return self.answer(200 if start is None else 206, kept, ranged | length)

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.mirror = Mirror(address=f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.mirror  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


def md5(file: bytes) -> str:
    return hashlib.md5(file).hexdigest()


def tiny(*mirrors: str) -> Published:
    files = tuple(PublishedFile(name, md5(file)) for name, file in FILES.items())
    return Published("tiny", "tiny", files, mirrors, ("a", "b"))


def start(wanted: str | None) -> int:
    """The first byte that a Range header asks for."""
    return int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def test_all_files_arrive(mirror: Mirror, tmp_path: Path):
    heard = []
    folder = fetch(tiny(f"{mirror.address}/tiny"), tmp_path, progress=lambda *news: heard.append(news))
    assert folder == tmp_path / "tiny" and names(tmp_path) == ["images.gz", "labels.gz"]
    assert {gzip.decompress((folder / f"{name}.gz").read_bytes()) for name in FILES} == set(FILES.values())
    total = len(WRAPPED[IMAGES])
    assert ("images.gz", total, total) in heard


def test_what_is_there_is_not_downloaded_again(mirror: Mirror, tmp_path: Path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "images").write_bytes(FILES["images"])
    for _ in range(2):
        fetch(tiny(), tmp_path, mirror=mirror.address)
    assert mirror.asked == [("/tiny/labels.gz", None)] and names(tmp_path) == ["images", "labels.gz"]


def test_a_cut_download_is_resumed(mirror: Mirror, tmp_path: Path):
    mirror.cuts = [70_000, 50_000]
    fetch(tiny(), tmp_path, mirror=mirror.address)
    first, second, third = (start(wanted) for path, wanted in mirror.asked if path == IMAGES)
    assert first == 0 and 70_000 - PIECE_BYTES < second <= 70_000 and second + 50_000 - PIECE_BYTES < third
    assert names(tmp_path) == ["images.gz", "labels.gz"]


def test_a_download_cut_for_good_is_resumed_by_the_next_run(mirror: Mirror, tmp_path: Path):
    mirror.cuts = [30_000] * 4
    with pytest.raises(InputError, match=r"cannot download images\.gz .*was cut 4 times"):
        fetch(tiny(), tmp_path, mirror=mirror.address)
    assert names(tmp_path) == ["images.gz.part"]
    mirror.asked.clear()
    fetch(tiny(), tmp_path, mirror=mirror.address)
    assert start(mirror.asked[0][1]) > 4 * (30_000 - PIECE_BYTES) and names(tmp_path) == ["images.gz", "labels.gz"]


def test_a_cut_that_the_server_does_not_betray_is_found_by_the_digest(mirror: Mirror, tmp_path: Path):
    """Without a stated length a cut looks like the end: the file must not get its final name."""
    mirror.states_length, mirror.cuts = False, [70_000]
    with pytest.raises(InputError, match="offers other contents"):
        fetch(tiny(), tmp_path, mirror=mirror.address)
    assert names(tmp_path) == []
    fetch(tiny(), tmp_path, mirror=mirror.address)


@pytest.mark.parametrize("shift", [0, 5])
def test_a_server_without_ranges_or_with_wrong_ones_starts_over(mirror: Mirror, tmp_path: Path, shift: int):
    mirror.ranges, mirror.shift, mirror.cuts = bool(shift), shift, [70_000]
    fetch(tiny(), tmp_path, mirror=mirror.address)
    assert (tmp_path / "tiny" / "images.gz").read_bytes() == WRAPPED[IMAGES]


@pytest.mark.parametrize(
    "partial",
    [
        WRAPPED[IMAGES],
        WRAPPED[IMAGES] + b"more",
        b"from another wrapping" * 100,
        b"x" * len(WRAPPED[IMAGES]),
        b"",
    ],
    ids=["whole", "longer", "other-start", "other-whole", "empty"],
)
def test_whatever_an_earlier_run_left_the_file_is_right(mirror: Mirror, tmp_path: Path, partial: bytes):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "images.gz.part").write_bytes(partial)
    fetch(tiny(), tmp_path, mirror=mirror.address)
    assert (tmp_path / "tiny" / "images.gz").read_bytes() == WRAPPED[IMAGES]
    assert names(tmp_path) == ["images.gz", "labels.gz"]


@pytest.mark.parametrize(
    "wrong",
    [gzip.compress(b"other"), b"<html>welcome</html>", WRAPPED[IMAGES][:-9], b""],
    ids=["other", "page", "truncated", "empty"],  # not the bytes: gzip writes the time into them
)
def test_wrong_contents_are_refused_and_removed(mirror: Mirror, tmp_path: Path, wrong: bytes):
    mirror.files[IMAGES] = wrong
    with pytest.raises(InputError, match=r"cannot download images\.gz .*offers other contents"):
        fetch(tiny(), tmp_path, mirror=mirror.address)
    assert names(tmp_path) == [] and len(mirror.asked) == 1


def test_a_missing_file_is_not_asked_for_again(mirror: Mirror, tmp_path: Path):
    del mirror.files[IMAGES]
    with pytest.raises(InputError, match=r"images\.gz .*answers 404 Not Found.*put the file into") as caught:
        fetch(tiny(), tmp_path, mirror=mirror.address)
    assert "\n" not in str(caught.value) and len(mirror.asked) == 1 and not (tmp_path / "tiny").exists()


def test_mirrors_are_tried_in_turn(mirror: Mirror, tmp_path: Path):
    nobody = "http://127.0.0.1:9"  # the discard port: nothing listens
    published = tiny(nobody, f"{mirror.address}/empty", f"{mirror.address}/tiny")
    fetch(published, tmp_path)
    assert names(tmp_path) == ["images.gz", "labels.gz"] and mirror.asked[0][0] == "/empty/images.gz"
    with pytest.raises(InputError, match=f"{nobody} cannot be reached; .* answers 404 .*check the network") as caught:
        fetch(tiny(nobody, f"{mirror.address}/empty"), tmp_path / "other")
    assert "\n" not in str(caught.value) and not (tmp_path / "other").exists()


def test_the_environment_names_a_mirror(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("APICAL_MIRROR", f"{mirror.address}/")
    fetch(tiny("http://127.0.0.1:9"), tmp_path)
    assert names(tmp_path) == ["images.gz", "labels.gz"]


def test_other_contents_in_the_way_are_kept(mirror: Mirror, tmp_path: Path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "images").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"1 of 2 files .* differ .*move them away"):
        fetch(tiny(), tmp_path, mirror=mirror.address)
    assert (tmp_path / "tiny" / "images").read_bytes() == b"mine"


def test_a_root_that_is_a_file(mirror: Mirror, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write to .*choose another --data-dir"):
        fetch(tiny(), tmp_path / "file", mirror=mirror.address)


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, file in files.items():
            member = tarfile.TarInfo(f"folder/{name}")
            member.size = len(file)
            archive.addfile(member, io.BytesIO(file))
    return buffer.getvalue()


@pytest.mark.parametrize("right", [True, False])
def test_an_archive_is_checked_by_what_is_inside(mirror: Mirror, tmp_path: Path, right: bool):
    published = replace(tiny(), archives=("all.tar.gz",), archive_md5="0" * 32)
    mirror.files["/tiny/all.tar.gz"] = packed(FILES if right else FILES | {"labels": b"other"})
    mirror.cuts = [100_000]
    if right:
        fetch(published, tmp_path, mirror=mirror.address)
        assert names(tmp_path) == ["all.tar.gz"]
    else:
        with pytest.raises(InputError, match="offers other contents"):
            fetch(published, tmp_path, mirror=mirror.address)
        assert names(tmp_path) == []
