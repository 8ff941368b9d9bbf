"""Rows of integers looked up by value: which row of a sorted table is this tuple?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.columns.arrays import Ints, Longs

_SAFE = 1 << 62


class RowIndex:
    """Looks tuples up in a table whose rows are all different and in lexicographic order.

    Parameters
    ----------
    table : int (r, v)
    radix : v bounds; column i of the table and of what is looked up stays below ``radix[i]``

    Notes
    -----
    A tuple is read as a number in mixed radix. Where that would leave 64 bits, the numbers so far are replaced by their
    ranks in the table, which keeps their order. Cost: v gathers and one binary search a replacement for each row; none
    for a table that holds all tuples.
    """

    __slots__ = ("_steps",)

    def __init__(self, table: Ints, radix: list[int]) -> None:
        self._steps: list[tuple[list[int], list[int], Longs | None]] = []
        code, span = np.zeros(len(table), dtype=np.int64), 1
        columns: list[int] = []
        for i, r in enumerate(radix):
            if span * max(r, 1) >= _SAFE:
                code, span = self._close(columns, radix, code, span)
                columns = []
            code = code * max(r, 1) + table[:, i]
            span *= max(r, 1)
            columns.append(i)
        self._close(columns, radix, code, span)

    def _close(self, columns: list[int], radix: list[int], code: Longs, span: int) -> tuple[Longs, int]:
        # The rows are sorted, and so are the numbers that they are read as.
        known = code[np.flatnonzero(np.diff(code, prepend=-1))]
        full = len(known) == span
        self._steps.append((columns, [max(radix[i], 1) for i in columns], None if full else known))
        return (code if full else np.searchsorted(known, code)), max(len(known), 1)

    def find(self, wanted: NDArray[np.integer]) -> Ints:
        """Row of each wanted tuple, int32 (w,); -1 where the table doesn't hold it."""
        code = np.zeros(len(wanted), dtype=np.int64)
        there = np.ones(len(wanted), dtype=bool)
        for columns, radix, known in self._steps:
            for i, r in zip(columns, radix, strict=True):
                code = code * r + wanted[:, i]
            if known is not None:
                if not len(known):
                    return np.full(len(wanted), -1, dtype=np.int32)
                place = np.minimum(np.searchsorted(known, code), len(known) - 1)
                there &= known[place] == code
                code = place
        return np.where(there, code, -1).astype(np.int32)


def sorted_rows(table: Ints) -> Ints:
    """The rows of a table in lexicographic order."""
    return table[np.lexsort(table.T[::-1])] if table.shape[1] else table
