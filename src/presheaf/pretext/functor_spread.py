"""Structure first, then any classifier: labels are spread along the structure, and the rest is learned from all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.pretext.functor_structure import Rule, Structure, most_common

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Spread:
    """A structure that asks a classifier on features where it cannot say.

    Parameters
    ----------
    structure : Structure
    base : callable (objects, labels 0..k-1) -> a label for every object
        Such as nearest neighbours on features. It is given every object whose label is forced, not only those labelled.

    Notes
    -----
    What is forced stays as ``structure`` forces it. With rotated copies of images this is training on augmented data. The
    fair opponent is the same ``base`` without the structure.
    """

    structure: Structure
    base: Rule = field(repr=False)

    @property
    def n(self) -> int:
        return self.structure.n

    @property
    def claim(self) -> str:
        return self.structure.claim

    def possible(self, anchors: Ints, codes: Ints, k: int, objects: Ints) -> NDArray[np.bool_]:
        return self.structure.possible(anchors, codes, k, objects)

    def guess(self, anchors: Ints, codes: Ints, k: int, objects: Ints) -> Ints:
        possible = self.structure.possible(anchors, codes, k, np.arange(self.n))
        forced = possible.sum(axis=1) == 1
        if not forced.any():
            return np.full(len(objects), most_common(codes, k), dtype=np.int64)
        labels = possible.argmax(axis=1)
        known = np.flatnonzero(forced)
        learned: NDArray[Any] = np.asarray(self.base(known, labels[known]))
        return np.where(forced, labels, learned)[objects].astype(np.int64)

    def permuted(self, seed: int) -> Spread:
        return Spread(self.structure.permuted(seed), self.base)


def without_base(structure: Structure) -> Structure:
    """The structure itself, where a classifier was added to it."""
    return structure.structure if isinstance(structure, Spread) else structure
