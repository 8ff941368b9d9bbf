"""Intervals for accuracies and for differences of accuracies on the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

SMALL = 300
"""Below this many (effective) rows the beta-binomial interval is used, above it Wilson's."""


COMMON, LEAST_COMMON = 0.1, 10
"""A group with more than this share of the rows (and more rows than this) is a common object rather than copies of one:
it counts as a group of that size, so that it does not drown what the other rows say."""


@dataclass(frozen=True)
class Interval:
    """An accuracy with its interval, all in [0, 1] (differences: [-1, 1]).

    ``rows`` counts what was seen, ``effective`` what it is worth once rows that belong together are accounted for.
    """

    value: float
    low: float
    high: float
    rows: int
    effective: float
    method: str

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


def _quantile(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2))


def wilson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a proportion (Wilson 1927). ``n`` may be an effective, fractional number.

    Returns (0, 1) for n = 0.
    """
    if n <= 0:
        return 0.0, 1.0
    z = _quantile(level)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if successes <= 0 else max(0.0, centre - half)
    high = 1.0 if successes >= n else min(1.0, centre + half)
    return low, high


def clopper_pearson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """The exact interval for a proportion (Clopper and Pearson 1934): never covers less than ``level``."""
    from scipy.special import betaincinv

    if n <= 0:
        return 0.0, 1.0
    alpha = 1 - level
    low = 0.0 if successes <= 0 else float(betaincinv(successes, n - successes + 1, alpha / 2))
    high = 1.0 if successes >= n else float(betaincinv(successes + 1, n - successes, 1 - alpha / 2))
    return low, high


def beta_binomial(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Equal-tailed credible interval under a uniform prior: Beta(1 + s, 1 + n - s). For a few hundred rows or fewer."""
    from scipy.special import betaincinv

    alpha = 1 - level
    a, b = 1 + successes, 1 + n - successes
    return float(betaincinv(a, b, alpha / 2)), float(betaincinv(a, b, 1 - alpha / 2))


def effective_rows(values: NDArray[Any], groups: NDArray[Any] | None) -> float:
    """Rows divided by the design effect 1 + rho (m - 1) of ``groups`` (rows that share an input mostly fall together).

    ``values`` of shape (n,) are hits, or differences of hits. m is the size of the group a row is in, on average over
    the rows; rho is one minus the disagreement of pairs within a group, as a share of what independent rows would show
    (Kish 1965). Where all values are equal, nothing contradicts rho = 1. Never more than the number of rows.

    The linearised variance of a ratio would need many groups with errors: with a few large groups that happen to be
    right it calls the rows independent, and intervals for high accuracies get far too short.
    """
    n = len(values)
    if groups is None or n == 0:
        return float(n)
    _, index = np.unique(groups, return_inverse=True)
    count = int(index.max()) + 1
    if count == n:
        return float(n)
    size = np.bincount(index).astype(np.float64)
    value = np.asarray(values, dtype=np.float64)
    if count < 2:
        return 1.0
    spread = float(np.var(value, ddof=1))
    total, squares = np.bincount(index, weights=value), np.bincount(index, weights=value**2)
    # Sum over ordered pairs of a group of (a - b)^2 / 2, whose mean is the variance when rows are independent.
    apart = float(np.sum(size * squares - total**2) / np.sum(size * (size - 1)))
    rho = 1.0 if spread == 0 else min(1.0, max(0.0, 1 - apart / spread))
    mean_size = float(size @ np.minimum(size, max(COMMON * n, LEAST_COMMON))) / n
    return n / (1 + rho * (mean_size - 1))


def accuracy_interval(correct: ArrayLike, groups: NDArray[Any] | None = None, level: float = 0.95) -> Interval:
    """Interval for the accuracy of a fixed predictor from its hits on held-out rows.

    Parameters
    ----------
    correct : bool array of shape (n,)
    groups : int array of shape (n,), optional
        Rows of one group are not independent (same input).

    Returns
    -------
    Interval
        Beta-binomial below 300 effective rows, Wilson's above.
    """
    hits = np.asarray(correct, dtype=bool)
    n = len(hits)
    if n == 0:
        return Interval(float("nan"), 0.0, 1.0, 0, 0.0, "no rows")
    value = float(hits.mean())
    effective = effective_rows(hits, groups)
    method = "beta-binomial" if effective < SMALL else "Wilson"
    bounds = beta_binomial if effective < SMALL else wilson
    low, high = bounds(value * effective, effective, level)
    return Interval(value, min(low, value), max(high, value), n, effective, method)


def paired_difference(a: ArrayLike, b: ArrayLike, groups: NDArray[Any] | None = None, level: float = 0.95) -> Interval:
    """Accuracy of a minus accuracy of b on the same rows (Bonett and Price 2012: Wald on adjusted counts).

    Rows that share a number in ``groups`` (shape (n,)) are not independent: counts are scaled to the effective rows.
    """
    first, second = np.asarray(a, dtype=bool), np.asarray(b, dtype=bool)
    n = len(first)
    if n == 0:
        return Interval(float("nan"), -1.0, 1.0, 0, 0.0, "no rows")
    only_a, only_b = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    effective = effective_rows(first.astype(np.int8) - second.astype(np.int8), groups)
    scale = effective / n
    p, q = (scale * only_a + 1) / (effective + 2), (scale * only_b + 1) / (effective + 2)
    half = _quantile(level) * sqrt((p + q - (p - q) ** 2) / (effective + 2))
    value = (only_a - only_b) / n
    return Interval(value, max(-1.0, p - q - half), min(1.0, p - q + half), n, effective, "Bonett-Price")
