"""Means over pairs and triples of objects, with intervals: the unit that is sampled is the object."""

from __future__ import annotations

from math import inf, log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.statistics.intervals import Interval, clopper_pearson

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def disjoint_tuples(n: int, order: int, rounds: int, rng: np.random.Generator) -> Ints:
    """``rounds`` random partitions of n objects into tuples of ``order`` distinct ones; what is left over is dropped.

    Returns
    -------
    int64 array of shape (rounds * (n // order), order)
        The first n // order tuples share no object, so they are independent where the objects are. The mean over all is
        an average of such means and keeps Hoeffding's bound for them.
    """
    each = n // order
    shuffled = rng.permuted(np.tile(np.arange(n), (rounds, 1)), axis=1)
    return shuffled[:, : each * order].reshape(-1, order)


def hoeffding(value: float, n: int, order: int, level: float = 0.95, scale: float = 1.0) -> tuple[float, float]:
    """Interval for the expectation of a U-statistic of a kernel in [0, scale].

    P(|U - EU| > t scale) <= 2 exp(-2 floor(n / order) t^2) (Hoeffding 1963, section 5). Holds for every n and every
    distribution of the objects.
    """
    half = scale * sqrt(log(2 / (1 - level)) / (2 * max(1, n // order)))
    return max(0.0, value - half), min(scale, value + half)


def jackknife(contributions: Floats, value: float, order: int, level: float = 0.95) -> tuple[float, float]:
    """Normal interval for a U-statistic of ``order`` from the mean over the tuples each object is in.

    Parameters
    ----------
    contributions : float array of shape (n,)
        Mean of the kernel over the tuples that hold object i; nan for objects in none.

    Notes
    -----
    See ``jackknife_variance``. A t interval can be short where the kernel is skewed and objects are few. Student's t with
    n - 1 degrees of freedom.
    """
    from scipy.special import stdtrit

    seen = np.count_nonzero(np.isfinite(contributions))
    variance = jackknife_variance(contributions, order)
    if not np.isfinite(variance):
        return -inf, inf
    half = float(stdtrit(seen - 1, 0.5 + level / 2)) * sqrt(variance)
    return value - half, value + half


def jackknife_variance(contributions: Floats, order: int, noise: float = 0.0) -> float:
    """Variance of a U-statistic of ``order`` from the mean over the tuples each object is in; inf for too few objects.

    Parameters
    ----------
    contributions : float array of shape (n,), see ``jackknife``
    noise : float
        Variance of the kernel over sampled tuples, divided by their number; 0 where all tuples were seen.

    Notes
    -----
    Delete-one jackknife, exactly where all tuples were seen: leaving object i out moves the mean by order / (n - order) times
    value - contributions[i], so the variance is order^2 / n Var(contributions) ((n - 1) / (n - order))^2; without the last
    factor it is the first term of Hoeffding's decomposition (Hoeffding 1948) alone, too little for few objects. It errs on
    the wide side (Efron and Stein 1981).

    Where random partitions were sampled, tuples that happen to be in the sample move the contributions as well. With zeta the
    variance of the kernel's projection on one object and N tuples of variance S, the mean has variance
    order^2 zeta / n + (S - order zeta) / N, and order^2 / n Var(contributions) is order^2 zeta / n + order (S - zeta) / N: too much
    by (order - 1) S / N = (order - 1) ``noise``, which is taken off. What is left is at least S / N.
    """
    seen = contributions[np.isfinite(contributions)]
    n = len(seen)
    if n < 2 or n <= order:
        return inf
    variance = (order * (n - 1) / (n - order)) ** 2 * float(np.var(seen, ddof=1)) / n
    return max(noise, variance - (order - 1) * noise)


def bounded_interval(
    contributions: Floats, value: float, low: float, high: float, level: float = 0.95
) -> tuple[float, float]:
    """``jackknife`` for a mean of n independent numbers in [low, high], cut to it.

    Where all are equal the jackknife has no width. Then at most 1 - ((1 - level) / 2)^(1/n) of the population can differ, by the
    exact binomial bound, and each of it by no more than to the end of the range.
    """
    n = len(contributions)
    if n < 2:
        return low, high
    if contributions.min() == contributions.max():
        rest = 1 - ((1 - level) / 2) ** (1 / n)
        return value - rest * (value - low), value + rest * (high - value)
    bottom, top = jackknife(contributions, value, 1, level)
    return max(low, bottom), min(high, top)


def share_interval(
    share: float, contributions: Floats, first: NDArray[np.bool_], tuples: int, n: int, level: float, sampled: bool
) -> Interval:
    """Interval for a share of triples, from the jackknife's variance; Clopper-Pearson on disjoint triples where all agree.

    Parameters
    ----------
    share : float
    contributions : float array of shape (n,), see ``jackknife``
    first : bool array of shape (n // 3,)
        The indicator on triples that share no object.
    sampled : bool
        Whether the triples are random partitions, and not all. Few of them may be hits, so the interval is Clopper-Pearson's
        on as many independent triples as would have that variance.

    Notes
    -----
    Sampled, of 400 draws each: 94 to 97 % held the truth at shares of 7 to 20 %, 92.5 % at .18 % and 99.8 % at .04 %, where the
    few objects that break most of the triples decide.
    """
    if not 0 < share < 1:
        low, high = clopper_pearson(float(first.sum()), len(first), level)
        return Interval(share, min(low, share), max(high, share), tuples, n // 3, "Clopper-Pearson on disjoint triples")
    if not sampled:
        low, high = jackknife(contributions, share, 3, level)
        return Interval(share, max(0.0, low), min(1.0, high), tuples, n // 3, "jackknife over objects")
    spread = share * (1 - share)
    rows = spread / jackknife_variance(contributions, 3, spread / tuples)
    low, high = clopper_pearson(share * rows, rows, level)
    return Interval(share, low, high, tuples, rows, "Clopper-Pearson on effective triples, jackknife over objects")


def quantile_interval(value: float, sample: Floats, quantile: float, tuples: int, level: float = 0.95) -> Interval:
    """Interval for a quantile from the order statistics of an independent sample, free of the distribution.

    The number of sample values below the quantile is binomial; the ends are inf or 0 where the sample is too small to
    say (David and Nagaraja 2003, section 7.1). Values are >= 0.
    """
    from scipy.stats import binom

    m = len(sample)
    ranked = np.sort(sample)
    below, above = int(binom.ppf((1 - level) / 2, m, quantile)), int(binom.ppf((1 + level) / 2, m, quantile)) + 1
    low = float(ranked[below - 1]) if below >= 1 else 0.0
    high = float(ranked[above - 1]) if above <= m else inf
    return Interval(value, min(low, value), max(high, value), tuples, m, "binomial order statistics")


def per_object(values: Any, tuples: Ints, n: int) -> Floats:
    """Mean of the values over the tuples that hold each object; nan for objects in none. Shape (n,)."""
    members = tuples.ravel()
    seen = np.bincount(members, minlength=n)
    total = np.bincount(members, weights=np.repeat(np.asarray(values, dtype=np.float64), tuples.shape[1]), minlength=n)
    return np.where(seen > 0, total / np.maximum(seen, 1), np.nan)
