"""The fewest objects to remove so that no conflict remains: exact for two sides, bracketed otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[Any]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cover:
    """A set of objects that meets every conflict, and a number below which no such set lies.

    Attributes
    ----------
    members : bool array of shape (n,)
    size : int
        Objects in it: what was found.
    bound : float
        The linear relaxation's value, a multiple of 1/2: no cover has fewer objects (``proof``).
    """

    members: Bools = field(repr=False)
    size: int
    bound: float

    @property
    def exact(self) -> bool:
        """Whether the cover found is known to be a smallest one."""
        return self.size < self.bound + 1


def least_cover(n: int, first: Ints, second: Ints, left: Bools | None = None, seed: int = 0) -> Cover:
    """A small vertex cover of a graph, with a bound.

    Parameters
    ----------
    n : int
    first, second : int arrays of shape (m,)
        Conflicting pairs of different objects.
    left : bool array of shape (n,), optional
        A side for each object such that every conflict joins two sides; then the cover is a smallest one.
    seed : int
        Breaks ties of the search; no bound depends on it.

    Notes
    -----
    Two sides: the cover is as large as a maximum matching (Koenig 1931), found by Hopcroft and Karp at m sqrt(n). Otherwise
    half the matching of the double cover is the value of the linear relaxation, whose solutions are halves; objects at 1
    are in some smallest cover, objects at 0 are not (Nemhauser and Trotter 1975), and among those at 1/2 objects with few
    conflicts are kept first. The problem is NP-hard there.
    """
    members = np.zeros(n, dtype=bool)
    if not len(first):
        return Cover(members, 0, 0.0)
    # Only objects with a conflict take part.
    members[first] = members[second] = True
    nodes = np.flatnonzero(members)
    number = np.empty(n, dtype=np.int32)
    number[nodes] = np.arange(len(nodes), dtype=np.int32)
    i, j = number[first], number[second]
    if left is not None:
        size, inside = _two_sided(i, j, left[nodes])
        bound: float = size
    else:
        bound, inside = _half_integral(i, j, len(nodes), seed)
    members[nodes] = inside
    return Cover(members, int(inside.sum()), float(bound))


def _two_sided(i: Ints, j: Ints, left: Bools) -> tuple[int, Bools]:
    swap = ~left[i]
    rows, columns = np.where(swap, j, i), np.where(swap, i, j)
    size, in_rows, in_columns = _koenig(rows, columns, len(left))
    return size, in_rows | in_columns


def _koenig(rows: Ints, columns: Ints, k: int) -> tuple[int, Bools, Bools]:
    """Size of a maximum matching of a bipartite graph on k + k nodes, and a smallest cover of each side."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_bipartite_matching

    graph = csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(k, k))
    partner = maximum_bipartite_matching(graph, perm_type="column")
    matched = np.flatnonzero(partner >= 0)
    has_row = np.bincount(rows, minlength=k) > 0
    free = np.flatnonzero(has_row & (partner < 0))
    # Alternating walks from free rows: rows lead to columns by conflicts, columns to rows by the matching; 2k starts them.
    start = np.concatenate([rows, k + partner[matched], np.full(len(free), 2 * k)])
    end = np.concatenate([k + columns, matched, free])
    walks = csr_array((np.ones(len(start), dtype=np.int8), (start, end)), shape=(2 * k + 1, 2 * k + 1))
    reached = np.zeros(2 * k + 1, dtype=bool)
    reached[breadth_first_order(walks, 2 * k, directed=True, return_predecessors=False)] = True
    return len(matched), has_row & ~reached[:k], reached[k : 2 * k]


def _half_integral(i: Ints, j: Ints, k: int, seed: int) -> tuple[float, Bools]:
    size, in_rows, in_columns = _koenig(np.concatenate([i, j]), np.concatenate([j, i]), k)
    half = in_rows ^ in_columns
    both = half[i] & half[j]
    kept = independent(i[both], j[both], half, seed)
    return size / 2, (in_rows & in_columns) | (half & ~kept)


def independent(i: Ints, j: Ints, among: Bools, seed: int, hubs: bool = False) -> Bools:
    """A maximal set of objects no two of which are a listed pair, objects in few pairs first, or with ``hubs`` in many.

    Parameters
    ----------
    i, j : int arrays of shape (m,)
        Pairs of different objects that are both ``among``.
    among : bool array of shape (n,)
        Objects to choose from.

    Returns
    -------
    bool array of shape (n,)

    Notes
    -----
    Many at a time, ties at random (after Luby 1986). Cost: linear in the pairs a round; rounds are few in practice.
    """
    rng = np.random.default_rng(seed)
    open_, chosen = among.copy(), np.zeros(len(among), dtype=bool)
    while len(i):
        degree = np.bincount(i, minlength=len(among)) + np.bincount(j, minlength=len(among))
        key = (-degree if hubs else degree) + rng.random(len(among))
        pick = open_.copy()
        pick[np.where(key[i] > key[j], i, j)] = False
        chosen |= pick
        open_ &= ~pick
        open_[j[pick[i]]] = open_[i[pick[j]]] = False
        rest = open_[i] & open_[j]
        i, j = i[rest], j[rest]
    return chosen | open_
