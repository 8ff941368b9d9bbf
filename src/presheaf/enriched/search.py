"""Near pairs: the k nearest of every object, and all pairs within a radius. Exact, in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.forms import Euclidean
from presheaf.enriched.hom import DIRECTIONS, LIMIT, Direction, Hom
from presheaf.enriched.running import Smallest
from presheaf.enriched.sources import Features
from presheaf.errors import InputError, one_of

Array = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SPARE = 8
"""Candidates beyond k that are computed exactly, so that rounding in float32 seldom costs a second look."""
SIDE = 2048
"""Rows and columns of a tile at most."""
MANY = 512
"""Candidates a row up to which they are computed pair by pair rather than as a whole row."""
PAIR_BYTES = 64
"""Memory a pair found needs, with what sorting takes."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Pairs of different objects that are near, by object: those of x are ``indices[indptr[x]:indptr[x + 1]]``.

    Attributes
    ----------
    radius : float
    direction : str
        With x the object and y a neighbour: "contravariant" D[y, x], "covariant" D[x, y], "both" the larger.
    indptr : int64 array of shape (n + 1,)
    indices : int64 array of shape (m,), ascending for each object
    distances : float64 array of shape (m,)
    """

    radius: float
    direction: str
    indptr: Ints
    indices: Ints
    distances: Floats

    def __repr__(self) -> str:
        return f"Neighbours({self.n:,} objects, {len(self.indices):,} pairs within {self.radius:g}, {self.direction})"

    @property
    def n(self) -> int:
        return len(self.indptr) - 1

    @property
    def rows(self) -> Ints:
        """The object of each pair, shape (m,)."""
        return np.repeat(np.arange(self.n), np.diff(self.indptr))

    def graph(self) -> Any:
        """A scipy CSR array of shape (n, n) with 1 for each pair. (Distances would lose pairs at distance 0.)"""
        from scipy.sparse import csr_array

        return csr_array((np.ones(len(self.indices), dtype=np.int8), self.indices, self.indptr), shape=(self.n, self.n))


@dataclass(frozen=True, eq=False)
class Bounds:
    """Lower bounds on half the squared distances of Euclidean features, as one float32 matrix product.

    ``left @ right.T`` is |u - v|^2 / 2 less what rounding in a product of this length can add to it (Higham 2002,
    section 3.1), relative to the norms.
    """

    left: NDArray[np.float32]
    right: NDArray[np.float32]

    @classmethod
    def of(cls, prepared: NDArray[np.float32]) -> Bounds:
        share = (prepared.shape[1] + 8) * 2.0**-23
        half = np.einsum("ij,ij->i", prepared, prepared, dtype=np.float64)[:, None] * (0.5 * (1 - 2 * share))
        one = np.ones_like(half)
        return cls(
            np.hstack([prepared, one, half], dtype=np.float32), np.hstack([-prepared, half, one], dtype=np.float32)
        )


def _euclidean(hom: Hom) -> tuple[Features, Euclidean] | None:
    if isinstance(hom.source, Features) and isinstance(hom.source.kernel.form, Euclidean):
        return hom.source, hom.source.kernel.form
    return None


def _cut(form: Euclidean, distances: Floats) -> Floats:
    """Half the squares at these distances, widened by what turning one into the other and back can lose."""
    return np.asarray(form.inverse(distances) / 2 * (1 + 1e-6) + 1e-30)


def within(hom: Hom, radius: float, direction: Direction, limit_bytes: int = LIMIT) -> Neighbours:
    """All ordered pairs of different objects at most ``radius`` apart.

    Parameters
    ----------
    hom : Hom
    radius : float
        In the hom's distances, >= 0; 0 finds the objects that the hom can't tell apart.
    direction : "contravariant" (D[y, x] of object x and neighbour y), "covariant" (D[x, y]), or "both" (the larger)
    limit_bytes : int
        For a block, and for the pairs found.

    Raises
    ------
    InputError
        If the pairs found need more than ``limit_bytes``.

    Notes
    -----
    Decided in float64. Cost: n^2 distances; for Euclidean features one float32 matrix product over half of the pairs, and
    float64 for those its rounding can't decide or that are near.
    """
    one_of("direction", direction, DIRECTIONS)
    if not radius >= 0:
        raise InputError(f"radius must be a number >= 0; got {radius!r}.")
    found: list[tuple[Ints, Ints, Floats]] = []
    count = 0
    fast = _euclidean(hom)
    pairs = _walk_triangle(*fast, radius, limit_bytes) if fast else _block_pairs(hom, radius, direction, limit_bytes)
    for i, j, distance in pairs:
        found.append((i, j, distance))
        count += len(i)
        if count * PAIR_BYTES > limit_bytes:
            raise InputError(
                f"more than {count:,} pairs lie within {radius:g}, which takes more than limit_bytes={limit_bytes:,}. Choose a "
                "smaller radius or raise the limit."
            )
    rows = np.concatenate([i for i, _, _ in found]) if found else np.zeros(0, dtype=np.int64)
    columns = np.concatenate([j for _, j, _ in found]) if found else np.zeros(0, dtype=np.int64)
    distances = np.concatenate([d for _, _, d in found]) if found else np.zeros(0)
    order = np.lexsort((columns, rows))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=hom.n))]).astype(np.int64)
    return Neighbours(float(radius), direction, indptr, columns[order], distances[order])


def _walk_triangle(
    source: Features, form: Euclidean, radius: float, limit_bytes: int
) -> Iterator[tuple[Ints, Ints, Floats]]:
    bounds = Bounds.of(source.prepared)
    cut = np.float32(_cut(form, np.array(radius)))
    n, side = source.n, int(np.clip((limit_bytes // 16) ** 0.5, 64, SIDE))
    same = source.same
    for start in range(0, n, side):
        for other in range(start, n, side):
            tile = bounds.left[start : start + side] @ bounds.right[other : other + side].T
            i, j = _nonzero(tile <= cut)
            i, j = i + start, j + other
            i, j = (part[i < j] for part in (i, j))
            if not len(i):
                continue
            distance = np.zeros(len(i))
            apart = np.flatnonzero(same[i] != same[j])
            distance[apart] = source.pairs(i[apart], j[apart])
            keep = distance <= radius
            i, j, distance = i[keep], j[keep], distance[keep]
            yield np.concatenate([i, j]), np.concatenate([j, i]), np.concatenate([distance, distance])


def _nonzero(mask: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Like np.nonzero, faster where little is true."""
    flat = np.flatnonzero(mask)
    return np.asarray(flat // mask.shape[1]), np.asarray(flat % mask.shape[1])


def _directed(hom: Hom, direction: Direction, limit_bytes: int) -> Iterator[tuple[slice, Floats]]:
    """Row blocks of the neighbours' distances in float64, the object itself at inf."""
    for rows, forward in hom.blocks(limit_bytes, np.float64):
        block = forward
        if direction != "covariant" and not hom.symmetric:
            backward = hom.distances(None, rows, np.float64).T
            block = backward if direction == "contravariant" else np.maximum(forward, backward)
        own = np.arange(rows.start, rows.stop)
        block[own - rows.start, own] = np.inf
        yield rows, block


def _block_pairs(
    hom: Hom, radius: float, direction: Direction, limit_bytes: int
) -> Iterator[tuple[Ints, Ints, Floats]]:
    for rows, block in _directed(hom, direction, limit_bytes):
        i, j = _nonzero(block <= radius)
        other = i + rows.start != j
        i, j = i[other], j[other]
        yield i + rows.start, j, block[i, j]


def nearest(hom: Hom, k: int, direction: Direction, limit_bytes: int = LIMIT) -> tuple[Ints, Floats]:
    """The k nearest other objects of each object.

    Parameters
    ----------
    hom : Hom
    k : int
        1 <= k < n.
    direction : as for ``within``

    Returns
    -------
    indices : int64 array of shape (n, k)
        By distance, ties by number.
    distances : float64 array of shape (n, k)

    Notes
    -----
    Decided in float64. Cost: n^2 distances; for Euclidean features one float32 matrix product over half of the pairs, and
    float64 for k + 8 candidates a row, or for all that rounding leaves open where these don't settle it.
    """
    one_of("direction", direction, DIRECTIONS)
    if not 1 <= k < hom.n:
        raise InputError(f"k must lie in 1..{hom.n - 1} for {hom.n} objects; got {k!r}.")
    indices, distances = np.empty((hom.n, k), dtype=np.int64), np.empty((hom.n, k))
    found = _euclidean(hom)
    if found is None:
        for rows, block in _directed(hom, direction, limit_bytes):
            indices[rows], distances[rows] = _smallest(block, k)
        return indices, distances
    source, form = found
    unsettled = _nearest_euclidean(source, form, k, indices, distances, limit_bytes)
    step = max(1, limit_bytes // (hom.n * 8 * 4))
    for start in range(0, len(unsettled), step):
        again = unsettled[start : start + step]
        block = hom.distances(again, None, np.float64)
        block[np.arange(len(again)), again] = np.inf
        indices[again], distances[again] = _smallest(block, k)
    return indices, distances


def _smallest(block: Array, k: int) -> tuple[Ints, Array]:
    """The k smallest of every row and where, by value and then by position."""
    kth = np.partition(block, k - 1, axis=1)[:, k - 1 : k]
    i, j = _nonzero(block <= kth)
    return _first(i, j, block[i, j], len(block), k)


def _first(i: Ints, j: Ints, values: Array, rows: int, k: int) -> tuple[Ints, Array]:
    """Of listed entries, at least k for every row: the k of least value, ties by column. Shapes (rows, k)."""
    order = np.lexsort((j, values, i))
    i = i[order]
    rank = np.arange(len(i)) - np.searchsorted(i, np.arange(rows))[i]
    kept = order[rank < k]
    return j[kept].reshape(rows, k), values[kept].reshape(rows, k)


def _nearest_euclidean(
    source: Features, form: Euclidean, k: int, indices: Ints, distances: Floats, limit_bytes: int
) -> Ints:
    """Fill in the rows that candidates settle; return the others."""
    bounds, n = Bounds.of(source.prepared), source.n
    wanted = min(k + SPARE, n - 1)
    seen = _candidates(bounds, wanted, limit_bytes)
    unsettled = [np.zeros(0, dtype=np.int64)]
    step = max(1, min(2048, limit_bytes // (max(n, 4 * wanted) * 16)))
    for start in range(0, n, step):
        rows = np.arange(start, min(start + step, n))
        candidates = seen.columns[rows].ravel()
        owner = np.repeat(np.arange(len(rows)), wanted)
        exact = source.pairs(rows[owner], candidates)
        indices[rows], distances[rows] = _first(owner, candidates, exact, len(rows), k)
        if wanted < n - 1:
            cut = _cut(form, distances[rows, k - 1])
            again = rows[seen.bound[rows] <= cut]
            if len(again):
                unsettled.append(_settle(source, bounds, again, cut[again - start], indices, distances))
    return np.concatenate(unsettled)


def _candidates(bounds: Bounds, wanted: int, limit_bytes: int) -> Smallest:
    """The ``wanted`` other objects of least bound for every object, from half of the matrix of bounds."""
    n = len(bounds.left)
    side = int(np.clip(min((limit_bytes // 64) ** 0.5, limit_bytes // (64 * wanted)), 64, SIDE))
    seen = Smallest.of(n, wanted)
    for start in range(0, n, side):
        for other in range(start, n, side):
            tile = bounds.left[start : start + side] @ bounds.right[other : other + side].T
            if start == other:
                np.fill_diagonal(tile, np.inf)
            else:
                seen.offer(tile, other, start, across=True)
            seen.offer(tile, start, other)
    return seen


def _settle(source: Features, bounds: Bounds, rows: Ints, cut: Floats, indices: Ints, distances: Floats) -> Ints:
    """Compute all that may be near enough for rows where candidates left it open; return rows with too much of it."""
    k = indices.shape[1]
    key = bounds.left[rows] @ bounds.right.T
    key[np.arange(len(rows)), rows] = np.inf
    i, j = _nonzero(key <= cut[:, None])
    if len(i) > MANY * len(rows):
        return rows
    indices[rows], distances[rows] = _first(i, j, source.pairs(rows[i], j), len(rows), k)
    return np.zeros(0, dtype=np.int64)
