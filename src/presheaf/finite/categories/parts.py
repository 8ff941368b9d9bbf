"""Subcategories: full ones, and those of marked arrows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.generating import from_composition, generating_set
from presheaf.finite.columns.arrays import Bools, Ints, frozen, ids


def full_subcategory(category: Category, objects: ArrayLike) -> tuple[Category, Ints]:
    """The full subcategory on some objects, in the order given, and its arrows as arrows of ``category``.

    Cost: all composable pairs of the subcategory (its generators must be found anew).
    """
    kept = ids("objects", objects, category.n_objects)
    if len(np.unique(kept)) < len(kept):
        raise InputError("objects must differ from each other.")
    inside = np.zeros(category.n_objects, dtype=bool)
    inside[kept] = True
    return wide_part(category, kept, inside[category.dom] & inside[category.cod])


def wide_part(category: Category, kept: Ints, keep: Bools) -> tuple[Category, Ints]:
    """The subcategory of the arrows marked in ``keep``, which must be closed and run between the objects ``kept``."""
    arrows = np.flatnonzero(keep).astype(np.int32)
    new = np.full(category.n_arrows, -1, dtype=np.int32)
    new[arrows] = np.arange(len(arrows))
    place = np.full(category.n_objects, -1, dtype=np.int32)
    place[kept] = np.arange(len(kept))

    def compose(x: Ints, y: Ints) -> Ints:
        return new[category.compose(arrows[x], arrows[y])]

    dom, cod, identity = place[category.dom[arrows]], place[category.cod[arrows]], new[category.identity[kept]]
    chosen = generating_set(dom, cod, identity, compose)
    names = [category.name(x) for x in arrows[chosen].tolist()]
    objects = [category.objects[c] for c in kept.tolist()]
    made = from_composition(dom, cod, identity, compose, generators=chosen, objects=objects, names=names)
    return made, frozen(arrows)
