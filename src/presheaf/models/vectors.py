"""Precomputed vectors: a table with one row for each row of the labelled table."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError
from presheaf.models.base import ModelInfo, Role

_HASHED_AT_ONCE = 1 << 24  # bytes


class VectorModel:
    """Looks features up by row number. What reached the model that made them can't be seen.

    Parameters
    ----------
    vectors : array of shape (n_rows, dim), integers or floats
        Row i belongs to row i + 1 of the labelled table, the rows that are skipped there included. Not copied.
    name : str
        What messages call it: a file or a column.

    Raises
    ------
    InputError
        If ``vectors`` is not a table of real numbers.
    """

    takes: Literal["text", "row"] = "row"
    needs_fit = False
    batch_size = 16384

    def __init__(self, vectors: Any, *, name: str = "vectors") -> None:
        try:
            table = np.asarray(vectors)
        except ValueError:
            raise InputError(f"{name}: the vectors have different lengths; each row needs the same number.") from None
        if table.dtype.kind not in "fiu":
            raise InputError(
                f"{name} holds {table.dtype} values; expected integers or floats. Object arrays are not read: "
                "stack the vectors into one array first, np.stack(list_of_vectors)."
            )
        if table.ndim == 1:
            raise InputError(
                f"{name} has shape {table.shape}; expected (rows, dimensions). "
                "For one number a row use vectors.reshape(-1, 1); for rows laid end to end, vectors.reshape(rows, -1)."
            )
        if table.ndim != 2 or 0 in table.shape:
            raise InputError(f"{name} has shape {table.shape}; expected (rows, dimensions), both at least 1.")
        self._vectors = table
        self._name = name

    @classmethod
    def from_file(cls, path: str | Path, key: str | None = None, *, name: str | None = None) -> VectorModel:
        """Vectors from a ``.npy`` file (mapped, not read at once) or from one array of an ``.npz`` file.

        Parameters
        ----------
        path : str or Path
        key : str, optional
            Which array of an ``.npz`` file; needed when it holds several.
        name : str, optional
            By default the file's name, with "#key" for an ``.npz`` file.

        Raises
        ------
        InputError
            If there is no such file, its name ends otherwise, or the key is missing or wrong.
        ModelError
            If the file is damaged.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(f"There is no vector file {str(path)!r}.")
        if path.suffix.lower() not in (".npy", ".npz"):
            raise InputError(f"{path.name}: vectors are read from .npy and .npz files.")
        try:
            with path.open("rb") as stream:
                start = stream.read(6)
            if start == b"\x93NUMPY":
                if key is not None:
                    raise InputError(f"{path.name} holds a single array; leave the key {key!r} away.")
                return cls(np.load(path, mmap_mode="r", allow_pickle=False), name=name or path.name)
            if start[:4] == b"PK\x03\x04":
                with np.load(path, allow_pickle=False) as archive:
                    key = _choose(archive.files, key, path.name)
                    return cls(archive[key], name=name or f"{path.name}#{key}")
        except InputError:
            raise
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            if isinstance(error, ValueError) and "bject" in str(error):
                raise InputError(
                    f"{path.name} holds Python objects, which are not read because loading them can run code. "
                    "Save the vectors as one numeric array: np.save(path, np.stack(list_of_vectors))."
                ) from None
            raise ModelError(f"{path.name} can't be read ({error}). Is it complete?") from error
        raise ModelError(f"{path.name} is no NumPy file: save it with np.save or np.savez.")

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(
            name=self._name,
            kind="vectors",
            dim=self._vectors.shape[1],
            precision=str(self._vectors.dtype),
            trainable=False,
            settings=(("rows", f"{len(self._vectors):,}"),),
        )

    @cached_property
    def fingerprint(self) -> str:
        table = self._vectors
        digest = hashlib.sha256(repr(("vectors", table.shape, table.dtype.str)).encode())
        step = max(1, _HASHED_AT_ONCE // (table.shape[1] * table.itemsize))
        for start in range(0, len(table), step):
            digest.update(np.ascontiguousarray(table[start : start + step]).data)
        return digest.hexdigest()

    def check_rows(self, n: int) -> None:
        """Raise InputError unless there are ``n`` vectors, one for each row of the labelled table."""
        if len(self._vectors) != n:
            raise InputError(
                f"{self._name} holds {len(self._vectors):,} vectors and the table {n:,} rows; expected one vector "
                "a row, in the same order, rows with missing labels included and a header not counted."
            )

    def fit(self, objects: Sequence[Any]) -> None:
        """Does nothing: the vectors are given."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Vectors of the given 1-based rows, float32, shape (n, dim). Both roles are the same.

        Raises
        ------
        InputError
            If a row number is out of range or no integer.
        ModelError
            If a vector holds NaN, infinity or a number too large for float32 (its row is named).
        """
        with np.errstate(over="ignore"):
            return self._finite(self._rows(objects), np.dtype(np.float32))

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[Any], str]:
        """The stored values in the type they are stored in, and that type's name."""
        return self._finite(self._rows(objects), self._vectors.dtype), str(self._vectors.dtype)

    def inputs(self, objects: Sequence[Any]) -> None:
        """None: what reached the model that made the vectors is not known."""

    def trace(self, text: str) -> None:
        """None: see `inputs`."""

    def _rows(self, objects: Sequence[Any]) -> NDArray[np.int64]:
        rows = np.asarray(objects if len(objects) else np.empty(0, dtype=np.int64))
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise InputError(f"{self._name} is looked up by row number; got {str(objects[0])[:40]!r}.")
        outside = rows[(rows < 1) | (rows > len(self._vectors))]
        if len(outside):
            raise InputError(f"{self._name} has rows 1 to {len(self._vectors):,}; got row {outside[0]}.")
        return rows.astype(np.int64)

    def _finite(self, rows: NDArray[np.int64], dtype: np.dtype[Any]) -> NDArray[Any]:
        found = np.asarray(self._vectors[rows - 1]).astype(dtype)
        bad = rows[~np.isfinite(found).all(axis=1)]
        if len(bad):
            named = ", ".join(map(str, bad[:5])) + (", ..." if len(bad) > 5 else "")
            raise ModelError(
                f"{self._name} holds NaN, infinity or a number too large for {dtype} in {len(bad):,} "
                f"{'row' if len(bad) == 1 else 'rows'}: {named}. Compute these vectors again, or leave the rows out."
            )
        return found


def _choose(keys: list[str], key: str | None, name: str) -> str:
    listed = ", ".join(map(repr, keys)) or "none"
    if key is None and len(keys) == 1:
        return keys[0]
    if key is None:
        raise InputError(f"{name} holds {len(keys)} arrays; say which one after '#' or as key: {listed}.")
    if key not in keys:
        raise InputError(f"{name} has no array {key!r}; it holds {listed}.")
    return key
