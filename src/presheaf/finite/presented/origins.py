"""Where the elements of a left extension come from: numbers read as a unit, or as a generator at an earlier element."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.columns.arrays import starts
from presheaf.finite.presented.mapping import PresentationMap


class Origins:
    """Reads the numbers of ``Table.first``.

    At an object of D these count through blocks: one for each object c of C over it, as long as I(c), then one for each
    generator into it, as long as its source has elements.

    Parameters
    ----------
    mapping : PresentationMap
        F: C -> D.
    rows : int sequence, length n of C: rows of I
    sizes : int64 (n of D,), elements of the extension

    Notes
    -----
    O(objects and generators) to make, O(log of the blocks) to read a number.
    """

    __slots__ = ("_blocks", "_first", "_head", "_many")

    def __init__(self, mapping: PresentationMap, rows: Sequence[int], sizes: NDArray[np.int64]) -> None:
        self._many = len(rows)
        arrows = mapping.target.generators
        at = np.array([*mapping.objects, *(g[2] for g in arrows)], dtype=np.int64)
        width = np.array([*rows, *sizes[[g[1] for g in arrows]].tolist()], dtype=np.int64)
        order = np.argsort(at, kind="stable")
        first = starts(np.bincount(at, minlength=len(sizes)))
        before = starts(width[order])
        # Numbers begin at 0 again at each object.
        heads = before[:-1] - before[first[:-1]].repeat(np.diff(first))
        self._blocks: list[int] = order.tolist()
        self._head: list[int] = heads.tolist()
        self._first = list(pairwise(first.tolist()))

    def find(self, at: int, number: int) -> tuple[bool, int, int]:
        """What a number at an object stands for.

        Returns
        -------
        unit : bool
        which : object of C for a unit, else the generator of D that leads here
        row : row of I at that object, else element at the generator's source
        """
        low, high = self._first[at]
        # An empty block begins where the next one does: the last to begin there is the one that holds the number.
        i = bisect_right(self._head, number, low, high) - 1
        block, row = self._blocks[i], number - self._head[i]
        return (True, block, row) if block < self._many else (False, block - self._many, row)
