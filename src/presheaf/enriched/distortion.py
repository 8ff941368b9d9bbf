"""By how much a map of objects misses keeping the hom: distances it loses and distances it adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.hom import LIMIT, Hom
from presheaf.enriched.ustatistics import disjoint_tuples, jackknife, per_object, quantile_interval
from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Part = Callable[[Floats], Floats]

EXACT = 2000
"""Up to this many paired objects all ordered pairs are looked at (4 million)."""
PAIRS = 400_000
"""About how many pairs are sampled above that."""


@dataclass(frozen=True)
class Side:
    """One direction in which distances differ, over ordered pairs of distinct objects, in distances.

    Attributes
    ----------
    mean : Interval
        Jackknife over objects.
    q95, q99 : Interval
        Quantiles, with binomial order statistics of disjoint pairs.
    largest : float
        Largest seen; a sample says nothing of larger ones.
    """

    mean: Interval
    q95: Interval
    q99: Interval
    largest: float

    def __repr__(self) -> str:
        return (
            f"Side(mean {self.mean.value:.3g} [{self.mean.low:.3g}, {self.mean.high:.3g}], 95 % {self.q95.value:.3g}, "
            f"99 % {self.q99.value:.3g}, max {self.largest:.3g})"
        )


@dataclass(frozen=True)
class Distortion:
    """How a map F of objects changes distances.

    Attributes
    ----------
    full : Side
        (D_C(x, y) - D_B(Fx, Fy))^+: closeness that the target adds. 0 everywhere: nothing is pulled together.
    functor : Side
        (D_B(Fx, Fy) - D_C(x, y))^+: closeness that is lost. 0 everywhere: F is a functor (nonexpansive).
    either : Side
        |D_C(x, y) - D_B(Fx, Fy)|.
    size : float
        Mean of the finite distances in the source, to compare with.
    objects, pairs : int
    exact : bool
        Whether all ordered pairs were looked at: then values are facts about these objects; intervals speak of further ones.
    """

    full: Side
    functor: Side
    either: Side
    size: float
    objects: int
    pairs: int
    exact: bool

    @property
    def kind(self) -> str:
        """``proof`` where every pair was looked at (of these objects), else ``estimate``."""
        return "proof" if self.exact else "estimate"

    def keeps_homs(self, tolerance: float) -> bool:
        """Whether no pair looked at differs by more than ``tolerance``: F is full and faithful on these objects."""
        return self.either.largest <= tolerance

    def __repr__(self) -> str:
        seen = "all" if self.exact else "sampled"
        return (
            f"Distortion({self.objects:,} objects, {self.pairs:,} pairs ({seen}): full {self.full}, functor {self.functor}, "
            f"mean distance {self.size:.3g})"
        )


def distortion(
    source: Hom,
    target: Hom,
    pairs: ArrayLike | None = None,
    exact_up_to: int = EXACT,
    samples: int = PAIRS,
    level: float = 0.95,
    seed: int = 0,
    limit_bytes: int = LIMIT,
) -> Distortion:
    """Full and functor distortion of a map given by pairs of objects.

    Parameters
    ----------
    source, target : Hom
        In the same quantale, or else made comparable first (``presheaf.enriched.calibration``).
    pairs : int array of shape (m, 2), optional
        (x, Fx). Left out, both homs are on the same objects in the same order.
    exact_up_to : int
        Paired objects up to which all m (m - 1) ordered pairs are looked at.
    samples : int
        About how many pairs are sampled otherwise, in random partitions of the objects.

    Raises
    ------
    InputError
        If quantales differ, there are fewer than 2 pairs, or ``pairs`` is not of that shape.

    Notes
    -----
    Both sides are 0 iff F is full and faithful on these objects, which is what the transfer theorem asks of F (Yuan 2022,
    "On the Power of Foundation Models", structural learning). Float64. Cost: m^2 distances of both homs when exact (and
    8 m^2 bytes for the quantiles), else linear in ``samples``. inf - inf counts as 0.
    """
    same_quantale(source, target)
    given = as_pairs(source, target, pairs)
    m = len(given)
    exact = m <= exact_up_to and m * m * 8 <= limit_bytes
    sample = disjoint_tuples(m, 2, 1 if exact else max(1, -(-samples // (m // 2))), np.random.default_rng(seed))
    changed, size = _all(source, target, given, limit_bytes) if exact else _some(source, target, given, sample)
    seen = _Seen(changed, None if exact else sample, _some(source, target, given, sample[: m // 2])[0], m)
    full, functor, either = (_side(seen, part, level) for part in (_lost, _added, np.abs))
    return Distortion(full, functor, either, size, m, m * (m - 1) if exact else len(changed), exact)


def as_pairs(source: Hom, target: Hom, pairs: ArrayLike | None) -> Ints:
    """Pairs (x, Fx) as an int64 array of shape (m, 2), checked. See ``distortion``."""
    if pairs is None:
        if source.n != target.n:
            raise InputError(
                f"without pairs both homs must be on the same objects; got {source.n} and {target.n}. Give pairs of shape (m, 2)."
            )
        numbers = np.arange(source.n)
        given = np.stack([numbers, numbers], axis=1)
    else:
        given = np.asarray(pairs)
    if given.ndim != 2 or given.shape[1] != 2 or given.dtype.kind not in "iu":
        raise InputError(
            f"pairs must be whole numbers (object, its image) of shape (m, 2); got shape {given.shape} of {given.dtype}."
        )
    if len(given) < 2:
        raise InputError(f"a map needs at least 2 pairs to compare homs; got {len(given)}.")
    for column, hom, side in ((0, source, "source"), (1, target, "target")):
        if given[:, column].min() < 0 or given[:, column].max() >= hom.n:
            raise InputError(
                f"objects of the {side} must lie in 0..{hom.n - 1}; got {given[:, column].min()}..{given[:, column].max()}."
            )
    return given.astype(np.int64)


def same_quantale(source: Hom, target: Hom) -> None:
    """Raise InputError where distances of two homs mean different things."""
    if source.quantale.name != target.quantale.name:
        raise InputError(
            f"distances of {source.quantale.name} and {target.quantale.name} can't be compared as they are. Use homs of one "
            "quantale, or fit a scale on anchors (presheaf.enriched.calibration)."
        )


def _lost(changed: Floats) -> Floats:
    return np.asarray(np.maximum(-changed, 0))


def _added(changed: Floats) -> Floats:
    return np.asarray(np.maximum(changed, 0))


@dataclass(frozen=True, eq=False)
class _Seen:
    """Changes of distances: of all pairs as an (n, n) matrix, or of a sample of shape (m,); and of disjoint pairs."""

    changed: Floats
    sample: Ints | None
    disjoint: Floats
    n: int

    def values(self, part: Part) -> Floats:
        """Of all pairs of distinct objects, shape (m,)."""
        kept = part(self.changed)
        return kept if self.sample is not None else np.asarray(kept[~np.eye(self.n, dtype=bool)])

    def per_object(self, part: Part) -> Floats:
        """Each object's mean over the pairs that hold it, shape (n,)."""
        kept = part(self.changed)
        if self.sample is not None:
            return per_object(kept, self.sample, self.n)
        return np.asarray((kept.sum(axis=0) + kept.sum(axis=1)) / (2 * (self.n - 1)))


def _side(seen: _Seen, part: Part, level: float) -> Side:
    values, first = seen.values(part), part(seen.disjoint)
    value, half = float(values.mean()), len(first)
    if np.isfinite(value):
        low, high = jackknife(seen.per_object(part), value, 2, level)
        mean = Interval(value, max(0.0, low), high, len(values), half, "jackknife over objects")
    else:
        mean = Interval(value, 0.0, np.inf, len(values), half, "infinite changes")
    q95, q99 = (float(q) for q in np.quantile(values, [0.95, 0.99], method="inverted_cdf"))
    return Side(
        mean,
        quantile_interval(q95, first, 0.95, len(values), level),
        quantile_interval(q99, first, 0.99, len(values), level),
        float(values.max()),
    )


def _some(source: Hom, target: Hom, pairs: Ints, sample: Ints) -> tuple[Floats, float]:
    """Changes of the sampled pairs, shape (m,), and the mean of the finite distances before."""
    x, y = pairs[sample[:, 0]], pairs[sample[:, 1]]
    before = source.pairs(x[:, 0], y[:, 0])
    return _difference(before, target.pairs(x[:, 1], y[:, 1])), _finite_mean(before)


def _all(source: Hom, target: Hom, pairs: Ints, limit_bytes: int) -> tuple[Floats, float]:
    """Changes of all pairs, shape (n, n) with 0 on the diagonal, and the mean of the finite distances before."""
    near, far = source.take(pairs[:, 0]), target.take(pairs[:, 1])
    changed = np.empty((near.n, near.n))
    total, count = 0.0, 0
    for rows, before in near.blocks(limit_bytes, np.float64):
        changed[rows] = _difference(before, far.distances(rows, None, np.float64))
        own = np.arange(rows.start, rows.stop)
        before[own - rows.start, own] = np.inf
        finite = before[np.isfinite(before)]
        total, count = total + float(finite.sum()), count + finite.size
    np.fill_diagonal(changed, 0)
    return changed, total / count if count else float("inf")


def _difference(before: NDArray[Any], after: NDArray[Any]) -> Floats:
    """after - before with inf - inf = 0."""
    with np.errstate(invalid="ignore"):
        changed = np.asarray(after - before)
    return np.where(np.isnan(changed), 0.0, changed)


def _finite_mean(distances: Floats) -> float:
    finite = distances[np.isfinite(distances)]
    return float(finite.mean()) if finite.size else float("inf")
