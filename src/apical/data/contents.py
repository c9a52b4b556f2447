"""Finds the files of a public data set, reads what is in them, and compares it with what was published."""

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from apical.data.published import Published, PublishedFile
from apical.errors import InputError

GZIP_MAGIC = b"\x1f\x8b"
MAX_MEMBER_BYTES = 2**28  # an archive is read in memory: refuse members no data set here has


@dataclass(frozen=True, eq=False)
class Files:
    """What was read: one parsed array per file, the digests of the contents, and what to tell the user."""

    arrays: dict[str, np.ndarray]
    checksums: dict[str, str]
    warnings: tuple[str, ...]


def read(published: Published, root: Path, trust: bool, parse: Callable[[bytes, str], np.ndarray]) -> Files:
    """Read every file of a data set.

    `parse` gets the contents of a file and how to name it in an error. It comes before the digests are compared, so
    that a damaged file is reported as what it is. Raises InputError if a file is missing or damaged, or if contents
    differ from the published ones and the data are not trusted.
    """
    arrays, checksums = {}, {}
    for name, source, contents in each(published, root):
        checksums[name] = digest(contents)
        arrays[name] = parse(contents, source)
    return Files(arrays, checksums, confirm(published, checksums, root / published.folder, trust))


def check(published: Published, root: Path) -> None:
    """Compare the contents of all files with the published ones; raises InputError as `read` does."""
    confirm(published, {name: digest(file) for name, _, file in each(published, root)}, root / published.folder, False)


def digest(contents: bytes) -> str:
    """The digest of the contents of a file, as `md5:...`."""
    return f"md5:{hashlib.md5(contents, usedforsecurity=False).hexdigest()}"


def differing(published: Published, checksums: dict[str, str]) -> tuple[str, ...]:
    """Names of the files whose contents are not the published ones."""
    return tuple(file.name for file in published.files if checksums[file.name] != f"md5:{file.md5}")


def confirm(published: Published, checksums: dict[str, str], folder: Path, trust: bool) -> tuple[str, ...]:
    """Compare digests with the published ones: no warning if they agree, one if they differ and are trusted.

    Raises InputError if they differ and are not trusted.
    """
    wrong = differing(published, checksums)
    if not wrong:
        return ()
    difference = (
        f"{published.name}: {len(wrong)} of {len(published.files)} files in {folder} differ from the published contents"
    )
    if trust:
        return (f"{difference}, and are used because you trust them: {', '.join(wrong)}",)
    first = next(file for file in published.files if file.name in wrong)
    raise InputError(
        f"{difference} ({first.name} has {checksums[first.name]}, published {first.md5}); "
        f"move them away and run `apical data fetch {published.name}`, or pass --trust-data to use them anyway"
    )


def locate(published: Published, root: Path) -> dict[str, Path]:
    """Where each file of a data set is: its own path, or that of the archive that holds it.

    Raises InputError if one is missing.
    """
    folder = root / published.folder
    found = {file.name: path for file in published.files if (path := _loose(published, folder, file.name))}
    if len(found) == len(published.files):
        return found
    for archive in published.archives:
        if (folder / archive).is_file():
            return {file.name: folder / archive for file in published.files}
    raise InputError(_missing(published, folder, next(file for file in published.files if file.name not in found)))


def needed(published: Published, root: Path) -> tuple[str, ...]:
    """Names of the files that must still be downloaded to make a data set complete."""
    try:
        locate(published, root)
        return ()
    except InputError:
        folder = root / published.folder
        absent = tuple(f"{file.name}.gz" for file in published.files if not _loose(published, folder, file.name))
        return published.archives[:1] or absent


def each(published: Published, root: Path) -> Iterator[tuple[str, str, bytes]]:
    """For each file of a data set: its name, how to name it in an error, its contents. Raises InputError as `read`."""
    paths = locate(published, root)
    first = next(iter(paths.values()))
    if first.name in published.archives:
        for name, contents in read_archive(published, first).items():
            yield name, f"{name} in {first}", contents
        return
    for name, path in paths.items():
        yield name, str(path), read_file(path)


def read_file(path: Path) -> bytes:
    """The contents of a file, uncompressed if it is a gzip file; raises InputError if it is damaged."""
    try:
        contents = path.read_bytes()
        return gzip.decompress(contents) if contents.startswith(GZIP_MAGIC) else contents
    except EOFError as error:
        raise InputError(f"{path} is truncated: its gzip stream ends too early; download it again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged ({error}); download it again") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the file and its permissions") from error


def read_archive(published: Published, path: Path) -> dict[str, bytes]:
    """The contents of the files of a data set inside a tar archive; nothing is written to disk.

    Raises InputError if it is not a tar archive, is damaged, or lacks a file.
    """
    names = {file.name for file in published.files}
    members: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                if name in names and member.isfile():
                    members[name] = _member(archive, member, path)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(f"{path} is not a tar archive, or is damaged or truncated; download it again") from error
    if missing := sorted(names - set(members)):
        raise InputError(f"{path} does not hold {', '.join(missing)}; download it again")
    return members


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> bytes:
    if member.size > MAX_MEMBER_BYTES:
        raise InputError(f"{path} holds a {member.name} of {member.size} bytes, too large; download it again")
    stream = archive.extractfile(member)
    return stream.read() if stream else b""


def _loose(published: Published, folder: Path, name: str) -> Path | None:
    candidates = (folder / published.unpacked / name, folder / name)
    return next((path for plain in candidates for path in (plain, Path(f"{plain}.gz")) if path.is_file()), None)


def _missing(published: Published, folder: Path, file: PublishedFile) -> str:
    name, md5 = f"{file.name}.gz", f"md5 {file.md5} uncompressed"
    if published.archives and not (folder / published.unpacked).is_dir():
        name, md5 = published.archives[0], f"md5 {published.archive_md5}"
    elif published.archives:
        name, md5, folder = file.name, f"md5 {file.md5}", folder / published.unpacked
    return (
        f"{published.name}: file {name} ({md5}) is missing; run `apical data fetch {published.name}`, "
        f"put it into {folder}, or name another data folder with --data-dir"
    )
