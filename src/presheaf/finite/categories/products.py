"""Products of categories."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import Longs, spread, starts


def product_category(one: Category, two: Category) -> Category:
    """The product: arrow (f, g) is number f x (arrows of ``two``) + g, objects likewise.

    Generators: (f, identity) for each generator f and object of ``two``, then (identity, g). Cost: linear in the
    steps of the result.
    """
    m2, n1, n2 = two.n_arrows, one.n_objects, two.n_objects
    k1, k2 = len(one.generators), len(two.generators)

    def pair(a: NDArray[np.integer], b: NDArray[np.integer], width: int) -> Longs:
        return (a.astype(np.int64)[:, None] * width + b[None, :]).ravel()

    dom, cod = pair(one.dom, two.dom, n2), pair(one.cod, two.cod, n2)
    identity = pair(one.identity, two.identity, m2)
    generators = np.concatenate([pair(one.generators, two.identity, m2), pair(one.identity, two.generators, m2)])
    sides = []
    for ends, right in ((cod, True), (dom, False)):
        joint = (dom if right else cod)[generators]
        order = np.argsort(joint, kind="stable")
        first = starts(np.bincount(joint, minlength=n1 * n2))
        owner, slot = spread(np.diff(first)[ends])
        j = order[first[ends[owner]] + slot]
        f, g = (owner // m2).astype(np.int32), (owner % m2).astype(np.int32)
        here = j < k1 * n2
        step1, step2 = (one.then, two.then) if right else (one.after, two.after)
        f[here] = step1(f[here], j[here] // max(n2, 1))
        g[~here] = step2(g[~here], (j[~here] - k1 * n2) % max(k2, 1))
        sides.append(f.astype(np.int64) * m2 + g)
    objects = [f"({a}, {b})" for a in one.objects for b in two.objects]
    names = [f"({f}, {b})" for f in one.names for b in two.objects]
    names += [f"({a}, {g})" for a in one.objects for g in two.names]
    return Category.from_steps(
        dom, cod, identity, generators, sides[0], sides[1], objects=objects, names=names, check=False
    )
