"""Magnitude of many objects: preconditioned conjugate gradients in blocks, and lower bounds from subsets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.hom import LIMIT, Hom
from presheaf.enriched.magnitude import DENSE, Magnitude, magnitude
from presheaf.enriched.zeta import SOLVABLE, Floats, as_scale, known_positive, sizes
from presheaf.errors import InputError

LANDMARKS = 300
"""Objects the preconditioner is made of."""
STEPS = 300
"""Conjugate gradient steps at most; each is a pass over all pairs where zeta can't be kept."""


@dataclass(frozen=True, eq=False)
class _Preconditioner:
    """P = L L' + rest I, a Nystroem approximation of zeta; ``apply`` is its inverse."""

    factor: Floats
    rest: float
    inner: Floats

    def apply(self, r: Floats) -> Floats:
        return np.asarray((r - self.factor @ (self.inner @ (self.factor.T @ r))) / self.rest)


def _preconditioner(hom: Hom, t: float, seed: int, limit_bytes: int) -> _Preconditioner:
    from scipy.linalg import LinAlgError, cholesky, solve_triangular

    k = max(1, min(LANDMARKS, hom.n, limit_bytes // (32 * hom.n)))
    points = np.sort(np.random.default_rng(seed).permutation(hom.n)[:k])
    columns = sizes(hom.columns(points, "contravariant"), t).astype(np.float64)
    # A shift keeps the Cholesky factor of equal or close landmarks from failing.
    core = columns[points] + 1e-4 * np.eye(k)
    try:
        root = cholesky(core, lower=True)
    except LinAlgError as failed:
        raise _not_positive(t) from failed
    factor = solve_triangular(root, columns.T, lower=True).T
    rest = max(1e-4, float(1 - np.einsum("ij,ij->i", factor, factor).mean()))
    return _Preconditioner(factor, rest, np.linalg.inv(rest * np.eye(k) + factor.T @ factor))


def _not_positive(t: float) -> InputError:
    return InputError(
        f"zeta is not positive at t={t:g} (it has a direction of negative size), so conjugate gradients can't be used. Solve "
        "with method='direct' on as many objects as fit (hom.take)."
    )


def iterate(hom: Hom, t: float, limit_bytes: int = LIMIT, tolerance: float = 1e-4, seed: int = 0) -> Magnitude:
    """Magnitude of a symmetric hom with positive zeta by conjugate gradients.

    Parameters
    ----------
    hom : Hom
        Symmetric.
    t : float
    limit_bytes : int
        Where zeta fits in float32 it is kept; else every step computes it again, block by block.
    tolerance : float
        Largest entry of |zeta w - 1| at which to stop.

    Returns
    -------
    Magnitude
        ``value`` is ``low``: the bound (1'w)^2 / w'zeta w in float64, which no other vector w passes beyond the magnitude
        (Meckes 2013). ``error`` is r' P^-1 r / theta with residual r, preconditioner P and the least Ritz value theta: an
        estimate of how far above it the magnitude is. The error of both is of second order in the residual, that of the
        derivative of first. ``condition`` is that of the preconditioned zeta, from below.

    Raises
    ------
    InputError
        If the hom is not symmetric, or zeta shows a negative direction.

    Notes
    -----
    The preconditioner is a Nystroem approximation from 300 random objects (Frangella, Tropp and Udell 2023). Cost: a
    product of zeta with a vector a step, at most 300 steps; one pass in float64 at the end. A zeta that is not positive can
    pass unseen: ``positive`` is True only where zeta is known to be so (``known_positive``), else None.
    """
    if not hom.symmetric or not hom.n:
        raise InputError(
            "conjugate gradients need a symmetric hom of at least one object; solve a directed one with method='direct'."
        )
    scale = as_scale(t)
    prepared = _preconditioner(hom, scale, seed, limit_bytes)
    multiply = _product(hom, scale, limit_bytes)
    w, condition, least = _conjugate(multiply, prepared, hom.n, scale, tolerance)
    del multiply
    reached, slope = _last_pass(hom, scale, w, limit_bytes)
    total, energy, rest = float(w.sum()), float(w @ reached), 1 - reached
    # The scaled weighting makes the best bound of this direction and is the better solution.
    w *= total / energy
    low, residual = total**2 / energy, float(np.abs(rest).max())
    error = float(rest @ prepared.apply(rest)) / least
    derivative = slope * (total / energy) ** 2
    return Magnitude(
        low,
        derivative,
        scale,
        hom.n,
        "conjugate gradient",
        residual < max(SOLVABLE, 10 * tolerance),
        known_positive(hom, scale) or None,
        condition,
        residual,
        error,
        low,
        w,
        w,
    )


def _product(hom: Hom, t: float, limit_bytes: int) -> Callable[[Floats], Floats]:
    """zeta times a vector, in float32."""
    n = hom.n
    if 4 * n * n > limit_bytes:

        def anew(x: Floats) -> Floats:
            out, short = np.empty(n), x.astype(np.float32)
            for rows, block in hom.blocks(limit_bytes):
                out[rows] = sizes(block, t) @ short
            return out

        return anew
    zeta = np.empty((n, n), dtype=np.float32)
    for rows, block in hom.blocks(LIMIT):
        zeta[rows] = sizes(block, t)
    return lambda x: np.asarray(zeta @ x.astype(np.float32), dtype=np.float64)


def _conjugate(
    multiply: Callable[[Floats], Floats], prepared: _Preconditioner, n: int, t: float, tolerance: float
) -> tuple[Floats, float, float]:
    """The weighting, the condition number of the preconditioned zeta and its least Ritz value."""
    w, r = np.zeros(n), np.ones(n)
    z = prepared.apply(r)
    p, product = z, float(r @ z)
    alphas: list[float] = []
    betas: list[float] = []
    for _ in range(STEPS):
        image = multiply(p)
        curvature = float(p @ image)
        if curvature <= 0:
            raise _not_positive(t)
        alphas.append(product / curvature)
        w = w + alphas[-1] * p
        r = r - alphas[-1] * image
        if np.abs(r).max() <= tolerance:
            break
        z = prepared.apply(r)
        product, before = float(r @ z), product
        betas.append(product / before)
        p = z + betas[-1] * p
    ritz = _ritz(np.array(alphas), np.array(betas[: len(alphas) - 1]))
    return w, float(ritz[-1] / ritz[0]), float(ritz[0])


def _ritz(alphas: Floats, betas: Floats) -> Floats:
    """Eigenvalues of the Lanczos matrix that conjugate gradients leave behind, ascending."""
    from scipy.linalg import eigvalsh_tridiagonal

    diagonal = 1 / alphas
    diagonal[1:] += betas / alphas[:-1]
    return np.asarray(eigvalsh_tridiagonal(diagonal, np.sqrt(betas) / alphas[:-1]))


def _last_pass(hom: Hom, t: float, w: Floats, limit_bytes: int) -> tuple[Floats, float]:
    """zeta w in float64, and w' (D zeta) w."""
    out, slope = np.empty(hom.n), 0.0
    for rows, block in hom.blocks(limit_bytes, np.float64):
        zeta = sizes(block, t)
        out[rows] = zeta @ w
        np.multiply(zeta, block, out=zeta, where=np.isfinite(block))
        slope += float(w[rows] @ (zeta @ w))
    return out, slope


@dataclass(frozen=True)
class LowerBound:
    """A lower bound of the magnitude of many objects: the magnitude of some of them.

    Attributes
    ----------
    low : float
    subset : Magnitude
        Of the sampled objects, solved directly.
    objects : int
        All objects.
    kind : "proof" where zeta is known to be positive (``zeta.known_positive``), else "heuristic"
    """

    low: float
    subset: Magnitude
    objects: int
    kind: str
    chosen: NDArray[Any] = field(repr=False, compare=False)


def magnitude_lower_bound(hom: Hom, t: float, limit_bytes: int = LIMIT, seed: int = 0) -> LowerBound:
    """Magnitude of as many random objects as can be solved for within ``limit_bytes``: at most that of all, if zeta is positive.

    Notes
    -----
    Magnitude is monotone among spaces with positive zeta (Leinster 2013). Cost: m^3 / 3 for m objects,
    whatever n.
    """
    m = min(hom.n, int((limit_bytes / (8 * DENSE)) ** 0.5))
    chosen = np.sort(np.random.default_rng(seed).permutation(hom.n)[:m])
    found = magnitude(hom.take(chosen), t, limit_bytes, "direct")
    return LowerBound(found.value, found, hom.n, "proof" if known_positive(hom, t) else "heuristic", chosen)
