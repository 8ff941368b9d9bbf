"""Formal concepts: the nucleus of a relation, valued in Bool, listed up to a budget."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

MOST = 100_000
"""Concepts listed at most where the caller names no number."""
SCRATCH = 1 << 24
"""Entries of the tables that one batch of concepts takes."""


@dataclass(frozen=True, eq=False)
class Concepts:
    """Formal concepts of a relation between n objects and m attributes.

    Attributes
    ----------
    extents : bool array of shape (k, n)
        Objects of each concept: all those that have its attributes.
    intents : bool array of shape (k, m)
        Its attributes: all those that its objects have.
    complete : bool
        Whether these are all. If not, they are those reached first, from the one that holds all objects downwards.
    """

    extents: Bools = field(repr=False)
    intents: Bools = field(repr=False)
    complete: bool

    def __len__(self) -> int:
        return len(self.extents)

    def __repr__(self) -> str:
        share = "all" if self.complete else "not all"
        return (
            f"Concepts({len(self):,} ({share}) of {self.extents.shape[1]} objects, {self.intents.shape[1]} attributes)"
        )


def formal_concepts(relation: ArrayLike, most: int = MOST) -> Concepts:
    """Pairs of a set of objects and a set of attributes that determine each other.

    Parameters
    ----------
    relation : bool array of shape (n, m)
        Which object has which attribute; for a hom in Bool, its values.
    most : int
        Stop once that many are found: there can be 2^min(n, m).

    Returns
    -------
    Concepts
        From many objects to few in steps of the search; no order is promised beyond that.

    Raises
    ------
    InputError
        If the relation is no table of truth values, or ``most`` is not positive.

    Notes
    -----
    Close-by-One (Kuznetsov 1993), breadth first: an attribute is added to a concept only if the closure brings in none
    before it, so each concept is met once and none is looked up among those found. Cost: n m operations per concept and
    attribute; memory: the concepts and a batch.
    """
    table = np.asarray(relation)
    if table.ndim != 2 or table.dtype != np.bool_:
        raise InputError(f"the relation must be a bool table (objects, attributes); got {table.dtype} {table.shape}.")
    if most < 1:
        raise InputError(f"most must be at least 1; got {most}.")
    everything = np.ones((1, len(table)), dtype=bool)
    extents, intents, turn = everything, _shared(everything, table), np.zeros(1, dtype=np.int64)
    found = [(extents, intents)]
    count = 1
    while len(extents) and count <= most:
        # One more than asked for tells whether there are more.
        extents, intents, turn = _next(extents, intents, turn, table, most - count + 1)
        found.append((extents, intents))
        count += len(extents)
    all_extents, all_intents = (np.concatenate(parts)[:most] for parts in zip(*found, strict=True))
    return Concepts(all_extents, all_intents, count <= most)


def _shared(extents: Bools, table: Bools) -> Bools:
    """Attributes that all objects of each extent have."""
    lacking = extents.astype(np.float32) @ (~table).astype(np.float32)
    return np.asarray(lacking == 0)


def _next(extents: Bools, intents: Bools, turn: Ints, table: Bools, most: int) -> tuple[Bools, Bools, Ints]:
    """Concepts one attribute further, from ``turn`` on, at most ``most`` of them."""
    n, m = table.shape
    attributes = np.arange(m)
    parts = [(np.zeros((0, n), dtype=bool), np.zeros((0, m), dtype=bool), np.zeros(0, dtype=np.int64))]
    left = most
    step = max(1, SCRATCH // max(1, m * (n + m)))
    for start in range(0, len(extents), step):
        batch = slice(start, start + step)
        source, added = np.nonzero(~intents[batch] & (attributes >= turn[batch, None]))
        extent = extents[batch][source] & table[:, added].T
        intent = _shared(extent, table)
        # Canonical: the closure brings in nothing before the attribute that was added.
        new = ~((intent & ~intents[batch][source]) & (attributes < added[:, None])).any(axis=1)
        parts.append((extent[new][:left], intent[new][:left], added[new][:left] + 1))
        left -= len(parts[-1][0])
        if left == 0:
            break
    return (
        np.concatenate([p[0] for p in parts]),
        np.concatenate([p[1] for p in parts]),
        np.concatenate([p[2] for p in parts]),
    )
