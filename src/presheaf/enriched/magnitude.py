"""Magnitude: how many objects a hom effectively tells apart at a scale t, by inclusion and exclusion of sizes exp(-t d)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from presheaf.enriched.construct import hom_from_distances, square_matrix
from presheaf.enriched.hom import LIMIT, Hom
from presheaf.enriched.quantale import COST
from presheaf.enriched.zeta import SOLVABLE, Floats, Method, Weightings, as_scale, as_scales, sizes, solve
from presheaf.errors import InputError

DENSE = 4
"""Float64 arrays of n x n that solving directly can need."""


@dataclass(frozen=True)
class Magnitude:
    """Magnitude of a hom at a scale.

    Attributes
    ----------
    value : float
        Sum of the weighting. Negative or above n is possible where zeta is not positive; see ``defined``.
    derivative : float
        d value / d t; nan where only sizes were given.
    t : float
        The scale: sizes are exp(-t d).
    objects : int
    method : "Cholesky", "LU", "pseudo-inverse" or "conjugate gradient"
    defined : bool
        Whether both weightings exist. Where not, ``value`` is the sum of the pseudo-inverse, which extends magnitude.
    positive : bool or None
        Whether zeta is symmetric without negative eigenvalues, as far as was seen; None where it is not symmetric.
    condition : float
        Estimate of zeta's condition number: in the 1-norm, or by Ritz values from below with conjugate gradients.
    residual : float
        Largest entry of |zeta w - 1| (and of |v zeta - 1|).
    error : float
        How far ``value`` may be off by the residual, to first order; with conjugate gradients an estimate.
    low : float
        Lower bound of the magnitude, (1'w)^2 / w'zeta w, valid where zeta is positive; else nan.
    weighting, coweighting : float arrays of shape (n,)
    """

    value: float
    derivative: float
    t: float
    objects: int
    method: Method
    defined: bool
    positive: bool | None
    condition: float
    residual: float
    error: float
    low: float
    weighting: Floats = field(repr=False, compare=False)
    coweighting: Floats = field(repr=False, compare=False)

    @property
    def dimension(self) -> float:
        """d ln value / d ln t, the instantaneous magnitude dimension; nan where the value is not positive."""
        return self.t * self.derivative / self.value if self.value > 0 else float("nan")

    @property
    def kind(self) -> Literal["proof", "estimate"]:
        """``proof`` where solved directly (to rounding, see ``error``), else ``estimate`` (``low`` is proven where zeta is positive)."""
        return "estimate" if self.method == "conjugate gradient" else "proof"

    def __repr__(self) -> str:
        exists = "" if self.defined else " (no weighting exists: sum of the pseudo-inverse)"
        return (
            f"Magnitude({self.value:.6g}{exists} of {self.objects:,} objects at t={self.t:g}; {self.method}, "
            f"condition {self.condition:.2g}, residual {self.residual:.1g}, error {self.error:.1g}, "
            f"dimension {self.dimension:.3g})"
        )


def magnitude(
    hom: Hom | ArrayLike,
    t: float,
    limit_bytes: int = LIMIT,
    method: Literal["direct", "iterative"] | None = None,
    tolerance: float = 1e-4,
) -> Magnitude:
    """Magnitude of a hom, or of a matrix of distances D[x, y] of shape (n, n), at the scale t.

    Parameters
    ----------
    hom : Hom or float array of shape (n, n)
        Distances d >= 0, inf allowed, of size exp(-t d). Directed distances have the same magnitude in both variances.
    t : float
    limit_bytes : int
        Where 4 n^2 float64 fit, the equations are solved directly; else by conjugate gradients, in blocks.
    method : "direct" or "iterative", optional
        Decides otherwise.
    tolerance : float
        Largest residual at which conjugate gradients stop.

    Raises
    ------
    InputError
        If t is no scale, the direct way does not fit, or the iterative way meets a hom that is not symmetric or a zeta
        that is not positive.

    Notes
    -----
    Leinster 2013, "The magnitude of metric spaces"; the sum of the pseudo-inverse where no weighting exists follows Chen
    and Vigneaux 2023. Cost: n^3 / 3 (symmetric and positive), 2 n^3 / 3 (directed), or see ``iterate``.
    """
    scale = as_scale(t)
    given = hom if isinstance(hom, Hom) else hom_from_distances(hom, COST)
    need = DENSE * 8 * given.n**2
    if method not in (None, "direct", "iterative"):
        raise InputError(f"method must be 'direct', 'iterative' or None; got {method!r}.")
    if method == "iterative" or (method is None and need > limit_bytes and given.symmetric):
        from presheaf.enriched.iterate import iterate

        return iterate(given, scale, limit_bytes, tolerance)
    if need > limit_bytes:
        raise InputError(
            f"solving for {given.n:,} objects takes {need:,} bytes, more than limit_bytes={limit_bytes:,}. Raise the limit, "
            "take fewer objects (hom.take), or ask for spread, which needs no equations"
            + ("; or say method='iterative'." if given.symmetric else ". Conjugate gradients need a symmetric hom.")
        )
    return _at(given.dense(limit_bytes), given.symmetric, scale)


def zeta_magnitude(zeta: ArrayLike) -> Magnitude:
    """Magnitude of a matrix of sizes: of hom cardinalities (Euler characteristic of a finite category), or of a kernel.

    Parameters
    ----------
    zeta : float array of shape (n, n)
        zeta[x, y], the size of hom(x, y), finite.

    Returns
    -------
    Magnitude
        At t = 1, without derivative.

    Raises
    ------
    InputError
        If it is no square matrix of finite numbers.

    Notes
    -----
    Leinster 2008, "The Euler characteristic of a category". Cost as ``magnitude``.
    """
    array = square_matrix(zeta, "zeta").astype(np.float64)
    if not np.isfinite(array).all():
        raise InputError("zeta must hold finite numbers; got nan or inf.")
    found = solve(array, bool(np.array_equal(array, array.T)))
    return _result(found, array @ found.weighting, 1.0, float("nan"))


def magnitude_function(hom: Hom | ArrayLike, scales: ArrayLike, limit_bytes: int = LIMIT) -> tuple[Magnitude, ...]:
    """Magnitude at several scales, ascending; see ``magnitude``. Distances are computed once where solved directly.

    The results hold their weightings: n numbers a scale. Cost: that of ``magnitude`` for each scale.
    """
    ascending = as_scales(scales)
    given = hom if isinstance(hom, Hom) else hom_from_distances(hom, COST)
    if (DENSE + 1) * 8 * given.n**2 > limit_bytes:
        return tuple(magnitude(given, float(t), limit_bytes) for t in ascending)
    distances = given.dense(limit_bytes)
    return tuple(_at(distances, given.symmetric, float(t)) for t in ascending)


def _at(distances: Floats, symmetric: bool, t: float) -> Magnitude:
    zeta = sizes(distances, t)
    found = solve(zeta, symmetric)
    reached = zeta @ found.weighting
    # d zeta / d t = -D zeta elementwise, 0 where D is infinite.
    np.multiply(zeta, distances, out=zeta, where=np.isfinite(distances))
    return _result(found, reached, t, float(found.coweighting @ zeta @ found.weighting))


def _result(found: Weightings, reached: Floats, t: float, derivative: float) -> Magnitude:
    w, v = found.weighting, found.coweighting
    total = float(w.sum())
    energy = float(w @ reached)
    return Magnitude(
        total,
        derivative,
        t,
        len(w),
        found.method,
        found.residual < SOLVABLE,
        found.positive,
        found.condition,
        found.residual,
        float(np.abs(v).sum()) * found.residual,
        total**2 / energy if found.positive and energy > 0 else float("nan"),
        w,
        v,
    )
