"""Is a model ideal for a pretext task? How far its hom is from the task's, and whether by merging or by inventing closeness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.hom import LIMIT, SCRATCH, VARIANCES, Hom, Variance
from presheaf.enriched.ustatistics import bounded_interval
from presheaf.errors import InputError, one_of
from presheaf.statistics.intervals import Interval

Array = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Normalise = Literal["rows", "none"]

GROUPS = 20
"""Groups of objects left out in turn for the intervals."""
LEAST_UNITS = 4
"""With fewer nothing can be said of further ones."""
TOLERANCE = 1e-9
"""Two rows of the external hom that differ by less are the same; also of two features' distance."""


@dataclass(frozen=True)
class Ideality:
    """I(f), split, with delete-a-group jackknife intervals over objects.

    Attributes
    ----------
    value : Interval
        Mean |k_f - Hom| over ordered pairs of different objects; with normalised rows the mean total variation between
        them (half the sum of the absolute differences of a row), in [0, 1].
    merges : Interval
        The part where k_f exceeds Hom on pairs that the model merges although their rows of Hom differ.
    invented : Interval
        The part where k_f exceeds Hom on other pairs.
    lost : Interval
        The part where Hom exceeds k_f. The three sum to ``value``.
    merged : Interval
        Share of objects that the model merges with one whose row of Hom differs: f is not faithful there.
    null : float array of shape (repeats,) or shorter
        ``value`` with the objects of the external hom shuffled; a shuffle that leaves no row to compare is left out.
    normalise : "rows" or "none"
    objects : int
    skipped : int
        Objects left out because their row sums to nothing in one of the homs, where nothing can be normalised.
    """

    value: Interval
    merges: Interval
    invented: Interval
    lost: Interval
    merged: Interval
    null: Floats
    normalise: str
    objects: int
    skipped: int

    @property
    def kind(self) -> str:
        return "estimate"

    @property
    def p(self) -> float:
        """Share of shuffles at least as near as the model, the model counted as one."""
        return float((1 + np.sum(self.null <= self.value.value)) / (len(self.null) + 1))

    def __repr__(self) -> str:
        v = self.value
        null = f"{self.null.mean():.3g}" if len(self.null) else "not measured"
        return (
            f"Ideality({v.value:.3g} [{v.low:.3g}, {v.high:.3g}], shuffled {null}: merges {self.merges.value:.3g}, invented "
            f"{self.invented.value:.3g}, lost {self.lost.value:.3g}; {self.merged.value:.1%} of {self.objects:,} objects merged)"
        )


def ideality(
    model: Hom,
    external: Hom,
    variance: Variance,
    normalise: Normalise,
    repeats: int = 19,
    level: float = 0.95,
    seed: int = 0,
    limit_bytes: int = LIMIT,
    units: Ints | None = None,
) -> Ideality:
    """How far k_f(f x, f y) is from an external Hom(x, y), on objects the model was not trained on.

    Parameters
    ----------
    model : Hom
        k_f on n held-out objects; its values must be numbers in [0, 1] (PROBABILITY, ANGLE, LUKASIEWICZ...).
    external : Hom
        The pretext task's hom on the same objects in the same order (positive-pair weights, an augmentation graph, counts).
    variance : "contravariant" compares the rows hom(-, x), "covariant" hom(x, -)
    normalise : "rows" or "none"
        "rows" divides every row by its sum over the other objects: the optimum of a contrastive loss is the row-normalised
        Hom. "none" compares the values themselves.
    repeats : int
        Shuffles for the null.
    limit_bytes : int
        For a block.
    units : int array of shape (n,), optional
        What was drawn at random, where that is not single objects: views of one image are one unit. Objects of one unit depend
        on each other, so they are left out together; intervals of single objects would be too short.

    Raises
    ------
    InputError
        If the homs differ in size or take values outside [0, 1], or all rows sum to nothing.

    Notes
    -----
    Ideal means I = 0 for a k_f fixed in advance; ``model.fitted`` counts what was not. Merged pairs are those at distance 0 of
    the model (up to 1e-9, both directions), and where hom(x, x) is not 1, as with inner products, those with equal rows.
    Whether their rows of Hom differ is decided by a random linear function of the rows, with 1 on the diagonal as the identity
    law asks; different rows agree in it with probability 0. Intervals: each of 20 groups of objects (of units) is left out in
    turn, rows normalised anew (Student's t). Fewer than four units give [0, 1]. Cost: (2 + repeats) n^2 values of both homs and
    20 n^2 comparisons, in float64 blocks.
    """
    _check(model, external, variance, normalise)
    n = model.n
    rng = np.random.default_rng(seed)
    group, count = groups_of(n, units, rng)
    merge = _merged_classes(model, external, variance, rng, limit_bytes)
    left = group if count >= LEAST_UNITS else None
    whole, without, usable = _sums(model, external, variance, normalise, merge, left, limit_bytes)
    if not (usable and np.isfinite(without).all()):
        raise InputError("no row of the homs has any weight on other objects, so rows can't be normalised.")
    nulls = []
    for _ in range(repeats):
        shuffled = external.take(rng.permutation(n))
        total, _, rows = _sums(model, shuffled, variance, normalise, merge, None, limit_bytes)
        if rows:  # homs with few arrows may be left without a common row
            nulls.append(total.sum())
    merged = _with_other_row(merge)
    keep = ~np.eye(int(group.max()) + 1, dtype=bool)[group]
    share = (keep * merged[:, None]).sum(axis=0) / np.maximum(1, keep.sum(axis=0))
    left_out = np.column_stack([without.sum(axis=1), without, share[: len(without)]])
    values = [float(whole.sum()), *(float(w) for w in whole), float(merged.mean())]
    value, merges, invented, lost, hit = (
        _jackknife(v, column, n, count, level) for v, column in zip(values, left_out.T, strict=True)
    )
    return Ideality(value, merges, invented, lost, hit, np.array(nulls), normalise, n, n - usable)


def groups_of(n: int, units: Ints | None, rng: np.random.Generator) -> tuple[Ints, int]:
    """The group of each of n objects, units kept together and spread at random over at most `GROUPS`; and how many units there are.

    Raises
    ------
    InputError
        If there is not one unit for each object.
    """
    own = np.arange(n) if units is None else np.asarray(units)
    if own.shape != (n,):
        raise InputError(f"'units' must be one number for each of {n} objects; got shape {own.shape}.")
    names, member = np.unique(own, return_inverse=True)
    count = len(names)
    return rng.permutation(np.arange(count) % max(1, min(GROUPS, count // 2)))[member], count


def _check(model: Hom, external: Hom, variance: str, normalise: str) -> None:
    one_of("variance", variance, VARIANCES)
    one_of("normalise", normalise, ("rows", "none"))
    if model.n != external.n or model.n < 4:
        raise InputError(f"both homs must be on the same 4 or more objects; got {model.n} and {external.n}.")
    for hom in (model, external):
        if hom.quantale.reverse or hom.quantale.low < 0:
            raise InputError(
                f"values must lie in [0, 1] to be compared; those of {hom.name!r} are {hom.quantale.name}. Read the hom in "
                "another quantale (repair.change_quantale, or a kernel such as laplacian)."
            )


def _values(hom: Hom, variance: Variance, limit_bytes: int) -> Iterator[tuple[slice, Floats]]:
    """Row blocks of values: hom(-, x) or hom(x, -) for the objects x of the slice."""
    step = limit_bytes // (hom.n * 8 * SCRATCH * 2)
    if step < 1:
        raise InputError(f"one row of {hom.n:,} values does not fit into limit_bytes={limit_bytes:,}. Raise the limit.")
    for start in range(0, hom.n, step):
        part = slice(start, min(start + step, hom.n))
        if variance == "covariant" or hom.symmetric:
            distances = hom.distances(part, None, np.float64)
        else:
            distances = hom.distances(None, part, np.float64).T
        yield part, hom.quantale.values(distances).astype(np.float64)


def _merged_classes(
    model: Hom, external: Hom, variance: Variance, rng: np.random.Generator, limit_bytes: int
) -> tuple[Ints, Ints]:
    """The class of every object under the model's merging, and under that and equality of its external rows."""
    from scipy.sparse.csgraph import connected_components

    weights = rng.standard_normal(external.n)
    identity = _has_identities(model)
    if identity:
        near = model.within(TOLERANCE, "both", limit_bytes)
        _, merged = connected_components(near.graph(), directed=False)
    else:
        trace = _trace(model, "covariant", weights, False, limit_bytes)
        if not model.symmetric:
            trace += _trace(model, "contravariant", rng.standard_normal(model.n), False, limit_bytes)
        merged = _runs(trace, np.zeros(model.n, dtype=np.int64))
    # Two homs without the identity law are compared as they are.
    identity = identity or _has_identities(external)
    return merged.astype(np.int64), _runs(_trace(external, variance, weights, identity, limit_bytes), merged)


def _has_identities(hom: Hom) -> bool:
    every = np.arange(hom.n)
    return bool((hom.pairs(every, every) <= TOLERANCE).all())


def _trace(hom: Hom, variance: Variance, weights: Floats, identity: bool, limit_bytes: int) -> Floats:
    """A linear function of the rows, with 1 on the diagonal where ``identity`` says so. Shape (n,)."""
    trace = np.empty(hom.n)
    for part, block in _values(hom, variance, limit_bytes):
        if identity:
            own = np.arange(part.start, part.stop)
            block[own - part.start, own] = 1.0
        trace[part] = block @ weights
    return trace


def _runs(trace: Floats, inside: Array) -> Ints:
    """Classes of numbers that are equal up to the tolerance, within each class of ``inside``. Shape (n,)."""
    order = np.lexsort((trace, inside))
    jump = np.ones(len(order), dtype=bool)
    jump[1:] = (np.diff(inside[order]) != 0) | (np.diff(trace[order]) > TOLERANCE)
    same = np.empty(len(order), dtype=np.int64)
    same[order] = np.cumsum(jump)
    return same


def _with_other_row(merge: tuple[Ints, Ints]) -> NDArray[np.bool_]:
    """Objects merged with one whose external row differs: their merged class is larger than the finer one."""
    merged, same = merge
    return np.asarray(np.bincount(merged)[merged] > np.bincount(same)[same])


def _sums(
    model: Hom,
    external: Hom,
    variance: Variance,
    normalise: str,
    merge: tuple[Ints, Ints],
    group: Ints | None,
    limit_bytes: int,
) -> tuple[Floats, Floats, int]:
    """(merges, invented, lost) over all objects, the same without each group (groups, 3), and the rows that count."""
    merged, same = merge
    rests = [] if group is None else [group != g for g in range(int(group.max()) + 1)]
    groups = len(rests)
    totals, counts = np.zeros((groups + 1, 3)), np.zeros(groups + 1)
    for (part, k), (_, h) in zip(
        _values(model, variance, limit_bytes), _values(external, variance, limit_bytes), strict=True
    ):
        own = np.arange(part.start, part.stop)
        k[own - part.start, own] = h[own - part.start, own] = 0.0
        apart = (merged[own][:, None] == merged) & (same[own][:, None] != same)
        some, count = _row_parts(k, h, apart, normalise)
        totals[groups] += some
        counts[groups] += count
        for g, rest in enumerate(rests):
            kept = np.ix_(rest[own], rest)
            some, count = _row_parts(k[kept], h[kept], apart[kept], normalise)
            totals[g] += some
            counts[g] += count
    with np.errstate(invalid="ignore"):
        means = totals / counts[:, None]
    return means[groups], means[:groups], int(counts[groups])


def _row_parts(k: Floats, h: Floats, apart: Array, normalise: str) -> tuple[Floats, int]:
    """Sums over rows of (merges, invented, lost), each row a mean or a total variation, and how many rows count."""
    weight: Any = 1.0 / (k.shape[1] - 1)
    some = np.ones(len(k), dtype=bool)
    if normalise == "rows":
        a, b = k.sum(axis=1), h.sum(axis=1)
        some = (a > 0) & (b > 0)
        k, h, apart = k[some] / a[some, None], h[some] / b[some, None], apart[some]
        weight = 0.5
    difference = k - h
    more = np.maximum(difference, 0)
    on_merges = float(more[apart].sum())
    lost = float(more.sum() - difference.sum())
    return np.array([on_merges, float(more.sum()) - on_merges, lost]) * weight, int(some.sum())


def _jackknife(value: float, without: Floats, n: int, units: int, level: float) -> Interval:
    """Delete-a-group jackknife: Student's t with one degree less than groups."""
    from scipy.special import stdtrit

    g = len(without)
    if units < LEAST_UNITS:
        return Interval(value, 0.0, 1.0, n, float(units), "fewer than four units")
    if value in (0.0, 1.0) and (without == value).all():
        # No group differs, so the jackknife has no width; disjoint pairs of units are independent.
        ends = bounded_interval(np.full(units // 2, value), value, 0.0, 1.0, level)
        return Interval(value, *ends, n, float(units // 2), "exact binomial on disjoint pairs")
    deviation = sqrt((g - 1) / g * float(np.sum((without - without.mean()) ** 2)))
    half = float(stdtrit(g - 1, 0.5 + level / 2)) * deviation
    return Interval(
        value, max(0.0, value - half), min(1.0, value + half), n, float(units), "jackknife over groups of objects"
    )
