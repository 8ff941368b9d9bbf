"""Write a report so that a reader never sees half of it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from presheaf.errors import InputError


def write(path: str | os.PathLike[str], text: str) -> None:
    """Write ``text`` as UTF-8 to ``path`` in one step: into a new file beside it, synced, then renamed over it.

    A kill or a full disk leaves the old file (or none), never half a new one. A pipe or a device, such as
    ``/dev/stdout``, is written to directly.

    Raises
    ------
    InputError
        The folder does not exist, ``path`` is a folder, or the system refuses.
    """
    given, target = Path(path), Path(os.path.realpath(path))
    direct = given.exists() and not given.is_file() and not given.is_dir()
    if target.is_dir():
        raise InputError(f"The report must go to a file; {os.fspath(path)!r} is a folder. Add a file name.")
    if not direct and not target.parent.is_dir():
        raise InputError(f"The folder {str(target.parent)!r} for the report does not exist. Make it first.")
    data = text.encode("utf-8", errors="replace")
    try:
        if direct:
            given.write_bytes(data)
        else:
            _replace(target, data)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"The report can't be written to {os.fspath(path)!r}: {reason}.") from None


def _replace(target: Path, data: bytes) -> None:
    # A short name of its own, because a target whose name has the greatest allowed length must work as well.
    temporary = target.parent / f".presheaf-{secrets.token_hex(8)}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
