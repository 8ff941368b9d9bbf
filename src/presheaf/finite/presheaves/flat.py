"""Elements of a set-valued functor and values of a transformation as one flat array each."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.columns.arrays import Ints, Longs, frozen
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.transformation import Transformation


def objects_of(t: SetFunctor) -> Longs:
    """The object of every element, int64 (elements,)."""
    return np.repeat(np.arange(len(t.sizes)), t.sizes)


def values(f: Transformation) -> Ints:
    """All components end to end, int32 (elements of the source,)."""
    return np.concatenate([np.empty(0, dtype=np.int32), *f.components])


def split(flat: NDArray[np.integer], t: SetFunctor) -> tuple[Ints, ...]:
    """One value for every element of T, cut into one read-only int32 array an object."""
    whole = frozen(flat.astype(np.int32))
    return tuple(whole[a:b] for a, b in pairwise(t.offsets.tolist()))
