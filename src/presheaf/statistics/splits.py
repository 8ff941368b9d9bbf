"""Splits that keep what belongs together on one side and do not depend on the order of the rows."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

GIANT = 0.1
"""A group with a larger share of the rows than this is split by rows: kept whole, it would be a half by itself."""


def digest(text: str | bytes, seed: int = 0) -> int:
    """A 64-bit number that depends on the content and the seed only."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return int.from_bytes(blake2b(data, digest_size=8, key=seed.to_bytes(8, "little")).digest(), "big")


def connected_groups(*keys: Sequence[Hashable]) -> NDArray[np.int64]:
    """Group number of every row, where rows that agree in any of the keys are in one group.

    Parameters
    ----------
    *keys : sequences of length n

    Returns
    -------
    int64 array of shape (n,), numbers from 0

    Notes
    -----
    Cost: linear in n times the number of keys (connected components of a bipartite graph).
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(keys[0])
    rows, columns, offset = [], [], n
    for key in keys:
        codes: dict[Hashable, int] = {}
        index = np.fromiter((codes.setdefault(k, len(codes)) for k in key), dtype=np.int64, count=n)
        rows.append(np.arange(n))
        columns.append(index + offset)
        offset += len(codes)
    i, j = np.concatenate(rows), np.concatenate(columns)
    graph = coo_matrix((np.ones(len(i), dtype=np.int8), (i, j)), shape=(offset, offset))
    _, component = connected_components(graph, directed=False)
    _, groups = np.unique(component[:n], return_inverse=True)
    return groups.astype(np.int64)


def halves(
    groups: NDArray[np.int64], labels: NDArray[Any], hashes: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two halves, stratified by label, no group on both sides.

    Parameters
    ----------
    groups : int array of shape (n,)
    labels : int array of shape (n,)
    hashes : uint64 array of shape (n,)
        Content hash of each row; decides the order, so the split is the same however the rows are ordered.

    Returns
    -------
    choosing, scoring : int64 arrays of positions, each ascending by hash

    Notes
    -----
    A group with more than a tenth of the rows is split by rows. Cost: n log n.
    """
    n = len(groups)
    size = np.bincount(groups, minlength=int(groups.max()) + 1 if n else 0)
    giant = size[groups] > max(GIANT * n, 1)
    unit = np.where(giant, int(groups.max()) + 1 + np.arange(n), groups) if n else groups
    # One entry a unit: its smallest hash and its most common label.
    _, unit = np.unique(unit, return_inverse=True)
    count = int(unit.max()) + 1 if n else 0
    first = np.full(count, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(first, unit, hashes)
    classes = int(labels.max()) + 1 if n else 0
    pairs, counts = np.unique(unit.astype(np.int64) * max(classes, 1) + labels, return_counts=True)
    order = np.lexsort((pairs, -counts, pairs // max(classes, 1)))
    owner = pairs[order] // max(classes, 1)
    leading = np.concatenate([[True], owner[1:] != owner[:-1]]) if len(owner) else np.zeros(0, dtype=bool)
    label = (pairs[order] % max(classes, 1))[leading]
    weight = np.bincount(unit, minlength=count)
    side = np.zeros(count, dtype=np.int8)
    balance = np.zeros(classes, dtype=np.int64)
    total = 0
    # Classes in the order of their smallest hash, so that how they are numbered changes nothing.
    earliest = np.full(classes, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(earliest, label, first)
    for u in np.lexsort((first, label, earliest[label])):
        lean = balance[label[u]]
        if lean == 0:
            lean = total if total != 0 else (1 if int(first[u]) & 1 else -1)
        side[u] = 1 if lean < 0 else -1
        balance[label[u]] += side[u] * weight[u]
        total += side[u] * weight[u]
    by_hash = np.argsort(hashes, kind="stable")
    chosen = side[unit][by_hash] > 0
    return by_hash[chosen], by_hash[~chosen]


def folds(groups: NDArray[np.int64], labels: NDArray[Any], k: int, seed: int = 0) -> NDArray[np.int64]:
    """Fold number of every row for k-fold selection: groups whole, each label spread as evenly as it goes.

    A group larger than a fold is split by rows, so that something is left to learn from. Cost: n log n. Returns an
    int64 array of shape (n,) with values 0..k-1.
    """
    rng = np.random.default_rng(seed)
    n = len(groups)
    _, unit, size = np.unique(groups, return_inverse=True, return_counts=True)
    distinct, unit = np.unique(np.where(size[unit] > max(n / k, 1), n + np.arange(n), unit), return_inverse=True)
    count = len(distinct)
    label = np.zeros(count, dtype=np.int64)
    label[unit] = labels
    order = np.lexsort((rng.random(count), label))
    fold = np.empty(count, dtype=np.int64)
    fold[order] = np.arange(count) % k
    return fold[unit]
