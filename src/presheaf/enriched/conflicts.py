"""Close pairs, and those among them whose labels exclude each other: the conflict graph at lambda."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.hom import LIMIT, Hom
from presheaf.enriched.label_category import READINGS, LabelCategory, Reading
from presheaf.enriched.vertex_cover import Cover, least_cover
from presheaf.errors import InputError, one_of

Array = NDArray[Any]
Ints32 = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ClosePairs:
    """Pairs of different objects at most ``radius`` apart, nearest first. Labels play no part, so nulls can reuse them.

    Attributes
    ----------
    n : int
    radius : float
    reading : "either", "both" (each unordered pair once, first < second) or "forward" (the arrow first -> second)
    first, second : int32 arrays of shape (m,)
    distances : float64 array of shape (m,), ascending
    """

    n: int
    radius: float
    reading: Reading
    first: Ints32 = field(repr=False)
    second: Ints32 = field(repr=False)
    distances: Floats = field(repr=False)

    def __repr__(self) -> str:
        return f"ClosePairs({self.n:,} objects, {len(self.first):,} pairs within {self.radius:g}, {self.reading})"

    def up_to(self, lam: float) -> int:
        """How many pairs are at most ``lam`` apart."""
        return _count(self.distances, lam, self.radius)


def _count(distances: Floats, lam: float, radius: float) -> int:
    if not 0 <= lam <= radius:
        raise InputError(f"lambda must lie in [0, {radius:g}], the radius searched; got {lam!r}. Search further.")
    return int(np.searchsorted(distances, lam, side="right"))


def close_pairs(hom: Hom, radius: float, reading: Reading, limit_bytes: int = LIMIT) -> ClosePairs:
    """All pairs at most ``radius`` apart as a label category reads them (``category.reading``).

    Parameters
    ----------
    hom : Hom
    radius : float
        In the hom's distances, >= 0.
    reading : "either", "both" or "forward"
    limit_bytes : int
        For a block, and for the pairs found (64 bytes each while they are sorted).

    Raises
    ------
    InputError
        If the pairs need more than ``limit_bytes``.

    Notes
    -----
    Cost: one search (``hom.within``) and sorting the pairs. Decided in float64.
    """
    one_of("reading", reading, READINGS)
    found = hom.within(radius, "both" if reading == "both" else "covariant", limit_bytes)
    first, second = found.rows.astype(np.int32), found.indices.astype(np.int32)
    distances = found.distances
    if reading == "either" and not hom.symmetric:
        low, high = np.minimum(first, second), np.maximum(first, second)
        order = np.lexsort((distances, high, low))
        first, second, distances = low[order], high[order], distances[order]
        new = np.ones(len(first), dtype=bool)
        new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    else:
        new = np.ones(len(first), dtype=bool) if reading == "forward" else first < second
    first, second, distances = first[new], second[new], distances[new]
    order = np.argsort(distances, kind="stable")
    return ClosePairs(hom.n, float(radius), reading, first[order], second[order], distances[order])


@dataclass(frozen=True, eq=False)
class Conflicts:
    """Close pairs whose labels exclude each other, nearest first.

    Attributes
    ----------
    n : int
    radius : float
    first, second : int32 arrays of shape (m,)
    distances : float64 array of shape (m,), ascending
    left : bool array of shape (n,) or None
        With two labels in use, which objects carry the smaller: every conflict then joins the two sides.
    """

    n: int
    radius: float
    first: Ints32 = field(repr=False)
    second: Ints32 = field(repr=False)
    distances: Floats = field(repr=False)
    left: NDArray[np.bool_] | None = field(repr=False)

    def __repr__(self) -> str:
        return f"Conflicts({self.n:,} objects, {len(self.first):,} pairs within {self.radius:g})"

    @property
    def nearest(self) -> float | None:
        """lambda*, the smallest distance of a conflicting pair; None where the search found none, so that it is above
        ``radius``."""
        return float(self.distances[0]) if len(self.distances) else None

    def up_to(self, lam: float) -> tuple[Ints32, Ints32]:
        """The conflicting pairs at most ``lam`` apart, nearest first: what is lost, by example."""
        count = _count(self.distances, lam, self.radius)
        return self.first[:count], self.second[:count]

    def cover(self, lam: float, seed: int = 0) -> Cover:
        """The fewest objects to remove so that no conflict within ``lam`` remains; see ``vertex_cover.least_cover``."""
        return least_cover(self.n, *self.up_to(lam), self.left, seed)


def conflicts(pairs: ClosePairs, labels: ArrayLike, category: LabelCategory) -> Conflicts:
    """The conflict graph of labels over close pairs.

    Parameters
    ----------
    pairs : ClosePairs
        Searched with ``category.reading``.
    labels : array of shape (n,)
    category : LabelCategory

    Raises
    ------
    InputError
        If the pairs were read otherwise, or the labels don't fit.

    Notes
    -----
    Cost: linear in the pairs.
    """
    codes = encoded(pairs, labels, category)
    apart = category.conflicts(codes[pairs.first], codes[pairs.second], pairs.distances)
    values = np.unique(codes)
    left = np.asarray(codes == values[0]) if len(values) == 2 else None
    return Conflicts(pairs.n, pairs.radius, pairs.first[apart], pairs.second[apart], pairs.distances[apart], left)


def encoded(pairs: ClosePairs, labels: ArrayLike, category: LabelCategory) -> Array:
    """Labels as the category's numbers, checked against the pairs. Shape (n,)."""
    codes = category.encode(labels)
    if len(codes) != pairs.n:
        raise InputError(f"there must be one label for each of {pairs.n} objects; got {len(codes)}.")
    if pairs.reading != category.reading:
        raise InputError(
            f"these pairs were searched with reading {pairs.reading!r}, and the label category needs {category.reading!r}. "
            "Search with close_pairs(hom, radius, category.reading)."
        )
    return codes
