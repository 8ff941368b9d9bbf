"""Weighted relations over integer variables: joined, and summed out one variable at a time."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import accumulate, pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Ints, blocks, spread, starts

_SAFE = 1 << 62
_WIDE = 4
"""Up to so many variables a limit is one of rows, beyond it of entries."""


@dataclass(frozen=True)
class Factor:
    """A relation with a weight for each row.

    Attributes
    ----------
    variables : the columns' variables, v of them
    rows : int32 (r, v), all different
    weights : int64 (r,), or Python integers where int64 might not hold the sums
    total : the sum of the weights
    """

    variables: tuple[int, ...]
    rows: Ints
    weights: NDArray[Any]
    total: int


def _codes(tables: list[Ints]) -> list[NDArray[np.int64]]:
    """Equal rows of several tables of the same width get equal numbers, in lexicographic order."""
    width = tables[0].shape[1]
    lengths = [len(t) for t in tables]
    rows = np.concatenate(tables)
    code = np.zeros(len(rows), dtype=np.int64)
    for j in range(width):
        _, column = np.unique(rows[:, j], return_inverse=True)
        code = code * (int(column.max(initial=0)) + 1) + column
        if j + 1 < width:
            _, code = np.unique(code, return_inverse=True)
    ends = starts(np.array(lengths))
    return [code[a:b] for a, b in pairwise(ends)]


def grouped(variables: tuple[int, ...], rows: Ints, weights: NDArray[Any] | None = None) -> Factor:
    """A factor from rows that may repeat: equal rows are merged and their weights (default 1) added."""
    weight: NDArray[Any] = np.ones(len(rows), dtype=np.int64) if weights is None else weights
    if not len(rows):
        return Factor(variables, rows, weight, 0)
    code = _codes([rows])[0]
    order = np.argsort(code, kind="stable")
    cuts = np.flatnonzero(np.diff(code[order], prepend=-1))
    merged = np.add.reduceat(weight[order], cuts)
    return Factor(variables, rows[order[cuts]], merged, int(merged.sum()))


def joined(one: Factor, two: Factor, limit: int, filters: Sequence[Factor] = ()) -> Factor:
    """The natural join; weights multiply.

    Parameters
    ----------
    limit : most rows of the result; a result of more than four columns counts four entries as a row. Sixteen times as
        many may be looked at on the way where there are filters
    filters : factors over variables of the two, multiplied in at once, so that what they exclude is never kept

    Raises
    ------
    InputError
        More than ``limit`` rows.

    Notes
    -----
    Sort-merge in blocks; cost: input rows and matching pairs x variables. Weights turn to Python integers before int64
    could overflow.
    """
    common = [v for v in one.variables if v in two.variables]
    rest = [i for i, v in enumerate(two.variables) if v not in common]
    variables = (*one.variables, *(two.variables[i] for i in rest))
    a = one.rows[:, [one.variables.index(v) for v in common]]
    b = two.rows[:, [two.variables.index(v) for v in common]]
    left, right = _codes([a, b])
    order = np.argsort(right, kind="stable")
    low = np.searchsorted(right[order], left)
    count = np.searchsorted(right[order], left, side="right") - low
    _entangled(int(count.sum()), len(variables), limit * (16 if filters else 1))
    big = one.total * two.total * prod(f.total for f in filters) >= _SAFE
    sieves = [_Sieve(f, [variables.index(v) for v in f.variables]) for f in filters]
    found: list[tuple[Ints, NDArray[Any]]] = []
    for begin, end in blocks(count):
        owner, slot = spread(count[begin:end])
        owner += begin
        match = order[low[owner] + slot]
        weight = one.weights[owner].astype(object) if big else one.weights[owner]
        weight = weight * two.weights[match]
        rows = np.concatenate([one.rows[owner], two.rows[match][:, rest]], axis=1)
        for sieve in sieves:
            rows, weight = sieve.keep(rows, weight)
        found.append((rows, weight))
        _entangled(sum(len(r) for r, _ in found), len(variables), limit)
    if not found:
        return Factor(variables, np.empty((0, len(variables)), dtype=np.int32), np.empty(0, dtype=np.int64), 0)
    weights = np.concatenate([w for _, w in found])
    return Factor(variables, np.concatenate([r for r, _ in found]), weights, int(weights.sum()))


def _entangled(rows: int, variables: int, limit: int) -> None:
    # A row takes memory for each variable: wide joins are refused earlier.
    if rows * max(variables, _WIDE) > limit * _WIDE:
        raise InputError(
            f"a join of {rows} rows over {variables} shared elements is needed, more than the limit of {limit}: the "
            "generators overlap in too entangled a way to count."
        )


class _Sieve:
    """A factor that multiplies weights of rows over more variables and drops rows that it doesn't hold."""

    def __init__(self, factor: Factor, columns: list[int]) -> None:
        self._columns, self._weights = columns, factor.weights
        self._bounds = (factor.rows.max(axis=0, initial=-1).astype(np.int64) + 1).tolist()
        code = self._code(factor.rows)
        self._order = np.argsort(code, kind="stable")
        self._known = code[self._order]

    @staticmethod
    def fits(factor: Factor) -> bool:
        """Whether the factor's rows can be read as 62-bit numbers."""
        return len(factor.rows) > 0 and prod(factor.rows.max(axis=0).astype(np.int64) + 1, start=1) < _SAFE

    def _code(self, rows: Ints) -> NDArray[np.int64]:
        code = np.zeros(len(rows), dtype=np.int64)
        for j, bound in enumerate(self._bounds):
            code = code * bound + rows[:, j]
        return code

    def keep(self, rows: Ints, weights: NDArray[Any]) -> tuple[Ints, NDArray[Any]]:
        """The rows that the factor holds, with their weights multiplied."""
        part = rows[:, self._columns]
        inside = np.flatnonzero((part < np.array(self._bounds)).all(axis=1))
        code = self._code(part[inside])
        place = np.minimum(np.searchsorted(self._known, code), len(self._known) - 1)
        hit = self._known[place] == code
        kept = inside[hit]
        return rows[kept], weights[kept] * self._weights[self._order[place[hit]]]


@dataclass
class Bucket:
    """A variable, and the join of all that spoke of it when it was summed out.

    ``options`` gives, once all the join's other variables have values, those of this one that extend to a solution,
    each with the number of ways.
    """

    variable: int
    factor: Factor
    _index: dict[tuple[int, ...], tuple[int, int]] = field(default_factory=dict)
    _values: Ints | None = None
    _weights: NDArray[Any] | None = None

    def options(self, known: dict[int, int]) -> tuple[Ints, NDArray[Any]]:
        """Values of the variable and their weights, given values of the others. A look-up after the first call."""
        f = self.factor
        others = [i for i, v in enumerate(f.variables) if v != self.variable]
        if self._values is None or self._weights is None:
            own = f.rows[:, f.variables.index(self.variable)]
            rest = f.rows[:, others]
            code = _codes([rest])[0]
            order = np.lexsort((own, code))
            cuts = np.flatnonzero(np.diff(code[order], prepend=-1, append=-1))
            for a, b in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
                self._index[tuple(rest[order[a]].tolist())] = a, b
            self._values, self._weights = own[order], f.weights[order]
        a, b = self._index[tuple(known[f.variables[i]] for i in others)]
        return self._values[a:b], self._weights[a:b]


def eliminate(factors: list[Factor], limit: int) -> tuple[list[Bucket], int]:
    """Sum all variables out of a product of factors.

    Parameters
    ----------
    factors : list of Factor
    limit : most rows of a join

    Returns
    -------
    buckets : one for each variable, in the order of elimination
    total : the sum over all assignments of the product of weights, exact

    Notes
    -----
    Bucket elimination (Dechter, Artificial Intelligence 113, 1999); the variable with the fewest neighbours goes first,
    ties by number. Cost: exponential only in the width of that order.
    """
    near: dict[int, set[int]] = {}
    speaks: dict[int, set[int]] = {}
    pool = dict(enumerate(factors))
    for i, f in pool.items():
        for v in f.variables:
            near.setdefault(v, set()).update(w for w in f.variables if w != v)
            speaks.setdefault(v, set()).add(i)
    heap = [(len(others), v) for v, others in near.items()]
    heapify(heap)
    buckets: list[Bucket] = []
    total, fresh = 1, len(factors)
    for f in factors:
        if not f.variables:
            total *= f.total
    while heap:
        size, v = heappop(heap)
        if v not in near or size != len(near[v]):
            continue
        result, used = _product(v, pool, speaks, limit)
        for i in used:
            for w in pool.pop(i).variables:
                speaks[w].discard(i)
        del speaks[v]
        buckets.append(Bucket(v, result))
        keep = [i for i, w in enumerate(result.variables) if w != v]
        around = near.pop(v)
        if keep:
            message = grouped(tuple(result.variables[i] for i in keep), result.rows[:, keep], result.weights)
            pool[fresh] = message
            for w in message.variables:
                speaks[w].add(fresh)
            fresh += 1
        else:
            total *= result.total
        for w in around:
            near[w] |= around
            near[w] -= {v, w}
            heappush(heap, (len(near[w]), w))
    return buckets, total


def _product(v: int, pool: dict[int, Factor], speaks: dict[int, set[int]], limit: int) -> tuple[Factor, list[int]]:
    """The join of all factors that speak of v, with others that fit in multiplied on the way; and which were used."""
    # Smallest first, so that a join with nothing in common comes late.
    members = sorted(speaks[v], key=lambda i: (len(pool[i].rows), i))
    result, used = pool[members[0]], [members[0]]
    for i in members[1:]:
        if i in used:
            continue
        used.append(i)
        scope = {*result.variables, *pool[i].variables}
        # A factor within the scope speaks of two of its variables, or would cut little: skip the busiest one.
        near = sorted(scope, key=lambda w: (len(speaks[w]), w))[:-1]
        inner = sorted({j for w in near for j in speaks[w]} - set(used))
        fits = [j for j in inner if scope.issuperset(pool[j].variables) and _Sieve.fits(pool[j])]
        used += fits
        result = joined(result, pool[i], limit, [pool[j] for j in fits])
    return result, used


@dataclass(frozen=True)
class Solutions:
    """All assignments that satisfy a product of relations, without being listed.

    Attributes
    ----------
    buckets : from ``eliminate``; read backwards, no choice is ever a dead end
    total : the sum over all assignments of the product of weights, exact
    """

    buckets: tuple[Bucket, ...]
    total: int

    @classmethod
    def of(cls, factors: list[Factor], limit: int) -> Solutions:
        """Solve a product of factors; errors and cost: see ``eliminate``."""
        buckets, total = eliminate(factors, limit)
        return cls(tuple(reversed(buckets)), total)

    def iterate(self) -> Iterator[dict[int, int]]:
        """Every assignment of a non-zero weight once, in a fixed order; the mapping is reused, so copy what you keep."""
        known: dict[int, int] = {}
        if not self.total:
            return
        if not self.buckets:
            yield known
            return
        stack = [iter(self.buckets[0].options(known)[0].tolist())]
        while stack:
            value = next(stack[-1], None)
            if value is None:
                stack.pop()
                continue
            known[self.buckets[len(stack) - 1].variable] = value
            if len(stack) == len(self.buckets):
                yield known
            else:
                stack.append(iter(self.buckets[len(stack)].options(known)[0].tolist()))

    def draw(self, rng: random.Random) -> dict[int, int]:
        """One assignment, with probability proportional to its weight."""
        known: dict[int, int] = {}
        for bucket in self.buckets:
            values, weights = bucket.options(known)
            sums = list(accumulate(int(w) for w in weights))
            known[bucket.variable] = int(values[bisect_right(sums, rng.randrange(sums[-1]))])
        return known
