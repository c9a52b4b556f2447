"""Output: a folder that can be written, and files of which a reader sees the old one or the new one, never half."""

import os
import tempfile
from pathlib import Path

from apical.errors import InputError


def write_atomically(path: Path, content: bytes | str) -> Path:
    """Write `content` (text as UTF-8) to `path`, making its folder; a crash leaves what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def check_out(out: Path, resume: bool, resumable: bool = True) -> None:
    """Sees that `out` can become, or with `resume` go on as, an output folder, and leaves nothing behind.

    A command that is not `resumable` is not told to go on.

    **Raises** `InputError` when it cannot.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file: name a folder")
    if out.is_dir() and any(out.iterdir()) and not resume:
        going_on = ", or add --resume to go on with what it holds" if resumable else ""
        raise InputError(f"--out {out} is not empty: choose another folder{going_on}")
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise InputError(f"--out {out} cannot be written ({error.strerror}): choose another folder") from None
    finally:
        for folder in missing:
            if folder.is_dir():
                folder.rmdir()
