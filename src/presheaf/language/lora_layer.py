"""What a change did to one weight matrix: its rank, the directions it brought in, and the bounds it has to keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.language.lora_factors import Change, LowRank, Matrix, gauge_fixed, principal_angles

THRESHOLD = 0.5
"""A leading singular vector of the changed matrix is an intruder when no singular vector of the base comes closer than
this cosine."""
LEADING = 16
"""How many leading singular vectors of the changed matrix are looked at (never fewer than the adapter's rank)."""


@dataclass(frozen=True, eq=False)
class Intruder:
    """A leading singular vector of the changed matrix that resembles none of the base's.

    Attributes
    ----------
    position : int
        From 0, the strongest.
    cosine : float
        Absolute cosine with the nearest left singular vector of the base.
    value : float
        Its singular value.
    left, right : arrays of shape (out,), (in,)
    """

    position: int
    cosine: float
    value: float
    left: NDArray[np.float64]
    right: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LayerChange:
    """One weight matrix before and after.

    Attributes
    ----------
    name : str
    change : Change
        In gauge-fixed form: rank, stable rank, entropy rank, norm.
    relative : float
        ||change||_F / ||base||_F.
    rank_before, rank_after : int
        Numerical ranks. Equal ranks make the two isomorphic as linear maps, which is nearly always so.
    intruders : tuple of Intruder
    leading : int
        How many leading singular vectors were looked at.
    null_intruders : float
        Mean number of intruders when the change keeps its singular values and its directions are drawn at random.
    angles : array of shape (leading,)
        Principal angles in radians between the leading left singular subspaces before and after. Unlike intruders they
        are not moved by singular vectors that only mix among themselves.
    inside : float
        Share of the change's squared norm that writes into the base's leading left singular subspace.
    inside_chance : float
        The same for directions drawn at random: leading / out.
    weyl : float
        By how much the singular values break their bound, as a share of the largest; above rounding (1e-10) the base is
        not the one the adapter was made for, or the arithmetic is wrong. For a change of rank r the bound is
        s_{i+r}(W) <= s_i(W + D) <= s_{i-r}(W); for one of full rank it is |s_i(W + D) - s_i(W)| <= s_1(D) (Weyl).
    """

    name: str
    change: Change
    relative: float
    rank_before: int
    rank_after: int
    intruders: tuple[Intruder, ...]
    leading: int
    null_intruders: float
    angles: NDArray[np.float64]
    inside: float
    inside_chance: float
    weyl: float


def layer_change(
    name: str,
    base: Matrix,
    change: LowRank | Matrix,
    *,
    threshold: float = THRESHOLD,
    leading: int = LEADING,
    null_draws: int = 1,
    seed: int = 0,
) -> LayerChange:
    """Audit the change of one matrix. Intruder dimensions are those of Shuttleworth et al. (arXiv 2410.21228).

    Parameters
    ----------
    base : array of shape (out, in)
    change : LowRank, or array of shape (out, in)
    threshold : float
        Largest cosine an intruder may have with the base's singular vectors.
    leading : int
        Singular vectors of the changed matrix that are looked at; raised to the rank of a low-rank change.
    null_draws : int
        Random changes with the same singular values; 0 leaves the null out (NaN).

    Notes
    -----
    Cost: 2 + null_draws singular value decompositions, out x in x min(out, in) each.
    """
    fixed = gauge_fixed(change)
    left, values, _ = np.linalg.svd(base, full_matrices=False)
    after = base + (change.left @ change.right if isinstance(change, LowRank) else change)
    left_after, values_after, right_after = np.linalg.svd(after, full_matrices=False)
    looked = min(max(leading, fixed.rank if isinstance(change, LowRank) else 0), len(values))
    nearest = _nearest(left, left_after, looked)
    found = tuple(
        Intruder(int(i), float(nearest[i]), float(values_after[i]), left_after[:, i].copy(), right_after[i].copy())
        for i in np.flatnonzero(nearest < threshold)
        if values_after[i] > 0
    )
    norm = float(np.sqrt(np.sum(values**2)))
    written = left[:, :looked].T @ (fixed.left * fixed.values)
    rng = np.random.default_rng(seed)
    counts = [
        np.sum(_nearest(left, _random_leading(base, fixed, looked, rng), looked) < threshold) for _ in range(null_draws)
    ]
    return LayerChange(
        name,
        fixed,
        fixed.norm / norm if norm else float("inf") if fixed.norm else 0.0,
        _rank(values, base.shape),
        _rank(values_after, base.shape),
        found,
        looked,
        float(np.mean(counts)) if counts else float("nan"),
        principal_angles(left[:, :looked], left_after[:, :looked]),
        float(np.sum(written**2)) / fixed.norm**2 if fixed.norm else float("nan"),
        looked / base.shape[0],
        weyl_excess(values, values_after, fixed.values),
    )


def weyl_excess(before: Matrix, after: Matrix, change: Matrix) -> float:
    """By how much singular values of W and W + D break Weyl's bounds, as a share of the largest of all; 0 when kept.

    Parameters
    ----------
    before, after : arrays of shape (k,), descending
        All singular values of W and of W + D.
    change : array of shape (r,), descending
        The singular values of D that are not 0.
    """
    count, rank = len(before), len(change)
    largest = max([0.0, *before[:1], *after[:1], *change[:1]])
    if largest == 0:
        return 0.0
    worst = float(np.max(np.abs(after - before) - (change[0] if rank else 0.0), initial=0.0))
    if rank < count:
        worst = max(worst, float(np.max(before[rank:] - after[: count - rank], initial=0.0)))
        worst = max(worst, float(np.max(after[rank:] - before[: count - rank], initial=0.0)))
    return float(max(0.0, worst) / largest)


def _nearest(base: Matrix, vectors: Matrix, looked: int) -> Matrix:
    """Absolute cosine of each leading column of ``vectors`` with the nearest column of ``base``."""
    return np.asarray(np.abs(base.T @ vectors[:, :looked]).max(axis=0))


def _random_leading(base: Matrix, change: Change, looked: int, rng: np.random.Generator) -> Matrix:
    """Leading left singular vectors after a change with these singular values and random directions."""
    if not change.rank:
        return np.linalg.svd(base, full_matrices=False)[0][:, :looked]
    left, _ = np.linalg.qr(rng.standard_normal((base.shape[0], change.rank)))
    right, _ = np.linalg.qr(rng.standard_normal((base.shape[1], change.rank)))
    return np.linalg.svd(base + (left * change.values) @ right.T, full_matrices=False)[0][:, :looked]


def _rank(values: Matrix, shape: tuple[int, ...]) -> int:
    return int(np.sum(values > (values[0] if len(values) else 0) * np.finfo(np.float64).eps * max(shape)))
