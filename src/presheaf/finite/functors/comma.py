"""Comma categories of two functors into one category; the category of arrows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.generating import from_composition, generating_set
from presheaf.finite.columns.arrays import Ints, Longs, frozen, spread, starts
from presheaf.finite.functors.functor import Functor


@dataclass(frozen=True)
class Comma:
    """The comma category of F: A -> C and G: B -> C.

    Attributes
    ----------
    category : an object is an arrow h: F(a) -> G(b) of C with a and b, in the order of (a, b, h); an arrow h -> h' is a
        pair (u: a -> a', v: b -> b') with F(u);h' = h;G(v)
    left, right : the projections to A and to B
    arrow : int32 (objects,), the arrow h of each object: the components of the transformation from left, then F to
        right, then G
    u, v : int32 (arrows,), the two arrows that each arrow is made of
    """

    category: Category
    left: Functor
    right: Functor
    arrow: Ints
    u: Ints
    v: Ints


def comma_category(f: Functor, g: Functor, limit: int = 5_000_000) -> Comma:
    """The comma category F / G with its projections and its transformation.

    Parameters
    ----------
    limit : most arrows of the result

    Raises
    ------
    InputError
        The functors end in different categories, or there are more than ``limit`` arrows.

    Notes
    -----
    Arrows are found by a join: (h, v) with (u, h') where h;G(v) = F(u);h'. Cost: these pairs, and the composable pairs
    of the result, among which its generators are found.
    """
    if f.target is not g.target:
        raise InputError("both functors must end in the same category.")
    a, b, h = _objects(f, g)
    base, one, two = f.target, f.source, g.source
    fan_v, rank_v = _fans(two.dom, two.n_objects)
    fan_u, rank_u = _fans(one.cod, one.n_objects)
    first_v = starts(np.diff(fan_v[0])[b])
    first_u = starts(np.diff(fan_u[0])[a])
    here, slot = spread(np.diff(first_v))
    v = fan_v[1][fan_v[0][b[here]] + slot]
    there, slot = spread(np.diff(first_u))
    u = fan_u[1][fan_u[0][a[there]] + slot]
    key_one = _key(a[here], two.cod[v], base.compose(h[here], g.images[v]), two.n_objects, base.n_arrows)
    key_two = _key(one.dom[u], b[there], base.compose(f.images[u], h[there]), two.n_objects, base.n_arrows)
    x, y = _join(key_one, key_two, limit)
    pair = x * max(1, len(there)) + y
    source, target = here[x].astype(np.int32), there[y].astype(np.int32)

    def compose(p: Ints, q: Ints) -> Ints:
        v_both = two.compose(v[x[p]], v[x[q]])
        u_both = one.compose(u[y[p]], u[y[q]])
        wanted = (first_v[source[p]] + rank_v[v_both]) * max(1, len(there)) + first_u[target[q]] + rank_u[u_both]
        return np.searchsorted(pair, wanted).astype(np.int32)

    every = np.arange(len(h))
    start = first_v[every] + rank_v[two.identity[b]]
    identity = np.searchsorted(pair, start * max(1, len(there)) + first_u[every] + rank_u[one.identity[a]])
    unit = identity.astype(np.int32)
    chosen = generating_set(source, target, unit, compose)
    made = from_composition(
        source,
        target,
        unit,
        compose,
        generators=chosen,
        objects=_titles(f, g, a, b, h),
        names=[
            f"({one.name(int(u[y[p]]))}, {two.name(int(v[x[p]]))})@{int(source[p])}>{int(target[p])}"
            for p in chosen.tolist()
        ],
    )
    left, right = u[y].astype(np.int32), v[x].astype(np.int32)
    return Comma(
        made,
        Functor(made, one, a, left[chosen]),
        Functor(made, two, b, right[chosen]),
        frozen(h),
        frozen(left),
        frozen(right),
    )


def arrow_category(category: Category, limit: int = 5_000_000) -> Comma:
    """The category of arrows: objects are arrows, arrows are commuting squares (u, v) with u;h' = h;v.

    ``left`` and ``right`` are source and target. Cost: see ``comma_category``.
    """
    same = Functor.identity(category)
    return comma_category(same, same, limit)


def _objects(f: Functor, g: Functor) -> tuple[Ints, Ints, Ints]:
    """All (a, b, h: F(a) -> G(b)), sorted."""
    base = f.target
    over, first = np.argsort(g.objects, kind="stable"), starts(np.bincount(g.objects, minlength=base.n_objects))
    outs = [base.out(int(c)) for c in f.objects]
    a, _ = spread(np.array([len(part) for part in outs], dtype=np.int64))
    h = np.concatenate([np.empty(0, dtype=np.int32), *outs]).astype(np.int32)
    owner, slot = spread(np.diff(first)[base.cod[h]])
    a, h = a[owner], h[owner]
    b = over[first[base.cod[h]] + slot]
    order = np.lexsort((h, b, a))
    return a[order].astype(np.int32), b[order].astype(np.int32), h[order]


def _fans(end: Ints, n: int) -> tuple[tuple[Longs, Ints], Longs]:
    """Arrows by one of their ends: where each object's begin and the arrows; and each arrow's place among them."""
    order = np.argsort(end, kind="stable").astype(np.int32)
    first = starts(np.bincount(end, minlength=n))
    rank = np.empty(len(end), dtype=np.int64)
    rank[order] = np.arange(len(end)) - first[end[order]]
    return (first, order), rank


def _key(a: Ints, b: Ints, c: Ints, width: int, arrows: int) -> Longs:
    return (a.astype(np.int64) * width + b) * arrows + c


def _join(one: Longs, two: Longs, limit: int) -> tuple[Longs, Longs]:
    """All pairs of places with equal keys, sorted."""
    order = np.argsort(two, kind="stable")
    low, high = (np.searchsorted(two[order], one, side=side) for side in ("left", "right"))
    if int((high - low).sum()) > limit:
        raise InputError(
            f"the comma category has {int((high - low).sum())} arrows; raise limit={limit} if that is meant."
        )
    x, slot = spread(high - low)
    return x, order[low[x] + slot].astype(np.int64)


def _titles(f: Functor, g: Functor, a: Ints, b: Ints, h: Ints) -> list[str]:
    one, two, base = f.source.objects, g.source.objects, f.target
    return [f"({one[i]}, {base.name(x)}, {two[j]})" for i, j, x in zip(a.tolist(), b.tolist(), h.tolist(), strict=True)]
