"""Finished stages of a migration, kept beside its output so that a later run can go on from them."""

from __future__ import annotations

import json
import os
import re
import shutil
from hashlib import blake2b
from pathlib import Path as FilePath
from typing import Any

from presheaf.errors import InputError
from presheaf.migration.instance import Instance
from presheaf.migration.schema import Schema
from presheaf.migration.stores import read_instance, write_instance
from presheaf.migration.whole_files import LOGS

KEY_FILE = "key.json"
_LEFT = re.compile(
    rf"\.(?P<output>.*)\.(?P<process>\d+)\.(?P<kind>part|old)(?:{'|'.join(map(re.escape, LOGS))})?", re.DOTALL
)
"""The temporary names of ``whole_files.whole``, with what a database puts beside them."""


class Checkpoints:
    """The folder ``OUTPUT.partial``: an instance for each finished stage, and the key of what they belong to.

    Parameters
    ----------
    output : Path
    key : str
        A digest of everything that the stages depend on.
    resume : bool
        Use what is there under the same key; otherwise begin anew.

    Attributes
    ----------
    folder : Path
    found : bool, whether there is something of this key to go on from

    Raises
    ------
    InputError
        If the folder holds something else than checkpoints.
    """

    def __init__(self, output: FilePath, key: str, *, resume: bool) -> None:
        self.folder = output.with_name(output.name + ".partial")
        self.key = key
        if self.folder.exists() and not (self.folder / KEY_FILE).exists() and any(self.folder.iterdir()):
            raise InputError(f"{self.folder} is in the way and holds no checkpoints; move it.")
        self.found = resume and self._key() == key
        if not self.found:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            _written(self.folder / KEY_FILE, {"key": key})
        remove_leftovers(output)

    def load(self, stage: str, schema: Schema) -> tuple[Instance, dict[str, Any]] | None:
        """A finished stage and what was noted with it, or None."""
        notes = self.folder / f"{stage}.json"
        if not notes.exists():
            return None
        return read_instance(self.folder / stage, schema), json.loads(notes.read_text(encoding="utf-8"))

    def store(self, stage: str, instance: Instance, notes: dict[str, Any]) -> None:
        """Keep a stage: its tables as Parquet, then its notes, which make it finished."""
        write_instance(instance, self.folder / stage, format="parquet", overwrite=True)
        _written(self.folder / f"{stage}.json", notes)

    def clear(self) -> None:
        """Remove all: the output is there."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _key(self) -> str | None:
        try:
            return str(json.loads((self.folder / KEY_FILE).read_text(encoding="utf-8"))["key"])
        except (OSError, ValueError, KeyError):
            return None


def digest(path: FilePath, *more: str) -> str:
    """A digest of a file's contents, or of the tables of a folder, and of some texts; about a gigabyte a second."""
    state = blake2b(digest_size=20)
    for text in more:
        state.update(text.encode("utf-8") + b"\0")
    log = path.with_name(path.name + "-wal")
    kinds = (".parquet", ".csv", ".toml")
    files = sorted(p for p in path.iterdir() if p.suffix in kinds) if path.is_dir() else [path, log]
    for file in files:
        if file.exists():
            state.update(file.name.encode("utf-8", "surrogateescape") + b"\0")
            with file.open("rb") as opened:
                while block := opened.read(1 << 20):
                    state.update(block)
    return state.hexdigest()


def remove_leftovers(output: FilePath) -> None:
    """Remove what killed writers left beside ``output``: half-written files, and a folder that was being exchanged.

    A writer that was killed between the two renames of a folder left the old one under another name; it comes back.
    """
    for left in output.parent.glob(".*"):
        found = _LEFT.fullmatch(left.name)
        if found and found["output"] == output.name and not _alive(int(found["process"])):
            if found["kind"] == "old" and not output.exists():
                os.rename(left, output)
            elif left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _written(path: FilePath, value: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value), encoding="utf-8")
    os.replace(part, path)
