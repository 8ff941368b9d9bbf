"""Components of the lambda-graph along a growing lambda, and how well one label a component does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.conflicts import ClosePairs

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def components(pairs: ClosePairs, lambdas: Floats) -> Iterator[tuple[Ints, Bools]]:
    """Single linkage: for each lambda the component of every object and whether it has a neighbour. Arrays of shape (n,).

    Notes
    -----
    ``lambdas`` ascend. Each pair is looked at once: components found so far are contracted, and only further pairs join
    them. Cost: linear in the pairs, and n a lambda.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    component, seen = np.arange(pairs.n), np.zeros(pairs.n, dtype=bool)
    count, done = pairs.n, 0
    for lam in lambdas:
        until = pairs.up_to(float(lam))
        first, second = pairs.first[done:until], pairs.second[done:until]
        done = until
        seen[first] = seen[second] = True
        a, b = component[first], component[second]
        apart = a != b
        graph = csr_array((np.ones(int(apart.sum()), dtype=bool), (a[apart], b[apart])), shape=(count, count))
        count, merged = connected_components(graph, directed=False)
        component = merged[component].astype(np.int64)
        yield component, seen.copy()


def majority(component: Ints, codes: Ints) -> tuple[int, Floats]:
    """Objects that carry the majority label of their component, and every object judged by the others of its component.

    Parameters
    ----------
    component, codes : int64 arrays of shape (n,), from 0

    Returns
    -------
    int
        Sum over components of the majority's count.
    float array of shape (n,)
        1 where the others' most common label is the object's own, 1 / t where it is one of t, else 0; nan where there are
        no others.

    Notes
    -----
    Cost: n log n.
    """
    k = int(codes.max()) + 1 if len(codes) else 1
    key, back, count = np.unique(component * k + codes, return_inverse=True, return_counts=True)
    owner = key // k
    order = np.lexsort((-count, owner))
    ranked, ranks = owner[order], count[order]
    lead = np.ones(len(order), dtype=bool)
    lead[1:] = ranked[1:] != ranked[:-1]
    groups = int(component.max()) + 1 if len(component) else 0
    top, second = np.zeros((2, groups), dtype=np.int64)
    top[ranked[lead]] = ranks[lead]
    np.maximum.at(second, ranked[~lead], ranks[~lead])
    # How many labels besides the leading one are as common as the second, and as the top.
    seconds = np.bincount(ranked[~lead & (ranks == second[ranked])], minlength=groups)
    others = np.where((count < top[owner]) | (second[owner] == top[owner]), top[owner], second[owner])
    left = count - 1
    credit = np.where(left > others, 1.0, np.where(left == others, 1 / (1 + seconds[owner]), 0.0))
    size = np.bincount(component, minlength=groups)
    return int(top.sum()), np.where(size[component] > 1, credit[back], np.nan)
