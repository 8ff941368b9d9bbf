"""Two homs on the same objects: neighbours kept, order of distances kept, objects most changed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.distortion import Distortion, distortion
from presheaf.enriched.hom import LIMIT, Direction, Hom
from presheaf.enriched.ustatistics import bounded_interval
from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

REFERENCES = 1000
"""Objects that distances are ranked to and averaged over."""


@dataclass(frozen=True)
class HomChange:
    """What differs between two homs on the same objects.

    Attributes
    ----------
    distortion : Distortion
        The first hom is the source.
    k : int
    kept : Interval
        Share of each object's k nearest others that are the same in both.
    chance : float
        What unrelated homs keep: k / (n - 1).
    order : Interval
        Spearman's correlation of an object's distances to the reference objects before and after, mean over objects;
        0 for unrelated homs.
    kept_by_object, order_by_object, moved_by_object : float64 arrays of shape (n,)
        Share of neighbours kept; correlation (nan where distances are all equal); mean |D_C - D_B| to the references.
    before, after : int64 arrays of shape (n, k)
        The neighbours themselves, nearest first.
    references : int64 array of shape (m,)
        The reference objects.
    """

    distortion: Distortion
    k: int
    kept: Interval
    chance: float
    order: Interval
    kept_by_object: Floats = field(repr=False)
    order_by_object: Floats = field(repr=False)
    moved_by_object: Floats = field(repr=False)
    before: Ints = field(repr=False)
    after: Ints = field(repr=False)
    references: Ints = field(repr=False)

    def __repr__(self) -> str:
        return (
            f"HomChange({len(self.kept_by_object):,} objects: {self.kept.value:.3f} [{self.kept.low:.3f}, {self.kept.high:.3f}] of "
            f"{self.k} neighbours kept (chance {self.chance:.4f}), order {self.order.value:.3f}, {self.distortion})"
        )


def compare_homs(
    before: Hom,
    after: Hom,
    k: int,
    direction: Direction,
    scaled: tuple[Hom, Hom] | None = None,
    scored: ArrayLike | None = None,
    references: int = REFERENCES,
    seed: int = 0,
    limit_bytes: int = LIMIT,
) -> HomChange:
    """Compare two homs on the same objects in the same order.

    Parameters
    ----------
    before, after : Hom
        Neighbours and order of distances need no common scale: quantales may differ here if ``scaled`` is given.
    k : int
        Neighbours looked at, 1 <= k < n.
    direction : "contravariant", "covariant" or "both"
        Which distances make a neighbour; see ``presheaf.enriched.search``.
    scaled : (Hom, Hom), optional
        The two homs on a common scale (``presheaf.enriched.calibration``), for the distortion and the change an object.
    scored : int array, optional
        Objects on which the distortion is measured, when a scale was fitted on the others; all by default.
    references : int
        Random objects that distances are ranked to.

    Raises
    ------
    InputError
        If the homs have different numbers of objects, or fewer than 3.

    Notes
    -----
    A function of the homs alone: rotated features give the same. Intervals are t over objects, with the neighbourhoods
    and references as they are. Cost: n^2 distances of both homs for the neighbours, n x references for the rest.
    """
    if before.n != after.n or before.n < 3:
        raise InputError(f"both homs must be on the same 3 objects or more; got {before.n} and {after.n}.")
    first, second = scaled if scaled is not None else (before, after)
    pairs = None if scored is None else np.stack([np.asarray(scored)] * 2, axis=1)
    changed = distortion(first, second, pairs, seed=seed, limit_bytes=limit_bytes)
    near = before.nearest(k, direction, limit_bytes)[0]
    now = after.nearest(k, direction, limit_bytes)[0]
    kept = shared(near, now)
    chosen = np.sort(np.random.default_rng(seed).permutation(before.n)[:references])
    order, moved = order_and_change(first, second, chosen, limit_bytes)
    n = before.n
    return HomChange(
        changed,
        k,
        over_objects(kept, 0.0, 1.0),
        k / (n - 1),
        over_objects(order, -1.0, 1.0),
        kept,
        order,
        moved,
        near,
        now,
        chosen,
    )


def shared(first: Ints, second: Ints) -> Floats:
    """Share of each row's entries that the other's row holds, for rows of distinct objects of shape (n, k). Shape (n,)."""
    n, k = first.shape
    width = int(max(first.max(initial=0), second.max(initial=0))) + 1
    rows = np.arange(n)[:, None] * width
    return np.asarray(np.isin(first + rows, second + rows).sum(axis=1) / k)


def over_objects(values: Floats, low: float, high: float) -> Interval:
    """Mean of one number an object (nan left out), t interval cut to [low, high]."""
    seen = values[np.isfinite(values)]
    if not len(seen):
        return Interval(float("nan"), low, high, 0, 0.0, "no values")
    value = float(seen.mean())
    ends = bounded_interval(seen, value, low, high)
    return Interval(value, *ends, len(seen), float(len(seen)), "t over objects")


def order_and_change(first: Hom, second: Hom, references: Ints, limit_bytes: int = LIMIT) -> tuple[Floats, Floats]:
    """Rank correlation and mean absolute change of each object's distances to the references, itself left out.

    Returns
    -------
    order, moved : float64 arrays of shape (n,)
        Spearman's correlation (nan where the distances are all equal), and the mean of |D_first - D_second|.
    """
    from scipy.stats import rankdata

    n = first.n
    order, moved = np.empty(n), np.empty(n)
    step = max(1, limit_bytes // (len(references) * 8 * 12))
    for start in range(0, n, step):
        part = np.arange(start, min(start + step, n))
        a = first.distances(part, references, np.float64)
        b = second.distances(part, references, np.float64)
        itself = part[:, None] == references
        with np.errstate(invalid="ignore"):
            gap = np.abs(a - b)
        gap[np.isnan(gap) | itself] = 0
        moved[part] = gap.sum(axis=1) / np.maximum(1, (~itself).sum(axis=1))
        # The object itself comes first in both orders, which shifts all other ranks alike.
        a, b = (rankdata(np.where(itself, -1.0, d), axis=1) for d in (a, b))
        order[part] = _correlation(a, b, ~itself)
    return order, moved


def _correlation(u: Floats, v: Floats, used: NDArray[np.bool_]) -> Floats:
    """Pearson's correlation of each row over the entries in use; nan where a row is constant."""
    count = used.sum(axis=1, keepdims=True)
    u, v = (np.where(used, w - (w * used).sum(axis=1, keepdims=True) / count, 0) for w in (u, v))
    size = np.sqrt(np.einsum("ij,ij->i", u, u) * np.einsum("ij,ij->i", v, v))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(size > 0, np.einsum("ij,ij->i", u, v) / size, np.nan)
