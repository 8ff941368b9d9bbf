"""Distances between objects and anchors, in blocks, as a stated reading of the two directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.hom import LIMIT, SCRATCH, Hom
from presheaf.errors import InputError, one_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Side = Literal["contravariant", "covariant", "either", "both"]

SIDES = ("contravariant", "covariant", "either", "both")
"""D[x, a], D[a, x], the smaller of the two, the larger."""


def anchor_blocks(
    hom: Hom, objects: Ints, anchors: Ints, side: Side, limit_bytes: int = LIMIT
) -> Iterator[tuple[slice, Floats]]:
    """Blocks (part of objects, distances of shape (part, anchors)) in float64, each with its scratch within the limit.

    Raises
    ------
    InputError
        If not even one object's distances fit.
    """
    one_of("side", side, SIDES)
    each = max(1, len(anchors)) * 8 * SCRATCH * 2
    if each > limit_bytes:
        raise InputError(
            f"distances of one object to {len(anchors):,} anchors take {each:,} bytes with their scratch memory, more than "
            f"limit_bytes={limit_bytes:,}. Raise the limit or take fewer anchors."
        )
    step = limit_bytes // each
    for start in range(0, len(objects), step):
        part = slice(start, min(start + step, len(objects)))
        yield part, _block(hom, objects[part], anchors, side)


def _block(hom: Hom, objects: Ints, anchors: Ints, side: Side) -> Floats:
    if hom.symmetric or side == "contravariant":
        return hom.distances(objects, anchors, np.float64)
    back = hom.distances(anchors, objects, np.float64).T
    if side == "covariant":
        return back
    forth = hom.distances(objects, anchors, np.float64)
    return np.minimum(forth, back) if side == "either" else np.maximum(forth, back)


def as_objects(hom: Hom, objects: ArrayLike | None, name: str) -> Ints:
    """Objects as a list of numbers in range; None stands for all.

    Raises
    ------
    InputError
        If they are no such list, or an empty one.
    """
    if objects is None:
        return np.arange(hom.n)
    index: NDArray[Any] = np.asarray(objects)
    if index.ndim != 1 or not len(index) or index.dtype.kind not in "iu":
        raise InputError(
            f"{name} must be a list of at least one object's number; got shape {index.shape} of {index.dtype}."
        )
    if index.min() < 0 or index.max() >= hom.n:
        raise InputError(f"{name} must lie in 0..{hom.n - 1}; got {index.min()}..{index.max()}.")
    return index.astype(np.int64)


def separate(hom: Hom, anchors: ArrayLike, held_out: ArrayLike) -> tuple[Ints, Ints]:
    """Anchors and held-out objects, checked to be disjoint.

    Raises
    ------
    InputError
        If an object is in both.
    """
    near, judged = as_objects(hom, anchors, "anchors"), as_objects(hom, held_out, "held_out")
    both = np.intersect1d(near, judged)
    if len(both):
        raise InputError(
            f"anchors and held-out objects must be disjoint; {len(both):,} are in both, the first is {both[0]}."
        )
    return near, judged
