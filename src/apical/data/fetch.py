"""Downloads the public data sets: resumes a download that was cut, checks what arrived, and tries mirrors in turn."""

import os
from collections.abc import Callable
from pathlib import Path

import requests

from apical.data import contents
from apical.data.published import Published
from apical.errors import InputError

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10, 30
PIECE_BYTES = 2**14  # what is lost at most when a download is cut
N_ATTEMPTS = 4  # per mirror: each resumes where the one before was cut

Progress = Callable[[str, int, int | None], None]
"""Called with the name of the file, the bytes it has so far and, if known, the bytes it will have."""


class _GiveUp(Exception):
    """A mirror cannot deliver the file; the message says why."""


class _Cut(Exception):
    """A download was cut, or cannot be resumed: another attempt may succeed."""


def fetch(published: Published, root: Path, *, mirror: str | None = None, progress: Progress | None = None) -> Path:
    """Download what is missing of a data set into its folder under `root`, check the whole, and return the folder.

    `mirror` (or the environment variable APICAL_MIRROR) is an address to use in place of the public ones; it offers
    the files in a folder named as the one under `root`. What has arrived is kept beside the final name in a file that
    ends in `.part`; it gets its final name only when its contents are the published ones. Raises InputError if files
    that differ from the published ones are in the way, if the folder cannot be written, or if no mirror delivers.
    """
    folder = root / published.folder
    chosen = mirror or os.environ.get("APICAL_MIRROR")
    addresses = (f"{chosen.rstrip('/')}/{published.folder}",) if chosen else published.mirrors
    try:
        for name in contents.needed(published, root):
            _download(published, folder / name, addresses, progress or _silent)
    except OSError as error:
        raise InputError(f"cannot write to {folder} ({error.strerror}); choose another --data-dir") from error
    contents.check(published, root)
    return folder


def _download(published: Published, target: Path, addresses: tuple[str, ...], progress: Progress) -> None:
    partial = target.with_name(f"{target.name}.part")
    failures: list[str] = []
    for address in addresses:
        try:
            _from_mirror(f"{address}/{target.name}", published, partial, progress)
        except _GiveUp as failure:
            failures.append(f"{address} {failure}")
        else:
            partial.replace(target)
            return
    raise InputError(
        f"cannot download {target.name} ({'; '.join(failures)}); check the network and try again (what has arrived is "
        f"kept), or put the file into {target.parent} yourself"
    )


def _from_mirror(url: str, published: Published, partial: Path, progress: Progress) -> None:
    """Leave the right contents in `partial`, or raise _GiveUp."""
    for _ in range(N_ATTEMPTS):
        try:
            resumed = _receive(url, partial, progress)
        except _Cut:
            continue
        if _is_published(published, partial):
            return
        partial.unlink()
        if not resumed:  # else the pieces may not belong together: begin anew
            raise _GiveUp("offers other contents than the published ones")
    raise _GiveUp(f"was cut {N_ATTEMPTS} times")


def _receive(url: str, partial: Path, progress: Progress) -> bool:
    """Append what is missing of a file, and say whether it was resumed; raise _Cut or _GiveUp."""
    n_done = partial.stat().st_size if partial.exists() else 0
    with _connect(url, n_done) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable and n_done:
            return _settle_finished(response, partial, n_done)
        if response.status_code not in (requests.codes.ok, requests.codes.partial_content):
            raise _GiveUp(f"answers {response.status_code} {response.reason}")
        resumed = response.status_code == requests.codes.partial_content
        _save(response, partial, n_done if resumed else 0, progress)
    return resumed


def _connect(url: str, n_done: int) -> requests.Response:
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={n_done}-"} if n_done else {})
    try:
        return requests.get(url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S))
    except requests.RequestException as error:
        raise _GiveUp("cannot be reached") from error


def _settle_finished(response: requests.Response, partial: Path, n_done: int) -> bool:
    """The server has nothing after what is there: either it is the whole file, or it must be begun anew."""
    if response.headers.get("Content-Range") == f"bytes */{n_done}":
        return True
    partial.unlink()
    raise _Cut


def _save(response: requests.Response, partial: Path, n_done: int, progress: Progress) -> None:
    n_coming = response.headers.get("Content-Length", "")
    n_total = n_done + int(n_coming) if n_coming.isdigit() else None
    partial.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("ab" if n_done else "wb") as file:
        try:
            for piece in response.iter_content(PIECE_BYTES):
                file.write(piece)
                n_done += len(piece)
                progress(partial.name.removesuffix(".part"), n_done, n_total)
        except requests.RequestException as error:
            raise _Cut from error


def _is_published(published: Published, partial: Path) -> bool:
    """Whether a downloaded file holds the published contents."""
    name = partial.name.removesuffix(".part")
    try:
        if name in published.archives:
            files = contents.read_archive(published, partial)
        else:
            files = {name.removesuffix(".gz"): contents.read_file(partial)}
    except InputError:
        return False
    md5s = {file.name: file.md5 for file in published.files}
    return all(contents.digest(file) == f"md5:{md5s[member]}" for member, file in files.items())


def _silent(name: str, n_done: int, n_total: int | None) -> None:
    """Report nothing."""
