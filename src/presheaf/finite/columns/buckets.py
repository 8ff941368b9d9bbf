"""Equi-joins of integer keys by counting sort: rows of one side in buckets, expanded for rows of the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.columns.arrays import spread, starts
from presheaf.finite.columns.compiled import kernel

IntArray = NDArray[np.int32]
Longs = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Rows sorted by key.

    Attributes
    ----------
    first : int64 (keys + 1,), where each key's rows start
    order : int32 (rows,), row positions by key, ascending within a key
    rank : int32 (rows,), the place of each row among those with its key
    """

    first: Longs
    order: IntArray
    rank: IntArray


def bucket(keys: IntArray, bound: int, *, compiled: bool = True) -> Buckets:
    """Sort rows by their keys, which are int32 (rows,) of range 0..bound-1. Cost: linear in rows and bound, compiled."""
    if compiled and kernel is not None:
        first = np.empty(bound + 1, dtype=np.int64)
        order = np.empty(len(keys), dtype=np.int32)
        rank = np.empty(len(keys), dtype=np.int32)
        kernel.bucket(np.ascontiguousarray(keys), first, order, rank)
        return Buckets(first, order, rank)
    first = starts(np.bincount(keys, minlength=bound))
    order = np.argsort(keys, kind="stable").astype(np.int32)
    rank = np.empty(len(keys), dtype=np.int32)
    rank[order] = np.arange(len(keys)) - first[keys[order]]
    return Buckets(first, order, rank)


def pair_offsets(keys: IntArray, into: Buckets, *, compiled: bool = True) -> Longs:
    """Where the pairs of each left row start when it is paired with its key's bucket, int64 (left rows + 1,)."""
    if compiled and kernel is not None:
        offsets = np.empty(len(keys) + 1, dtype=np.int64)
        kernel.offsets(np.ascontiguousarray(keys), into.first, offsets)
        return offsets
    return starts(into.first[keys + 1] - into.first[keys])


def expand(keys: IntArray, offsets: Longs, into: Buckets, *, compiled: bool = True) -> tuple[IntArray, IntArray]:
    """All pairs (row of the left side, row in its key's bucket), left rows ascending, then ranks.

    Parameters
    ----------
    keys : int32 (left rows,)
    offsets : ``pair_offsets(keys, into)``
    into : Buckets

    Returns
    -------
    left, right : int32 (pairs,), row positions
    """
    if compiled and kernel is not None:
        left = np.empty(int(offsets[-1]), dtype=np.int32)
        right = np.empty(int(offsets[-1]), dtype=np.int32)
        kernel.expand(np.ascontiguousarray(keys), offsets, into.first, into.order, left, right)
        return left, right
    owner, slot = spread(np.diff(offsets))
    return owner.astype(np.int32), into.order[into.first[keys[owner]] + slot]


def shared_keys(
    pairs: list[tuple[IntArray, IntArray]], bounds: list[int], *, limit: int
) -> tuple[IntArray, IntArray, int]:
    """One key for several: rows of the two sides agree in it exactly if they agree in every given pair of keys.

    Parameters
    ----------
    pairs : keys of the left rows and of the right rows, int32 each, at least one pair
    bounds : one more than the largest key of each pair
    limit : the most that the new keys' bound may be before they are replaced by ranks

    Returns
    -------
    left, right : int32
    bound : int
    """
    (left, right), bound = pairs[0], bounds[0]
    if len(pairs) == 1 and bound <= limit:
        return left, right, bound
    one, two = left.astype(np.int64), right.astype(np.int64)
    for (a, b), more in zip(pairs[1:], bounds[1:], strict=True):
        if bound * more >= 2**62:
            one, two, bound = _ranked(one, two)
        one, two, bound = one * more + a, two * more + b, bound * more
    if bound > limit:
        one, two, bound = _ranked(one, two)
    return one.astype(np.int32), two.astype(np.int32), bound


def _ranked(left: Longs, right: Longs) -> tuple[Longs, Longs, int]:
    """Ranks among the right side's keys; what the right side lacks gets the last number."""
    known, two = np.unique(right, return_inverse=True)
    one = np.searchsorted(known, left)
    if len(known):
        one[known[np.minimum(one, len(known) - 1)] != left] = len(known)
    return one, two.astype(np.int64), len(known) + 1
