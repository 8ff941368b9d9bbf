"""Fine-tuning ceilings over lambda: what no rule that respects closeness at lambda can pass (Theorem 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.cliques import clique_bound
from presheaf.enriched.conflicts import ClosePairs, conflicts, encoded
from presheaf.enriched.label_category import LabelCategory, Metric, encode_labels
from presheaf.enriched.linkage import components, majority
from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval, clopper_pearson, effective_rows

Array = NDArray[Any]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

STEPS = 17
"""Values of lambda in a curve where none are given, evenly from 0 to the radius searched."""
STRICT = "no rule that gives every component of the lambda-graph one label gets a larger share of these objects right"
MARGIN = "no larger share of these objects can keep its labels if every pair within lambda is to respect that"


@dataclass(frozen=True, eq=False)
class CeilingCurve:
    """Ceilings at each lambda. Plain shares are facts about these objects (``proof``); the intervals are estimates.

    Attributes
    ----------
    lambdas : float array of shape (m,), ascending, in the hom's distances
    strict : float array of shape (m,), or None
        ``proof``: the best share right of a rule constant on components of the lambda-graph. None where it is not defined: an
        ordered or metric label category doesn't ask close objects for equal labels, and ``margin`` is its ceiling.
    leave_one_out : m intervals, or empty
        ``estimate``: share right when every object that has company is judged by the others of its component. Shares of
        the strict ceiling are too high for new objects (pure noise in pairs gives 3/4 there and 1/2 here).
    margin : float array of shape (m,)
        ``proof``: nothing above it is possible at full margin. Beyond two labels the lower of two bounds, the cover's
        linear relaxation and majorities of groups that are close throughout.
    reached : float array of shape (m,)
        ``proof``: a set of this share without conflicts was found. Equal to ``margin`` where ``exact``.
    exact : bool array of shape (m,)
        Whether ``reached`` is the largest such share: always with two labels, and at lambda = 0 over a lawful hom.
    conflicts : int array of shape (m,)
        Conflicting pairs within lambda.
    evidence : float array of shape (m,)
        Share of objects with a neighbour within lambda. The others can't conflict, so they say nothing.
    nearest_conflict : float or None
        lambda*, the smallest distance of a conflicting pair; None if it is beyond ``radius``.
    radius : float
        How far pairs were searched.
    claim : str
        What the label category asks for.
    """

    lambdas: Floats
    strict: Floats | None
    leave_one_out: tuple[Interval, ...]
    margin: Floats
    reached: Floats
    exact: Bools
    conflicts: NDArray[np.int64]
    evidence: Floats
    nearest_conflict: float | None
    radius: float
    claim: str = field(repr=False)

    @property
    def kind(self) -> str:
        """Of the plain shares. They are about the objects seen; ``leave_one_out`` and ``population`` are estimates."""
        return "proof"

    @property
    def statements(self) -> tuple[str, ...]:
        """What the strict (where there is one) and the margin ceiling say, in sentences."""
        strict = (f"{self.claim}; {STRICT}",) if self.leave_one_out else ()
        return (*strict, f"{self.claim}; {MARGIN}")

    def __repr__(self) -> str:
        star = f"above {self.radius:g}" if self.nearest_conflict is None else f"{self.nearest_conflict:g}"
        strict = "not defined" if self.strict is None else f"{self.strict[-1]:.3g}"
        return (
            f"CeilingCurve(nearest conflict {star}; at {self.lambdas[-1]:g} strict {strict}, margin "
            f"{self.margin[-1]:.3g}, {self.evidence[-1]:.0%} of the objects with a neighbour)"
        )


def ceiling_curve(
    pairs: ClosePairs,
    labels: ArrayLike,
    category: LabelCategory,
    lambdas: ArrayLike | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> CeilingCurve:
    """Strict and margin ceilings of a labelling, along lambda.

    Parameters
    ----------
    pairs : ClosePairs
        From ``close_pairs(hom, radius, category.reading)``.
    labels : array of shape (n,)
    category : LabelCategory
        Declared: the claim changes with it.
    lambdas : ascending floats in [0, radius], optional
        By default 17 even steps from 0 to the radius.
    level : float
        Of the intervals.
    seed : int
        For the search and the groups beyond two labels; the bounds hold for every seed, and there they may differ a little
        with it or with the order of the objects.

    Notes
    -----
    strict(lambda) sums the majority counts of the lambda-graph's components; margin(lambda) = 1 - VC / n, with VC the fewest
    objects to remove so that no conflicting pair within lambda remains (theory 4.5). strict <= margin: objects off their
    component's majority are such a set. Over a lawful hom a set without conflicts has, with discrete labels, one presheaf a
    label that is 0 on its own objects and above lambda on the others, and its labels extend to all objects (McShane); over
    an unlawful one both ceilings stay true of close pairs. As scores with values +-1: no Lipschitz constant below 2 / lambda
    gets further than margin(lambda). Cost: linear in the pairs for strict; for margin one matching a
    lambda, at most pairs x sqrt(n).
    """
    codes = encoded(pairs, labels, category)
    grid = _grid(lambdas, pairs.radius)
    found = conflicts(pairs, labels, category)
    covers = [found.cover(float(lam), seed) for lam in grid]
    evidence, right, judged = np.zeros(len(grid)), np.zeros(len(grid), dtype=np.int64), []
    plain = encode_labels(codes)[0]
    for step, (component, seen) in enumerate(components(pairs, grid)):
        evidence[step] = seen.mean() if pairs.n else 0.0
        if category.constant:
            right[step], credit = majority(component, plain)
            judged.append(_interval(credit, component, level))
    # A cover has a whole number of objects, so the relaxation's half is rounded up.
    most = pairs.n - np.array([ceil(c.bound) for c in covers])
    kept = pairs.n - np.array([c.size for c in covers])
    if category.constant:
        # Majorities of components are free of conflicts, and can be more than the search kept.
        kept = np.maximum(kept, right)
        if found.left is None:
            most = np.minimum(most, [clique_bound(pairs, plain, float(lam), seed) for lam in grid])
    n = max(1, pairs.n)
    return CeilingCurve(
        grid,
        right / n if category.constant else None,
        tuple(judged),
        most / n,
        kept / n,
        most == kept,
        np.array([len(found.up_to(float(lam))[0]) for lam in grid], dtype=np.int64),
        evidence,
        found.nearest,
        pairs.radius,
        category.claim,
    )


def _grid(lambdas: ArrayLike | None, radius: float) -> Floats:
    if lambdas is None:
        return np.linspace(0, radius, STEPS)
    grid = np.asarray(lambdas, dtype=np.float64)
    if grid.ndim != 1 or not len(grid) or not (np.diff(grid) >= 0).all():
        raise InputError("lambdas must be one or more numbers in ascending order.")
    return grid


def _interval(credit: Floats, component: NDArray[np.int64], level: float) -> Interval:
    seen = np.isfinite(credit)
    if not seen.any():
        return Interval(float("nan"), 0.0, 1.0, 0, 0.0, "no object has a neighbour")
    value = float(credit[seen].mean())
    rows = effective_rows(credit[seen], component[seen])
    low, high = clopper_pearson(value * rows, rows, level)
    return Interval(value, low, high, int(seen.sum()), rows, "Clopper-Pearson on effective rows of components")


@dataclass(frozen=True, eq=False)
class CeilingNull:
    """Ceilings of shuffled labels, beside which those of the real ones are to be read.

    Attributes
    ----------
    lambdas : float array of shape (m,)
    strict, margin : float arrays of shape (repeats, m)
        ``strict`` is None where the curve has none.
    """

    lambdas: Floats
    strict: Floats | None = field(repr=False)
    margin: Floats = field(repr=False)

    def p(self, curve: CeilingCurve) -> Floats:
        """Share of shuffles with a margin ceiling at least as high, the real labels counted as one. Shape (m,)."""
        return np.asarray((1 + (self.margin >= curve.margin).sum(axis=0)) / (len(self.margin) + 1))


def ceiling_null(
    pairs: ClosePairs,
    labels: ArrayLike,
    category: LabelCategory,
    lambdas: ArrayLike | None = None,
    repeats: int = 19,
    seed: int = 0,
) -> CeilingNull:
    """The same curve for labels shuffled over the objects. Cost: ``repeats`` curves; the pairs are searched once."""
    rng = np.random.default_rng(seed)
    given = np.asarray(labels)
    curves = [ceiling_curve(pairs, rng.permutation(given), category, lambdas) for _ in range(repeats)]
    if not curves:
        raise InputError(f"repeats must be at least 1; got {repeats!r}.")
    strict = None if curves[0].strict is None else np.array([c.strict for c in curves])
    return CeilingNull(curves[0].lambdas, strict, np.array([c.margin for c in curves]))


@dataclass(frozen=True, eq=False)
class UnavoidableError:
    """The least sup error of a Lipschitz function against real labels, from pairs within each lambda.

    Attributes
    ----------
    lambdas : float array of shape (m,)
    error : float array of shape (m,)
        In the labels' unit. ``proof``: no function of this slope is nearer to all labels.
    complete : bool array of shape (m,)
        Whether lambda takes in every pair that could matter; then the bound is attained over a lawful hom.
    slope : float
    """

    lambdas: Floats
    error: Floats
    complete: Bools
    slope: float


def unavoidable_error(
    pairs: ClosePairs, values: ArrayLike, slope: float, lambdas: ArrayLike | None = None
) -> UnavoidableError:
    """Half the largest |T(x) - T(y)| - slope D(x, y) over close pairs: delta / 2 of theory's oracle 11, along lambda.

    Parameters
    ----------
    pairs : ClosePairs
        With reading "either" or "both" for |T(x) - T(y)|; with "forward" only T(x) - T(y) of an arrow x -> y counts, so that
        functions may fall along arrows as presheaves do (contravariant).
    values : float array of shape (n,)
    slope : float
        Of the functions, > 0.

    Notes
    -----
    Two functions of the slope hold the values between them, their average attains delta / 2 (McShane 1934, Whitney 1934),
    and the worst pair shows that none is nearer. Cost: one pass over the pairs. Values and errors are plain numbers: no cap.
    """
    category = Metric(slope)
    numbers = category.encode(values)
    if len(numbers) != pairs.n:
        raise InputError(f"there must be one value for each of {pairs.n} objects; got {len(numbers)}.")
    grid = _grid(lambdas, pairs.radius)
    difference = numbers[pairs.first] - numbers[pairs.second]
    if pairs.reading != "forward":
        difference = np.abs(difference)
    worst = np.maximum.accumulate(np.concatenate([[0.0], difference - slope * pairs.distances]))
    error = np.array([worst[pairs.up_to(float(lam))] / 2 for lam in grid])
    spread = float(np.ptp(numbers)) if len(numbers) else 0.0
    return UnavoidableError(grid, error, np.asarray(grid * slope >= spread), slope)
