"""Distances -ln pi(y | x) along the prefix order, from numbers kept per text: never n x n in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.sources import Index

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prefixes:
    """n texts in a forest ordered by prefix; arrays of shape (n,).

    Attributes
    ----------
    enter, leave : int64 arrays
        x is a prefix of y iff enter[x] <= enter[y] < leave[x].
    total : float64 array
        -ln probability of the way from the root of its tree, steps of probability 0 left out.
    zeros : int64 array
        Steps of probability 0 on that way.
    """

    enter: Ints
    leave: Ints
    total: Floats
    zeros: Ints

    @property
    def n(self) -> int:
        return len(self.enter)

    def block(self, rows: Index, columns: Index, dtype: type[np.floating[Any]]) -> NDArray[Any]:
        """Distances of shape (rows, columns); inf where the row's text is no prefix of the column's."""
        begin, end = self.enter[rows][:, None], self.leave[rows][:, None]
        there = self.enter[columns]
        reached = (begin <= there) & (there < end) & (self.zeros[rows][:, None] == self.zeros[columns])
        return np.where(reached, self.total[columns] - self.total[rows][:, None], np.inf).astype(dtype)

    def pairs(self, rows: Ints, columns: Ints) -> Floats:
        """Distances of listed pairs, shape (m,)."""
        there = self.enter[columns]
        reached = (self.enter[rows] <= there) & (there < self.leave[rows]) & (self.zeros[rows] == self.zeros[columns])
        return np.where(reached, self.total[columns] - self.total[rows], np.inf)

    def take(self, objects: Ints) -> Prefixes:
        return Prefixes(self.enter[objects], self.leave[objects], self.total[objects], self.zeros[objects])


def prefix_source(parent: Ints, surprise: Floats) -> Prefixes:
    """The source of a forest: ``parent`` as by ``enriched.prefix_parents``, ``surprise`` = -ln P(text | parent) >= 0, inf allowed.

    Cost: linear in the texts.
    """
    n = len(parent)
    children: list[list[int]] = [[] for _ in range(n)]
    roots: list[int] = []
    for child, above in enumerate(parent.tolist()):
        (roots if above < 0 else children[above]).append(child)
    enter, leave = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    total, zeros = np.zeros(n), np.zeros(n, dtype=np.int64)
    step, impossible = np.where(np.isinf(surprise), 0.0, surprise), np.isinf(surprise).astype(np.int64)
    clock = 0
    # A text on the stack for the second time (as its complement) is left: all that follow from it have been entered.
    stack = roots[::-1]
    while stack:
        text = stack.pop()
        if text < 0:
            leave[~text] = clock
            continue
        above = int(parent[text])
        if above >= 0:
            total[text], zeros[text] = total[above] + step[text], zeros[above] + impossible[text]
        enter[text] = clock
        clock += 1
        stack.append(~text)
        stack.extend(reversed(children[text]))
    return Prefixes(enter, leave, total, zeros)
