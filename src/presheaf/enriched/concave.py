"""A hom read through a concave function: g(d) with g(0) = 0, g rising and concave keeps a metric a metric.

Representability at the calibrated level asks whether T = g(h_p) for some such g. A fit of g is counted; a contradiction to
every g needs no fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KNOTS = (0.02, 0.1, 0.25, 0.5, 0.75)
"""Quantiles of the distances at which a function may have kinks: few, because each is a fitted number. A last knot at
infinity lets it go on rising beyond the distances it was fitted on."""
SWEEPS = 60
"""Rounds of coordinate descent for all candidates at once; those that come out best are solved exactly."""


@dataclass(frozen=True)
class Concave:
    """g(t) = sum_j slopes[j] min(t, knots[j]), with g(inf) = inf: what can't be reached stays so.

    Attributes
    ----------
    knots, slopes : float64 arrays of shape (m,)
        slopes >= 0, so g is rising and concave with g(0) = 0. A knot at inf is a line without a kink.
    """

    knots: Floats = field(repr=False)
    slopes: Floats = field(repr=False)

    def __call__(self, distances: Floats) -> Floats:
        """g of each distance."""
        reached = np.isfinite(distances)
        finite, total = np.where(reached, distances, 0.0), np.zeros(np.shape(distances))
        for knot, slope in zip(self.knots, self.slopes, strict=True):
            total += slope * np.minimum(finite, knot)
        return np.where(reached, total, np.inf)

    @property
    def fitted(self) -> int:
        """Slopes in use."""
        return int(np.count_nonzero(self.slopes))

    def __repr__(self) -> str:
        return f"Concave({self.fitted} fitted slopes)"


def screen(distances: Floats, task: Floats) -> tuple[Ints, Floats]:
    """How well the best g fits each candidate: objects that no g can fit, and the sum of squares left on the others.

    Parameters
    ----------
    distances : float64 array of shape (objects, candidates)
    task : float64 array of shape (objects,)

    Returns
    -------
    impossible : int64 array of shape (candidates,)
        Objects where just one of task and distance is infinite.
    squares : float64 array of shape (candidates,)

    Notes
    -----
    Non-negative least squares in one unknown a knot, by coordinate descent on all candidates together. Cost: linear in
    objects x candidates.
    """
    usable = np.isfinite(distances) & np.isfinite(task)[:, None]
    impossible = np.count_nonzero(np.isfinite(distances) != np.isfinite(task)[:, None], axis=0)
    value = np.where(usable, task[:, None], 0.0)
    basis = [np.minimum(np.where(usable, distances, 0.0), knot) for knot in _knots(distances, usable)]
    gram = np.stack([np.stack([np.einsum("xp,xp->p", a, b) for b in basis]) for a in basis])
    target = np.stack([np.einsum("xp,xp->p", a, value) for a in basis])
    slopes = np.zeros_like(target)
    for _ in range(SWEEPS):
        # The straight line first: where it fits, the others stay at 0.
        for j in reversed(range(len(basis))):
            rest = target[j] - np.einsum("kp,kp->p", gram[j], slopes) + gram[j, j] * slopes[j]
            slopes[j] = np.maximum(0, np.divide(rest, gram[j, j], out=np.zeros_like(rest), where=gram[j, j] > 0))
    squares = np.einsum("xp,xp->p", value, value) - 2 * np.einsum("kp,kp->p", target, slopes)
    squares += np.einsum("kp,klp,lp->p", slopes, gram, slopes)
    return np.asarray(impossible, dtype=np.int64), np.maximum(squares, 0)


def fit_concave(distances: Floats, task: Floats) -> Concave:
    """The g nearest to a task in least squares, over the objects where both are finite.

    Parameters
    ----------
    distances, task : float64 arrays of shape (objects,)

    Notes
    -----
    Cost: sorting the distances, and non-negative least squares in six unknowns at most.
    """
    from scipy.optimize import nnls

    usable = np.isfinite(distances) & np.isfinite(task)
    if not usable.any():
        return Concave(np.zeros(0), np.zeros(0))
    knots = _knots(distances[:, None], usable[:, None])[:, 0]
    # A kink at the largest distance could not be told from none, and would end the rise beyond it.
    knots = np.unique(np.where(knots < distances[usable].max(), knots, np.inf))
    slopes, _ = nnls(np.minimum(distances[usable, None], knots), task[usable])
    # What rounding leaves of a slope is none.
    return Concave(knots, np.where(slopes > 1e-12 * slopes.max(), slopes, 0.0))


def fit_kinked(distances: Floats, task: Floats, threshold: float) -> Concave:
    """The g = slope min(t, knot) that leaves the fewest objects further than ``threshold`` from a task.

    Parameters
    ----------
    distances, task : float64 arrays of shape (objects,)

    Notes
    -----
    For each knot an object fixes an interval of slopes that bring it within the threshold; the slope inside most of them is
    found exactly. Cost: a sort of the objects for each of at most six knots.
    """
    usable = np.isfinite(distances) & np.isfinite(task)
    best, found = -1, Concave(np.zeros(0), np.zeros(0))
    if not usable.any():
        return found
    # The straight line first: where it does as well, there is no kink.
    for knot in reversed(_knots(distances[:, None], usable[:, None])[:, 0]):
        size, value = np.minimum(distances[usable], knot), task[usable]
        count, slope = _most_inside(value[size > 0] / size[size > 0], threshold / size[size > 0])
        if count > best:
            best, found = count, Concave(np.array([knot]), np.array([slope]))
    return found


def _most_inside(centres: Floats, halves: Floats) -> tuple[int, float]:
    """A number >= 0 inside as many of the intervals centre +- half as there can be, and how many: centres and halves >= 0."""
    if not len(centres):
        return 0, 0.0
    starts, ends = np.sort(np.maximum(centres - halves, 0.0)), np.sort(centres + halves)
    inside = np.searchsorted(starts, starts, side="right") - np.searchsorted(ends, starts, side="left")
    at = int(inside.argmax())
    # Up to the next end nothing is lost; the middle is furthest from either side.
    return int(inside[at]), float(starts[at] + ends[np.searchsorted(ends, starts[at], side="left")]) / 2


def _knots(distances: Floats, usable: NDArray[np.bool_]) -> Floats:
    """Quantiles of each candidate's usable distances and inf, shape (knots, candidates)."""
    ranked = np.sort(np.where(usable, distances, np.inf), axis=0)
    count = np.count_nonzero(usable, axis=0)
    place = np.ceil(np.array(KNOTS)[:, None] * count).astype(np.int64) - 1
    inner = np.where(count > 0, np.take_along_axis(ranked, np.maximum(place, 0), axis=0), 0.0)
    return np.concatenate([inner, np.full((1, ranked.shape[1]), np.inf)])


def contradictions(near: Floats, far: Floats, near_task: Floats, far_task: Floats, threshold: float) -> Ints:
    """Pairs of objects that no g can bring within ``threshold`` of the task, both of them, for each candidate.

    Parameters
    ----------
    near, far : float64 arrays of shape (pairs, candidates)
        Distances of the two objects of each pair, in any order.
    near_task, far_task : float64 arrays of shape (pairs,)

    Returns
    -------
    int64 array of shape (candidates,)

    Notes
    -----
    For d <= e, every g has g(d) <= g(e) and, being concave with g(0) = 0, g(d) >= g(e) d / e. A pair is counted where that
    fails for all values within the threshold of the task. At least one object of such a pair lies outside whatever g is.
    """
    forward = _refuted(near, far, near_task[:, None], far_task[:, None], threshold)
    backward = _refuted(far, near, far_task[:, None], near_task[:, None], threshold)
    return np.asarray(np.count_nonzero(forward | backward, axis=0), dtype=np.int64)


def _refuted(d: Floats, e: Floats, s: Floats, t: Floats, threshold: float) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore", divide="ignore"):
        falls = s - threshold > t + threshold
        lags = (e > 0) & np.isfinite(e) & (s + threshold < d / e * (t - threshold))
    return np.asarray((d <= e) & (falls | lags))
