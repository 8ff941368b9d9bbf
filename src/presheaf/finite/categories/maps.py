"""The monoid that maps of a finite set generate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import Ints, ids, integers, titles


def from_maps(maps: ArrayLike, *, names: Sequence[str] | None = None, limit: int = 5_000_000) -> Category:
    """The monoid (one-object category) that maps 0..d-1 -> 0..d-1 generate; permutations generate a group.

    Parameters
    ----------
    maps : int (k, d), the generators: row j sends point p to ``maps[j, p]``
    limit : most elements allowed

    Raises
    ------
    InputError
        A point out of range, or more than ``limit`` elements.

    Notes
    -----
    Elements are numbered by their first shortest word, the identity being 0. ``f, then g`` sends p to g[f[p]].
    Closure layer by layer with sorted keys; after Froidure and Pin (1997). Cost: elements x generators x d.
    """
    raw = integers("maps", maps)
    if raw.ndim != 2:
        raise InputError(f"maps must have shape (k, d); got {raw.shape}.")
    k, d = raw.shape
    letter = ids("maps", raw, d, (k, d))
    names = titles("names", names, k)

    def key(rows: Ints) -> NDArray[np.void]:
        big = np.ascontiguousarray(rows.astype(">i4"))
        return big.view(np.dtype((np.void, 4 * d))).ravel() if d else np.zeros(len(rows), dtype="V1")

    rows = np.arange(d, dtype=np.int32)[None, :]
    front = rows
    while len(front) and k and d:
        new = letter[np.arange(k)[None, :, None], front[:, None, :]].reshape(-1, d)
        _, at = np.unique(key(new), return_index=True)
        new = new[np.sort(at)]
        front = new[~np.isin(key(new), key(rows))]
        rows = np.concatenate([rows, front])
        if len(rows) > limit:
            raise InputError(f"the maps generate more than {limit} elements; raise limit if that is meant.")
    m = len(rows)
    order = np.argsort(key(rows), kind="stable")
    table = key(rows)[order]

    def find(new: Ints) -> Ints:
        return order[np.searchsorted(table, key(new))].astype(np.int32)

    right = np.empty((m, k), dtype=np.int32)
    left = np.empty((m, k), dtype=np.int32)
    for j in range(k):
        right[:, j] = find(letter[j][rows])
        left[:, j] = find(rows[:, letter[j]])
    zero = np.zeros(m, dtype=np.int32)
    return Category.from_steps(
        zero, zero, [0], find(letter), right.ravel(), left.ravel(), objects=["*"], names=names, check=False
    )
