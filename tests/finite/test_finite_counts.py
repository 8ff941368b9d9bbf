"""How many small categories, monoids, orders and preorders there are, with our constructors as judges."""

from __future__ import annotations

from itertools import combinations_with_replacement, permutations, product

import numpy as np
import pytest

from presheaf.errors import InputError
from presheaf.finite.categories.orders import from_preorder
from presheaf.finite.categories.tables import from_monoid, from_table

Table = tuple[tuple[int, ...], ...]


def tables(n: int, k: int) -> list[Table]:
    """All ways to fill the composites of n arrows, the first k of them identities, with fitting ends."""
    found = []
    for ends in combinations_with_replacement(list(product(range(k), repeat=2)), n - k):
        dom, cod = [*range(k), *(e[0] for e in ends)], [*range(k), *(e[1] for e in ends)]
        pairs = [(f, g) for f in range(k, n) for g in range(k, n) if cod[f] == dom[g]]
        homs = [[h for h in range(n) if dom[h] == dom[f] and cod[h] == cod[g]] for f, g in pairs]
        for choice in product(*homs):
            table = [[-1] * n for _ in range(n)]
            for f in range(n):
                table[dom[f]][f] = table[f][cod[f]] = f
            for (f, g), h in zip(pairs, choice, strict=True):
                table[f][g] = h
            found.append(tuple(map(tuple, table)))
    return found


def associative(table: Table) -> bool:
    n = range(len(table))
    for f, g in product(n, repeat=2):
        fg = table[f][g]
        if fg >= 0:
            for h in n:
                gh = table[g][h]
                if gh >= 0 and table[fg][h] != table[f][gh]:
                    return False
    return True


def canonical(table: Table) -> Table:
    """The smallest renumbering."""
    n = len(table)
    forms = []
    for new in permutations(range(n)):
        form = [[-1] * n for _ in range(n)]
        for f, g in product(range(n), repeat=2):
            if table[f][g] >= 0:
                form[new[f]][new[g]] = new[table[f][g]]
        forms.append(tuple(map(tuple, form)))
    return min(forms, default=())


def accepted(table: Table) -> bool:
    try:
        from_table(np.array(table, dtype=int).reshape(len(table), len(table)))
    except InputError:
        return False
    return True


@pytest.mark.parametrize(("n", "categories", "monoids"), [(0, 1, 0), (1, 1, 1), (2, 3, 2), (3, 11, 7)])
def test_categories_with_few_arrows(n: int, categories: int, monoids: int) -> None:
    """A125696 and A058129."""
    kinds: set[Table] = set()
    single: set[Table] = set()
    for k in range(n + 1):
        for table in tables(n, k):
            assert accepted(table) == associative(table)
            if associative(table):
                kinds.add(canonical(table))
                if k == 1:
                    single.add(canonical(table))
                    assert from_monoid(table).n_arrows == n
    assert (len(kinds), len(single)) == (categories, monoids)


def test_categories_with_four_arrows() -> None:
    """55 categories, 35 of them monoids; every table accepted is judged, and one in 97 of the others."""
    kinds: dict[int, set[Table]] = {}
    for k in range(1, 5):
        for i, table in enumerate(tables(4, k)):
            good = associative(table)
            if good or i % 97 == 0:
                assert accepted(table) == good
            if good:
                kinds.setdefault(k, set()).add(canonical(table))
    assert sum(map(len, kinds.values())) == 55
    assert len(kinds[1]) == 35


@pytest.mark.parametrize(
    ("n", "posets", "preorders", "labelled"),
    [(0, 1, 1, 1), (1, 1, 1, 1), (2, 2, 3, 4), (3, 5, 9, 29), (4, 16, 33, 355)],
)
def test_orders_on_few_points(n: int, posets: int, preorders: int, labelled: int) -> None:
    """A000112 and A001930 up to isomorphism; A000798 for labelled points."""
    free = [(i, j) for i, j in product(range(n), repeat=2) if i != j]
    thin: set[bytes] = set()
    strict: set[bytes] = set()
    count = 0
    for bits in product((False, True), repeat=len(free)):
        relation = np.eye(n, dtype=bool)
        for (i, j), bit in zip(free, bits, strict=True):
            relation[i, j] = bit
        transitive = bool((((relation.astype(int) @ relation) > 0) <= relation).all())
        try:
            made = from_preorder(relation)
        except InputError:
            assert not transitive
            continue
        assert transitive
        assert made.n_arrows == relation.sum()
        count += 1
        form = min((relation[np.ix_(p, p)].tobytes() for p in permutations(range(n))), default=b"")
        thin.add(form)
        if not (relation & relation.T & ~np.eye(n, dtype=bool)).any():
            strict.add(form)
    assert (len(strict), len(thin), count) == (posets, preorders, labelled)
