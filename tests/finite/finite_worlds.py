"""Small categories and functors for the tests: named ones from the literature, and random ones with brute force."""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import numpy as np
from hypothesis import strategies as st

from presheaf.finite import examples
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.categories.orders import chain, discrete, from_covers
from presheaf.finite.categories.paths import free_category
from presheaf.finite.categories.products import product_category as times
from presheaf.finite.categories.tables import from_table
from presheaf.finite.functors.elements import action_category
from presheaf.finite.presheaves.limits import colimit
from presheaf.finite.presheaves.natural import transformations
from presheaf.finite.presheaves.presheaf import SetFunctor, copresheaf
from presheaf.finite.presheaves.yoneda import representable

QUIVER = free_category(2, [(0, 1), (0, 1)], objects=["A", "V"], names=["s", "t"])
C4 = from_maps([[1, 2, 3, 0]], names=["r"])
S3 = from_maps([[1, 0, 2], [1, 2, 0]])
S4 = from_maps([[1, 0, 2, 3], [1, 2, 3, 0]])
T2 = from_maps([[1, 0], [0, 0]])
T3 = from_maps([[1, 0, 2], [1, 2, 0], [0, 0, 2]])
IDEMPOTENT = from_maps([[0, 0]])
rotnet = examples.rotnet


def graph(n: int, edges: list[tuple[int, int]]) -> SetFunctor:
    """A directed graph as a functor on the quiver schema."""
    table = np.array(edges, dtype=np.int32).reshape(-1, 2)
    return copresheaf(QUIVER, [len(table), n], [table[:, 0], table[:, 1]])


def cycle(n: int) -> SetFunctor:
    return graph(n, [(i, (i + 1) % n) for i in range(n)])


def complete(n: int) -> SetFunctor:
    return graph(n, [(i, j) for i in range(n) for j in range(n) if i != j])


def simplices(top: int) -> Category:
    """Monotone maps between [0], ..., [top], from their full composition table."""
    maps = [
        (m, n, f)
        for m in range(top + 1)
        for n in range(top + 1)
        for f in combinations_with_replacement(range(n + 1), m + 1)
    ]
    number = {f: i for i, f in enumerate(maps)}
    table = np.full((len(maps), len(maps)), -1)
    for (i, (a, b, f)), (j, (c, d, g)) in product(enumerate(maps), enumerate(maps)):
        if b == c:
            table[i, j] = number[(a, d, tuple(g[p] for p in f))]
    dom, cod = [f[0] for f in maps], [f[1] for f in maps]
    return from_table(table, dom=dom, cod=cod, objects=[f"[{i}]" for i in range(top + 1)])


def lawful(category: Category) -> None:
    """Identity and associativity laws on every composable triple, from the definition."""
    table = category.table
    m = category.n_arrows
    assert ((table >= 0) == (category.cod[:, None] == category.dom[None, :])).all()
    assert (table[category.identity[category.dom], np.arange(m)] == np.arange(m)).all()
    assert (table[np.arange(m), category.identity[category.cod]] == np.arange(m)).all()
    for g in range(m):
        x, y = np.flatnonzero(table[:, g] >= 0), np.flatnonzero(table[g] >= 0)
        assert (table[table[x, g]][:, y] == table[x][:, table[g, y]]).all()


@st.composite
def categories(draw: st.DrawFn) -> Category:
    """Random small categories: orders, free categories, monoids, groupoids, products, opposites."""
    kind = draw(st.sampled_from(["order", "free", "monoid", "group", "product", "simplices"]))
    seed = np.random.default_rng(draw(st.integers(0, 10**6)))
    if kind == "order":
        n = int(seed.integers(1, 6))
        made = from_covers(n, seed.integers(0, n, (int(seed.integers(0, 6)), 2)))
    elif kind == "free":
        n = int(seed.integers(1, 5))
        pairs = [(a, b) for a in range(n) for b in range(a + 1, n)]
        picks = seed.integers(0, len(pairs), int(seed.integers(0, 5))) if pairs else []
        made = free_category(n, [pairs[i] for i in picks])
    elif kind == "monoid":
        made = from_maps(seed.integers(0, 3, (int(seed.integers(1, 3)), 3)))
    elif kind == "group":
        made = action_category(copresheaf(C4, [5], [[1, 0, 2, 4, 3]]))
    elif kind == "product":
        made = times(chain(2), draw(st.sampled_from([IDEMPOTENT, chain(2), discrete(2), QUIVER])))
    else:
        made = simplices(1)
    return made.op if draw(st.booleans()) else made


@st.composite
def functors(draw: st.DrawFn, category: Category) -> SetFunctor:
    """A random set-valued functor: representables glued along random maps between them."""
    variance = draw(st.sampled_from(["contravariant", "covariant"]))
    seed = np.random.default_rng(draw(st.integers(0, 10**6)))
    count = int(seed.integers(1, 4))
    at = seed.integers(0, category.n_objects, count)
    parts = [representable(category, int(c), variance=variance) for c in at]
    maps = []
    for _ in range(int(seed.integers(0, 3))):
        c = int(seed.integers(0, category.n_objects))
        bridge = representable(category, c, variance=variance)
        i, j = (int(x) for x in seed.integers(0, count, 2))
        ways = [transformations(bridge, parts[x]) for x in (i, j)]
        if all(w.count() for w in ways):
            parts.append(bridge)
            maps += [
                (len(parts) - 1, x, w.sample(1, int(seed.integers(100)))[0]) for x, w in zip((i, j), ways, strict=True)
            ]
    return colimit(parts, maps).apex


def all_transformations(s: SetFunctor, t: SetFunctor) -> set[tuple[tuple[int, ...], ...]]:
    """Every natural transformation, by trying all families of maps."""
    side = s.covariant.category
    ends = list(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True))
    families = product(
        *(list(product(range(b), repeat=a)) for a, b in zip(s.sizes.tolist(), t.sizes.tolist(), strict=True))
    )
    return {
        f
        for f in families
        if all(
            f[b][s.columns[j][x]] == t.columns[j][f[a][x]] for j, (a, b) in enumerate(ends) for x in range(s.sizes[a])
        )
    }


def is_represented(t: SetFunctor) -> bool:
    """The definition: some element whose Yoneda map is bijective at every object."""
    for c in range(t.category.n_objects):
        for x in range(int(t.sizes[c])):
            side = t.covariant.category
            hits = [(int(side.cod[f]), int(t.apply(int(f), [x])[0])) for f in np.flatnonzero(side.dom == c)]
            if len(set(hits)) == len(hits) == t.n_elements:
                return True
    return False


def shuffled(t: SetFunctor, seed: int) -> SetFunctor:
    """The same functor with the rows of every object in another order."""
    rng = np.random.default_rng(seed)
    new = [rng.permutation(s).astype(np.int32) for s in t.sizes.tolist()]
    side = t.covariant.category
    columns = []
    for j, (a, b) in enumerate(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)):
        column = np.empty(len(t.columns[j]), dtype=np.int32)
        column[new[a]] = new[b][t.columns[j]]
        columns.append(column)
    return SetFunctor(t.category, t.sizes, columns, variance=t.variance)
