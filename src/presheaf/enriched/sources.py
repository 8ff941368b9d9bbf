"""Where a hom's distances come from: a matrix, features with a kernel, a graph, or another source through a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.forms import Euclidean, RowWise, as_given
from presheaf.enriched.kernel import Kernel
from presheaf.errors import InputError

Array = NDArray[Any]
Floats = NDArray[np.float64]
Index = NDArray[np.int64] | slice

PAIRS = 1 << 22
"""Numbers gathered at once when listed pairs are computed."""
NEAR = {np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-10}
"""Squares below this share of the two norms have lost too many digits to cancellation and are computed from differences."""


class Source(Protocol):
    """Distances between n objects, by block or by listed pair."""

    @property
    def n(self) -> int: ...

    def block(self, rows: Index, columns: Index, dtype: type[np.floating[Any]]) -> Array:
        """Distances of shape (rows, columns)."""
        ...

    def pairs(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        """Float64 distances of listed pairs, shape (m,)."""
        ...

    def take(self, objects: NDArray[np.int64]) -> Source:
        """The source of these objects only, in this order."""
        ...


@dataclass(frozen=True, eq=False)
class Matrix:
    """A matrix of distances, shape (n, n)."""

    distances: Array

    @property
    def n(self) -> int:
        return len(self.distances)

    def block(self, rows: Index, columns: Index, dtype: type[np.floating[Any]]) -> Array:
        return self.distances[rows][:, columns].astype(dtype)

    def pairs(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        return self.distances[rows, columns].astype(np.float64)

    def take(self, objects: NDArray[np.int64]) -> Matrix:
        return Matrix(self.distances[np.ix_(objects, objects)])


@dataclass(frozen=True, eq=False)
class Features:
    """Features of shape (n, d), float32 or float64, with a kernel. Memory: the features, once more in float32, and in
    float64 where whole blocks of it are asked for."""

    features: Array
    kernel: Kernel

    @property
    def n(self) -> int:
        return len(self.features)

    @cached_property
    def prepared(self) -> NDArray[np.float32]:
        """The kernel's preparation of all features, in float32."""
        return self._prepare(np.float32)

    @cached_property
    def prepared_double(self) -> Floats:
        """The same in float64, made when whole blocks of float64 are first asked for."""
        return self._prepare(np.float64)

    def _prepare(self, dtype: type[np.floating[Any]]) -> Array:
        form = self.kernel.form
        if form.prepare is as_given:
            return np.ascontiguousarray(self.features, dtype=dtype)
        step = max(1, PAIRS // max(1, self.features.shape[1]))
        # What float64 holds may not fit float32 before it is prepared.
        work = np.result_type(self.features, dtype)
        parts = [
            form.prepare(self.features[i : i + step].astype(work)).astype(dtype, copy=False)
            for i in range(0, self.n, step)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.features.shape[1]), dtype=dtype)

    @cached_property
    def same(self) -> NDArray[np.int64]:
        """A number per object, equal for objects whose features are equal. Shape (n,)."""
        return equal_rows(self.features)

    def ready(self, objects: Index, dtype: type[np.floating[Any]]) -> Array:
        """Prepared features of some objects."""
        return (self.prepared if dtype is np.float32 else self.prepared_double)[objects]

    def _exactly(self, objects: NDArray[np.int64]) -> Floats:
        """Prepared features of listed objects in float64, without those of all."""
        if "prepared_double" in self.__dict__:
            return self.prepared_double[objects]
        return self.kernel.form.prepare(self.features[objects].astype(np.float64))

    def block(self, rows: Index, columns: Index, dtype: type[np.floating[Any]]) -> Array:
        form = self.kernel.form
        if isinstance(form, RowWise):
            return form.block(self.ready(rows, np.float64), self.ready(columns, np.float64)).astype(dtype, copy=False)
        u, v = self.ready(rows, dtype), self.ready(columns, dtype)
        return form.shape(exact_squares(form, u, v, self.same[rows], self.same[columns]))

    def pairs(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        form = self.kernel.form
        out = np.empty(len(rows))
        step = max(1, PAIRS // max(1, self.features.shape[1]))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            u, v = self._exactly(rows[part]), self._exactly(columns[part])
            if isinstance(form, RowWise):
                out[part] = form.pairs(u, v)
            else:
                u -= v
                out[part] = form.shape(np.einsum("ij,ij->i", u, u))
        return out

    def take(self, objects: NDArray[np.int64]) -> Features:
        return Features(self.features[objects], self.kernel)

    def joined(self, others: Array) -> Features:
        """These objects and, after them, outside points with features of shape (k, d)."""
        return Features(np.concatenate([self.features, others]), self.kernel)


def equal_rows(features: Array) -> NDArray[np.int64]:
    """A number per row, equal for equal rows. Shape (n,).

    Notes
    -----
    Rows with one hash are compared, so that a collision changes nothing but the time. Cost: one pass, without a copy of
    the features, and sorting n hashes.
    """
    _, first, number = np.unique(row_hashes(features), return_index=True, return_inverse=True)
    origin = first[number]
    later = np.flatnonzero(origin != np.arange(len(features)))
    step = max(1, PAIRS // max(1, features.shape[1]))
    for start in range(0, len(later), step):
        rows = later[start : start + step]
        if (features[rows] != features[origin[rows]]).any():
            return np.asarray(np.unique(features, axis=0, return_inverse=True)[1].ravel(), dtype=np.int64)
    return np.asarray(number, dtype=np.int64)


def row_hashes(features: Array) -> NDArray[np.uint64]:
    """A hash per row: its 32-bit words times random odd numbers, summed modulo 2^64. Shape (n,)."""
    words = features.shape[1] * features.itemsize // 4
    multipliers = np.random.default_rng(0).integers(0, 1 << 64, words, dtype=np.uint64) | np.uint64(1)
    step = max(1, PAIRS // max(1, words))
    hashes = np.zeros(len(features), dtype=np.uint64)
    for start in range(0, len(features), step):
        # Adding 0 turns -0 into 0, which has other bytes.
        part = np.ascontiguousarray(features[start : start + step] + 0).view(np.uint32)
        hashes[start : start + step] = (part * multipliers).sum(axis=1)
    return hashes


def exact_squares(form: Euclidean, u: Array, v: Array, u_same: NDArray[np.int64], v_same: NDArray[np.int64]) -> Array:
    """Squared distances with the small ones computed from differences, and 0 between equal features."""
    squares = form.squares(u, v)
    norms = np.einsum("ij,ij->i", u, u)[:, None] + np.einsum("ij,ij->i", v, v)
    i, j = np.nonzero(squares <= NEAR[squares.dtype] * norms)
    equal = u_same[i] == v_same[j]
    squares[i[equal], j[equal]] = 0
    i, j = i[~equal], j[~equal]
    step = max(1, PAIRS // max(1, u.shape[1]))
    for start in range(0, len(i), step):
        a, b = i[start : start + step], j[start : start + step]
        difference = u[a].astype(np.float64) - v[b]
        squares[a, b] = np.einsum("ij,ij->i", difference, difference)
    return squares


@dataclass(frozen=True, eq=False)
class Graph:
    """Shortest paths of a sparse matrix of edge lengths; ``objects`` are the nodes that count, shape (n,)."""

    lengths: Any
    objects: NDArray[np.int64]

    @property
    def n(self) -> int:
        return len(self.objects)

    def block(self, rows: Index, columns: Index, dtype: type[np.floating[Any]]) -> Array:
        from scipy.sparse.csgraph import dijkstra

        start, end = self.objects[rows], self.objects[columns]
        if len(start) <= len(end):
            found = dijkstra(self.lengths, indices=start)[:, end]
        else:
            found = dijkstra(self.lengths.T.tocsr(), indices=end)[:, start].T
        return np.asarray(found, dtype=dtype)

    def pairs(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        out = np.empty(len(rows))
        origins, number = np.unique(rows, return_inverse=True)
        step = max(1, PAIRS // max(1, self.lengths.shape[0]))
        for start in range(0, len(origins), step):
            part = np.flatnonzero((number >= start) & (number < start + step))
            found = self.block(origins[start : start + step], np.arange(self.n), np.float64)
            out[part] = found[number[part] - start, columns[part]]
        return out

    def take(self, objects: NDArray[np.int64]) -> Graph:
        return replace(self, objects=self.objects[objects])


@dataclass(frozen=True, eq=False)
class Through:
    """Another source's distances through a function of distances, elementwise."""

    source: Source
    function: Callable[[Array], Array]

    @property
    def n(self) -> int:
        return self.source.n

    def block(self, rows: Index, columns: Index, dtype: type[np.floating[Any]]) -> Array:
        return np.asarray(self.function(self.source.block(rows, columns, np.float64))).astype(dtype)

    def pairs(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        return np.asarray(self.function(self.source.pairs(rows, columns)), dtype=np.float64)

    def take(self, objects: NDArray[np.int64]) -> Through:
        return Through(self.source.take(objects), self.function)


def as_features(features: Any, name: str = "features") -> Array:
    """Features as a float32 or float64 array of shape (n, d).

    Raises
    ------
    InputError
        If they are not a finite numeric array of two dimensions.
    """
    array = np.asarray(features)
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise InputError(f"{name} must be numbers of shape (n, d); got shape {array.shape} of {array.dtype}.")
    if array.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        array = array.astype(np.float32 if array.dtype == np.float16 else np.float64)
    if not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array).all(axis=1)))
        raise InputError(
            f"{name} must be finite; row {row} holds nan or inf. Leave that object out or encode it again."
        )
    return array
