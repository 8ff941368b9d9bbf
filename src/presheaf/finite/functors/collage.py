"""Several categories in one: disjoint unions, and the collage of a functor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.categories.category import Category
from presheaf.finite.categories.generating import from_composition
from presheaf.finite.columns.arrays import Ints, frozen, spread, starts
from presheaf.finite.functors.functor import Functor


def disjoint_union(categories: Sequence[Category]) -> tuple[Category, tuple[Functor, ...]]:
    """The coproduct of categories, and the inclusion of each.

    Object c of part i is number c + the objects of the parts before; arrows and generators likewise. Names that occur
    twice get the number of their part in front. Cost: linear in the steps.
    """
    objects = starts(np.array([c.n_objects for c in categories], dtype=np.int64))
    arrows = starts(np.array([c.n_arrows for c in categories], dtype=np.int64))

    def joined(parts: Sequence[NDArray[np.integer]], shift: NDArray[np.integer]) -> NDArray[np.integer]:
        moved = [part.astype(np.int64) + by for part, by in zip(parts, shift.tolist(), strict=False)]
        return np.concatenate([np.empty(0, dtype=np.int64), *moved])

    # Steps lie by arrow, so those of the parts follow each other unchanged.
    made = Category.from_steps(
        joined([c.dom for c in categories], objects),
        joined([c.cod for c in categories], objects),
        joined([c.identity for c in categories], arrows),
        joined([c.generators for c in categories], arrows),
        joined([c._right.flat for c in categories], arrows),
        joined([c._left.flat for c in categories], arrows),
        objects=_named([c.objects for c in categories]),
        names=_named([c.names for c in categories]),
        check=False,
    )
    inclusions = [
        Functor(c, made, np.arange(a, a + c.n_objects), c.generators.astype(np.int64) + b)
        for c, a, b in zip(categories, objects.tolist(), arrows.tolist(), strict=False)
    ]
    return made, tuple(inclusions)


def _named(parts: Sequence[Sequence[str]]) -> list[str]:
    flat = [name for part in parts for name in part]
    if len(set(flat)) == len(flat):
        return flat
    return [f"{i}.{name}" for i, part in enumerate(parts) for name in part]


@dataclass(frozen=True)
class Collage:
    """The collage (cograph) of a functor F: C -> D.

    Attributes
    ----------
    category : the objects of C, then those of D; the arrows of C, those of D, then for each object c of C and arrow
        h: Fc -> d of D one arrow c -> d, in the order of c and of ``Category.out``
    source, target : the inclusions of C and of D
    object, arrow : int32, for each of the arrows c -> d the object c and the arrow h of D
    """

    category: Category
    source: Functor
    target: Functor
    object: Ints
    arrow: Ints


def collage(functor: Functor) -> Collage:
    """C and D side by side, with an arrow c -> d for each arrow Fc -> d of D.

    A presheaf on it is a presheaf on each side with a map between them along F: a database before and after a move.

    Notes
    -----
    f, then (c, h) is (c', F(f);h); (c, h), then g is (c, h;g). Generators: those of C, those of D, and (c, identity) for
    each c. Cost: arrows x generators, and the composites of D that these take.
    """
    c, d = functor.source, functor.target
    n, m, k = c.n_objects, c.n_arrows, d.n_arrows
    fan = [d.out(int(a)) for a in functor.objects]
    first = starts(np.array([len(part) for part in fan], dtype=np.int64))
    owner, _ = spread(np.diff(first))
    over = np.concatenate([np.empty(0, dtype=np.int32), *fan]).astype(np.int32)
    # The place of an arrow of D among those that leave its source.
    rank = np.empty(k, dtype=np.int64)
    for a in range(d.n_objects):
        rank[d.out(a)] = np.arange(len(d.out(a)))
    dom = np.concatenate([c.dom, d.dom + n, owner])
    cod = np.concatenate([c.cod, d.cod + n, d.cod[over] + n])

    def compose(x: Ints, y: Ints) -> Ints:
        out = np.empty(len(x), dtype=np.int64)
        kind = (x >= m).astype(int) + (x >= m + k) + 3 * ((y >= m).astype(int) + (y >= m + k))
        both = kind == 0
        out[both] = c.compose(x[both], y[both])
        both = kind == 4
        out[both] = d.compose(x[both] - m, y[both] - m) + m
        both = kind == 6
        image = d.compose(functor.images[x[both]], over[y[both] - m - k])
        out[both] = first[c.dom[x[both]]] + rank[image] + m + k
        both = kind == 5
        h = x[both] - m - k
        out[both] = first[owner[h]] + rank[d.compose(over[h], y[both] - m)] + m + k
        return out.astype(np.int32)

    bridges = first[:-1] + rank[d.identity[functor.objects]] + m + k
    names = _named([c.names, d.names])
    titles = _named([c.objects, d.objects])
    made = from_composition(
        dom.astype(np.int32),
        cod.astype(np.int32),
        np.concatenate([c.identity, d.identity + m]).astype(np.int32),
        compose,
        generators=np.concatenate([c.generators, d.generators + m, bridges]).astype(np.int32),
        objects=titles,
        names=[
            *names,
            *(f"{a}->{b}" for a, b in zip(titles, (titles[n + int(i)] for i in functor.objects), strict=False)),
        ],
    )
    return Collage(
        made,
        Functor(c, made, np.arange(n), c.generators),
        Functor(d, made, np.arange(n, n + d.n_objects), d.generators + m),
        frozen(owner.astype(np.int32)),
        frozen(over),
    )
