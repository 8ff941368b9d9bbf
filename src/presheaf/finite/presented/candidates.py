"""Conjunctive queries made small before they are joined: filters, semi-joins, and exact counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.columns.buckets import shared_keys
from presheaf.finite.columns.budget import Meter
from presheaf.finite.presented.copresheaf import IntArray, trace
from presheaf.finite.presented.presentation import Path
from presheaf.finite.presented.query import Query


class Candidates:
    """The rows of I(object) that a variable may still take, ascending; they are listed only when asked for.

    Parameters
    ----------
    object : int, an object of C
    size : int, how many rows I(object) has
    """

    __slots__ = ("_rows", "object", "size", "whole")

    def __init__(self, object: int, size: int) -> None:
        self.object, self.size, self.whole = object, size, True
        self._rows: IntArray | None = None

    @property
    def many(self) -> int:
        """How many are left."""
        return self.size if self._rows is None else len(self._rows)

    @property
    def rows(self) -> IntArray:
        """Those that are left, int32."""
        if self._rows is None:
            self._rows = np.arange(self.size, dtype=np.int32)
        return self._rows

    def at(self, column: IntArray) -> IntArray:
        """A column of I(object) at the candidates."""
        return column if self.whole else column[self.rows]

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Drop the candidates where ``mask`` is false."""
        if not mask.all():
            self._rows = self.rows[mask]
            self.whole = False

    def over_rows(self, values: IntArray) -> IntArray:
        """Values of the candidates as a column of I(object); 0 where there is no candidate."""
        if self.whole:
            return values
        out = np.zeros(self.size, dtype=np.int32)
        out[self.rows] = values
        return out


@dataclass(frozen=True, slots=True)
class End:
    """One side of a condition: a variable, and what its rows are compared by, int32 (sizes[object],)."""

    variable: int
    column: IntArray


@dataclass(frozen=True, slots=True)
class Edge:
    """A condition between two variables: columns of equal range, below ``bound``."""

    left: End
    right: End
    bound: int

    def seen_from(self, variable: int) -> tuple[End, End]:
        """The variable's own end, and the other one."""
        return (self.left, self.right) if self.left.variable == variable else (self.right, self.left)


Near = dict[int, dict[int, list[Edge]]]
"""For each variable its neighbours, and the conditions that they share."""


@dataclass(frozen=True, slots=True)
class Reduced:
    """One connected part of a query after filters and semi-joins.

    ``order`` begins with the variable that has the fewest candidates and goes on breadth first; ``tree`` tells that no
    condition closes a cycle, and then ``exact`` is the number of answers.
    """

    variables: tuple[int, ...]
    near: Near
    candidates: dict[int, Candidates]
    order: tuple[int, ...]
    tree: bool
    exact: int | None


def reduce(query: Query, sizes: Sequence[int], columns: Sequence[IntArray], meter: Meter) -> tuple[Reduced, ...]:
    """Filter each variable's rows, then semi-join: up to the first variable and back down. Parts by least variable.

    Notes
    -----
    O(conditions x rows). Counts go up the tree in floating point where that is exact, else in Python integers.
    """
    memo: dict[tuple[int, Path], IntArray] = {}

    def column(variable: int, path: Path) -> IntArray:
        c = query.variables[variable][0]
        if (c, path) not in memo:
            meter.check()
            start = columns[path[0]] if path else np.arange(sizes[c], dtype=np.int32)
            memo[c, path] = trace(columns, path[1:], start)
        return memo[c, path]

    candidates = {v: Candidates(c, sizes[c]) for v, (c, _) in enumerate(query.variables)}
    edges: list[Edge] = []
    kept: dict[tuple[int, Path, Path], NDArray[np.bool_]] = {}
    for i, p, j, q in query.conditions:
        if i == j:
            key = query.variables[i][0], p, q
            if key not in kept:
                kept[key] = column(i, p) == column(j, q)
            candidates[i].keep(kept[key][candidates[i].rows])
            continue
        left, right = End(i, column(i, p)), End(j, column(j, q))
        bound = 1 + max(int(left.column.max(initial=-1)), int(right.column.max(initial=-1)))
        edges.append(Edge(left, right, max(bound, 1)))
    near: Near = {v: {} for v in candidates}
    for e in edges:
        for v, w in ((e.left.variable, e.right.variable), (e.right.variable, e.left.variable)):
            near[v].setdefault(w, []).append(e)
    return tuple(_part(group, near, candidates, meter) for group in _groups(near))


def _groups(near: Near) -> list[list[int]]:
    """The connected parts, each breadth first from its least variable."""
    groups: list[list[int]] = []
    seen: set[int] = set()
    for v in near:
        if v in seen:
            continue
        group = [v]
        seen.add(v)
        for w in group:
            fresh = [x for x in near[w] if x not in seen]
            seen.update(fresh)
            group += fresh
        groups.append(group)
    return groups


def _part(group: list[int], near: Near, candidates: dict[int, Candidates], meter: Meter) -> Reduced:
    start = min(group, key=lambda v: (candidates[v].many, v))
    order, above = [start], {start: start}
    for v in order:
        for w in sorted(near[v]):
            if w not in above:
                above[w] = v
                order.append(w)
    tree = sum(len(near[v]) for v in group) == 2 * (len(group) - 1)
    if len(group) > 2:
        for w in reversed(order[1:]):
            meter.check()
            _semijoin(candidates, near, above[w], w)
        for w in order[1:]:
            meter.check()
            _semijoin(candidates, near, w, above[w])
    exact = _count(candidates, near, order, above) if tree else None
    return Reduced(tuple(sorted(group)), near, candidates, tuple(order), tree, exact)


def _between(candidates: dict[int, Candidates], near: Near, v: int, w: int) -> tuple[IntArray, IntArray, int]:
    """Keys of v's and of w's candidates from all conditions between the two."""
    pairs, bounds = [], []
    for e in near[v][w]:
        a, b = e.seen_from(v)
        pairs.append((candidates[v].at(a.column), candidates[w].at(b.column)))
        bounds.append(e.bound)
    rows = candidates[v].many + candidates[w].many
    return shared_keys(pairs, bounds, limit=max(4 * rows, max(bounds) if len(bounds) == 1 else 0) + 1024)


def _semijoin(candidates: dict[int, Candidates], near: Near, v: int, w: int) -> None:
    """Keep v's candidates that have a partner among w's."""
    left, right, bound = _between(candidates, near, v, w)
    there = np.zeros(bound, dtype=bool)
    there[right] = True
    candidates[v].keep(there[left])


def _count(
    candidates: dict[int, Candidates],
    near: Near,
    order: list[int],
    above: dict[int, int],
) -> int:
    """The number of answers of a tree-like query (Yannakakis 1981)."""
    keys = {w: _between(candidates, near, above[w], w) for w in order[1:]}

    def total(kind: Any) -> Any:
        weight: dict[int, NDArray[Any]] = {}
        for w in (*reversed(order[1:]), order[0]):
            own = weight.get(w)
            if w == order[0]:
                return candidates[w].many if own is None else own.sum()
            if own is None:
                own = np.ones(candidates[w].many, dtype=kind)
            up, down, bound = keys[w]
            sums = np.zeros(bound, dtype=kind)
            if kind is object:
                np.add.at(sums, down, own)
            else:
                sums = np.bincount(down, weights=own, minlength=bound)
            message = sums[up]
            weight[above[w]] = weight[above[w]] * message if above[w] in weight else message
        return 0

    about = float(total(np.float64))
    return int(about) if about < 2**53 else int(total(object))
