"""Features on disk, so that no object is encoded twice: Arrow files that are only ever added, checked and merged."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.models.base import Role

KEY_BYTES = 16
_LAYOUT = "features-1"  # a later layout takes another folder, so that an older program never reads it
_NAME = re.compile(r"\d{20}-[0-9a-f]{8}-([0-9a-f]{8})\.arrow")
_MOST_FILES = 64
_SMALL = 32 << 20  # bytes; larger files are left as they are, which keeps a merge cheap however much is stored
_STALE = 24 * 3600.0  # seconds after which an unfinished file must have lost its writer


def object_keys(objects: Iterable[str]) -> NDArray[np.uint8]:
    """A 16-byte key for each text, of shape (n, 16): blake2b of its UTF-8, lone surrogates kept.

    Cost: about a microsecond a text.
    """
    digests = b"".join(
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest() for text in objects
    )
    return np.frombuffer(digests, dtype=np.uint8).reshape(-1, KEY_BYTES)


def key_number(keys: NDArray[np.uint8], at: int = 0) -> NDArray[np.uint64]:
    """Eight bytes of each key, from byte ``at`` on, as a number (most significant byte first). Shape (n,)."""
    return np.ascontiguousarray(keys[:, at : at + 8]).view(">u8").ravel().astype(np.uint64)


def default_root() -> Path:
    """``$PRESHEAF_CACHE``, else ``$XDG_CACHE_HOME/presheaf``, else ``~/.cache/presheaf``.

    Raises
    ------
    InputError
        If none is set and this user has no home folder.
    """
    if chosen := os.environ.get("PRESHEAF_CACHE"):
        return Path(chosen).expanduser()
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(xdg):
        return Path(xdg) / "presheaf"
    try:
        return Path.home() / ".cache" / "presheaf"
    except RuntimeError:
        raise InputError("This user has no home folder to cache in; set PRESHEAF_CACHE to a folder.") from None


class FeatureCache:
    """Vectors by (model fingerprint, role, key), kept on disk in Arrow IPC files.

    One folder a fingerprint and role. Each `put` adds one file that appears complete or not at all, so several
    processes may write at once and one that is killed leaves nothing half-written to be read. Each file name carries
    a checksum of its content; a file that fails it is not used. What is read back is bit for bit what was put.

    A cache is a convenience: nothing that goes wrong with the disk is raised. It is told in `problems` instead.

    Parameters
    ----------
    root : path, optional
        Folder to keep files in; made at the first `put`. Default: `default_root`.

    Raises
    ------
    InputError
        If there is no root and no default for it.
    """

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        self.root = default_root() if root is None else Path(root)
        self.writable = True
        self._problems: list[str] = []
        self._open: dict[Path, dict[str, _Segment | None]] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong so far, one sentence each, for the user to read. Empty when all is well."""
        return tuple(self._problems)

    def get(
        self, fingerprint: str, role: Role, keys: NDArray[np.uint8], dim: int | None = None
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Look keys up.

        Parameters
        ----------
        keys : uint8 array of shape (n, 16)
        dim : int, optional
            Dimension wanted; vectors of another one are left alone. Default: that of the oldest file.

        Returns
        -------
        found : bool array of shape (n,)
        vectors : float32 array of shape (number found, dim), in the order of the keys found

        Raises
        ------
        InputError
            If the fingerprint is not made of letters and digits.

        Notes
        -----
        Cost: O(n log m) for each of the files of at most m vectors. The first call reads every file once.
        """
        segments = self._segments(self._folder(fingerprint, role))
        if dim is None and segments:
            dim = segments[0].vectors.shape[1]
        found = np.zeros(len(keys), dtype=np.bool_)
        hits: list[tuple[_Segment, NDArray[np.int64], NDArray[np.int64]]] = []
        for segment in segments:
            if segment.vectors.shape[1] != dim:
                self._tell(f"Cached vectors of dimension {segment.vectors.shape[1]} instead of {dim} were not used.")
                continue
            missing = np.flatnonzero(~found)
            where, rows = segment.find(keys[missing])
            found[missing[where]] = True
            hits.append((segment, missing[where], rows))
        vectors = np.empty((int(found.sum()), dim or 0), dtype=np.float32)
        slot = np.cumsum(found) - 1
        for segment, where, rows in hits:
            vectors[slot[where]] = segment.vectors[rows]
        return found, vectors

    def put(self, fingerprint: str, role: Role, keys: NDArray[np.uint8], vectors: NDArray[np.float32]) -> None:
        """Keep vectors of shape (n, dim) under keys of shape (n, 16), in one new file.

        After the first write that fails (a full disk, a read-only folder) nothing more is written.
        Cost: writes and syncs n * (4 dim + 16) bytes; merges small files when there are more than 64.

        Raises
        ------
        InputError
            If the fingerprint is not made of letters and digits.
        """
        folder = self._folder(fingerprint, role)
        if not self.writable or vectors.size == 0:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder, keys, vectors)
            self._tidy(folder)
        except OSError as error:
            self.writable = False
            reason = error.strerror or str(error)
            self._tell(f"The feature cache {self.root} can't be written ({reason}); going on without keeping features.")

    def size(self) -> int:
        """Bytes on disk, unfinished files counted."""
        total = 0
        for path in (self.root / _LAYOUT).rglob("*.arrow*"):
            with contextlib.suppress(OSError):
                total += path.stat().st_size
        return total

    def clear(self, fingerprint: str | None = None) -> int:
        """Delete what is kept for one model, or all of it. Returns the number of bytes freed.

        Nothing in `root` but this cache's own folder is touched.

        Raises
        ------
        InputError
            If the fingerprint is not made of letters and digits.
        """
        folder = self.root / _LAYOUT if fingerprint is None else self._folder(fingerprint, "object").parent
        before = self.size()
        self._open.clear()
        shutil.rmtree(folder, ignore_errors=True)
        return before - self.size()

    def _folder(self, fingerprint: str, role: Role) -> Path:
        if not re.fullmatch(r"[0-9A-Za-z]{1,128}", fingerprint):
            raise InputError(f"A model's fingerprint must be 1 to 128 letters and digits; got {fingerprint!r}.")
        return self.root / _LAYOUT / fingerprint / role

    def _tell(self, problem: str) -> None:
        if problem not in self._problems:
            self._problems.append(problem)

    def _segments(self, folder: Path) -> list[_Segment]:
        """The readable files of a folder, oldest first; reads only those not seen before."""
        known = self._open.setdefault(folder, {})
        for _ in range(3):  # again when another process has just merged files away
            names = _names(folder)
            for gone in known.keys() - names:
                del known[gone]
            vanished = False
            for name in sorted(set(names) - known.keys()):
                try:
                    known[name] = _read(folder / name)
                except FileNotFoundError:
                    vanished = True
                except _Damaged as damage:
                    known[name] = None
                    self._tell(f"Cache file {folder / name} is damaged ({damage}); its objects are encoded again.")
            if not vanished:
                break
        return [segment for _, segment in sorted(known.items()) if segment is not None]

    def _tidy(self, folder: Path) -> None:
        """Remove damaged and abandoned files, and merge small ones when there are more than 64."""
        for name, segment in list(self._open.get(folder, {}).items()):
            if segment is None:
                (folder / name).unlink(missing_ok=True)
        if len(_names(folder)) <= _MOST_FILES:
            return
        for path in folder.glob("*.tmp"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _STALE:
                    path.unlink()
        self._segments(folder)
        files = {name: segment for name, segment in self._open[folder].items() if segment is not None}
        by_dim: dict[int, list[str]] = {}
        for name in sorted(files, key=lambda name: (files[name].vectors.nbytes, name)):
            group = by_dim.setdefault(files[name].vectors.shape[1], [])
            if files[name].vectors.nbytes < _SMALL and sum(files[n].vectors.nbytes for n in group) < 2 * _SMALL:
                group.append(name)
        for group in by_dim.values():
            if len(group) > 1:
                parts = [files[name] for name in sorted(group)]
                _write(folder, np.concatenate([p.keys for p in parts]), np.concatenate([p.vectors for p in parts]))
                # Only now: whoever is killed here leaves vectors stored twice, never none.
                for name in group:
                    (folder / name).unlink(missing_ok=True)


class _Damaged(Exception):
    """A file that isn't what its name says."""


@dataclass(frozen=True, eq=False)
class _Segment:
    """One file: keys (m, 16) in ascending order, vectors (m, dim), both views of the mapped file."""

    keys: NDArray[np.uint8]
    vectors: NDArray[np.float32]
    lead: NDArray[np.uint64]

    def find(self, keys: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the given keys that are here, and the row of each.

        Two keys that share their first eight bytes would hide one another: a miss, at worst, never a wrong vector.
        """
        row = np.minimum(np.searchsorted(self.lead, key_number(keys)), len(self.lead) - 1)
        where = np.flatnonzero((self.keys[row] == keys).all(axis=1))
        return where, row[where]


def _names(folder: Path) -> set[str]:
    try:
        return {name for name in os.listdir(folder) if _NAME.fullmatch(name)}
    except OSError:
        return set()


def _write(folder: Path, keys: NDArray[np.uint8], vectors: NDArray[np.float32]) -> None:
    """Add one file holding the keys in ascending order, the first of equal ones: written aside, synced, renamed."""
    import pyarrow as pa

    order = np.lexsort((key_number(keys, 8), key_number(keys)))
    keys = keys[order]
    first = np.r_[True, (keys[1:] != keys[:-1]).any(axis=1)]
    keys = np.ascontiguousarray(keys[first])
    values = np.ascontiguousarray(vectors[order[first]], dtype=np.float32)
    batch = pa.record_batch(
        [
            pa.FixedSizeBinaryArray.from_buffers(pa.binary(KEY_BYTES), len(keys), [None, pa.py_buffer(keys)]),
            pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1]),
        ],
        names=["key", "vector"],
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    content = sink.getvalue()
    stem = f"{time.time_ns():020d}-{os.urandom(4).hex()}"
    temporary = folder / f"{stem}.arrow.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / f"{stem}-{zlib.crc32(content):08x}.arrow")
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some systems can't open a folder; the rename is then synced when they please
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _read(path: Path) -> _Segment:
    """Map a file and check it. Raises FileNotFoundError, or _Damaged saying in what way."""
    import pyarrow as pa

    named = _NAME.fullmatch(path.name)
    try:
        with pa.memory_map(str(path)) as source:
            content = source.read_buffer()
        # Before parsing: the parser is not made for hostile bytes, the checksum doesn't mind them.
        if named is None or zlib.crc32(content) != int(named[1], 16):
            raise _Damaged("its checksum differs")
        batch = pa.ipc.open_file(content).get_batch(0)
        if batch.schema.names != ["key", "vector"] or batch.schema.field("key").type != pa.binary(KEY_BYTES):
            raise _Damaged(f"unexpected columns {batch.schema.names}")
        key, vector = batch.columns
        vectors = vector.values.to_numpy(zero_copy_only=True).reshape(len(key), vector.type.list_size)
        keys = np.frombuffer(key.buffers()[1], dtype=np.uint8, count=KEY_BYTES * len(key)).reshape(-1, KEY_BYTES)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, AttributeError, LookupError, pa.ArrowException) as error:
        raise _Damaged(str(error).splitlines()[0] if str(error) else type(error).__name__) from None
    if vectors.dtype != np.float32 or not len(keys):
        raise _Damaged("no float32 vectors in it")
    return _Segment(keys, vectors, key_number(keys))
