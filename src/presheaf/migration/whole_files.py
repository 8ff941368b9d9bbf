"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath

from presheaf.errors import InputError

LOGS = (".wal", "-wal", "-journal", "-shm")
"""What DuckDB and SQLite put beside a file; that of a file which was replaced must not be taken for the new one's."""


class NotWritten(InputError):
    """The system refused to write: a full disk, a missing permission."""


@contextmanager
def whole(path: FilePath, overwrite: bool) -> Iterator[FilePath]:
    """A temporary name beside ``path`` to write a file or folder to, moved there at the end, or removed on an error.

    A file is replaced in one step. A folder is exchanged by two renames; one that is not empty is only replaced if it
    holds a ``schema.toml``, as those that this package writes do.

    Raises
    ------
    InputError
        If something is there and ``overwrite`` is false, if its folder isn't there, or (``NotWritten``) if the system
        refuses. Errors name ``path``, not the temporary name.
    """
    check_free(path, overwrite)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    _remove(part)
    try:
        yield part
        if not path.is_dir():
            os.replace(part, path)
            for end in LOGS:
                path.with_name(path.name + end).unlink(missing_ok=True)
            return
        old = path.with_name(f".{path.name}.{os.getpid()}.old")
        _remove(old)
        os.rename(path, old)
        os.rename(part, path)
        _remove(old)
    except InputError as error:
        if str(part) not in str(error):
            raise
        raise type(error)(str(error).replace(str(part), str(path))) from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error).replace(str(part), str(path))
        raise NotWritten(f"{path} can't be written: {reason.rstrip('.')}.") from error
    finally:
        for left in path.parent.glob(f"{_escaped(part.name)}*"):
            _remove(left)


def check_free(path: FilePath, overwrite: bool) -> None:
    """Refuse to write where something is that must not be replaced."""
    if not path.parent.is_dir():
        raise InputError(f"{path} can't be written: there is no folder {path.parent}.")
    if path.exists() and not overwrite:
        raise InputError(f"{path} is there already; replace it with overwrite (--overwrite), or give another name.")
    if path.is_dir() and any(path.iterdir()) and not (path / "schema.toml").exists():
        raise InputError(f"{path} is a folder with other things in it (no schema.toml); it is not replaced.")


def check_apart(read: FilePath, written: FilePath) -> None:
    """Refuse to write over what is read."""
    one, two = read.resolve(), written.resolve()
    if one == two or two in one.parents:
        how = "is read" if one == two else f"holds {read}, which is read"
        raise InputError(f"{written} {how}; give the output another name.")


def _remove(path: FilePath) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _escaped(name: str) -> str:
    import glob

    return glob.escape(name)
