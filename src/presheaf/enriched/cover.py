"""Covering rows of a cost matrix by few columns: what choosing k prompts for a task comes to.

costs[x, p] is the sup error from which on prompt p covers object x, and ``free[x]`` that from which on no prompt is needed.
The error of a choice of columns is max_x min(free[x], min_p costs[x, p]). With costs a metric and free = inf this is the
k-center problem, so the best choice is NP-hard in general.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NODES = 10_000
"""Nodes of branch and bound at most, where the caller names no number."""


@dataclass(frozen=True)
class Cover:
    """Columns that cover all rows, and how few could.

    Attributes
    ----------
    columns : int64 array of shape (k,), or None
        None where no choice covers all rows.
    least : int
        No choice has fewer columns (proof).
    """

    columns: Ints | None = field(repr=False)
    least: int


def error_of(costs: Floats, free: Floats, columns: Ints) -> float:
    """The error of a choice of columns."""
    return float(np.minimum(costs[:, columns].min(axis=1, initial=np.inf), free).max(initial=0.0))


def farthest_first(costs: Floats, free: Floats, most: int) -> Ints:
    """Columns chosen one after the other: the best single one, then always the cheapest for the worst row.

    Returns
    -------
    int64 array of shape (at most ``most``,)
        Shorter where nothing is left to gain.

    Notes
    -----
    For costs that are a metric between all objects this is Gonzalez's farthest-first traversal, whose error is at most twice
    the least (Gonzalez 1985). Otherwise heuristic. Cost: rows x ``most``, and one pass for the first column.
    """
    now = free.copy()
    columns: list[int] = []
    while len(columns) < most and now.max(initial=0.0) > 0:
        column = int(np.argmin(costs[np.argmax(now)])) if columns else best_single(costs, free)
        if column in columns:
            break
        columns.append(column)
        np.minimum(now, costs[:, column], out=now)
    return np.array(columns, dtype=np.int64)


def best_single(costs: Floats, free: Floats) -> int:
    """The column with the least error by itself."""
    return int(np.argmin(np.minimum(costs, free[:, None]).max(axis=0)))


def packing_bounds(costs: Floats, free: Floats, most: int) -> Floats:
    """Lower bounds on the least error of 1..``most`` columns, shape (most,). Proof.

    Notes
    -----
    Of k + 1 rows, k columns must cover two with the same one, unless some need none. Rows are taken one after the other, always
    the one that is dearest to cover together with any taken before. For one column the bound is the least error itself. Cost:
    ``most`` passes over the costs.
    """
    always = float(np.minimum(costs.min(axis=1, initial=np.inf), free).max(initial=0.0))
    single = np.minimum(costs[:, best_single(costs, free)], free)
    bounds = np.full(most, always)
    bounds[0] = single.max(initial=0.0)
    row = int(np.argmax(single))
    shared, least = free.copy(), float(free[row])
    for k in range(most):
        np.minimum(shared, np.maximum(costs, costs[row]).min(axis=1), out=shared)
        row = int(np.argmax(shared))
        least = min(least, float(shared[row]))
        bounds[k] = max(bounds[k], least)
    # More columns never do worse.
    return np.asarray(np.maximum.accumulate(bounds[::-1])[::-1])


def greedy_cover(covers: Bools, most: int) -> Ints | None:
    """Columns that cover all rows, always the one covering most of those left; None where more than ``most`` are needed.

    At most 1 + ln(rows) times as many as the least (Johnson 1974, Chvatal 1979). Cost: rows x columns a step.
    """
    left = np.ones(len(covers), dtype=bool)
    columns: list[int] = []
    while left.any():
        gain = np.count_nonzero(covers[left], axis=0)
        column = int(np.argmax(gain)) if gain.size else 0
        if len(columns) == most or not gain.size or gain[column] == 0:
            return None
        columns.append(column)
        left &= ~covers[:, column]
    return np.array(columns, dtype=np.int64)


def least_cover(covers: Bools, nodes: int = NODES) -> Cover:
    """Fewest columns that cover all rows, by branch and bound on the integer program.

    Parameters
    ----------
    covers : bool array of shape (rows, columns)
    nodes : int
        Nodes of the search at most; 0 for the greedy cover with the packing bound alone.

    Returns
    -------
    Cover
        ``least`` equals the number of columns where the search came to its end.

    Notes
    -----
    Rows that are needed less strictly than another, and columns that cover the same rows, are dropped first. Cost:
    exponential at worst, bounded by ``nodes``.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    if not len(covers):
        return Cover(np.zeros(0, dtype=np.int64), 0)
    if not covers.any(axis=1).all():
        return Cover(None, covers.shape[1] + 1)
    greedy = greedy_cover(covers, len(covers))
    assert greedy is not None  # each row has a column
    rows = covers[np.unique(np.packbits(covers, axis=1), axis=0, return_index=True)[1]]
    _, kept = np.unique(np.packbits(rows, axis=0), axis=1, return_index=True)
    low = _independent(rows)
    if low >= len(greedy) or nodes <= 0:
        return Cover(greedy, min(low, len(greedy)))
    reduced = rows[:, kept]
    result = milp(
        np.ones(len(kept)),
        integrality=np.ones(len(kept)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(csr_array(reduced.astype(np.float64)), 1, np.inf),
        options={"node_limit": nodes},
    )
    if result.mip_dual_bound is not None and np.isfinite(result.mip_dual_bound):
        low = max(low, int(np.ceil(result.mip_dual_bound - 1e-6)))
    found = greedy
    if result.x is not None:
        columns = kept[np.flatnonzero(result.x > 0.5)]
        if len(columns) < len(greedy) and covers[:, columns].any(axis=1).all():
            found = columns.astype(np.int64)
    return Cover(found, min(low, len(found)))


def exact_choice(costs: Floats, free: Floats, k: int, low: float, best: Ints, nodes: int) -> tuple[Ints, float]:
    """The best k columns and a lower bound on their error, from a choice already known, over the errors there are."""
    high = error_of(costs, free, best)
    levels = np.unique(np.concatenate([costs.ravel(), free]))
    levels = levels[(levels >= low) & (levels < high)]
    first, last = 0, len(levels)
    while first < last:
        middle = (first + last) // 2
        cover = least_cover(costs[free > levels[middle]] <= levels[middle], nodes)
        if cover.columns is not None and len(cover.columns) <= k:
            best, last = cover.columns, middle
        elif cover.least > k:
            first = middle + 1
        else:
            # The search ended before it knew; the error lies at this level or above what is proved.
            return best, float(levels[first]) if first < len(levels) else high
    return best, float(levels[last]) if last < len(levels) else high


def _independent(covers: Bools) -> int:
    """A number of rows no two of which share a column, chosen greedily: each needs its own."""
    left = np.ones(len(covers), dtype=bool)
    width = np.count_nonzero(covers, axis=1)
    count = 0
    while left.any():
        row = int(np.argmin(np.where(left, width, covers.shape[1] + 1)))
        left &= ~covers[:, covers[row]].any(axis=1)
        left[row] = False
        count += 1
    return count
