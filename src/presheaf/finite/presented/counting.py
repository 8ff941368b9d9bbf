"""How many answers a conjunctive query has, exactly, without listing them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from presheaf.finite.columns.budget import Meter
from presheaf.finite.columns.joins import Factor, eliminate, grouped
from presheaf.finite.presented.candidates import Reduced, reduce
from presheaf.finite.presented.copresheaf import IntArray
from presheaf.finite.presented.query import Query


def count_answers(query: Query, sizes: Sequence[int], columns: Sequence[IntArray], meter: Meter, limit: int) -> int:
    """The number of answers, a Python integer of any size.

    Parameters
    ----------
    limit : most rows of a join that a query with cycles may need

    Raises
    ------
    InputError
        If a join would be larger than ``limit``.
    """
    parts = reduce(query, sizes, columns, meter)
    return prod(p.exact if p.exact is not None else eliminate(_factors(p), limit)[1] for p in parts)


def _factors(part: Reduced) -> list[Factor]:
    """Every variable of the query as a relation over the values that conditions compare, with multiplicities."""
    shared: dict[tuple[int, int], int] = {}
    parent: list[int] = []

    def port(variable: int, column: IntArray) -> int:
        key = variable, id(column)
        if key not in shared:
            shared[key] = len(parent)
            parent.append(len(parent))
        at = shared[key]
        while parent[at] != at:
            at = parent[at]
        return at

    for v in part.variables:
        for e in (e for edges in part.near[v].values() for e in edges):
            a, b = port(e.left.variable, e.left.column), port(e.right.variable, e.right.column)
            parent[max(a, b)] = min(a, b)
    factors = []
    for v in part.variables:
        rows = part.candidates[v].rows
        found: dict[int, IntArray] = {}
        keep = np.ones(len(rows), dtype=bool)
        for e in (e for edges in part.near[v].values() for e in edges):
            mine, _ = e.seen_from(v)
            values = mine.column[rows]
            keep &= found.setdefault(port(v, mine.column), values) == values
        names = tuple(sorted(found))
        factors.append(grouped(names, np.stack([found[x] for x in names], axis=1)[keep]))
    return factors
