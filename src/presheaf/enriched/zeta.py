"""The zeta matrix of a hom, and the equations that make its magnitude: zeta w = 1 and v zeta = 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.hom import Hom
from presheaf.enriched.quantale import ANGLE, FUZZY_MIN, LUKASIEWICZ, PROBABILITY, SPHERE
from presheaf.errors import InputError

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Method = Literal["Cholesky", "LU", "pseudo-inverse", "conjugate gradient"]

SOLVABLE = 1e-6
"""A weighting exists if the least-squares solution leaves less than this of the equations, whose right side is 1."""


@dataclass(frozen=True, eq=False)
class Weightings:
    """Solutions of zeta w = 1 and v zeta = 1.

    Attributes
    ----------
    weighting, coweighting : float arrays of shape (n,)
        The same array where zeta is symmetric.
    method : str
    condition : float
        Estimate of zeta's condition number in the 1-norm; inf where it is singular, nan where not estimated.
    positive : bool or None
        Whether zeta is symmetric without a negative eigenvalue, to rounding; None where it is not symmetric.
    residual : float
        Largest entry of |zeta w - 1| and |v zeta - 1|.
    """

    weighting: Floats
    coweighting: Floats
    method: Method
    condition: float
    positive: bool | None
    residual: float


def as_scale(t: float) -> float:
    """A scale, a finite number > 0.

    Raises
    ------
    InputError
        If it is none.
    """
    if not (np.isfinite(t) and t > 0):
        raise InputError(f"the scale t must be a finite number > 0; got {t!r}.")
    return float(t)


def as_scales(t: ArrayLike) -> Floats:
    """Distinct scales in ascending order, shape (m,).

    Raises
    ------
    InputError
        If one is no finite number > 0, or there is none.
    """
    scales = np.unique(np.atleast_1d(np.asarray(t, dtype=np.float64)))
    if scales.ndim != 1 or not len(scales) or not (np.isfinite(scales).all() and scales[0] > 0):
        raise InputError(f"scales must be finite numbers > 0, at least one; got {t!r}.")
    return scales


def sizes(distances: Array, t: float) -> Array:
    """exp(-t d) elementwise, 0 at infinite distance."""
    return np.asarray(np.exp(-t * distances))


def known_positive(hom: Hom, t: float) -> bool:
    """Whether the sizes exp(-t d) are known to form a positive semidefinite matrix.

    Notes
    -----
    From values K that are positive semidefinite with unit diagonal: angles between vectors are of negative type (Gangolli 1967), so
    exp(-t arccos K) is positive for all t (Schoenberg 1938); exp(-t (1 - K)) = exp(-t) exp(t K) is so by its power series, and
    K^t for whole t (Schur 1911). False says only that it is not known.
    """
    if not hom.positive_definite:
        return False
    if hom.quantale in (ANGLE, SPHERE, LUKASIEWICZ, FUZZY_MIN):
        return True
    return hom.quantale is PROBABILITY and float(t).is_integer()


def solve(zeta: Floats, symmetric: bool) -> Weightings:
    """Both weightings of a zeta matrix of shape (n, n), which is left as it is.

    Notes
    -----
    Cholesky where zeta is symmetric and positive definite, else LU with partial pivoting; where the condition number is
    beyond 1 / (n eps), the Moore-Penrose pseudo-inverse (symmetric: by eigenvalues, else by singular values, those
    below n eps times the largest being 0), whose rows' sums are the least-squares weightings of least norm. Identical
    objects are solved for once and share their weight. Cost: n^3 / 3, 2 n^3 / 3, or some 10 n^3. Memory: n^2 float64
    beside zeta, twice that for the pseudo-inverse.
    """
    if not len(zeta):
        return Weightings(np.zeros(0), np.zeros(0), "Cholesky", 1.0, True, 0.0)
    first, group, size = identical(zeta, symmetric)
    if len(first) < len(zeta):
        part = _regular(np.ascontiguousarray(zeta[np.ix_(first, first)]), symmetric)
        if part is not None:
            w = part.weighting[group] / size[group]
            v = w if symmetric else part.coweighting[group] / size[group]
            return Weightings(w, v, part.method, np.inf, part.positive, part.residual)
    else:
        whole = _regular(zeta, symmetric)
        if whole is not None:
            return whole
    return _pseudo(zeta, symmetric)


def _regular(zeta: Floats, symmetric: bool) -> Weightings | None:
    found = _cholesky(zeta) if symmetric else None
    return _lu(zeta, symmetric) if found is None else found


def identical(zeta: Floats, symmetric: bool) -> tuple[Ints, Ints, Floats]:
    """Objects at size 1 of each other with equal rows and columns, to rounding: isomorphic ones.

    Returns
    -------
    first : int array of shape (k,)
        One object of each group.
    group : int array of shape (n,)
    size : float array of shape (k,)
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(zeta)
    one = zeta == 1
    if not symmetric:
        one &= one.T
    np.fill_diagonal(one, False)
    i, j = np.nonzero(one)
    del one
    count, label = connected_components(coo_array((np.ones(len(i), bool), (i, j)), shape=(n, n)), directed=False)
    _, first, group, size = np.unique(label, return_index=True, return_inverse=True, return_counts=True)
    extra = np.setdiff1d(np.arange(n), first, assume_unique=True)
    likeness = first[group[extra]]
    if count < n and _same(zeta[extra], zeta[likeness]) and (symmetric or _same(zeta[:, extra], zeta[:, likeness])):
        return first.astype(np.int64), group.astype(np.int64), size.astype(np.float64)
    return np.arange(n), np.arange(n), np.ones(n)


def _same(a: Floats, b: Floats) -> bool:
    return bool(np.abs(a - b).max(initial=0.0) <= 4 * np.finfo(np.float64).eps)


def _norm(zeta: Floats) -> float:
    """Largest sum of a column."""
    return float(np.linalg.norm(zeta, 1))


def _limit(n: int) -> float:
    """Condition number from which float64 leaves no digit."""
    return 1 / (n * float(np.finfo(np.float64).eps))


def _cholesky(zeta: Floats) -> Weightings | None:
    """None where zeta is not positive definite by a margin that float64 can see."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve
    from scipy.linalg.lapack import dpocon

    n = len(zeta)
    try:
        factor, lower = cho_factor(zeta, lower=True, check_finite=False)
    except LinAlgError:
        return None
    reciprocal, _ = dpocon(factor, _norm(zeta), uplo="L")
    if reciprocal * _limit(n) < 1:
        return None
    w = cho_solve((factor, lower), np.ones(n), check_finite=False)
    w += cho_solve((factor, lower), 1 - zeta @ w, check_finite=False)
    return Weightings(w, w, "Cholesky", 1 / reciprocal, True, float(np.abs(zeta @ w - 1).max()))


def _lu(zeta: Floats, symmetric: bool) -> Weightings | None:
    """None where zeta is singular to float64."""
    from scipy.linalg.lapack import dgecon, dgetrf, dgetrs

    n = len(zeta)
    factor, pivots, singular = dgetrf(zeta)
    reciprocal = dgecon(factor, _norm(zeta), norm="1")[0] if singular == 0 else 0.0
    if reciprocal * _limit(n) < 1:
        return None

    def answer(transposed: int) -> Floats:
        matrix = zeta.T if transposed else zeta
        x, _ = dgetrs(factor, pivots, np.ones(n), trans=transposed)
        correction, _ = dgetrs(factor, pivots, 1 - matrix @ x, trans=transposed)
        return np.asarray(x + correction)

    w = answer(0)
    v = w if symmetric else answer(1)
    return Weightings(w, v, "LU", 1 / reciprocal, False if symmetric else None, _residual(zeta, w, v))


def _pseudo(zeta: Floats, symmetric: bool) -> Weightings:
    from scipy.linalg import eigh, svd

    n = len(zeta)
    ones = np.ones(n)
    positive: bool | None
    if symmetric:
        values, vectors = eigh(zeta, check_finite=False)
        kept = np.abs(values) > np.abs(values).max(initial=0.0) / _limit(n)
        w = v = vectors[:, kept] @ ((vectors[:, kept].T @ ones) / values[kept])
        positive = bool((values[kept] > 0).all())
    else:
        positive = None
        left, singular, right = svd(zeta, check_finite=False)
        kept = singular > singular.max(initial=0.0) / _limit(n)
        w = right[kept].T @ ((left[:, kept].T @ ones) / singular[kept])
        v = left[:, kept] @ ((right[kept] @ ones) / singular[kept])
    return Weightings(w, v, "pseudo-inverse", np.inf, positive, _residual(zeta, w, v))


def _residual(zeta: Floats, w: Floats, v: Floats) -> float:
    right = float(np.abs(zeta @ w - 1).max(initial=0.0))
    return right if v is w else max(right, float(np.abs(v @ zeta - 1).max(initial=0.0)))
