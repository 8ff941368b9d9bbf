"""The Kan sandwich Ran <= T <= Lan: what labelled anchors and the hom alone say about a presheaf elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.hom import LIMIT, VARIANCES, Hom, Variance
from presheaf.enriched.quantale import Quantale, as_numbers, excess
from presheaf.enriched.to_anchors import anchor_blocks, as_objects
from presheaf.enriched.vertex_cover import least_cover
from presheaf.errors import InputError, one_of
from presheaf.statistics.intervals import Interval, accuracy_interval

Array = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PAIR_BYTES = 64
"""Memory a contradiction needs, with what finding a cover takes."""
ROUNDING = 1e-9
"""Distances that differ by less, relative to their size, are the same."""


@dataclass(frozen=True, eq=False)
class Sandwich:
    """Bounds on a presheaf at objects, in distances.

    Attributes
    ----------
    objects : int64 array of shape (m,)
    lower, upper : float64 arrays of shape (m,)
        Ran and Lan. For a lawful hom every presheaf with the anchors' values lies between them, and both are such presheaves.
    defect : float
        By how much the anchors' own values miss being a presheaf; above 0 no presheaf has them.
    anchors : int
    """

    objects: Ints = field(repr=False)
    lower: Floats = field(repr=False)
    upper: Floats = field(repr=False)
    defect: float
    anchors: int

    @property
    def gap(self) -> Floats:
        """Lan - Ran: what the anchors leave undetermined; negative where they contradict each other. Shape (m,)."""
        return np.asarray(excess(self.upper, self.lower) - excess(self.lower, self.upper))

    @property
    def crossed(self) -> NDArray[np.bool_]:
        """Where Ran > Lan: no value agrees with the anchors. Shape (m,)."""
        return np.asarray(self.lower > self.upper + _slack(self.upper))

    def holds(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Whether values at the objects lie within the bounds, up to rounding. Shape (m,)."""
        given = as_numbers(values, "values")
        if given.shape != self.lower.shape:
            raise InputError(f"values must be one for each of {len(self.lower)} objects; got shape {given.shape}.")
        slack = _slack(given)
        return np.asarray((self.lower - slack <= given) & (given <= self.upper + slack))

    def __repr__(self) -> str:
        gap = self.gap
        middle = f"{np.median(gap):.3g}" if len(gap) else "none"
        return (
            f"Sandwich({len(gap):,} objects from {self.anchors:,} anchors: median gap {middle}, "
            f"{int(self.crossed.sum()):,} contradicted, anchors' defect {self.defect:.3g})"
        )


def _slack(values: Floats) -> Floats:
    return np.where(np.isfinite(values), ROUNDING * (1 + np.abs(values)), 0.0)


def kan_sandwich(
    hom: Hom,
    anchors: ArrayLike,
    values: ArrayLike,
    variance: Variance,
    objects: ArrayLike | None = None,
    limit_bytes: int = LIMIT,
) -> Sandwich:
    """Left and right Kan extension of a presheaf from anchors to objects.

    Parameters
    ----------
    hom : Hom
    anchors : int array of shape (a,)
    values : float array of shape (a,)
        T at the anchors, in distances of the hom's quantale: 0 where the label holds fully.
    variance : "contravariant" for T(x) <= D[x, y] (+) T(y), "covariant" for T(y) <= D[x, y] (+) T(x)
    objects : int array of shape (m,), optional
        Default: all.
    limit_bytes : int
        For a block.

    Raises
    ------
    InputError
        If the values are no distances of the quantale.

    Notes
    -----
    Contravariant: Lan(x) = min_a D[x, a] (+) T(a) and Ran(x) = max_a of the least r with D[a, x] (+) r >= T(a), which is
    (T(a) - D[a, x])^+ where distances add (theory's oracle 10; McShane 1934, Whitney 1934). Cost: twice m x a distances
    (once if symmetric), and a x a for the defect, in float64.
    """
    chosen, given = _anchored(hom, anchors, values, variance)
    targets = as_objects(hom, objects, "objects")
    lower, upper = np.empty(len(targets)), np.empty(len(targets))
    for part, forward, backward in _both_ways(hom, targets, chosen, variance, limit_bytes):
        lower[part], upper[part] = _extend(hom.quantale, forward, backward, given)
    return Sandwich(targets, lower, upper, _defect(hom, chosen, given, variance, limit_bytes), len(chosen))


def bagged_sandwich(
    hom: Hom,
    anchors: ArrayLike,
    values: ArrayLike,
    variance: Variance,
    objects: ArrayLike | None = None,
    bags: int = 25,
    share: float = 0.3,
    seed: int = 0,
    limit_bytes: int = LIMIT,
) -> Sandwich:
    """The sandwich that most of many random subsets of the anchors agree on: medians of Ran and of Lan.

    One wrong anchor is in ``share`` of the bags only and so can't move the median; the price is a wider gap.

    Parameters
    ----------
    bags : int
    share : float
        Of the anchors in each bag, in (0, 1/2).

    Other parameters as for ``kan_sandwich``.

    Notes
    -----
    Presheaves are closed under minima and maxima, so medians of presheaves (of an odd number) are presheaves. The bounds
    hold for a share of bags, not for every presheaf: a heuristic against label noise. Cost: as ``kan_sandwich``, plus
    ``bags`` x share looks at each distance.
    """
    chosen, given = _anchored(hom, anchors, values, variance)
    if bags < 1 or bags % 2 == 0 or not 0 < share < 0.5:
        raise InputError(f"bagging needs an odd number of bags and a share in (0, 0.5); got {bags!r} and {share!r}.")
    targets = as_objects(hom, objects, "objects")
    rng = np.random.default_rng(seed)
    size = max(1, round(share * len(chosen)))
    subsets = [np.sort(rng.permutation(len(chosen))[:size]) for _ in range(bags)]
    lower, upper = np.empty(len(targets)), np.empty(len(targets))
    for part, forward, backward in _both_ways(hom, targets, chosen, variance, limit_bytes):
        ends = [_extend(hom.quantale, forward[:, s], backward[:, s], given[s]) for s in subsets]
        lower[part], upper[part] = np.median(np.array(ends), axis=0)
    return Sandwich(targets, lower, upper, _defect(hom, chosen, given, variance, limit_bytes), len(chosen))


def trimmed_anchors(
    hom: Hom, anchors: ArrayLike, values: ArrayLike, variance: Variance, limit_bytes: int = LIMIT, seed: int = 0
) -> NDArray[np.bool_]:
    """Which anchors to keep so that their values fit a presheaf: a small vertex cover of the contradictions is removed.

    Returns
    -------
    bool array of shape (a,)
        Use as ``anchors[kept], values[kept]``.

    Raises
    ------
    InputError
        If the contradictions take more than ``limit_bytes``.

    Notes
    -----
    Anchors a, b contradict when T(a) > D[a, b] (+) T(b). Cost: a x a distances in float64
    blocks, and one matching among the contradictions, which are held in memory.
    """
    chosen, given = _anchored(hom, anchors, values, variance)
    first, second, count = [], [], 0
    for part, block in anchor_blocks(hom, chosen, chosen, variance, limit_bytes):
        allowed = hom.quantale.add(block, given)
        i, j = np.nonzero(given[part, None] > allowed + _slack(allowed))
        count += len(i)
        if count * PAIR_BYTES > limit_bytes:
            raise InputError(
                f"more than {count:,} pairs of anchors contradict each other, which takes more than limit_bytes={limit_bytes:,}. "
                "The values hardly fit this hom; use fewer anchors, bagged_sandwich, or raise the limit."
            )
        first.append(i + part.start)
        second.append(j)
    i, j = np.concatenate(first), np.concatenate(second)
    apart = i != j
    return ~least_cover(len(chosen), i[apart], j[apart], None, seed).members


@dataclass(frozen=True)
class Coverage:
    """How often held-out truth lies inside the sandwich, beside the same with truths shuffled.

    Attributes
    ----------
    inside : Interval
        A share well below 1 says that T is no presheaf for this hom (or that anchors are wrong).
    shuffled : Interval
        With the truths permuted: near ``inside`` the bounds are too wide to say anything.
    gap : float
        Median gap.
    """

    inside: Interval
    shuffled: Interval
    gap: float

    @property
    def kind(self) -> str:
        return "estimate"


def coverage(sandwich: Sandwich, truth: ArrayLike, level: float = 0.95, seed: int = 0) -> Coverage:
    """Coverage of the truth at a sandwich's objects, which should not be anchors. Cost: linear.

    Parameters
    ----------
    sandwich : Sandwich
    truth : float array of shape (m,)
        In distances.
    """
    inside = sandwich.holds(truth)
    shuffled = sandwich.holds(np.random.default_rng(seed).permutation(as_numbers(truth, "truth")))
    gap = float(np.median(sandwich.gap)) if len(inside) else float("nan")
    return Coverage(accuracy_interval(inside, level=level), accuracy_interval(shuffled, level=level), gap)


def _anchored(hom: Hom, anchors: ArrayLike, values: ArrayLike, variance: Variance) -> tuple[Ints, Floats]:
    one_of("variance", variance, VARIANCES)
    chosen = as_objects(hom, anchors, "anchors")
    given = as_numbers(values, "values")
    if given.shape != chosen.shape or not ((given >= 0) & (given <= hom.quantale.cap * (1 + 1e-6))).all():
        raise InputError(
            f"values must be one distance in [0, {hom.quantale.cap:g}] for each of {len(chosen)} anchors; got shape "
            f"{given.shape}. Use quantale.distance to turn values into distances."
        )
    return chosen, np.minimum(given, hom.quantale.cap)


def _both_ways(
    hom: Hom, objects: Ints, anchors: Ints, variance: Variance, limit_bytes: int
) -> Iterator[tuple[slice, Floats, Floats]]:
    """Blocks of the distances that bound T(x) from above, and of those that bound it from below."""
    other: Variance = "covariant" if variance == "contravariant" else "contravariant"
    for part, forward in anchor_blocks(hom, objects, anchors, variance, limit_bytes):
        if hom.symmetric:
            yield part, forward, forward
        else:
            ((_, backward),) = anchor_blocks(hom, objects[part], anchors, other, limit_bytes)
            yield part, forward, backward


def _extend(quantale: Quantale, forward: Floats, backward: Floats, values: Floats) -> tuple[Floats, Floats]:
    return quantale.residual(backward, values).max(axis=1), quantale.add(forward, values).min(axis=1)


def _defect(hom: Hom, anchors: Ints, values: Floats, variance: Variance, limit_bytes: int) -> float:
    worst = 0.0
    for part, block in anchor_blocks(hom, anchors, anchors, variance, limit_bytes):
        worst = max(worst, float(excess(values[part, None], hom.quantale.add(block, values)).max(initial=0.0)))
    return worst
