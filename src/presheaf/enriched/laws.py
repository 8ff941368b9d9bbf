"""Does the hom keep the laws of a category, and by how much does it miss them?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.hom import Hom
from presheaf.enriched.quantale import Quantale, excess
from presheaf.enriched.ustatistics import (
    disjoint_tuples,
    hoeffding,
    jackknife,
    per_object,
    quantile_interval,
    share_interval,
)
from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

EXACT = 300
"""Up to this many objects all ordered triples are looked at (27 million)."""
TRIPLES = 100_000
"""Triples sampled above that."""
SLAB = 1 << 22
"""Triples held at once in the exact count."""


@dataclass(frozen=True)
class Laws:
    """Defects of a hom, in its distances, over ordered triples and pairs of distinct objects.

    Intervals say what to expect of further objects drawn like these. ``share`` and ``mean`` have a jackknife over objects;
    ``share_bound`` is Hoeffding's for a U-statistic, wider and valid for every distribution.

    Attributes
    ----------
    hom : str
    quantale : str
    objects, triples : int
    exact : bool
        Whether all ordered triples were looked at: then the values are facts about these objects (``proof``), else estimates.
    tolerance : float
        Defects up to it count as rounding.
    identity : float
        Largest distance of hom(x, x) from the unit.
    share : Interval
        Share of triples with D(x, z) above D(x, y) (+) D(y, z).
    share_bound : (low, high)
    mean : Interval
        Mean defect; where distances are bounded, with Hoeffding's interval.
    q95, q99 : Interval
        Quantiles of the defect.
    largest : float
        Largest defect seen; a sample says nothing of larger ones.
    infinite : float
        Share of triples whose defect is infinite; mean and quantiles are then infinite as well.
    symmetry : Interval
        Mean |D - D'| / mean D over pairs with finite distances.
    floor : float or None
        With ``noise``: the 99 % quantile of what noise alone puts on the excess of a triple.
    above_floor : Interval or None
        With ``noise``: share of triples whose defect passes the floor in both measurements.
    """

    hom: str
    quantale: str
    objects: int
    triples: int
    exact: bool
    tolerance: float
    identity: float
    share: Interval
    share_bound: tuple[float, float]
    mean: Interval
    q95: Interval
    q99: Interval
    largest: float
    infinite: float
    symmetry: Interval
    floor: float | None = None
    above_floor: Interval | None = None

    @property
    def kind(self) -> str:
        """``proof`` where every triple was looked at (of these objects), else ``estimate``."""
        return "proof" if self.exact else "estimate"

    @property
    def kept(self) -> bool:
        """Whether no identity and no triple looked at is off by more than the tolerance."""
        return self.identity <= self.tolerance and self.largest <= self.tolerance

    def __repr__(self) -> str:
        seen = "all" if self.exact else "sampled"
        noise = (
            "" if self.above_floor is None else f", {self.above_floor.value:.2%} above the noise floor {self.floor:.3g}"
        )
        return (
            f"Laws({self.hom} in {self.quantale}, {self.objects:,} objects, {self.triples:,} triples ({seen}): "
            f"{self.share.value:.2%} [{self.share.low:.2%}, {self.share.high:.2%}] broken{noise}, mean {self.mean.value:.3g}, "
            f"95 % {self.q95.value:.3g}, 99 % {self.q99.value:.3g}, max {self.largest:.3g}; identity {self.identity:.3g}, "
            f"symmetry {self.symmetry.value:.3g})"
        )


def laws(
    hom: Hom,
    tolerance: float = 1e-6,
    noise: Hom | None = None,
    exact_up_to: int = EXACT,
    triples: int = TRIPLES,
    level: float = 0.95,
    seed: int = 0,
) -> Laws:
    """Measure the defects of identity, composition and symmetry.

    Parameters
    ----------
    hom : Hom
        At least 3 objects.
    tolerance : float
        In distances.
    noise : Hom, optional
        A second measurement of the same objects in the same order (other augmentations, wordings, seeds): what differs
        between the two is noise.
    exact_up_to : int
        Objects up to which every ordered triple is looked at.
    triples : int
        About how many are sampled otherwise, in random partitions of the objects into disjoint triples.

    Raises
    ------
    InputError
        If there are fewer than 3 objects, or ``noise`` has another number of them.

    Notes
    -----
    Cost: n^3 additions when exact, else linear in ``triples`` times the cost of a pair. Memory when exact: n^3 float32
    (108 MB for 300 objects). Distances are float64.
    """
    if hom.n < 3:
        raise InputError(f"laws need at least 3 objects; got {hom.n}.")
    if noise is not None and noise.n != hom.n:
        raise InputError(f"noise must measure the same {hom.n} objects; got {noise.n}.")
    rng = np.random.default_rng(seed)
    n, exact = hom.n, hom.n <= exact_up_to
    # An exact count needs a sample only for what has to be independent: one partition, or a whole sample for the noise.
    rounds = 1 if exact and noise is None else max(1, -(-triples // (n // 3)))
    sample = disjoint_tuples(n, 3, rounds, rng)
    excesses = signed_excess(hom, sample)
    first = np.maximum(excesses[: n // 3], 0)
    if exact:
        defects, contributions, broken = _all_triples(hom, tolerance)
    else:
        defects = np.maximum(excesses, 0)
        contributions, broken = (per_object(v, sample, n) for v in (defects, defects > tolerance))
    count = len(defects)
    share = float(np.mean(defects > tolerance))
    q95, q99 = (float(q) for q in np.quantile(defects, [0.95, 0.99], method="inverted_cdf"))
    floor, above = _noise(noise, sample, excesses, level) if noise is not None else (None, None)
    return Laws(
        hom.name,
        hom.quantale.name,
        n,
        count,
        exact,
        tolerance,
        float(hom.pairs(np.arange(n), np.arange(n)).max()),
        share_interval(share, broken, first > tolerance, count, n, level, not exact),
        hoeffding(share, n, 3, level),
        _mean_interval(defects, contributions, n, hom.quantale.cap, level),
        quantile_interval(q95, first, 0.95, count, level),
        quantile_interval(q99, first, 0.99, count, level),
        float(defects.max()),
        float(np.mean(np.isinf(defects))),
        symmetry_defect(hom, level=level, seed=seed),
        floor,
        above,
    )


def signed_excess(hom: Hom, triples: Ints) -> Floats:
    """D(x, z) - D(x, y) (+) D(y, z) for triples (x, y, z) of shape (m, 3); inf - inf counts as 0. Float64, shape (m,)."""
    x, y, z = triples.T
    direct, around = hom.pairs(x, z), hom.quantale.add(hom.pairs(x, y), hom.pairs(y, z))
    with np.errstate(invalid="ignore"):
        difference = direct - around
    return np.where(np.isnan(difference), 0.0, difference)


def _all_triples(hom: Hom, tolerance: float) -> tuple[NDArray[np.float32], Floats, Floats]:
    """Defects of all ordered triples of distinct objects, and each object's mean defect and share of broken triples."""
    n = hom.n
    distances = hom.dense(n * n * 8)
    parts = []
    total, broken = np.zeros(n), np.zeros(n)
    for middle, defect, distinct in _slabs(distances, hom.quantale):
        bad = (defect > tolerance) & distinct
        for kept, sums in ((np.where(distinct, defect, 0), total), (bad, broken)):
            sums += kept.sum(axis=(0, 2)) + kept.sum(axis=(0, 1))
            sums[middle] += kept.sum(axis=(1, 2))
        parts.append(defect[distinct].astype(np.float32))
    each = 3 * (n - 1) * (n - 2)
    return np.concatenate(parts), total / each, broken / each


def _slabs(distances: Floats, quantale: Quantale) -> Iterator[tuple[slice, Floats, NDArray[np.bool_]]]:
    """Defects [y, x, z] for runs of middle objects y, and which of them are of distinct objects."""
    n = len(distances)
    numbers = np.arange(n)
    step = max(1, SLAB // (n * n))
    for start in range(0, n, step):
        middle = slice(start, min(start + step, n))
        around = quantale.add(distances.T[middle, :, None], distances[middle, None, :])
        y = numbers[middle, None, None]
        distinct = (y != numbers[:, None]) & (y != numbers) & (numbers[:, None] != numbers)
        yield middle, excess(distances, around), distinct


def _mean_interval(defects: NDArray[Any], contributions: Floats, n: int, cap: float, level: float) -> Interval:
    value = float(defects.mean(dtype=np.float64))
    if not np.isfinite(value):
        return Interval(value, 0.0, np.inf, len(defects), n // 3, "infinite defects")
    if np.isfinite(cap):
        return Interval(value, *hoeffding(value, n, 3, level, cap), len(defects), n // 3, "Hoeffding, U-statistic")
    low, high = jackknife(contributions, value, 3, level)
    return Interval(value, max(0.0, low), high, len(defects), n // 3, "jackknife over objects")


def symmetry_defect(hom: Hom, pairs: int = TRIPLES, level: float = 0.95, seed: int = 0) -> Interval:
    """Mean |D[x, y] - D[y, x]| over mean D, on pairs of distinct objects with both distances finite.

    0 is symmetric, 2 is one-way. Sampled in random partitions of the objects into pairs; jackknife over objects of the
    ratio. A hom that is symmetric by construction has 0. Cost: linear in ``pairs``.
    """
    n = hom.n
    if hom.symmetric:
        return Interval(0.0, 0.0, 0.0, n * (n - 1) // 2, float(n // 2), "symmetric by construction")
    sample = disjoint_tuples(n, 2, max(1, -(-min(pairs, n * (n - 1)) // (n // 2))), np.random.default_rng(seed))
    forward, backward = hom.pairs(*sample.T), hom.pairs(*sample.T[::-1])
    finite = np.isfinite(forward) & np.isfinite(backward)
    size = (forward[finite] + backward[finite]) / 2
    if not finite.any() or size.mean() == 0:
        return Interval(float("nan"), 0.0, 2.0, int(finite.sum()), 0.0, "no finite distances above 0")
    gap = np.abs(forward[finite] - backward[finite])
    ratio = float(gap.mean() / size.mean())
    low, high = jackknife(per_object((gap - ratio * size) / size.mean(), sample[finite], n), ratio, 2, level)
    return Interval(ratio, max(0.0, low), min(2.0, high), len(gap), float(n // 2), "jackknife over objects")


def _noise(noise: Hom, sample: Ints, excesses: Floats, level: float) -> tuple[float, Interval]:
    """Noise floor of the excess, and the share of triples above it in both measurements."""
    again = signed_excess(noise, sample)
    with np.errstate(invalid="ignore"):
        spread = np.abs(excesses - again) / np.sqrt(2)
    floor = float(np.quantile(np.where(np.isnan(spread), 0.0, spread), 0.99, method="inverted_cdf"))
    both = (excesses > floor) & (again > floor)
    first = both[: noise.n // 3]
    return floor, share_interval(
        float(both.mean()), per_object(both, sample, noise.n), first, len(both), noise.n, level, True
    )
