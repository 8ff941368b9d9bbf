"""How often each n-gram occurs, as sorted columns of integers: the data behind an n-gram model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import ModelError

Integers = NDArray[np.int64]

_ABSENT = -1


@dataclass(frozen=True)
class Stream:
    """Texts laid end to end, each behind a begin symbol.

    Attributes
    ----------
    tokens : array of shape (length,)
        Token ids; ``begin`` (the size of the vocabulary) at the head of each text.
    begin : int
    """

    tokens: Integers
    begin: int


@dataclass(frozen=True, eq=False)
class NGramCounts:
    """Every n-gram that occurs, for n = 1 to ``order``, with its adjusted count.

    The n-grams are a trie in columns. An m-gram is a row of table m; its key is ``(row of its first m - 1 tokens in
    table m - 1) * (size + 1) + its last token``, and each table is sorted by key. So two n-grams never share a key,
    one is found by m binary searches, and the children of a row stand side by side.

    Attributes
    ----------
    size : int
        Tokens of the vocabulary. The begin symbol has the id ``size``: it is part of contexts and is never predicted.
    keys : tuple of int64 arrays
        ``keys[m - 1]``, shape (m-grams,), strictly increasing. Table 1 holds every token and the begin symbol.
    counts : tuple of int64 arrays
        Adjusted counts, same shapes. At the highest order, and for n-grams that start with the begin symbol, how often
        the n-gram occurs; otherwise how many different tokens stand before it (Kneser and Ney's continuation count).
    """

    size: int
    keys: tuple[Integers, ...]
    counts: tuple[Integers, ...]

    @classmethod
    def of(cls, stream: Stream, order: int) -> NGramCounts:
        """Count the n-grams of a stream, n = 1 to ``order``.

        Cost: ``order`` sorts of the stream; memory about 40 bytes a token and order.
        """
        size = stream.begin
        base = size + 1
        rows = stream.tokens
        keys: list[Integers] = [np.arange(base, dtype=np.int64)]
        raw = [np.bincount(rows, minlength=base).astype(np.int64)]
        raw[0][size] = 0
        begins = [np.arange(base) == size]
        continued: list[Integers] = []
        for _ in range(2, order + 1):
            before = np.concatenate(([_ABSENT], rows[:-1]))
            valid = np.flatnonzero((before != _ABSENT) & (stream.tokens != size))
            found, first, inverse, times = np.unique(
                before[valid] * base + stream.tokens[valid], return_index=True, return_inverse=True, return_counts=True
            )
            # Rows of the same n-grams without their first token, one table below.
            suffix = rows[valid[first]]
            continued.append(np.bincount(suffix, minlength=len(keys[-1])).astype(np.int64))
            keys.append(found.astype(np.int64))
            raw.append(times.astype(np.int64))
            begins.append(begins[-1][found // base])
            rows = np.full(len(stream.tokens), _ABSENT, dtype=np.int64)
            rows[valid] = inverse
        adjusted = [
            np.where(starts, own, after) for starts, own, after in zip(begins[:-1], raw[:-1], continued, strict=True)
        ]
        return cls(size, tuple(keys), (*adjusted, raw[-1]))

    @property
    def order(self) -> int:
        return len(self.keys)

    @cached_property
    def offsets(self) -> tuple[Integers, ...]:
        """For m = 1 to ``order - 1``, where the children of each m-gram start in the next table; shape (m-grams + 1,).

        The children of row r of table m are the rows ``offsets[m - 1][r]`` up to ``offsets[m - 1][r + 1]``.
        """
        return tuple(
            np.searchsorted(below, np.arange(len(above) + 1) * (self.size + 1)).astype(np.int64)
            for above, below in zip(self.keys, self.keys[1:], strict=False)
        )

    def rows(self, stream: Stream) -> list[Integers]:
        """For m = 1 to ``order`` the row of the m-gram that ends at each position of the stream, -1 where unseen.

        Cost: ``order`` binary searches a token.
        """
        found = [stream.tokens]
        for keys in self.keys[1:]:
            before = np.concatenate(([_ABSENT], found[-1][:-1]))
            wanted = np.where(stream.tokens == self.size, _ABSENT, before * (self.size + 1) + stream.tokens)
            row = np.searchsorted(keys, wanted)
            known = (before != _ABSENT) & (row < len(keys))
            known[known] = keys[row[known]] == wanted[known]
            found.append(np.where(known, row, _ABSENT))
        return found

    def check(self, name: str) -> None:
        """Raise ModelError unless the columns are what `of` makes; ``name`` is the file they came from."""
        if not self.keys or not np.array_equal(self.keys[0], np.arange(self.size + 1)):
            raise _damaged(name, "its first table does not hold the vocabulary")
        for m, (keys, counts) in enumerate(zip(self.keys, self.counts, strict=True), start=1):
            if keys.dtype != np.int64 or counts.dtype != np.int64 or keys.ndim != 1 or keys.shape != counts.shape:
                raise _damaged(name, f"table {m} is no pair of integer columns of one length")
            if np.any(np.diff(keys) <= 0):
                raise _damaged(name, f"the keys of table {m} do not increase")
            if np.any(counts < (1 if m > 1 else 0)):
                raise _damaged(name, f"table {m} holds counts below {1 if m > 1 else 0}")
            if m > 1 and len(keys) and not 0 <= keys[0] <= keys[-1] < len(self.keys[m - 2]) * (self.size + 1):
                raise _damaged(name, f"table {m} points outside table {m - 1}")
            if m > 1 and np.any(keys % (self.size + 1) == self.size):
                raise _damaged(name, f"table {m} predicts the begin symbol")
        if self.counts[0][self.size] or not self.counts[0].any():
            raise _damaged(name, "its first table counts nothing or the begin symbol")


def stream_of(sequences: Sequence[Sequence[int]], size: int) -> Stream:
    """Sequences of token ids as one stream, a begin symbol before each. ``size`` is the vocabulary's."""
    lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    tokens = np.full(int(lengths.sum()) + len(sequences), size, dtype=np.int64)
    inside = np.ones(len(tokens), dtype=bool)
    inside[np.cumsum(lengths + 1) - lengths - 1] = False
    tokens[inside] = np.fromiter(chain.from_iterable(sequences), dtype=np.int64, count=int(lengths.sum()))
    return Stream(tokens, size)


def _damaged(name: str, why: str) -> ModelError:
    return ModelError(f"{name} is damaged: {why}. Train the model again.")
