"""What no classifier can pass: rows that are the same to it and carry different labels."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALL_CELL = 10
"""Cells below this size are never given less than one half: two rows labelled apart on purpose can have one right."""


@dataclass(frozen=True)
class Ceiling:
    """An upper bound on accuracy.

    Attributes
    ----------
    accuracy, low, high : float
        The bound for new rows with the same inputs, estimated by leave-one-out agreement, and its 95 % interval. What is
        proved is ``high``: it holds with that confidence and no assumption but that labels of equal inputs are drawn
        independently.
    wrong_rows : int
        Of the rows seen, how many must be wrong for every function of the input. No statistics: counted.
    rows, merged_rows, cells : int
        Rows in all; rows that share their input with another; how many such inputs.
    conflicted : bool array of shape (rows,)
        Rows whose cell holds more than one label.
    """

    accuracy: float
    low: float
    high: float
    wrong_rows: int
    rows: int
    merged_rows: int
    cells: int
    conflicted: NDArray[np.bool_]


def _largest_share(agreement: float, classes: int) -> float:
    """Largest p_max possible when sum p^2 = agreement over ``classes`` labels; concave in ``agreement``."""
    s = min(1.0, max(agreement, 1.0 / classes))
    return min(1.0, (1.0 + sqrt(max(0.0, (classes - 1) * (classes * s - 1.0)))) / classes)


def ceiling(cells: NDArray[Any], labels: NDArray[Any], classes: int, level: float = 0.95) -> Ceiling:
    """Upper bound on the accuracy of every function that is constant on cells.

    In a cell whose labels are drawn with probabilities p, nothing beats max p. The chance that two different rows of
    the cell agree, sum p^2, has an unbiased estimate from pairs of rows (each row judged by the others, never by
    itself), and max p <= (1 + sqrt((K-1)(K sum p^2 - 1))) / K, which is concave, so pooling cells keeps it a bound
    (Jensen). The plug-in share of the majority label would be biased upwards in small cells: pure noise in cells of
    three gives 0.75 on average where the truth is 0.50.

    Parameters
    ----------
    cells : int array of shape (n,)
        Equal numbers mean equal input.
    labels : int array of shape (n,), values below ``classes``
    classes : int, at least 2

    Returns
    -------
    Ceiling
        The interval is Hoeffding's for U-statistics on floor(m/2) pairs a cell, given which inputs occur.

    Notes
    -----
    Cost: n log n.
    """
    n = len(cells)
    if n == 0:
        return Ceiling(1.0, 1.0, 1.0, 0, 0, 0, 0, np.zeros(0, dtype=bool))
    _, cell = np.unique(cells, return_inverse=True)
    size = np.bincount(cell)
    pair, counts = np.unique(cell.astype(np.int64) * classes + labels, return_counts=True)
    owner = pair // classes
    most = np.zeros(len(size), dtype=np.int64)
    np.maximum.at(most, owner, counts)
    kinds = np.bincount(owner, minlength=len(size))
    conflicted = (kinds > 1)[cell]
    wrong = int(np.sum(size - most))
    shared = size > 1
    merged = int(size[shared].sum())
    if merged == 0:
        return Ceiling(1.0, 1.0, 1.0, 0, n, 0, 0, conflicted)
    agree = np.bincount(owner, weights=counts * (counts - 1.0), minlength=len(size))[shared]
    m = size[shared].astype(np.float64)
    weight = m / merged
    agreement = float(np.sum(weight * agree / (m * (m - 1))))
    half = sqrt(log(2 / (1 - level)) / 2 * float(np.sum(weight**2 / np.floor(m / 2))))
    floor = float(np.sum(weight * np.where(m < SMALL_CELL, 0.5, 1.0 / classes)))
    share = merged / n

    def bound(value: float) -> float:
        return 1.0 - share * (1.0 - max(floor, _largest_share(value, classes)))

    if wrong == 0:
        return Ceiling(1.0, bound(agreement - half), 1.0, 0, n, merged, int(shared.sum()), conflicted)
    return Ceiling(
        bound(agreement),
        bound(agreement - half),
        bound(min(1.0, agreement + half)),
        wrong,
        n,
        merged,
        int(shared.sum()),
        conflicted,
    )
