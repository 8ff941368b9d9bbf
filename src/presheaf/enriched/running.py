"""The k smallest numbers seen so far in every row, kept up to date as tiles of a matrix go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Keys = NDArray[np.float32]

ROWS = 512
"""Rows of a tile merged at once."""


@dataclass(frozen=True, eq=False)
class Smallest:
    """The least ``keys`` offered for each row and their columns, in no order; places not yet filled hold inf.

    Attributes
    ----------
    keys : float32 array of shape (n, k)
    columns : int64 array of shape (n, k)
    bound : float32 array of shape (n,)
        The largest of a row's keys: nothing that was offered and not kept is less.
    """

    keys: Keys
    columns: Ints
    bound: Keys

    @classmethod
    def of(cls, n: int, k: int) -> Smallest:
        """Nothing offered yet."""
        empty = np.full((n, k), np.inf, dtype=np.float32)
        return cls(empty, np.zeros((n, k), dtype=np.int64), empty[:, 0].copy())

    def offer(self, tile: NDArray[Any], row: int, column: int) -> None:
        """Take what is smaller from a tile whose first entry belongs to ``row`` and ``column``.

        Notes
        -----
        One comparison an entry, and a partition of the rows where something is smaller: few, once most tiles have gone by.
        """
        for start in range(0, len(tile), ROWS):
            part = tile[start : start + ROWS]
            first = row + start
            hits = part < self.bound[first : first + len(part), None]
            count = np.count_nonzero(hits, axis=1)
            rows = np.flatnonzero(count)
            if len(rows):
                keys, columns = _gathered(part, hits, count, rows, self.keys.shape[1])
                self._merge(first + rows, keys, columns + column)

    def _merge(self, rows: Ints, keys: Keys, columns: Ints) -> None:
        k = self.keys.shape[1]
        both = np.concatenate([self.keys[rows], keys], axis=1)
        least = np.argpartition(both, k - 1, axis=1)[:, :k]
        self.keys[rows] = np.take_along_axis(both, least, axis=1)
        self.columns[rows] = np.take_along_axis(np.concatenate([self.columns[rows], columns], axis=1), least, axis=1)
        self.bound[rows] = self.keys[rows].max(axis=1)


def _gathered(tile: NDArray[Any], hits: NDArray[np.bool_], count: Ints, rows: Ints, k: int) -> tuple[Keys, Ints]:
    """The hits of listed rows, at least the k least of each, side by side with inf where a row has fewer."""
    width = int(count.max())
    if width > 2 * k:
        some = tile[rows]
        width = min(k, tile.shape[1])
        columns = np.argpartition(some, width - 1, axis=1)[:, :width]
        return np.take_along_axis(some, columns, axis=1), columns
    i, j = np.nonzero(hits[rows])
    place = np.arange(len(i)) - np.repeat(np.cumsum(count[rows]) - count[rows], count[rows])
    keys = np.full((len(rows), width), np.inf, dtype=np.float32)
    columns = np.zeros((len(rows), width), dtype=np.int64)
    keys[i, place], columns[i, place] = tile[rows[i], j], j
    return keys, columns
