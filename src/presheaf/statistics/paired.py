"""Tests between models on the same rows, and groups of models that can't be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def mcnemar(a: ArrayLike, b: ArrayLike, groups: NDArray[Any] | None = None) -> float:
    """Exact two-sided p of McNemar's test: rows that only one of the two gets right fall either way equally often.

    With ``groups`` (shape (n,)) rows of one group are not independent, and each group counts once: for the one that
    gets more of its rows right.
    """
    from scipy.special import bdtr

    lead = np.asarray(a, dtype=np.int64) - np.asarray(b, dtype=np.int64)
    if groups is not None and len(lead):
        _, index = np.unique(groups, return_inverse=True)
        lead = np.bincount(index, weights=lead)
    only_a, only_b = int(np.sum(lead > 0)), int(np.sum(lead < 0))
    if only_a + only_b == 0:
        return 1.0
    return float(min(1.0, 2 * bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def holm(p: Sequence[float]) -> NDArray[np.float64]:
    """Adjusted p values that keep the family-wise error (Holm 1979). Shape (m,)."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    running = 0.0
    for rank, i in enumerate(order):
        running = max(running, (len(values) - rank) * values[i])
        adjusted[i] = min(1.0, running)
    return adjusted


def indistinguishable(
    order: Sequence[str], p_adjusted: dict[frozenset[str], float], alpha: float = 0.05
) -> tuple[tuple[str, ...], ...]:
    """Cut a list of models, best first, into groups: each holds its best and all that don't differ from it.

    Parameters
    ----------
    order : names, best first
    p_adjusted : adjusted p value of every unordered pair
    """
    groups: list[tuple[str, ...]] = []
    rest = list(order)
    while rest:
        best = rest[0]
        group = tuple(m for m in rest if m == best or p_adjusted[frozenset((best, m))] > alpha)
        groups.append(group)
        rest = [m for m in rest if m not in group]
    return tuple(groups)
