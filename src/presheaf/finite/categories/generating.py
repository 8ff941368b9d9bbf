"""Arrows that generate a category, and a category from a function that composes arrows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import BLOCK, Ints, spread, starts

Compose = Callable[[Ints, Ints], Ints]
"""The composites of two arrays of arrows that meet."""


def generating_set(dom: Ints, cod: Ints, identity: Ints, compose: Compose) -> Ints:
    """Arrows that generate all others: those every such set holds, then greedily one not reached yet.

    Parameters
    ----------
    dom, cod : int32 (m,)
    identity : int32 (n,)
    compose : the composites of two arrays of arrows that meet

    Returns
    -------
    int32 (k,)

    Notes
    -----
    An arrow x is in every generating set when x = y z holds only with y = x or z = x. Of those not reached yet the arrow
    with the fewest factorisations goes next, ties by number. Cost: all composable pairs once, and arrows x generators.
    """
    m, n = len(dom), len(identity)
    made = np.zeros(m, dtype=bool)
    made[identity] = True
    ways = np.zeros(m, dtype=np.int64)
    by_dom = np.argsort(dom, kind="stable").astype(np.int32)
    first = starts(np.bincount(dom, minlength=n))
    leaving = np.diff(first)[cod]
    low = 0
    while low < m:
        high = low + 1
        total = int(leaving[low])
        while high < m and total + leaving[high] <= BLOCK:
            total += int(leaving[high])
            high += 1
        owner, slot = spread(leaving[low:high])
        x = (owner + low).astype(np.int32)
        y = by_dom[first[cod[x]] + slot]
        z = compose(x, y)
        made[z[(z != x) & (z != y)]] = True
        ways += np.bincount(z, minlength=m)
        low = high
    chosen = np.flatnonzero(~made).astype(np.int32).tolist()
    reached = np.zeros(m, dtype=bool)
    reached[identity] = True
    done: list[int] = []
    todo = list(chosen)
    while True:
        if not todo:
            left = np.flatnonzero(~reached)
            if not len(left):
                return np.array(done, dtype=np.int32)
            todo = [int(left[np.argmin(ways[left])])]
        # Old arrows take the new generator once; what is new then takes every generator.
        fresh = np.array(todo, dtype=np.int32)
        done += todo
        todo = []
        every = np.array(done, dtype=np.int32)
        front, letters = np.flatnonzero(reached).astype(np.int32), fresh
        while len(front):
            new = _products(front, letters, dom, cod, compose)
            front = new[~reached[new]]
            reached[front] = True
            letters = every


def _products(front: Ints, letters: Ints, dom: Ints, cod: Ints, compose: Compose) -> Ints:
    found: list[Ints] = []
    for g in letters.tolist():
        x = front[cod[front] == dom[g]]
        found.append(compose(x, np.full(len(x), g, dtype=np.int32)))
    return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int32)


def from_composition(
    dom: Ints,
    cod: Ints,
    identity: Ints,
    compose: Compose,
    *,
    generators: Ints | None = None,
    objects: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> Category:
    """A category from a function that composes arrays of arrows; generators are found when they aren't given.

    Cost: see ``generating_set``, and arrows x generators.
    """
    chosen = generating_set(dom, cod, identity, compose) if generators is None else generators
    m, n = len(dom), len(identity)
    sides: list[Ints] = []
    for ends, joint, right in ((cod, dom[chosen], True), (dom, cod[chosen], False)):
        order = np.argsort(joint, kind="stable")
        first = starts(np.bincount(joint, minlength=n))
        owner, slot = spread(np.diff(first)[ends])
        x, g = np.arange(m, dtype=np.int32)[owner], chosen[order[first[ends[owner]] + slot]]
        sides.append(compose(x, g) if right else compose(g, x))
    label = names if names is not None else [f"a{x}" for x in chosen.tolist()]
    return Category.from_steps(dom, cod, identity, chosen, sides[0], sides[1], objects=objects, names=label)
