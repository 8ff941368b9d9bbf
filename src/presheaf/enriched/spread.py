"""Spread: a size of a hom at a scale that needs no equations, for any number of objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.hom import LIMIT, SCRATCH, VARIANCES, Hom, Variance
from presheaf.enriched.zeta import Floats, as_scales, sizes
from presheaf.errors import InputError, one_of


@dataclass(frozen=True)
class Spread:
    """Spread of a hom at some scales; arrays of shape (m,).

    Attributes
    ----------
    t : float array
        Scales, ascending.
    value : float array
        From 1 (all objects the same) to n (all apart).
    low, high : float array
        95 % interval where only ``rows`` of the objects were summed over; else the value itself.
    dimension : float array
        d ln value / d ln t, the instantaneous spread dimension.
    objects, rows : int
    variance : "contravariant" or "covariant"
    """

    t: Floats
    value: Floats
    low: Floats
    high: Floats
    dimension: Floats
    objects: int
    rows: int
    variance: Variance = field(compare=False)

    @property
    def kind(self) -> Literal["proof", "estimate"]:
        """``proof`` (of these objects, to float32 rounding) where all objects were summed over, else ``estimate``."""
        return "proof" if self.rows == self.objects else "estimate"

    def __repr__(self) -> str:
        ends = f"{self.value[0]:.4g} at t={self.t[0]:g}"
        if len(self.t) > 1:
            ends += f" to {self.value[-1]:.4g} at t={self.t[-1]:g}"
        return f"Spread({ends}; {self.objects:,} objects, {self.rows:,} summed over, {self.kind})"


def spread(
    hom: Hom,
    scales: ArrayLike,
    variance: Variance,
    rows: int | None = None,
    limit_bytes: int = LIMIT,
    level: float = 0.95,
    seed: int = 0,
) -> Spread:
    """Sum over objects p of 1 / sum_x exp(-t d(x, p)): how many different objects there are at the scale t.

    Parameters
    ----------
    hom : Hom
    scales : float or float array of shape (m,)
        t > 0.
    variance : "contravariant" for d(x, p) = hom(x, p), "covariant" for hom(p, x)
        The same where the hom is symmetric.
    rows : int, optional
        Sum over this many random objects p (each still against all x) and scale up, with an interval. Default all.
    limit_bytes : int

    Raises
    ------
    InputError
        If a scale is not positive, rows is no whole number in 2..n, or one row does not fit.

    Notes
    -----
    Willerton 2015, "Spread: a measure of the size of metric spaces": E_0, the exponential of the order-0 diversity of the
    uniform distribution. Where zeta is positive it is at most the magnitude. Each term lies in [1/n, 1]; the interval is
    Student's with the finite population correction. Cost: rows x n distances once, and as many exponentials a scale.
    Memory: blocks of ``limit_bytes``. float32 distances, float64 sums.
    """
    one_of("variance", variance, VARIANCES)
    ascending = as_scales(scales)
    count = hom.n if rows is None else int(rows)
    if hom.n == 0 or not min(2, hom.n) <= count <= hom.n:
        raise InputError(f"rows must lie in 2..{hom.n}, the number of objects; got {rows!r}.")
    points = np.sort(np.random.default_rng(seed).permutation(hom.n)[:count])
    terms, slopes = np.empty((len(ascending), count)), np.zeros(len(ascending))
    for part in _parts(count, hom.n, limit_bytes):
        distances = _toward(hom, points[part], variance)
        finite = np.isfinite(distances)
        everywhere = bool(finite.all())
        for i, t in enumerate(ascending):
            size = sizes(distances, float(t))
            if not size.any(axis=1).all():
                raise InputError("spread needs objects at a finite distance of some object, themselves or another.")
            terms[i, part] = 1 / size.sum(axis=1, dtype=np.float64)
            np.multiply(size, distances, out=size, where=True if everywhere else finite)
            slopes[i] += float(size.sum(axis=1, dtype=np.float64) @ terms[i, part] ** 2)
    scale = hom.n / count
    value = scale * terms.sum(axis=1)
    half = _half_width(terms, hom.n, level)
    return Spread(
        ascending,
        value,
        np.maximum(value - half, 1),
        np.minimum(value + half, hom.n),
        ascending * scale * slopes / value,
        hom.n,
        count,
        variance,
    )


def _parts(count: int, n: int, limit_bytes: int) -> list[slice]:
    each = n * 4 * (SCRATCH + 2)
    if each > limit_bytes:
        raise InputError(
            f"one row of {n:,} distances takes {each:,} bytes with its scratch memory, more than limit_bytes={limit_bytes:,}. "
            "Raise the limit or take fewer objects (hom.take)."
        )
    step = limit_bytes // each
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def _toward(hom: Hom, points: NDArray[np.int64], variance: Variance) -> NDArray[np.float32]:
    """Distances of shape (points, n), each row against all x."""
    if variance == "covariant" or hom.symmetric:
        return hom.distances(points, None)
    return np.ascontiguousarray(hom.distances(None, points).T)


def _half_width(terms: Floats, n: int, level: float) -> Floats:
    """Half-width of the interval of n times the mean of the terms, of shape (m, count); 0 where all were seen."""
    from scipy.special import stdtrit

    count = terms.shape[1]
    if count == n:
        return np.zeros(len(terms))
    quantile = float(stdtrit(count - 1, 0.5 + level / 2))
    return np.asarray(n * quantile * sqrt((1 - count / n) / count) * terms.std(axis=1, ddof=1))
