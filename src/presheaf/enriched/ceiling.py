"""Fine-tuning ceilings over lambda: what no rule that respects closeness at lambda can pass (Theorem 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
STRICT = "no rule that is constant on components of the lambda-graph gets a larger share of these objects right"
MARGIN = (
    "on no larger share of these objects can the labels be kept with a margin above lambda by distances that obey the "
    "triangle law (one presheaf a label: 0 on its objects, above lambda on the others)"
)


@dataclass(frozen=True, eq=False)
class CeilingCurve:
    """Ceilings at each lambda. Plain shares are facts about these objects (``proof``); the intervals are estimates.

    Attributes
    ----------
    lambdas : float array of shape (m,), ascending, in the hom's distances
    strict : float array of shape (m,)
        ``proof``: the best share right of a rule constant on components of the lambda-graph; nan where the label category
        doesn't ask for equal labels.
    leave_one_out : m intervals, or empty
        ``estimate``: share right when every object that has company is judged by the others of its component. Shares of
        the strict ceiling are too high for new objects (pure noise in pairs gives 3/4 there and 1/2 here).
    margin : float array of shape (m,)
        ``proof``: nothing above it is possible at full margin.
    reached : float array of shape (m,)
        ``proof``: a set of this share without conflicts was found. Equal to ``margin`` where ``exact``.
    exact : bool array of shape (m,)
        Whether ``reached`` is the largest such share: always with two labels.
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
    strict: Floats
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

    def __repr__(self) -> str:
        star = f"above {self.radius:g}" if self.nearest_conflict is None else f"{self.nearest_conflict:g}"
        ends = [
            f"at {lam:g} strict {s:.3g}, margin {m:.3g} ({e:.0%} with a neighbour)"
            for lam, s, m, e in list(zip(self.lambdas, self.strict, self.margin, self.evidence, strict=True))[:: len(self.lambdas) - 1 or 1]
        ]
        return f"CeilingCurve(nearest conflict {star}; {'; '.join(ends)})"


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
        For the search beyond two labels; no bound depends on it.

    Notes
    -----
    strict(lambda) sums the majority counts of the lambda-graph's components; margin(lambda) = 1 - VC / n, with VC the fewest
    objects to remove so that no conflicting pair within lambda remains (theory 4.5). strict <= margin: objects off their
    component's majority are such a set. Both stay valid for unlawful homs as statements about close pairs; that a set
    without conflicts extends to all objects needs the triangle law. For scores: at full margin +-1, no Lipschitz constant
    below 2 / lambda gets further than margin(lambda). Cost: linear in the pairs for strict; for margin one matching a
    lambda, at most pairs x sqrt(n).
    """
    codes = encoded(pairs, labels, category)
    grid = _grid(lambdas, pairs.radius)
    found = conflicts(pairs, labels, category)
    covers = [found.cover(float(lam), seed) for lam in grid]
    strict, judged, evidence = np.full(len(grid), np.nan), [], np.zeros(len(grid))
    plain = encode_labels(codes)[0]
    for step, (component, seen) in enumerate(components(pairs, grid)):
        evidence[step] = seen.mean() if pairs.n else 0.0
        if category.constant:
            right, credit = majority(component, plain)
            strict[step] = right / max(1, pairs.n)
            judged.append(_interval(credit, component, level))
    size, bound = (np.array([getattr(c, name) for c in covers], dtype=np.float64) for name in ("size", "bound"))
    n = max(1, pairs.n)
    exact = np.array([c.exact for c in covers], dtype=bool)
    # A cover has a whole number of objects, so the relaxation's half can be rounded up.
    return CeilingCurve(
        grid,
        strict,
        tuple(judged),
        1 - np.ceil(bound) / n,
        1 - size / n,
        exact,
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
    """

    lambdas: Floats
    strict: Floats = field(repr=False)
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
    return CeilingNull(curves[0].lambdas, np.array([c.strict for c in curves]), np.array([c.margin for c in curves]))


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
    and the worst pair shows that none is nearer. One pass over the pairs. Values and errors are plain numbers: no cap.
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
