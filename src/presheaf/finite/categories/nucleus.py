"""The nucleus of a relation: its formal concepts, the fixed points of the Galois connection that it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.orders import from_preorder
from presheaf.finite.columns.arrays import Bools, frozen


@dataclass(frozen=True, eq=False)
class Concepts:
    """The formal concepts of a relation between n objects and m attributes.

    Attributes
    ----------
    extents : bool (k, n), the objects of each concept; concepts by number of objects, then lexicographically
    intents : bool (k, m), the attributes that all of these objects have
    """

    extents: Bools
    intents: Bools

    def __len__(self) -> int:
        return len(self.extents)

    def lattice(self, *, objects: Sequence[str] | None = None) -> Category:
        """The concept lattice as a category: an arrow i -> j where extent i lies in extent j. Memory: k^2 bytes."""
        k = len(self)
        below = np.empty((k, k), dtype=bool)
        for i in range(k):
            below[i] = ~(self.extents[i] & ~self.extents).any(axis=1)
        return from_preorder(below, objects=objects)

    def __repr__(self) -> str:
        return f"Concepts({len(self)} of {self.extents.shape[1]} objects and {self.intents.shape[1]} attributes)"


def concepts(relation: ArrayLike, *, most: int = 10_000_000) -> Concepts:
    """All formal concepts of a relation.

    Parameters
    ----------
    relation : bool (n, m), which object has which attribute
    most : most concepts, and most sets at any time

    Raises
    ------
    InputError
        No table of true and false, or more than ``most`` concepts (there can be 2^min(n, m)).

    Notes
    -----
    A relation is a profunctor with values true and false between two discrete categories, and its concepts are the
    fixed points of the adjunction between presheaves on one side and copresheaves on the other (Ganter and Wille, Formal
    Concept Analysis, 1.1). Extents are the intersections of the attributes' extents: attributes are taken in one by
    one, every set met being the extent of a concept. Cost: concepts x m x n / 64 words, with a sort for each attribute.
    """
    table = np.asarray(relation)
    if table.ndim != 2 or table.dtype != np.bool_:
        raise InputError(f"the relation must be a bool table (objects, attributes); got {table.dtype} {table.shape}.")
    n, m = table.shape
    width = (n + 63) // 64
    packed = np.zeros((m, width * 8), dtype=np.uint8)
    bits = np.packbits(table.T, axis=1)
    packed[:, : bits.shape[1]] = bits
    full = np.zeros((1, width * 8), dtype=np.uint8)
    whole = np.packbits(np.ones((1, n), dtype=bool), axis=1)
    full[:, : whole.shape[1]] = whole
    words, found = packed.view(np.uint64), full.view(np.uint64)
    for attribute in range(m):
        found = _distinct(np.concatenate([found, found & words[attribute]]))
        if len(found) > most:
            raise InputError(f"more than {most} concepts after {attribute + 1} of {m} attributes; raise most to go on.")
    extents = np.unpackbits(found.view(np.uint8), axis=1)[:, :n].astype(bool)
    order = np.lexsort((*(~extents).T[::-1], extents.sum(axis=1)))
    extents = extents[order]
    intents = np.empty((len(extents), m), dtype=bool)
    for attribute in range(m):
        intents[:, attribute] = ~(extents & ~table[:, attribute]).any(axis=1)
    return Concepts(frozen(extents), frozen(intents))


def _distinct(rows: np.ndarray) -> np.ndarray:
    """Different rows, in some fixed order."""
    if not rows.shape[1]:
        return rows[:1]
    order = np.lexsort(rows.T)
    kept = np.ones(len(rows), dtype=bool)
    kept[1:] = (rows[order][1:] != rows[order][:-1]).any(axis=1)
    return np.ascontiguousarray(rows[order[kept]])
