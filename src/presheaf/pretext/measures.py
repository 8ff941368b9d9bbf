"""Two numbers of an embedding beside its ideality: how near what the task relates lies, and how many directions are in use."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.hom import Hom, Variance
from presheaf.enriched.ideality import LEAST_UNITS, groups_of
from presheaf.enriched.ustatistics import jackknife
from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LIMIT = 256 << 20


def alignment(
    model: Hom,
    external: Hom,
    variance: Variance,
    seed: int = 0,
    limit_bytes: int = LIMIT,
    units: Ints | None = None,
) -> Interval:
    """How much nearer than others the model puts what the task relates: 0 not at all, 1 at distance nothing, below 0 further.

    1 - (mean distance under the task's row law) / (mean distance of all pairs), distances D of the model.

    Parameters
    ----------
    model, external : Hom
        k_f and the task's own hom on the same n objects.
    variance : "contravariant" takes rows hom(-, x), "covariant" hom(x, -)
    units : int array of shape (n,), optional
        What was drawn at random, where that is not single objects; see `presheaf.enriched.ideality.ideality`.

    Returns
    -------
    Interval
        Delete-a-group jackknife over objects (over units); nan where the task relates nothing, or the model puts all objects at one point.

    Raises
    ------
    InputError
        If the homs differ in size.

    Notes
    -----
    Wang and Isola's alignment (ICML 2020) is the mean distance of positive pairs; here divided by the mean distance, so that a
    model that shrinks everything gains nothing. Pairs at infinite distance, which the model was not asked about, are left out.
    Cost: n^2 values of both homs, in blocks.
    """
    if model.n != external.n or model.n < 3:
        raise InputError(f"both homs must be on the same 3 or more objects; got {model.n} and {external.n}.")
    group, count = groups_of(model.n, units, np.random.default_rng(seed))
    member = np.eye(int(group.max()) + 1)[group]
    sums = np.zeros((4, member.shape[1], member.shape[1]))  # near, weight, total, pairs; by groups of both objects
    step = max(1, limit_bytes // (model.n * 64))
    for start in range(0, model.n, step):
        part = slice(start, min(start + step, model.n))
        own = np.arange(part.start, part.stop)
        d, h = _rows(model, part, variance), external.quantale.values(_rows(external, part, variance)).astype(float)
        seen = np.isfinite(d)
        seen[own - part.start, own] = False
        d, h = np.where(seen, d, 0.0), np.where(seen, h, 0.0)
        row = h.sum(axis=1, keepdims=True)
        h = np.divide(h, row, out=np.zeros_like(h), where=row > 0)
        sums += np.array([member[part].T @ x @ member for x in (h * d, h, d, seen.astype(float))])
    whole = _nearer(sums.sum(axis=(1, 2)))
    if not np.isfinite(whole):
        return Interval(np.nan, -inf, inf, model.n, 0, "none")
    if count < LEAST_UNITS:
        return Interval(whole, -inf, 1.0, model.n, float(count), "fewer than four units")
    rest = [np.delete(np.delete(sums, g, axis=1), g, axis=2).sum(axis=(1, 2)) for g in range(len(sums[0]))]
    left = np.array([_nearer(part) for part in rest])
    low, high = jackknife(len(left) * whole - (len(left) - 1) * left, whole, 1)
    return Interval(whole, low, min(1.0, high), model.n, len(left), "delete-a-group jackknife")


def _nearer(sums: Floats) -> float:
    near, weight, total, pairs = (float(x) for x in sums)
    return 1 - (near / weight) / (total / pairs) if weight > 0 and total > 0 else np.nan


def _rows(hom: Hom, part: slice, variance: Variance) -> Floats:
    block = (
        hom.distances(part, None, np.float64) if variance == "covariant" else hom.distances(None, part, np.float64).T
    )
    return np.asarray(block, dtype=np.float64)


def effective_rank(features: ArrayLike, seed: int = 0, units: Ints | None = None) -> Interval:
    """exp of the entropy of the normalised singular values: about how many directions the features use.

    Parameters
    ----------
    features : array of shape (n, d), not centred
    seed : int
        Of the groups left out for the interval.
    units : int array of shape (n,), optional
        See `alignment`.

    Returns
    -------
    Interval
        In [1, min(n, d)], delete-a-group jackknife; 0 for features that are all zero. It speaks of other draws of as many objects,
        not of the law they are drawn from: more objects show more directions (300 draws of 64 equal directions have about 62).

    Notes
    -----
    Roy and Vetterli, The effective rank (EUSIPCO 2007). Cost: 21 singular value decompositions of a d x d product.
    """
    array = np.asarray(features, dtype=np.float64)
    if array.ndim != 2 or not len(array) or not np.isfinite(array).all():
        raise InputError(f"features must be finite numbers of shape (n, d), n at least 1; got shape {array.shape}.")
    n = len(array)
    group, count = groups_of(n, units, np.random.default_rng(seed))
    groups = int(group.max()) + 1
    parts = np.array([array[group == g].T @ array[group == g] for g in range(groups)])
    gram = parts.sum(axis=0)
    value = _rank(gram)
    if count < LEAST_UNITS:
        return Interval(value, 0.0, float(min(array.shape)), n, float(count), "fewer than four units")
    left = np.array([_rank(gram - part) for part in parts])
    low, high = jackknife(groups * value - (groups - 1) * left, value, 1)
    return Interval(value, max(0.0, low), min(float(min(array.shape)), high), n, groups, "delete-a-group jackknife")


def _rank(gram: Floats) -> float:
    singular = np.sqrt(np.clip(np.linalg.eigvalsh(gram), 0, None))
    # Squared numbers carry twice the rounding: below this share of the largest a singular value is noise.
    singular[singular < 1e-7 * singular.max(initial=0)] = 0
    total = singular.sum()
    if not total > 0:
        return 0.0
    share = singular[singular > 0] / total
    return float(np.exp(-(share * np.log(share)).sum()))
