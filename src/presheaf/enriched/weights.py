"""Prompts with weights: T_{A,w}(x) = min_p (w_p (+) d(x, p)), and the weights that come nearest to a task.

This is the weighted colimit of representables in the quantale (density). Which weights are best decouples: there is a
number c(x, p) such that weights >= 0 on prompts A reach the sup error eps iff every object has a p in A with
c(x, p) <= eps. The best prompts are then a problem of covering (``presheaf.enriched.density``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.evidence import candidate_objects, deviation
from presheaf.enriched.functor import as_task
from presheaf.enriched.hom import LIMIT, SCRATCH, VARIANCES, Hom, Variance
from presheaf.enriched.quantale import Quantale, as_numbers, excess
from presheaf.errors import InputError, one_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PromptWeights:
    """Prompts with the weights that bring them nearest to a task in the sup distance.

    Attributes
    ----------
    prompts : int64 array of shape (k,)
    weights : float64 array of shape (k,)
        In distances, >= 0; inf leaves the prompt unused.
    error : float
        sup |T - T_{A,w}| over the objects fitted; no weights >= 0 on these prompts do better (proof, on these objects).
    unclipped : float
        What weights below 0 would reach: half the excess of the residuated solution. They leave the quantale. Equal to
        ``error`` where none is needed, and in quantales that take the larger distance.
    """

    prompts: Ints
    weights: Floats
    error: float
    unclipped: float = field(repr=False)

    def __repr__(self) -> str:
        return f"PromptWeights({len(self.prompts)} prompts, error {self.error:.4g})"


def ensemble(hom: Hom, prompts: ArrayLike, weights: ArrayLike, variance: Variance, limit_bytes: int = LIMIT) -> Floats:
    """T_{A,w} on all objects: min_p (w_p (+) d(x, p)), capped; the quantale's cap where there is no prompt.

    Parameters
    ----------
    hom : Hom
    prompts : int array of shape (k,)
    weights : float array of shape (k,)
        In distances, >= 0. Weights T(p) on all objects give T back where T is a presheaf (density theorem).
    variance : "contravariant" for d(x, p) = hom(x, p), "covariant" for hom(p, x)

    Returns
    -------
    float64 array of shape (n,)

    Raises
    ------
    InputError
        If there is not one weight >= 0 for each prompt.

    Notes
    -----
    Cost: n k distances in float64 blocks within ``limit_bytes``.
    """
    chosen, given = np.asarray(prompts), as_numbers(weights, "weights")
    if given.shape != chosen.shape or chosen.ndim != 1 or not (given >= 0).all():
        raise InputError(
            f"weights must be one number >= 0 for each of the prompts, in distances; got shapes {given.shape} and "
            f"{chosen.shape}."
        )
    out = np.full(hom.n, hom.quantale.cap)
    for part in candidate_parts(hom.n, len(chosen), limit_bytes):
        columns = between(hom, None, chosen[part], variance)
        np.minimum(out, hom.quantale.add(columns, given[part]).min(axis=1), out=out)
    return out


def fit_weights(
    hom: Hom, task: ArrayLike, prompts: ArrayLike, variance: Variance, objects: ArrayLike | None = None
) -> PromptWeights:
    """The weights >= 0 with which these prompts come nearest to a task in the sup distance.

    Parameters
    ----------
    hom : Hom
    task : float array of shape (n,)
        In distances.
    prompts : int array of shape (k,), distinct
    variance : "contravariant" or "covariant"
    objects : int array, optional
        The objects to fit on; default all.

    Notes
    -----
    Where distances add: w_p = sup_x (T(x) - d(x, p)) are the least weights that stay above T (residuation), and lowering all
    by eps, not below 0, is best for the least eps with every object covered. Without the floor at 0 that eps is half the
    largest excess of the residuated solution (the tropical best approximation; Butkovic 2010, chapter 3). Where the larger
    distance is taken, the same argument with weights that depend on eps. Exact. Cost: n k, or n k log n.
    """
    values = as_task(hom, task)
    chosen = candidate_objects(hom.n, prompts, np.arange(hom.n))
    rows = candidate_objects(hom.n, objects, np.arange(hom.n))
    distances = between(hom, rows, chosen, variance)
    return weights_from(distances, values[rows], chosen, hom.quantale)


def weights_from(distances: Floats, task: Floats, prompts: Ints, quantale: Quantale) -> PromptWeights:
    """``fit_weights`` on given distances of shape (objects, prompts) and a task of shape (objects,)."""
    ceiling = excess(quantale.cap, task)
    costs = cover_costs(distances, task, quantale)
    eps = float(np.minimum(costs.min(axis=1), ceiling).max(initial=0.0))
    above = excess(task[:, None], distances)
    if quantale.sums:
        weights = excess(above.max(axis=0, initial=0.0), eps) if np.isfinite(eps) else above.max(axis=0, initial=0.0)
        unclipped = _half_residual(distances, task, ceiling)
    else:
        # The weight has to lift exactly those objects that the bare prompt leaves more than eps below the task.
        lifted = excess(task, eps) if np.isfinite(eps) else task
        weights = np.where(above > eps, lifted[:, None], 0.0).max(axis=0, initial=0.0)
        unclipped = eps
    reached = np.minimum(quantale.add(distances, weights).min(axis=1), quantale.cap)
    error = float(deviation(task, reached).max(initial=0.0))
    return PromptWeights(prompts, weights, error, min(unclipped, error))


def cover_costs(distances: Floats, task: Floats, quantale: Quantale) -> Floats:
    """c(x, p): the sup error from which on prompt p, with its best weight for that error, covers object x.

    Parameters
    ----------
    distances : array of shape (objects, prompts)
    task : array of shape (objects,)

    Returns
    -------
    array of shape (objects, prompts)
        rho_k is the least eps for which k prompts have an entry <= eps in every row (or the row is within eps of the cap).

    Notes
    -----
    Where distances add, c = max(d - T, (w_p + d - T) / 2)^+ with the residuated weight w_p = sup_y (T(y) - d(y, p))^+.
    Otherwise c = max(d - T(x), max_y min(T(y) - d(y, p), (T(y) - T(x)) / 2))^+. Cost: one or log n passes.
    """
    column = task[:, None]
    above = excess(column, distances)
    if quantale.sums:
        lifted = distances + above.max(axis=0, initial=0.0)
        return np.asarray(np.maximum(excess(distances, column), excess(lifted, column) / 2))
    return np.asarray(np.maximum(excess(distances, column), _lift_costs(above, task)))


def _lift_costs(above: Floats, task: Floats) -> Floats:
    """max_y min(above[y, p], (T(y) - T(x)) / 2)^+ for all x and p, by sorting each column and halving intervals."""
    order = np.argsort(-above, axis=0, kind="stable")
    # After the j objects furthest below the task, those left need an error of ranked[j], and these j a weight of tops[j].
    ranked = np.vstack([np.take_along_axis(above, order, axis=0), np.zeros((1, above.shape[1]))])
    tops = np.vstack([np.zeros((1, above.shape[1])), np.maximum.accumulate(task[order], axis=0)])
    low = np.zeros(above.shape, dtype=np.int64)
    high = np.full(above.shape, len(task), dtype=np.int64)
    for _ in range(max(1, len(task)).bit_length()):
        middle = (low + high) // 2
        enough = np.take_along_axis(tops, middle, 0) >= task[:, None] + 2 * np.take_along_axis(ranked, middle, 0)
        high, low = np.where(enough, middle, high), np.where(enough, low, np.minimum(middle + 1, high))
    here = np.maximum(excess(np.take_along_axis(tops, high, 0), task[:, None]) / 2, np.take_along_axis(ranked, high, 0))
    before = np.maximum(high - 1, 0)
    lifts = np.where(high > 0, excess(np.take_along_axis(tops, before, 0), task[:, None]) / 2, np.inf)
    out = np.minimum(here, np.maximum(lifts, np.take_along_axis(ranked, before, 0)))
    # Nothing passes an infinite task.
    return np.where(np.isinf(task)[:, None], 0.0, out)


def _half_residual(distances: Floats, task: Floats, ceiling: Floats) -> float:
    """Half the largest excess of the residuated solution, with weights of any sign."""
    with np.errstate(invalid="ignore"):
        signed = task[:, None] - distances
    # An unreachable object that the task leaves out constrains no weight, and needs no cover.
    weights = np.where(np.isnan(signed), -np.inf, signed).max(axis=0, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        over = (weights - signed) / 2
    over = np.where(np.isnan(over), np.where(np.isinf(task)[:, None], 0.0, np.inf), over)
    return float(np.minimum(over.min(axis=1, initial=np.inf), ceiling).max(initial=0.0))


def candidate_parts(n: int, count: int, limit_bytes: int) -> list[slice]:
    """Runs of ``count`` candidates whose distances to n objects, with scratch memory, keep within ``limit_bytes``.

    Raises
    ------
    InputError
        If not even one candidate fits.
    """
    each = max(1, n) * 8 * SCRATCH
    if each > limit_bytes:
        raise InputError(
            f"the distances of {n:,} objects to one prompt take {each:,} bytes with their scratch memory, more than "
            f"limit_bytes={limit_bytes:,}. Raise the limit or take fewer objects."
        )
    step = limit_bytes // each
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def between(hom: Hom, rows: Ints | None, points: Ints, variance: Variance) -> Floats:
    """Float64 representables of some prompts on some objects, or on all (None), shape (rows, points).

    The caller keeps the block small.
    """
    one_of("variance", variance, VARIANCES)
    if variance == "contravariant" or hom.symmetric:
        return np.asarray(hom.distances(rows, points, np.float64))
    return np.asarray(hom.distances(points, rows, np.float64).T)


def all_between(hom: Hom, rows: Ints, points: Ints, variance: Variance, limit_bytes: int) -> Floats:
    """``between`` for a block that stays in memory.

    Raises
    ------
    InputError
        If it takes more than ``limit_bytes`` with scratch memory.
    """
    need = len(rows) * len(points) * 8 * SCRATCH
    if need > limit_bytes:
        raise InputError(
            f"distances of {len(rows):,} objects to {len(points):,} candidates take {need:,} bytes with their scratch memory, "
            f"more than limit_bytes={limit_bytes:,}. Give fewer candidates or objects, or raise the limit."
        )
    return between(hom, rows, points, variance)


def thinned(objects: Ints, count: int, rng: np.random.Generator, limit_bytes: int) -> Ints:
    """As many of the objects, at random and ascending, as fit ``limit_bytes`` with distances to ``count`` candidates.

    Raises
    ------
    InputError
        If not even two fit.
    """
    room = limit_bytes // (max(1, count) * 8 * SCRATCH)
    if room < min(2, len(objects)):
        raise InputError(
            f"limit_bytes={limit_bytes:,} has no room for the distances of two objects to {count:,} candidates. Give fewer "
            "candidates or raise the limit."
        )
    return objects if len(objects) <= room else np.sort(rng.permutation(objects)[:room])
