"""Many objects through a model: each once, in an order that isn't the table's, resumable to the last bit."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError
from presheaf.images import content_key
from presheaf.models.base import Model, Role
from presheaf.models.cache import KEY_BYTES, FeatureCache, key_number, object_keys

OnProgress = Callable[[int, int], object]

FIRST_CHUNK = 128
"""So few that even a slow model soon has a part to speak of, and Ctrl-C loses little."""
_LARGEST_CHUNK = 16384
_ROWS_AT_ONCE = 65536
_SECONDS_BETWEEN_WRITES = 2.0


def encode_chunks(
    model: Model,
    objects: Sequence[Any],
    *,
    role: Role = "object",
    cache: FeatureCache | None = None,
    progress: OnProgress | None = None,
    chunk: int = FIRST_CHUNK,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Encode in chunks of growing size, the first of which is a random sample of the distinct objects.

    Equal objects are encoded once. Distinct ones are taken in the order of a hash, in chunks of ``chunk``,
    ``2 chunk``, ``4 chunk``, ... (at most 16384 or ``chunk``), and inside a chunk in batches of about equal length.
    What shares a batch changes the last bits of a float32 feature, so batches depend on the set of distinct objects
    only, and a cached vector is used only for the batch it was computed in. Hence features are the same bits in
    every order of rows, and in a run that was killed and started again. A few objects more or less leave most
    batches, and so their cached vectors, as they are.

    A model whose weights are out of reach (an endpoint) is asked only for objects that are not in the cache,
    because asking costs money. A model that takes rows is a look-up: neither hashed nor cached.

    Parameters
    ----------
    model : Model
        Fitted, if it needs that.
    objects : sequence of length n
        Texts; for a model that takes images paths of files or uint8 arrays, which are equal where the bytes of the files,
        or shape and pixels of the arrays, are; 1-based row numbers for a model that takes rows.
    role : "object" or "prompt"
    cache : FeatureCache, optional
        Written after a batch when 2 s have passed since the last time, before each chunk is handed over, and
        whatever ends the iteration (Ctrl-C, an error in the model, the caller going away).
    progress : function of (done, total), optional
        Called after each batch with numbers of distinct objects.
    chunk : int
        Size of the first chunk, at least 1.

    Yields
    ------
    positions : int64 array of shape (m,)
        Every position of ``objects`` whose object is in this chunk. Each of the n positions comes exactly once.
    features : float32 array of shape (m, dim)

    Raises
    ------
    InputError
        If ``chunk`` is less than 1, or an object is no text and the model takes texts, or no image and it takes images.
    ModelError
        If the model gives something else than finite numbers of shape (batch, dim). What was encoded before is kept.

    Notes
    -----
    Cost: one pass of the model over the distinct objects; memory for one chunk of features.
    """
    if chunk < 1:
        raise InputError(f"'chunk' must be at least 1; got {chunk}.")
    if model.takes == "row":
        yield from _rows(model, objects, role, progress)
        return
    names = [content_key(one) for one in objects] if model.takes == "image" else objects
    distinct, first, inverse = _distinct(names)
    keys = object_keys(distinct)
    canonical = np.lexsort((key_number(keys, 8), key_number(keys)))
    by_object = np.argsort(inverse, kind="stable")
    ends = np.cumsum(np.bincount(inverse, minlength=len(distinct)))
    run = _Run(model, role, cache, progress, len(distinct))
    try:
        start, size = 0, chunk
        while start < len(distinct):
            members = canonical[start : start + size]
            members = np.array(sorted(members, key=lambda i: (len(distinct[i]), distinct[i])), dtype=np.int64)
            features = run.encode([objects[first[i]] for i in members], keys[members])
            run.save()
            spans = [by_object[(ends[i - 1] if i else 0) : ends[i]] for i in members]
            lengths = [len(span) for span in spans]
            yield np.concatenate(spans), features if max(lengths) == 1 else np.repeat(features, lengths, axis=0)
            start += len(members)
            size = min(2 * size, max(chunk, _LARGEST_CHUNK))
    finally:
        run.save()


def encode_all(
    model: Model,
    objects: Sequence[Any],
    *,
    role: Role = "object",
    cache: FeatureCache | None = None,
    progress: OnProgress | None = None,
    chunk: int = FIRST_CHUNK,
) -> NDArray[np.float32]:
    """Features of shape (n, dim), in the order of ``objects``. See `encode_chunks` for everything else.

    Memory: the result and one chunk.
    """
    result: NDArray[np.float32] | None = None
    for positions, features in encode_chunks(model, objects, role=role, cache=cache, progress=progress, chunk=chunk):
        if result is None:
            result = np.empty((len(objects), features.shape[1]), dtype=np.float32)
        result[positions] = features
    return np.empty((0, model.info.dim or 0), dtype=np.float32) if result is None else result


def unit(features: NDArray[Any], block: int = 65536) -> NDArray[np.float32]:
    """Rows scaled to length one; a row of zeros stays zero. Shape (n, dim) in and out.

    Lengths are computed in float64, ``block`` rows at a time, so that no float32 row is too short or too long for it.
    """
    result = np.empty(features.shape, dtype=np.float32)
    for start in range(0, len(features), block):
        rows = np.asarray(features[start : start + block], dtype=np.float64)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        result[start : start + block] = rows / np.where(lengths == 0, 1.0, lengths)
    return result


class _Run:
    """The state of one encoding: the dimension once known, what is done, and what waits to be written."""

    def __init__(
        self, model: Model, role: Role, cache: FeatureCache | None, progress: OnProgress | None, total: int
    ) -> None:
        self.model = model
        self.fingerprint = "" if cache is None else model.fingerprint
        self.role = role
        self.cache = cache
        self.progress = progress
        self.total = total
        self.done = 0
        self.dim = model.info.dim
        self.waiting: list[tuple[NDArray[np.uint8], NDArray[np.float32]]] = []
        self.saved_at = time.monotonic()

    def encode(self, objects: list[Any], keys: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features of one chunk, whose objects are in order of length."""
        if self.model.info.trainable:
            batches = _cut(keys, self.model.batch_size)
            keys = _of_batch(keys, batches)
            found, cached = self._look_up(keys)
            whole = [bool(found[batch].all()) for batch in batches]
        else:
            found, cached = self._look_up(keys)
            batches = [np.flatnonzero(found), *_blocks(np.flatnonzero(~found), self.model.batch_size)]
            whole = [True] + [False] * (len(batches) - 1)
        features: NDArray[np.float32] | None = None
        slot = np.cumsum(found) - 1
        for batch, from_cache in zip(batches, whole, strict=True):
            if not len(batch):
                continue
            if from_cache:
                vectors = cached[slot[batch]]
            else:
                vectors = _checked(self.model.encode([objects[i] for i in batch], self.role), objects, batch, self.dim)
            if features is None:
                self.dim = vectors.shape[1]
                features = np.empty((len(objects), self.dim), dtype=np.float32)
            features[batch] = vectors
            if not from_cache and self.cache is not None:
                self.waiting.append((keys[batch], vectors))
                # An endpoint's answer has been paid for: it is written before the next question.
                paid = not self.model.info.trainable
                if paid or time.monotonic() - self.saved_at >= _SECONDS_BETWEEN_WRITES:
                    self.save()
            self.done += len(batch)
            if self.progress is not None:
                self.progress(self.done, self.total)
        assert features is not None, "a chunk is never empty"
        return features

    def save(self) -> None:
        """Write what waits. An interrupt in the middle leaves it waiting, so that calling again loses nothing."""
        if self.waiting and self.cache is not None:
            keys, vectors = zip(*self.waiting, strict=True)
            self.cache.put(self.fingerprint, self.role, np.concatenate(keys), np.concatenate(vectors))
        self.waiting = []
        self.saved_at = time.monotonic()

    def _look_up(self, keys: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        if self.cache is None:
            return np.zeros(len(keys), dtype=np.bool_), np.empty((0, 0), dtype=np.float32)
        return self.cache.get(self.fingerprint, self.role, keys, self.dim)


def _rows(
    model: Model, rows: Sequence[int], role: Role, progress: OnProgress | None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    dim = model.info.dim
    for block in _blocks(np.arange(len(rows), dtype=np.int64), _ROWS_AT_ONCE):
        asked = rows[block[0] : block[-1] + 1]
        features = _checked(model.encode(asked, role), asked, np.arange(len(asked)), dim)
        dim = features.shape[1]
        if progress is not None:
            progress(int(block[-1]) + 1, len(rows))
        yield block, features


def _checked(features: Any, objects: Sequence[Any], batch: NDArray[np.int64], dim: int | None) -> NDArray[np.float32]:
    """The features as float32, if they are finite numbers of shape (len(batch), dim); else a ModelError."""
    given = np.asarray(features)
    fits = given.ndim == 2 and len(given) == len(batch) and dim in (None, given.shape[1])
    if not fits or given.dtype.kind not in "fiu":
        raise ModelError(
            f"The model gave features of shape {given.shape} and type {given.dtype} for {len(batch)} objects; "
            f"expected numbers of shape ({len(batch)}, {'dim' if dim is None else dim})."
        )
    with np.errstate(over="ignore"):  # what float32 can't hold becomes infinite, and is refused below
        result: NDArray[np.float32] = given.astype(np.float32, copy=False)
    finite = np.isfinite(result).all(axis=1)
    if not finite.all():
        culprit = objects[batch[int(np.argmin(finite))]]
        raise ModelError(
            f"The model gave features that are not finite numbers for the object {str(culprit)[:80]!r}; "
            "leave that row out, or use another model or precision."
        )
    return result


def _distinct(objects: Sequence[Any]) -> tuple[list[str], list[int], NDArray[np.int64]]:
    """The distinct objects, where each occurs first, and for each position the index of its object among them."""
    index: dict[str, int] = {}
    first: list[int] = []
    inverse = np.empty(len(objects), dtype=np.int64)
    for position, text in enumerate(objects):
        if not isinstance(text, str):
            raise InputError(
                f"This model takes texts, but object {position + 1} is {type(text).__name__} {str(text)[:40]!r}; "
                "convert it to str or leave it out."
            )
        inverse[position] = index.setdefault(text, len(index))
        if len(index) > len(first):
            first.append(position)
    return list(index), first, inverse


def _blocks(positions: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [positions[start : start + size] for start in range(0, len(positions), size)]


def _cut(keys: NDArray[np.uint8], size: int) -> list[NDArray[np.int64]]:
    """Runs of ``size / 2`` to ``size`` positions, cut after objects that their own keys single out.

    Cuts at fixed counts would all move when one object is added or removed; these fall back into step soon after it.
    """
    shortest = size // 2
    cuts_here = key_number(keys, 8) % np.uint64(max(size - shortest, 2)) == 0
    batches = []
    start = 0
    for position in range(len(keys)):
        length = position + 1 - start
        if length == size or (length >= shortest and cuts_here[position]) or position + 1 == len(keys):
            batches.append(np.arange(start, position + 1, dtype=np.int64))
            start = position + 1
    return batches


def _of_batch(keys: NDArray[np.uint8], batches: list[NDArray[np.int64]]) -> NDArray[np.uint8]:
    """Keys of objects in their batches: another batch, another key."""
    result = np.empty_like(keys)
    for batch in batches:
        together = hashlib.blake2b(keys[batch].tobytes(), digest_size=KEY_BYTES).digest()
        result[batch] = keys[batch] ^ np.frombuffer(together, dtype=np.uint8)
    return result
