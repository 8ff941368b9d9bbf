"""An n-gram model as one ``.npz`` file: integers only, checked when read."""

from __future__ import annotations

import hashlib
import os
import secrets
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError
from presheaf.models.lm.counts import NGramCounts
from presheaf.models.lm.units import UNITS, Vocabulary

_VERSION = 1


def write(path: Path, vocabulary: Vocabulary, counts: NGramCounts) -> Path:
    """Write the file beside its place and move it there; `NGramModel.save` describes it."""
    if path.suffix != ".npz":
        raise InputError(f"An n-gram model is saved as a .npz file; got {str(path)!r}.")
    temporary = path.parent / f".presheaf-{secrets.token_hex(8)}.tmp"
    try:
        try:
            with temporary.open("xb") as stream:
                np.savez(stream, allow_pickle=False, **_arrays(vocabulary, counts))
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"{str(path)!r} can't be written: {error.strerror or error}.") from error
    return path


def read(path: Path) -> tuple[Vocabulary, NGramCounts]:
    """Vocabulary and counts from a file; `NGramModel.load` says what is raised."""
    if not path.is_file():
        raise InputError(f"There is no n-gram model {str(path)!r}.")
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, NpzFile) or "presheaf_ngram" not in loaded:
            raise ModelError(f"{path.name} is no n-gram model that this library saved.")
        with loaded as archive:
            version = int(archive["presheaf_ngram"])
            if version != _VERSION:
                raise InputError(
                    f"{path.name} has format {version}; this version reads format {_VERSION}. "
                    "Update presheaf, or train the model again."
                )
            return _parts({name: archive[name] for name in archive}, path.name)
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, InputError):
            raise
        raise ModelError(f"{path.name} can't be read as an n-gram model ({error}). Is it complete?") from error


def digest(vocabulary: Vocabulary, counts: NGramCounts) -> str:
    """sha256 as hex over everything the file holds."""
    total = hashlib.sha256()
    for name, array in _arrays(vocabulary, counts).items():
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()


def _arrays(vocabulary: Vocabulary, counts: NGramCounts) -> dict[str, NDArray[Any]]:
    units = [unit.encode() for unit in vocabulary.units]
    arrays: dict[str, NDArray[Any]] = {
        "presheaf_ngram": np.array(_VERSION),
        "unit": np.array(UNITS.index(vocabulary.unit)),
        "units": np.frombuffer(b"".join(units), dtype=np.uint8),
        "lengths": np.array([len(unit) for unit in units], dtype=np.int64),
    }
    for m, (keys, times) in enumerate(zip(counts.keys, counts.counts, strict=True), start=1):
        arrays[f"keys_{m}"], arrays[f"counts_{m}"] = keys, times
    return arrays


def _parts(arrays: dict[str, NDArray[Any]], name: str) -> tuple[Vocabulary, NGramCounts]:
    written, lengths = arrays["units"], arrays["lengths"]
    if written.dtype != np.uint8 or lengths.dtype != np.int64 or np.any(lengths < 1) or lengths.sum() != len(written):
        raise ValueError("its list of units does not add up")
    ends = np.cumsum(lengths)
    whole = written.tobytes()
    units = tuple(whole[end - n : end].decode() for end, n in zip(ends.tolist(), lengths.tolist(), strict=True))
    if len(set(units)) != len(units):
        raise ValueError("a unit is listed twice")
    kind = int(arrays["unit"])
    if not 0 <= kind < len(UNITS):
        raise ValueError(f"it counts units of kind {kind}")
    order = sum(key.startswith("keys_") for key in arrays)
    vocabulary = Vocabulary(UNITS[kind], units)
    if vocabulary.unit == "byte" and units != tuple(map(chr, range(256))):
        raise ValueError("its units are not the 256 bytes")
    columns = [tuple(arrays[f"{part}_{m}"] for m in range(1, order + 1)) for part in ("keys", "counts")]
    counts = NGramCounts(len(vocabulary), columns[0], columns[1])
    counts.check(name)
    return vocabulary, counts
