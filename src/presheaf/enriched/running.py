"""The k smallest numbers seen so far in every row, kept up to date as tiles of a matrix go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Keys = NDArray[np.float32]

DENSE = 2
"""With more than this times k hits a row, each row's k least are found first."""


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

    def offer(self, tile: NDArray[Any], row: int, column: int, across: bool = False) -> None:
        """Take what is smaller from a tile whose first entry belongs to ``row`` and ``column``.

        Parameters
        ----------
        tile : float32 array of shape (rows, columns), or (columns, rows) where ``across``

        Notes
        -----
        One comparison an entry, and a partition of the rows where something is smaller: few, once most tiles have gone by.
        """
        count = tile.shape[1 if across else 0]
        bound = self.bound[row : row + count]
        hits = np.flatnonzero(tile < (bound if across else bound[:, None]))
        if len(hits) > DENSE * self.keys.shape[1] * count:
            some = tile.T if across else tile
            width = min(self.keys.shape[1], some.shape[1])
            least = np.argpartition(some, width - 1, axis=1)[:, :width]
            self._merge(np.arange(row, row + count), np.take_along_axis(some, least, axis=1), least + column)
        elif len(hits):
            i, j = np.divmod(hits, tile.shape[1])
            rows, keys, columns = _by_row(*((j, i) if across else (i, j)), tile.ravel()[hits])
            self._merge(rows + row, keys, columns + column)

    def _merge(self, rows: Ints, keys: Keys, columns: Ints) -> None:
        k = self.keys.shape[1]
        both = np.concatenate([self.keys[rows], keys], axis=1)
        least = np.argpartition(both, k - 1, axis=1)[:, :k]
        self.keys[rows] = np.take_along_axis(both, least, axis=1)
        self.columns[rows] = np.take_along_axis(np.concatenate([self.columns[rows], columns], axis=1), least, axis=1)
        self.bound[rows] = self.keys[rows].max(axis=1)


def _by_row(i: Ints, j: Ints, keys: Keys) -> tuple[Ints, Keys, Ints]:
    """Listed entries side by side: the rows there are, their keys with inf where a row has fewer, and their columns."""
    order = np.argsort(i, kind="stable")
    rows, first, number, count = np.unique(i[order], return_index=True, return_inverse=True, return_counts=True)
    place = np.arange(len(i)) - first[number]
    table = np.full((len(rows), int(count.max())), np.inf, dtype=np.float32)
    columns = np.zeros(table.shape, dtype=np.int64)
    table[number, place], columns[number, place] = keys[order], j[order]
    return rows, table, columns
