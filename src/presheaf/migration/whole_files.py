"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath

from presheaf.errors import InputError


@contextmanager
def whole(path: FilePath, overwrite: bool) -> Iterator[FilePath]:
    """A temporary name beside ``path`` to write a file or folder to, moved there at the end, or removed on an error.

    A file is replaced in one step. A folder is exchanged by two renames; one that is not empty is only replaced if it
    holds a ``schema.toml``, as those that this package writes do.

    Raises
    ------
    InputError
        If something is there and ``overwrite`` is false, or if its folder isn't there.
    """
    check_free(path, overwrite)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    _remove(part)
    try:
        yield part
        if not path.is_dir():
            os.replace(part, path)
            return
        old = path.with_name(f".{path.name}.{os.getpid()}.old")
        _remove(old)
        os.rename(path, old)
        os.rename(part, path)
        _remove(old)
    finally:
        for left in path.parent.glob(f"{_escaped(part.name)}*"):
            _remove(left)


def check_free(path: FilePath, overwrite: bool) -> None:
    """Refuse to write where something is that must not be replaced."""
    if not path.parent.is_dir():
        raise InputError(f"{path} can't be written: there is no folder {path.parent}.")
    if path.exists() and not overwrite:
        raise InputError(f"{path} is there already; pass overwrite to replace it, or give another name.")
    if path.is_dir() and any(path.iterdir()) and not (path / "schema.toml").exists():
        raise InputError(f"{path} is a folder with other things in it (no schema.toml); it is not replaced.")


def _remove(path: FilePath) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _escaped(name: str) -> str:
    import glob

    return glob.escape(name)
