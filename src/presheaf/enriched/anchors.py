"""Anchors: objects seen through their distances to a few, and sets of anchors that tell all objects apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.evidence import candidate_objects
from presheaf.enriched.hom import LIMIT, Hom, Variance
from presheaf.errors import InputError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NODES = 100_000
"""Nodes of the branch and bound after which an exact search gives up and says so."""


@dataclass(frozen=True)
class ResolvingSet:
    """Anchors that tell objects apart by the distances to them.

    Attributes
    ----------
    anchors : int64 array of shape (k,)
        In the order chosen.
    lower : int
        No set of fewer anchors does the same. Equal to k: this one is a smallest.
    unresolved : int
        Pairs of objects that no candidate tells apart (equal to the hom, or nearer than the tolerance sees).
    tolerance : float
        Distances must differ by more than this.
    objects : int
    variance : str
    """

    anchors: Ints = field(repr=False)
    lower: int
    unresolved: int
    tolerance: float
    objects: int
    variance: str

    @property
    def smallest(self) -> bool:
        """Whether no smaller set exists: then the number of anchors is the metric dimension (up to ``unresolved``)."""
        return len(self.anchors) == self.lower

    @property
    def kind(self) -> str:
        """``proof`` where the set is shown to be a smallest, else ``heuristic`` (``lower`` is a proof all the same)."""
        return "proof" if self.smallest else "heuristic"

    def __repr__(self) -> str:
        size = f"{len(self.anchors)} anchors" + ("" if self.smallest else f" (at least {self.lower} are needed)")
        left = f", {self.unresolved:,} pairs unresolved" if self.unresolved else ""
        return f"ResolvingSet({size} for {self.objects:,} objects, {self.variance}, tolerance {self.tolerance:g}{left})"


def relative_representation(hom: Hom, anchors: ArrayLike, variance: Variance) -> NDArray[np.float32]:
    """Every object as its distances to (contravariant: hom(x, a)) or from (covariant: hom(a, x)) the anchors.

    The Yoneda embedding restricted to the anchors; with cosines for distances, the relative representation of Moschella
    et al. 2023. It tells all objects apart iff the anchors resolve the hom.

    Returns
    -------
    float32 array of shape (n, anchors). Cost: so many distances.
    """
    return hom.columns(anchors, variance)


def resolving_set(
    hom: Hom,
    variance: Variance,
    tolerance: float = 0.0,
    candidates: ArrayLike | None = None,
    exact: bool = False,
    limit_bytes: int = LIMIT,
) -> ResolvingSet:
    """Few anchors whose distances tell every object from every other.

    Parameters
    ----------
    hom : Hom
    variance : "contravariant" (distances hom(x, a)) or "covariant" (hom(a, x))
    tolerance : float
        Two objects are told apart by an anchor where its distances differ by more than this. With 0 almost any anchor
        resolves continuous features: name what is above the noise of the model.
    candidates : int array, optional
        Objects that may be anchors; all by default.
    exact : bool
        Search for a smallest set (the metric dimension) instead of taking the best anchor again and again. Exponential in
        the worst case; for some hundred objects.
    limit_bytes : int
        For the distances to all candidates and the pairs still to be told apart.

    Raises
    ------
    InputError
        If that takes more memory, the tolerance is negative, or the candidates are not distinct objects.

    Notes
    -----
    Greedy set cover: at most H(s) times the smallest set, H(s) <= 1 + ln s the harmonic number of the most pairs one
    anchor separates (Chvatal 1979); s < n^2 / 2. Exact: integer linear program of the same cover, by branch and bound.
    Float64. Cost: n^2 / 2 comparisons a candidate for the first anchor, later only of the pairs left.
    """
    if not tolerance >= 0:
        raise InputError(f"tolerance must be a distance >= 0; got {tolerance!r}.")
    chosen = candidate_objects(hom.n, candidates, np.arange(hom.n))
    need = hom.n * (len(chosen) + hom.n) * 8
    if need > limit_bytes:
        raise InputError(
            f"resolving {hom.n:,} objects with {len(chosen):,} candidates takes {need:,} bytes, more than "
            f"limit_bytes={limit_bytes:,}. Name fewer candidates, take a sample (hom.take), or raise the limit."
        )
    distances = hom.columns(chosen, variance, np.float64)
    pairs = np.stack(np.triu_indices(hom.n, 1)).astype(np.int32)
    found, lower, left = _greedy(distances, pairs, tolerance)
    if exact and len(found) > lower:
        found, lower = _smallest(distances, pairs, tolerance, found, lower, limit_bytes)
    return ResolvingSet(chosen[found], lower, left, float(tolerance), hom.n, variance)


def _separated(distances: Floats, pairs: NDArray[np.int32], tolerance: float) -> NDArray[np.bool_]:
    """Whether each candidate tells each pair apart, shape (pairs, candidates). inf and inf are the same."""
    first, second = distances[pairs[0]], distances[pairs[1]]
    if tolerance == 0:
        return np.asarray(first != second)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(first - second) > tolerance)


def _counts(distances: Floats, pairs: NDArray[np.int32], tolerance: float) -> Ints:
    """How many of the pairs each candidate tells apart."""
    count = np.zeros(distances.shape[1], dtype=np.int64)
    step = max(1, (1 << 21) // distances.shape[1])
    for start in range(0, pairs.shape[1], step):
        count += np.count_nonzero(_separated(distances, pairs[:, start : start + step], tolerance), axis=0)
    return count


def _greedy(distances: Floats, pairs: NDArray[np.int32], tolerance: float) -> tuple[Ints, int, int]:
    """Columns chosen, a lower bound for any cover, and how many pairs no column tells apart."""
    found: list[int] = []
    most = 0
    while pairs.shape[1]:
        count = _counts(distances, pairs, tolerance)
        best = int(np.argmax(count))
        if count[best] == 0:
            break
        most = max(most, int(count[best]))
        found.append(best)
        pairs = pairs[:, ~_separated(distances[:, [best]], pairs, tolerance)[:, 0]]
    harmonic = np.sum(1 / np.arange(1, min(most, 10**6) + 1)) + max(0.0, float(np.log(max(most, 1) / 10**6)))
    # A bound on the harmonic number from above keeps the bound on the cover valid.
    lower = min(len(found), max(1, ceil(len(found) / harmonic - 1e-9))) if found else 0
    return np.array(found, dtype=np.int64), lower, pairs.shape[1]


def _smallest(
    distances: Floats, pairs: NDArray[np.int32], tolerance: float, found: Ints, lower: int, limit_bytes: int
) -> tuple[Ints, int]:
    """The least cover by an integer program, or the greedy one with a better bound where the search is cut short."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    rows = _distinct(distances, pairs, tolerance, limit_bytes)
    if not len(rows):
        return found, lower
    cover = LinearConstraint(csr_array(rows.astype(np.float64)), lb=1.0)
    each = np.ones(distances.shape[1])
    answer: Any = milp(
        each, constraints=cover, integrality=each, bounds=Bounds(0, 1), options={"node_limit": NODES, "mip_rel_gap": 0}
    )
    if answer.mip_dual_bound is not None and np.isfinite(answer.mip_dual_bound):
        lower = max(lower, ceil(answer.mip_dual_bound - 1e-6))
    if answer.x is None:
        return found, lower
    better = np.flatnonzero(answer.x > 0.5)
    covers = rows[:, better].any(axis=1).all()
    return (better.astype(np.int64), lower) if covers and len(better) <= len(found) else (found, lower)


def _distinct(distances: Floats, pairs: NDArray[np.int32], tolerance: float, limit_bytes: int) -> NDArray[np.bool_]:
    """Which candidates tell a pair apart, one row for each distinct answer that is not empty."""
    width = distances.shape[1]
    packed = np.zeros((0, -(-width // 8)), dtype=np.uint8)
    step = max(1, (1 << 21) // width)
    for start in range(0, pairs.shape[1], step):
        block = _separated(distances, pairs[:, start : start + step], tolerance)
        packed = np.unique(np.concatenate([packed, np.packbits(block[block.any(axis=1)], axis=1)]), axis=0)
        if len(packed) * width * 16 > limit_bytes:
            raise InputError(
                f"an exact search over {len(packed):,} kinds of pairs and {width:,} candidates takes more than "
                f"limit_bytes={limit_bytes:,}. Take fewer objects (hom.take), or exact=False."
            )
    return np.unpackbits(packed, axis=1, count=width).astype(bool)
