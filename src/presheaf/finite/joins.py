"""Weighted relations over integer variables: joined, and summed out one variable at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.finite.arrays import Ints, spread, starts

_SAFE = 1 << 62


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


def joined(one: Factor, two: Factor, limit: int) -> Factor:
    """The natural join; weights multiply.

    Raises
    ------
    InputError
        More than ``limit`` rows.

    Notes
    -----
    Sort-merge; cost: input and output rows x variables. Weights turn to Python integers before int64 could overflow.
    """
    common = [v for v in one.variables if v in two.variables]
    rest = [i for i, v in enumerate(two.variables) if v not in common]
    a = one.rows[:, [one.variables.index(v) for v in common]]
    b = two.rows[:, [two.variables.index(v) for v in common]]
    left, right = _codes([a, b])
    order = np.argsort(right, kind="stable")
    low = np.searchsorted(right[order], left)
    count = np.searchsorted(right[order], left, side="right") - low
    if int(count.sum()) > limit:
        raise InputError(
            f"a join of {int(count.sum())} rows over {len(one.variables) + len(rest)} shared elements is needed, more "
            f"than the limit of {limit}: the generators overlap in too entangled a way to count."
        )
    owner, slot = spread(count)
    match = order[low[owner] + slot]
    big = one.total * two.total >= _SAFE
    weight = one.weights[owner].astype(object) if big else one.weights[owner]
    weight = weight * two.weights[match]
    rows = np.concatenate([one.rows[owner], two.rows[match][:, rest]], axis=1)
    return Factor((*one.variables, *(two.variables[i] for i in rest)), rows, weight, int(weight.sum()))


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
        # Smallest first, so that a join with nothing in common comes late.
        members = sorted(speaks.pop(v), key=lambda i: (len(pool[i].rows), i))
        result = pool[members[0]]
        for i in members[1:]:
            result = joined(result, pool[i], limit)
        for i in members:
            for w in pool.pop(i).variables:
                if w != v:
                    speaks[w].discard(i)
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
