"""The nucleus of a hom: presheaves and copresheaves that determine each other (Isbell completion, directed tight span)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.hom import LIMIT, Hom
from presheaf.enriched.quantale import COST, Quantale, as_numbers, excess
from presheaf.errors import InputError

Array = NDArray[Any]
Floats = NDArray[np.float64]

TINY = 8
"""Rows and columns, together, up to which the vertices of the nucleus are listed."""


@dataclass(frozen=True, eq=False)
class Profunctor:
    """Distances M[a, b] between n objects on one side and m on the other, shape (n, m), in a quantale.

    A hom of n objects is one with itself (``isbell_upper`` and the others take it as it is). Between two sets without homs of
    their own any matrix will do: then every function is a presheaf.

    Raises
    ------
    InputError
        If the matrix does not hold distances of the quantale.
    """

    distances: Floats = field(repr=False)
    quantale: Quantale = COST

    def __post_init__(self) -> None:
        array = as_numbers(self.distances, "distances")
        if array.ndim != 2 or not ((array >= 0) & (array <= self.quantale.cap)).all():
            raise InputError(
                f"distances must be of shape (n, m) in [0, {self.quantale.cap:g}]; got shape {array.shape}"
                + (f" with least {array.min():g}." if array.size else ".")
            )
        object.__setattr__(self, "distances", array)


def isbell_upper(hom: Hom | Profunctor, presheaf: ArrayLike, limit_bytes: int = LIMIT) -> Floats:
    """The copresheaf of a presheaf: g(b) = sup_a [f(a), M(a, b)], in costs sup_a (M(a, b) - f(a))^+.

    Parameters
    ----------
    hom : Hom or Profunctor
    presheaf : float array of shape (n,) or (n, k)
        f in distances, against contravariant representables M(-, b).

    Returns
    -------
    float64 array of shape (m,) or (m, k)

    Raises
    ------
    InputError
        If the presheaf has another length or holds no distances.

    Notes
    -----
    f at distance 0 everywhere asks of b to be near to all a; the least r with add(f(a), r) >= M(a, b) for all a. With
    ``isbell_lower`` an adjunction between presheaves and opposite copresheaves (Isbell; Willerton 2013, "Tight spans, Isbell
    completions and semi-tropical modules"). Cost: n m k.
    """
    f = _functions(presheaf, _sides(hom)[0], hom.quantale)
    out = np.zeros((_sides(hom)[1], f.shape[1]))
    for rows, block in _blocks(hom, limit_bytes):
        for column, values in zip(out.T, f[rows].T, strict=True):
            np.maximum(column, hom.quantale.residual(values[:, None], block).max(axis=0, initial=0), out=column)
    return out if np.ndim(presheaf) == 2 else out[:, 0]


def isbell_lower(hom: Hom | Profunctor, copresheaf: ArrayLike, limit_bytes: int = LIMIT) -> Floats:
    """The presheaf of a copresheaf: f(a) = sup_b [g(b), M(a, b)], in costs sup_b (M(a, b) - g(b))^+.

    Parameters
    ----------
    hom : Hom or Profunctor
    copresheaf : float array of shape (m,) or (m, k)

    Returns
    -------
    float64 array of shape (n,) or (n, k). See ``isbell_upper``; Cost: n m k.
    """
    g = _functions(copresheaf, _sides(hom)[1], hom.quantale)
    out = np.zeros((_sides(hom)[0], g.shape[1]))
    for rows, block in _blocks(hom, limit_bytes):
        for column, values in zip(out.T, g.T, strict=True):
            column[rows] = hom.quantale.residual(values, block).max(axis=1, initial=0)
    return out if np.ndim(copresheaf) == 2 else out[:, 0]


def tighten(hom: Hom | Profunctor, presheaf: ArrayLike, limit_bytes: int = LIMIT) -> tuple[Floats, Floats]:
    """The pair of the nucleus that a presheaf goes to: (isbell_lower(g), g) with g = isbell_upper(presheaf).

    The first is the largest tight presheaf below the given one in distances. For the same from a copresheaf g take
    ``isbell_lower`` of it first. Cost: two passes, 2 n m k.
    """
    upper = isbell_upper(hom, presheaf, limit_bytes)
    return isbell_lower(hom, upper, limit_bytes), upper


def is_tight(hom: Hom | Profunctor, presheaf: ArrayLike, tolerance: float = 1e-9, limit_bytes: int = LIMIT) -> bool:
    """Whether every presheaf given is one of the nucleus: equal to its closure, within the tolerance.

    Representables of a lawful hom are: the completion holds the objects. Cost: as ``tighten``.
    """
    given = as_numbers(presheaf, "presheaves")
    closed, _ = tighten(hom, given, limit_bytes)
    return bool((excess(given, closed) <= tolerance).all() and (excess(closed, given) <= tolerance).all())


def presheaf_distances(first: ArrayLike, second: ArrayLike, quantale: Quantale = COST) -> Floats:
    """hom(f, g) = sup_a [f(a), g(a)] of presheaves, in costs sup_a (g(a) - f(a))^+.

    Parameters
    ----------
    first : float array of shape (n, k)
    second : float array of shape (n, l)

    Returns
    -------
    float64 array of shape (k, l). Cost: n k l.
    """
    f, g = (as_numbers(side, "presheaves") for side in (first, second))
    if f.ndim != 2 or g.ndim != 2 or len(f) != len(g):
        raise InputError(f"presheaves must be columns, shapes (n, k) and (n, l); got {f.shape} and {g.shape}.")
    out = np.empty((f.shape[1], g.shape[1]))
    for row, values in zip(out, f.T, strict=True):
        row[:] = quantale.residual(values[:, None], g).max(axis=0, initial=0)
    return out


@dataclass(frozen=True, eq=False)
class Vertices:
    """Corners of the nucleus of a small profunctor in costs.

    The nucleus is the union of the bounded faces that these corners span in the polyhedron f, g >= 0 with
    f(a) + g(b) >= M(a, b).

    Attributes
    ----------
    presheaves : float array of shape (k, n)
    copresheaves : float array of shape (k, m)
        Corners in lexicographic order of the presheaf.
    """

    presheaves: Floats = field(repr=False)
    copresheaves: Floats = field(repr=False)

    def __len__(self) -> int:
        return len(self.presheaves)

    def __repr__(self) -> str:
        return f"Vertices({len(self)} of {self.presheaves.shape[1]} + {self.copresheaves.shape[1]} coordinates)"


def nucleus_vertices(hom: Hom | Profunctor) -> Vertices:
    """All corners of the nucleus, for at most 8 rows and columns together (a hom of 4 objects).

    Raises
    ------
    InputError
        If there are more, a distance is infinite, or the quantale is not of costs.

    Notes
    -----
    Points of the nucleus are the least elements of the polyhedron {f, g >= 0, f(a) + g(b) >= M(a, b)} (Hirai and Koichi 2012,
    "On tight spans for directed distances"); a corner can't be lowered, as it could then be raised as well. Found as
    an intersection of half-spaces (Qhull). Cost: exponential, as is the number of corners.
    """
    from scipy.spatial import HalfspaceIntersection

    n, m = _sides(hom)
    if n + m > TINY:
        raise InputError(
            f"corners of the nucleus are listed for up to {TINY} rows and columns together; got {n} + {m}. Take fewer objects "
            "(hom.take), or move single presheaves into it (tighten)."
        )
    matrix = hom.distances(dtype=np.float64) if isinstance(hom, Hom) else hom.distances
    if not (hom.quantale.sums and hom.quantale.cap == inf and np.isfinite(matrix).all()):
        raise InputError(
            "corners of the nucleus need finite distances that add without a cap (COST or PROBABILITY); got the quantale "
            f"{hom.quantale.name}."
        )
    top = float(matrix.max(initial=0.0))
    if top == 0:
        return Vertices(np.zeros((1, n)), np.zeros((1, m)))
    rows, columns = np.nonzero(matrix > 0)
    # Rows a x + b <= 0: f + g >= M, coordinates >= 0, and a box that cuts off what is unbounded.
    bounds = np.zeros((len(rows), n + m + 1))
    bounds[np.arange(len(rows)), rows] = bounds[np.arange(len(rows)), n + columns] = -1
    bounds[:, -1] = matrix[rows, columns] / top
    identity = np.eye(n + m)
    above = np.hstack([-identity, np.zeros((n + m, 1))])
    box = np.hstack([identity, np.full((n + m, 1), -2.0)])
    found = HalfspaceIntersection(np.vstack([bounds, above, box]), np.full(n + m, 1.5)).intersections
    inside = found[(found < 1.5).all(axis=1)]
    corners = np.unique(np.round(inside, 9) + 0.0, axis=0) * top
    return Vertices(corners[:, :n], corners[:, n:])


def _sides(hom: Hom | Profunctor) -> tuple[int, int]:
    if isinstance(hom, Hom):
        return hom.n, hom.n
    return hom.distances.shape[0], hom.distances.shape[1]


def _blocks(hom: Hom | Profunctor, limit_bytes: int) -> Iterator[tuple[slice, Array]]:
    if isinstance(hom, Hom):
        return hom.blocks(limit_bytes, np.float64)
    return iter([(slice(0, len(hom.distances)), hom.distances)])


def _functions(values: ArrayLike, n: int, quantale: Quantale) -> Floats:
    array = as_numbers(values, "presheaves")
    if array.ndim not in (1, 2) or len(array) != n:
        raise InputError(f"a presheaf has one distance for each of {n} objects, shape ({n},); got {array.shape}.")
    if not ((array >= 0) & (array <= quantale.cap)).all():
        raise InputError(
            f"presheaves are given in distances of the quantale {quantale.name}, in [0, {quantale.cap:g}]."
        )
    return array if array.ndim == 2 else array[:, None]
