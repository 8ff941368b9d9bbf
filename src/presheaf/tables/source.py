"""Which reader a source takes: by the name of the file, and by its first bytes where the name says nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from presheaf.errors import InputError
from presheaf.tables.arrow_files import IPC_MAGIC, PARQUET_MAGIC, STREAM_MAGIC, ipc, parquet, saved_dataset
from presheaf.tables.delimited import Delimited
from presheaf.tables.frames import in_memory
from presheaf.tables.image_folder import image_folder, is_image_folder
from presheaf.tables.json_rows import json_array, json_lines
from presheaf.tables.raw import RawTable
from presheaf.tables.textfile import open_text

_PARQUET = (".parquet", ".pq")
_IPC = (".arrow", ".feather", ".ipc")
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"SQLite format 3\0": "an SQLite database",
    b"\x93NUMPY": "a NumPy array",
    b"%PDF": "a PDF",
    b"BZh": "bzip2-compressed",
    b"\xfd7zXZ\0": "xz-compressed",
    b"\x28\xb5\x2f\xfd": "zstd-compressed",
    b"\x80\x04\x95": "a pickle, which is never loaded since it can run code",
    b"\x80\x05\x95": "a pickle, which is never loaded since it can run code",
    b"FEA1": "Feather version 1",
}
_READ = (
    "CSV, TSV, JSONL, JSON, Parquet, Arrow IPC/Feather, a folder of images with a sub-folder for each class, or a folder "
    "written by datasets' save_to_disk"
)


@dataclass(frozen=True)
class Opened:
    """A table that was opened, a short name for it, where it comes from, and where its files' names start."""

    table: RawTable
    name: str
    source: str
    folder: Path = Path()


def open_table(source: object, hints: Sequence[str], encoding: str | None) -> Opened:
    """Open a path or an object in memory.

    Parameters
    ----------
    source : path, data frame, Arrow table, list of dicts or dict of columns
    hints : sequence of str
        Columns the caller names.
    encoding : str or None
        For text files only.

    Raises
    ------
    InputError
        If there is no such file, or it can't be read as a table.
    """
    if not isinstance(source, str | os.PathLike):
        table, kind = in_memory(source, hints)
        return Opened(table, "table", kind)
    told = os.fspath(source)
    if not isinstance(told, str) or not told or "\0" in told:
        raise InputError(f"{told!r} is not a file name; expected the path of {_READ}.")
    path, split = Path(told), None
    if not os.path.exists(path) and "#" in path.name:  # unlike Path.exists, false for a name too long to be one
        parent, _, split = told.rpartition("#")
        path = Path(parent)
    _require_there(path, told)
    if path.is_dir():
        name = path.resolve().name + (f"#{split}" if split else "")
        if split is None and is_image_folder(path):
            return Opened(image_folder(path), name, told)
        return Opened(saved_dataset(path, split), name, told, path)
    if split is not None:
        raise InputError(f"{path} is a file, so it has no split {split!r}; only a folder of splits takes #.")
    return Opened(_open_file(path, hints, encoding), _stem(path), told, path.parent)


def _require_there(path: Path, told: str) -> None:
    try:
        path.stat()
    except FileNotFoundError:
        hint = ""
        if "://" in told:
            hint = " Only files on this machine are read: download it first."
        elif path.parent.is_dir():
            close = get_close_matches(path.name, os.listdir(path.parent), n=1)
            hint = f" Did you mean {path.parent / close[0]}?" if close else ""
        raise InputError(f"{path} does not exist.{hint}") from None
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}.") from error
    if not path.is_dir() and not path.is_file():
        raise InputError(f"{path} is not a regular file (it may be a pipe or a device): save its rows to a file first.")


def _open_file(path: Path, hints: Sequence[str], encoding: str | None) -> RawTable:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error}.") from error
    kinds = [suffix.lower() for suffix in path.suffixes]
    kind = next((suffix for suffix in reversed(kinds) if suffix != ".gz"), "")
    if head.startswith(PARQUET_MAGIC) or (kind in _PARQUET and head):
        return parquet(path)
    if head.startswith((IPC_MAGIC, STREAM_MAGIC)) or (kind in _IPC and head):
        return ipc([path], str(path))
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise InputError(f"{path} is {what}; expected {_READ}. Save the table as one of these.")
    text = open_text(path, encoding)
    if kind in (".jsonl", ".ndjson"):
        return json_lines(text, hints)
    if kind in (".csv", ".tsv", ".tab"):
        return Delimited(text, hints, tabs=kind != ".csv")
    first = text.sample().lstrip()[:1]
    if first == "[":
        return json_array(text, hints)
    if first == "{" or kind == ".json":
        return json_lines(text, hints)
    return Delimited(text, hints, tabs=False)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rsplit(".", 1)[0] or path.name
