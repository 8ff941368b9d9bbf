"""What a language model said, kept on disk as it is said: an append-only file of records that check themselves."""

from __future__ import annotations

import hashlib
import os
import re
import struct
import time
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.models.cache import default_root
from presheaf.models.lm.base import Question

_MARK = b"\xf5PS1"
_HEAD = struct.Struct("<4s16sI")
_SUM = struct.Struct("<I")
_LARGEST = 1 << 20
_SECONDS_BETWEEN_WRITES = 2.0
_BLOCK = 8 << 20


def question_key(question: Question) -> bytes:
    """Sixteen bytes that stand for a prompt and its answers, in their order (blake2b of their lengths and UTF-8)."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (question.prompt, *question.answers):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.digest()


def _record(key: bytes, values: NDArray[np.float64]) -> bytes:
    body = _HEAD.pack(_MARK, key, len(values)) + np.ascontiguousarray(values, dtype="<f8").tobytes()
    return body + _SUM.pack(zlib.crc32(body))


class ScoreStore:
    """Log-probabilities by model and question, in one file a model.

    Every record carries a mark and a checksum. A reader drops what fails it (a record cut short by a crash, a full
    disk) and goes on at the next mark; a write is one append of whole records. So a run that is killed loses what it
    had not written for two seconds, and several processes may write at once. Texts are not kept, only their digests.

    A store is a convenience: nothing that goes wrong with the disk is raised. It is told in `problems` instead, and
    nothing more is written.

    Parameters
    ----------
    fingerprint : str
        The model's.
    root : path, optional
        Cache folder; the user's by default. The file is ``scores-1/FINGERPRINT.bin`` in it.

    Raises
    ------
    InputError
        If the fingerprint is not made of letters and digits.
    """

    def __init__(self, fingerprint: str, root: str | os.PathLike[str] | None = None) -> None:
        if not re.fullmatch(r"[0-9A-Za-z]+", fingerprint):
            raise InputError(f"a fingerprint is made of letters and digits; got {fingerprint!r}.")
        self.path = (default_root() if root is None else Path(root)) / "scores-1" / f"{fingerprint}.bin"
        self.problems: list[str] = []
        self._waiting: list[bytes] = []
        self._written = time.monotonic()

    def read(self, wanted: Collection[bytes]) -> dict[bytes, NDArray[np.float64]]:
        """The values of those keys that are kept. Cost: one pass over the file; memory for what is found."""
        keys = wanted if isinstance(wanted, set | frozenset | dict) else set(wanted)
        found: dict[bytes, NDArray[np.float64]] = {}
        try:
            with open(self.path, "rb") as file:
                rest = b""
                while block := file.read(_BLOCK):
                    rest = _scan(rest + block, keys, found)
                _scan(rest, keys, found, last=True)
        except FileNotFoundError:
            pass
        except OSError as error:
            self._tell(f"Scores kept in {self.path} could not be read: {error}.")
        return found

    def put(self, key: bytes, values: NDArray[np.float64]) -> None:
        """Keep values; they reach the disk two seconds later at most, or with `flush`."""
        self._waiting.append(_record(key, values))
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one append."""
        data, self._waiting = b"".join(self._waiting), []
        self._written = time.monotonic()
        if not data or self.problems:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "ab", buffering=0) as file:
                if file.write(data) != len(data):
                    self._tell(f"Scores could not be kept in {self.path}: the disk is full.")
        except OSError as error:
            self._tell(f"Scores could not be kept in {self.path}: {error}.")

    def _tell(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def _scan(data: bytes, wanted: Collection[bytes], found: dict[bytes, NDArray[np.float64]], last: bool = False) -> bytes:
    """Take the whole records of ``data`` that are wanted; returns the end that may be the beginning of a record."""
    at = 0
    while True:
        at = data.find(_MARK, at)
        if at < 0:
            return data[-len(_MARK) + 1 :]
        if at + _HEAD.size > len(data):
            return data[at:]
        _, key, count = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + 8 * count
        if count > _LARGEST:
            at += 1
        elif end + _SUM.size > len(data):
            if not last:
                return data[at:]
            at += 1  # cut short, and another record may have been appended after it
        elif _SUM.unpack_from(data, end)[0] != zlib.crc32(memoryview(data)[at:end]):
            at += 1
        else:
            if key in wanted:
                found[key] = np.frombuffer(data, dtype="<f8", count=count, offset=at + _HEAD.size).copy()
            at = end + _SUM.size
