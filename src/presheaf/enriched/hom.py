"""A hom on n objects: how each relates to each, in distances, without n x n in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.quantale import Quantale
from presheaf.enriched.sources import Features, Index, Source, as_features
from presheaf.errors import InputError, one_of

if TYPE_CHECKING:
    from presheaf.enriched.search import Neighbours

Array = NDArray[Any]
Float = type[np.float32] | type[np.float64]
Variance = Literal["contravariant", "covariant"]
Direction = Literal["contravariant", "covariant", "both"]

VARIANCES = ("contravariant", "covariant")
DIRECTIONS = (*VARIANCES, "both")
LIMIT = 1 << 28
"""Bytes a block and what it needs may take where the caller names no limit: 256 MiB."""
SCRATCH = 4
"""Arrays of a block's size that computing it can need."""


@dataclass(frozen=True, eq=False)
class Hom:
    """D[x, y] = distance of hom(x, y) for n objects, with the quantale that says how distances add.

    Made by the functions of ``presheaf.enriched.construct``.

    Attributes
    ----------
    name : str
    quantale : Quantale
    symmetric : bool
        Whether D[x, y] = D[y, x] is known for all pairs.
    lawful : bool or None
        Whether the laws of a category hold: known to (True), known not to (False), or to be measured (None).
    reason : str
        Why, in a sentence.
    fitted : int
        Parameters chosen by looking at the data; 0 is data-oblivious.
    positive_definite : bool or None
        Whether the values are known to form a positive semidefinite matrix with unit diagonal.
    """

    source: Source = field(repr=False)
    name: str
    quantale: Quantale
    symmetric: bool
    lawful: bool | None
    reason: str
    fitted: int = 0
    positive_definite: bool | None = None

    def __repr__(self) -> str:
        law = {True: "lawful", False: "unlawful", None: "laws not known"}[self.lawful]
        sides = "symmetric" if self.symmetric else "directed"
        return f"Hom({self.name}, {self.n:,} objects, {self.quantale.name}, {sides}, {law}, {self.fitted} fitted)"

    @property
    def n(self) -> int:
        """Number of objects."""
        return self.source.n

    def distances(
        self, rows: ArrayLike | slice | None = None, columns: ArrayLike | slice | None = None, dtype: Float = np.float32
    ) -> Array:
        """D[rows, columns] as an array of shape (rows, columns); None stands for all objects.

        float32 is for work, float64 for what a decision depends on. The caller keeps the block small; see ``blocks``. Cost: so
        many distances, for features and most kernels one matrix product.
        """
        return self.source.block(self._index(rows), self._index(columns), dtype)

    def pairs(self, rows: ArrayLike, columns: ArrayLike) -> NDArray[np.float64]:
        """D[rows[i], columns[i]] for listed pairs, in float64, shape (m,). Cost: m times the features' length."""
        first, second = self._objects(rows), self._objects(columns)
        if len(first) != len(second):
            raise InputError(f"pairs need as many rows as columns; got {len(first)} and {len(second)}.")
        return self.source.pairs(first, second)

    def row(self, p: int, variance: Variance, dtype: Float = np.float64) -> Array:
        """The representable of p, shape (n,): hom(x, p) over x if contravariant, hom(p, x) if covariant. Cost: n distances."""
        return self.columns([p], variance, dtype)[:, 0]

    def columns(self, points: ArrayLike, variance: Variance, dtype: Float = np.float32) -> Array:
        """Representables of k objects side by side, shape (n, k). Cost: n k distances. Memory: n k and a block."""
        one_of("variance", variance, VARIANCES)
        chosen = self._objects(points)
        out = np.empty((self.n, len(chosen)), dtype=dtype)
        for part in self._parts(len(chosen), np.dtype(dtype).itemsize, LIMIT):
            if variance == "contravariant" or self.symmetric:
                out[part] = self.source.block(part, chosen, dtype)
            else:
                out[part] = self.source.block(chosen, part, dtype).T
        return out

    def blocks(self, limit_bytes: int = LIMIT, dtype: Float = np.float32) -> Iterator[tuple[slice, Array]]:
        """Blocks of whole rows, (rows, D[rows, :]), in order; each with its scratch memory within ``limit_bytes``.

        Cost: n^2 distances if all are taken.

        Raises
        ------
        InputError
            If not even one row fits.
        """
        for part in self._parts(self.n, np.dtype(dtype).itemsize, limit_bytes):
            yield part, self.source.block(part, slice(0, self.n), dtype)

    def dense(self, limit_bytes: int, dtype: Float = np.float64) -> Array:
        """All of D, shape (n, n). Cost: n^2 distances.

        Raises
        ------
        InputError
            If the matrix takes more than ``limit_bytes``.
        """
        need = self.n * self.n * np.dtype(dtype).itemsize
        if need > limit_bytes:
            raise InputError(
                f"all distances of {self.n:,} objects take {need:,} bytes, more than limit_bytes={limit_bytes:,}. Raise the "
                "limit, take fewer objects (hom.take), or go by hom.blocks."
            )
        out = np.empty((self.n, self.n), dtype=dtype)
        for rows, block in self.blocks(LIMIT, dtype):
            out[rows] = block
        return out

    def take(self, objects: ArrayLike) -> Hom:
        """The full subcategory on these objects, in this order. Cost: a copy of their features (or distances)."""
        return replace(self, source=self.source.take(self._objects(objects)))

    def between(self, points: ArrayLike, variance: Variance, dtype: Float = np.float32) -> Array:
        """Representables of k outside points (soft prompts, held-out objects), shape (n, k). Cost: as ``extended``, n k distances.

        Parameters
        ----------
        points : array of shape (k, d)
            Their features.
        variance : "contravariant" for hom(x, point), "covariant" for hom(point, x)

        Raises
        ------
        InputError
            If the hom does not come from features, or these have another length.
        """
        joined = self.extended(points)
        return joined.columns(np.arange(self.n, joined.n), variance, dtype)[: self.n]

    def extended(self, points: ArrayLike) -> Hom:
        """The same hom on these n objects and, after them, k outside points given by features of shape (k, d).

        Cost: a copy of all features.
        """
        if not isinstance(self.source, Features):
            raise InputError(
                f"only a hom made from features reaches points that are no objects; this one is {self.name!r}. Make it with "
                "hom_from_features, or put the points among the objects."
            )
        with np.errstate(over="ignore"):
            features = as_features(points, "points").astype(self.source.features.dtype)
        features = as_features(features, f"points in {features.dtype}")
        if features.shape[1] != self.source.features.shape[1]:
            raise InputError(f"points must have {self.source.features.shape[1]} features; got {features.shape[1]}.")
        self.source.kernel.form.check(features)
        return replace(self, source=self.source.joined(features))

    def nearest(self, k: int, direction: Direction, limit_bytes: int = LIMIT) -> tuple[NDArray[np.int64], Array]:
        """The k nearest other objects of each; see ``presheaf.enriched.search.nearest``. Cost: n^2 distances of each direction, at most."""
        from presheaf.enriched.search import nearest

        return nearest(self, k, direction, limit_bytes)

    def within(self, radius: float, direction: Direction, limit_bytes: int = LIMIT) -> Neighbours:
        """All pairs of different objects at most ``radius`` apart; see ``presheaf.enriched.search.within``.

        Cost: n^2 distances of each direction, at most.
        """
        from presheaf.enriched.search import within

        return within(self, radius, direction, limit_bytes)

    def _index(self, objects: ArrayLike | slice | None) -> Index:
        if objects is None:
            return slice(0, self.n)
        if isinstance(objects, slice):
            return slice(*objects.indices(self.n))
        return self._objects(objects)

    def _objects(self, objects: ArrayLike) -> NDArray[np.int64]:
        index = np.asarray(objects)
        if index.ndim != 1 or (index.size and index.dtype.kind not in "iu"):
            raise InputError(f"objects must be a list of whole numbers; got shape {index.shape} of {index.dtype}.")
        if index.size and (index.min() < 0 or index.max() >= self.n):
            raise InputError(f"objects must lie in 0..{self.n - 1}; got {index.min()}..{index.max()}.")
        return index.astype(np.int64)

    def _parts(self, width: int, itemsize: int, limit_bytes: int) -> Iterator[slice]:
        each = max(1, width) * itemsize * SCRATCH
        if each > limit_bytes:
            raise InputError(
                f"one row of {width:,} distances takes {each:,} bytes with its scratch memory, more than "
                f"limit_bytes={limit_bytes:,}. Raise the limit or take fewer objects."
            )
        step = limit_bytes // each
        for start in range(0, self.n, step):
            yield slice(start, min(start + step, self.n))
