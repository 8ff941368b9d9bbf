"""Functions on objects as presheaves: by how much a function misses being one, and the nearest that is one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.hom import LIMIT, VARIANCES, Hom, Variance
from presheaf.enriched.quantale import as_numbers, excess
from presheaf.errors import InputError, one_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PresheafRepair:
    """The presheaf nearest to a function U in the sup distance, and those that hold it from below and above.

    Attributes
    ----------
    nearest, below, above : float64 arrays of shape (n,)
        In distances. ``below`` is the largest presheaf <= U, ``above`` the smallest >= U, ``nearest`` their average.
    defect : float
        delta = sup (U(x) - D(x, y) - U(y))^+; no presheaf is nearer to U than delta / 2.
    moved : float
        sup |nearest - U|; equals delta / 2 where the hom is lawful and delta finite.
    """

    nearest: Floats = field(repr=False)
    below: Floats = field(repr=False)
    above: Floats = field(repr=False)
    defect: float
    moved: float


def functor_defect(hom: Hom, task: ArrayLike, variance: Variance, limit_bytes: int = LIMIT) -> float:
    """By how much a function on objects misses being a presheaf: delta of theory's oracle 11.

    Parameters
    ----------
    hom : Hom
    task : float array of shape (n,)
        T in distances of the hom's quantale, 0 where the label holds fully.
    variance : "contravariant" for T(x) <= D[x, y] (+) T(y), "covariant" for T(y) <= D[x, y] (+) T(x)

    Returns
    -------
    float
        sup over all pairs of what T exceeds the bound by; 0 iff T is a presheaf (copresheaf).

    Notes
    -----
    Cost: n^2 distances in float64 blocks within ``limit_bytes``.
    """
    values = as_task(hom, task)
    return float(excess(values, _below(hom, values, variance, limit_bytes)).max(initial=0.0))


def repair_presheaf(hom: Hom, task: ArrayLike, variance: Variance, limit_bytes: int = LIMIT) -> PresheafRepair:
    """The presheaf nearest to a function in the sup distance.

    Parameters as for ``functor_defect``.

    Raises
    ------
    InputError
        If the hom is known to be unlawful (close it first), or its quantale takes the larger distance instead of
        adding: averages are no presheaves there.

    Notes
    -----
    below(x) = min_y D[x, y] (+) U(y) and above(x) = max_y (U(y) - D[y, x])^+ (contravariant). Both are presheaves for a
    lawful hom by the triangle law, so is their average, and it lies within delta / 2 of U; two objects where U misses by
    delta show that none is nearer. Cost: twice n^2 distances in float64 blocks.
    """
    if hom.lawful is False:
        raise InputError(
            f"the hom {hom.name!r} is not lawful, so no repair over it is a presheaf. Close it first (closure)."
        )
    if not hom.quantale.sums:
        raise InputError(f"distances of {hom.quantale.name} don't add, and averages of its presheaves are none.")
    values = as_task(hom, task)
    below = _below(hom, values, variance, limit_bytes)
    above = _above(hom, values, variance, limit_bytes)
    nearest = below + excess(above, below) / 2
    defect = float(excess(values, below).max(initial=0.0))
    moved = np.maximum(excess(values, nearest), excess(nearest, values))
    return PresheafRepair(nearest, below, above, defect, float(moved.max(initial=0.0)))


def as_task(hom: Hom, task: ArrayLike) -> Floats:
    """A function on the hom's objects as float64 distances of shape (n,).

    Raises
    ------
    InputError
        If the length differs, there is no object, or an entry is no distance of the quantale.
    """
    values = as_numbers(task, "a task's distances")
    if values.shape != (hom.n,) or not hom.n:
        raise InputError(
            f"a task must have one distance for each of {hom.n} objects, at least one; got shape {values.shape}."
        )
    if not ((values >= 0) & (values <= hom.quantale.cap * (1 + 1e-6))).all():
        raise InputError(
            f"a task's distances must lie in [0, {hom.quantale.cap:g}] for {hom.quantale.name}; got "
            f"{values.min():g}..{values.max():g}. Use quantale.distance to turn values into distances."
        )
    return np.asarray(np.minimum(values, hom.quantale.cap))


def _below(hom: Hom, values: Floats, variance: Variance, limit_bytes: int) -> Floats:
    """min_y D[x, y] (+) U(y) over x, or for copresheaves min_x D[x, y] (+) U(x) over y."""
    one_of("variance", variance, VARIANCES)
    out = np.full(hom.n, hom.quantale.cap)
    for rows, block in hom.blocks(limit_bytes, np.float64):
        if variance == "contravariant":
            out[rows] = hom.quantale.add(block, values).min(axis=1)
        else:
            np.minimum(out, hom.quantale.add(block, values[rows, None]).min(axis=0), out=out)
    return out


def _above(hom: Hom, values: Floats, variance: Variance, limit_bytes: int) -> Floats:
    """max_y (U(y) - D[y, x])^+ over x, or for copresheaves max_y (U(y) - D[x, y])^+ over x."""
    out = np.zeros(hom.n)
    for rows, block in hom.blocks(limit_bytes, np.float64):
        if variance == "covariant":
            out[rows] = excess(values, block).max(axis=1)
        else:
            np.maximum(out, excess(values[rows, None], block).max(axis=0), out=out)
    return out
