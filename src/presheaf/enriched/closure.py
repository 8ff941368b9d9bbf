"""The closure of a hom: the largest lawful one below it in distances, by all-pairs shortest paths in its quantale."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.construct import hom_from_distances
from presheaf.enriched.hom import LIMIT, Hom
from presheaf.enriched.quantale import COST, Quantale, excess
from presheaf.errors import InputError

Array = NDArray[Any]

TILE = (128, 1024)
"""Rows and columns of a tile, small enough for a core's cache."""
PANEL = 64
"""Objects whose paths are finished at once."""


@dataclass(frozen=True)
class Closure:
    """A closed hom and how far the closure moved the distances.

    Attributes
    ----------
    hom : Hom
        Lawful, dense.
    largest : float
        Largest D - D* over ordered pairs of distinct objects; inf where a path joins what had none.
    mean : float
        Mean of D - D* over pairs where it is finite.
    joined : int
        Pairs at distance inf that a path joins.
    moved : float
        Share of pairs moved at all.
    """

    hom: Hom = field(repr=False)
    largest: float
    mean: float
    joined: int
    moved: float


def minplus(a: ArrayLike, b: ArrayLike, quantale: Quantale = COST) -> Array:
    """The matrix product of distances: out[i, j] = min_k add(a[i, k], b[k, j]).

    Parameters
    ----------
    a : array of shape (n, m)
    b : array of shape (m, p)

    Returns
    -------
    Array of shape (n, p), in the common dtype (at least float32). No k at all gives the quantale's cap.

    Raises
    ------
    InputError
        If the shapes don't fit.

    Notes
    -----
    Cost: n m p additions, in tiles that stay in cache; memory: the result and one tile.
    """
    first, second = np.asarray(a), np.asarray(b)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[0]:
        raise InputError(f"minplus needs shapes (n, m) and (m, p); got {first.shape} and {second.shape}.")
    dtype = np.result_type(first, second, np.float32)
    out = np.full((len(first), second.shape[1]), quantale.cap, dtype=dtype)
    _lower(out, first.astype(dtype, copy=False), np.ascontiguousarray(second, dtype=dtype), quantale.sums)
    return out


def _lower(out: Array, a: Array, b: Array, sums: bool) -> None:
    """out = min(out, a (+) b) in place, for sums that need no cap because ``out`` is below it."""
    join = np.add if sums else np.maximum
    height, width = TILE
    scratch = np.empty(TILE, dtype=out.dtype)
    for top in range(0, len(out), height):
        for left in range(0, out.shape[1], width):
            tile = out[top : top + height, left : left + width]
            rows, columns = a[top : top + height], b[:, left : left + width]
            space = scratch[: tile.shape[0], : tile.shape[1]]
            for k in range(a.shape[1]):
                join(rows[:, k, None], columns[k], out=space)
                np.minimum(tile, space, out=tile)


def close_distances(matrix: ArrayLike, quantale: Quantale = COST) -> Array:
    """All-pairs shortest paths of a dense matrix of distances, with 0 on the diagonal; bottlenecks where distances don't sum.

    Parameters
    ----------
    matrix : array of shape (n, n), entries in [0, quantale.cap]

    Returns
    -------
    Array of shape (n, n), float32 if the matrix is, else float64.

    Notes
    -----
    Floyd-Warshall in panels of 64 objects (Venkataraman, Sahni and Mukhopadhyaya 2003). Cost: n^3 additions. Memory: one
    copy of the matrix and one tile.
    """
    given = np.asarray(matrix)
    out = np.array(given, dtype=given.dtype if given.dtype == np.float32 else np.float64, order="C")
    if out.ndim != 2 or out.shape[0] != out.shape[1]:
        raise InputError(f"closure needs a matrix of shape (n, n); got {out.shape}.")
    np.fill_diagonal(out, 0)
    join = np.add if quantale.sums else np.maximum
    for start in range(0, len(out), PANEL):
        inner = slice(start, min(start + PANEL, len(out)))
        block = out[inner, inner]
        for k in range(len(block)):
            np.minimum(block, join(block[:, k, None], block[k]), out=block)
        # Steps into the panel need no closing: the rows they meet already hold every way through it.
        rows, columns = out[inner].copy(), out[:, inner].copy()
        _lower(rows, block.copy(), out[inner].copy(), quantale.sums)
        _lower(out, columns, rows, quantale.sums)
    return out


def closure(hom: Hom, limit_bytes: int = LIMIT, dtype: type[np.float32] | type[np.float64] = np.float64) -> Closure:
    """Close a hom under composition and identities.

    Parameters
    ----------
    hom : Hom
    limit_bytes : int
        For the distances before and after and the scratch of one panel: 3 n^2 numbers.

    Raises
    ------
    InputError
        If that is more than ``limit_bytes``.

    Notes
    -----
    The closure takes minima, so noise biases it down, the more the noisier: don't headline it on noisy homs; measure the
    noise floor with ``laws(noise=...)``. Cost: n^3 additions.
    """
    need = 3 * hom.n**2 * np.dtype(dtype).itemsize
    if need > limit_bytes:
        raise InputError(
            f"closing {hom.n:,} objects takes {need:,} bytes, more than limit_bytes={limit_bytes:,}. Raise the limit or take "
            "fewer objects (hom.take)."
        )
    before = hom.dense(limit_bytes, dtype)
    after = close_distances(before, hom.quantale)
    if hom.symmetric:
        # Sums in another order differ in the last digit.
        after = np.minimum(after, after.T)
    reason = "proof: shortest paths compose, and every identity has distance 0"
    closed = hom_from_distances(after, hom.quantale, f"closure of {hom.name}", True, reason)
    moved = excess(before, after)
    np.fill_diagonal(moved, 0)
    finite = np.isfinite(moved)
    pairs, counted = max(1, hom.n * (hom.n - 1)), max(1, int(finite.sum()) - hom.n)
    return Closure(
        hom=replace(closed, fitted=hom.fitted),
        largest=float(moved.max(initial=0.0)),
        mean=float(moved[finite].sum(dtype=np.float64)) / counted,
        joined=int(np.sum(moved == inf)),
        moved=float(np.count_nonzero(moved)) / pairs,
    )
