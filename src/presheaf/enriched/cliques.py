"""A bound on how many objects can keep their labels, from groups in which everything is close to everything."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.conflicts import ClosePairs
from presheaf.enriched.vertex_cover import independent

Ints = NDArray[Any]


def clique_bound(pairs: ClosePairs, codes: Ints, lam: float, seed: int = 0) -> int:
    """No more objects than this are free of conflicts within lambda, if close objects must carry equal labels.

    Parameters
    ----------
    pairs : ClosePairs
        Each unordered pair once.
    codes : int array of shape (n,), from 0
    lam : float
    seed : int
        For the choice of groups; the bound holds for every choice.

    Notes
    -----
    Objects are parted into leaders, no two within lambda / 2, and those within lambda / 2 of a leader. In a group whose
    pairs are all within lambda one label survives, so its majority bounds it; that is counted pair by pair, not inferred
    from the triangle law, and a group that is not complete counts whole. Where closeness is transitive (lambda = 0 over a
    lawful hom) the bound is attained. The linear relaxation of the cover never goes below one half; this does. Cost:
    linear in the pairs.
    """
    n, near = pairs.n, pairs.up_to(lam / 2)
    i, j = pairs.first[:near], pairs.second[:near]
    leads = independent(i, j, np.ones(n, dtype=bool), seed, hubs=True)
    owner = np.arange(n)
    follows, followed = leads[i] & ~leads[j], leads[j] & ~leads[i]
    owner[j[follows]] = i[follows]
    owner[i[followed]] = j[followed]
    until = pairs.up_to(lam)
    first, second = owner[pairs.first[:until]], owner[pairs.second[:until]]
    inside = np.bincount(first[first == second], minlength=n)
    size = np.bincount(owner, minlength=n)
    k = int(codes.max()) + 1 if n else 1
    key, count = np.unique(owner * k + codes, return_counts=True)
    most = np.zeros(n, dtype=np.int64)
    np.maximum.at(most, key // k, count)
    return int(np.where(inside == size * (size - 1) // 2, most, size).sum())
