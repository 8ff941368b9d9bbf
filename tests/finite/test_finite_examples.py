"""Named examples have the sizes of the literature, and their relations hold where they should."""

from __future__ import annotations

from math import comb, factorial

import pytest

from presheaf.errors import InputError
from presheaf.finite import examples
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.presented.kan_left import hom_from

FINITE = [
    *(examples.cyclic(n) for n in (1, 2, 12)),
    *(examples.dihedral(n) for n in (1, 2, 7)),
    examples.quaternion(),
    *(examples.symmetric(n) for n in (2, 3, 6)),
    *(examples.fibonacci(n) for n in (2, 3, 4, 5)),
    *(examples.psl2(p) for p in (5, 7)),
    *(examples.full_transformations(n) for n in (2, 3, 4)),
    *(examples.symmetric_inverse(n) for n in range(1, 5)),
    *(examples.order_preserving(n) for n in range(1, 6)),
    *(examples.brauer(n) for n in range(1, 5)),
    *(examples.partitions(n) for n in (1, 2, 3)),
    *(examples.temperley_lieb(n) for n in range(2, 6)),
    *(examples.catalan(n) for n in range(2, 6)),
    *(examples.stylic(n) for n in range(1, 6)),
    examples.quiver(),
    examples.reflexive_quiver(),
    *(examples.simplex(n) for n in range(4)),
]


@pytest.mark.parametrize("example", FINITE, ids=lambda e: e.name)
@pytest.mark.parametrize("compiled", [True, False])
def test_arrows_are_counted(example: examples.Example, compiled: bool) -> None:
    d = example.presentation
    assert sum(int(hom_from(d, s, compiled=compiled).sizes.sum()) for s in range(len(d.objects))) == example.arrows


def test_simplex_homs() -> None:
    d = examples.simplex(3).presentation
    for a in range(4):
        assert hom_from(d, a).sizes.tolist() == [comb(a + b + 1, a + 1) for b in range(4)]


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_relations_of_full_transformations_hold_between_maps(n: int) -> None:
    d = examples.full_transformations(n).presentation
    maps = []
    for i in range(n - 1):
        maps.append([i + 1 if x == i else i if x == i + 1 else x for x in range(n)])
    maps.append([0 if x == 1 else x for x in range(n)])
    for left, right in d.equations:
        for x in range(n):
            u = v = x
            for j in left:
                u = maps[j][u]
            for j in right:
                v = maps[j][v]
            assert u == v


def test_full_transformations_of_six_points() -> None:
    assert hom_from(examples.full_transformations(6).presentation).sizes.tolist() == [46656]


@pytest.mark.parametrize(
    ("make", "orders"),
    [
        (examples.symmetric_inverse, {4: 209, 5: 1546}),
        (examples.order_preserving, {3: 10, 4: 35, 5: 126, 6: 462}),
        (examples.brauer, {2: 3, 3: 15, 4: 105, 5: 945}),
        (examples.partitions, {4: 4140}),
        (examples.stylic, {3: 15, 4: 52, 5: 203, 6: 877}),
        (examples.temperley_lieb, {6: 132}),
        (examples.catalan, {6: 132}),
    ],
)
def test_diagram_monoids_have_the_orders_of_the_literature(make, orders: dict[int, int]) -> None:
    for n, order in orders.items():
        assert make(n).arrows == order
        assert hom_from(make(n).presentation).sizes.tolist() == [order]


def test_partial_transformations() -> None:
    for n in range(1, 5):
        assert examples.partial_transformations(n).n_arrows == (n + 1) ** n


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_relations_of_order_preserving_maps_hold_between_maps(n: int) -> None:
    presentation = examples.order_preserving(n).presentation
    up = [[i + 1 if x == i else x for x in range(n)] for i in range(n - 1)]
    down = [[i if x == i + 1 else x for x in range(n)] for i in range(n - 1)]
    made = from_maps([*up, *down])
    assert made.n_arrows == comb(2 * n - 1, n - 1)
    for left, right in presentation.equations:
        assert made.path(left, 0) == made.path(right, 0)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_relations_of_the_symmetric_inverse_monoid_hold_between_partial_maps(n: int) -> None:
    presentation = examples.symmetric_inverse(n).presentation
    swaps = [[i + 1 if x == i else i if x == i + 1 else x for x in range(n + 1)] for i in range(n - 1)]
    made = from_maps([*swaps, [n, *range(1, n + 1)]])
    assert made.n_arrows == sum(comb(n, k) ** 2 * factorial(k) for k in range(n + 1))
    for left, right in presentation.equations:
        assert made.path(left, 0) == made.path(right, 0)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_relations_of_diagram_monoids_hold_between_diagrams(n: int) -> None:
    """Diagrams stacked from the definition: partitions of n points above and n below."""
    kinds = {"s": [], "t": [], "p": [], "q": []}
    same = [i % n for i in range(2 * n)]
    for i in range(n):
        kinds["p"].append([i if k == i else 2 * n if k == n + i else same[k] for k in range(2 * n)])
    for i in range(n - 1):
        turned = [i + 1 if x == i else i if x == i + 1 else x for x in range(n)]
        kinds["s"].append([*range(n), *turned])
        kinds["q"].append([i if same[k] == i + 1 else same[k] for k in range(2 * n)])
        hook = [*range(n), *range(n)]
        hook[i] = hook[i + 1] = n
        hook[n + i] = hook[n + i + 1] = n + 1
        kinds["t"].append(hook)
    for example in (examples.brauer(n), examples.partitions(n), *([examples.temperley_lieb(n)] if n > 1 else [])):
        letters = [kinds[name[0]][int(name[1:]) - 1] for name, _, _ in example.presentation.generators]
        for left, right in example.presentation.equations:
            assert stacked(n, [letters[j] for j in left]) == stacked(n, [letters[j] for j in right])


def stacked(n: int, diagrams: list[list[int]]) -> list[int]:
    """The classes of 2n points under stacked diagrams, each numbered by first point."""
    label = [i % n for i in range(2 * n)]
    for diagram in diagrams:
        top, low = label[:n], label[n:]
        join = {("a", x): ("a", x) for x in label} | {("b", x): ("b", x) for x in diagram}

        def root(x, join=join):
            while join[x] != x:
                x = join[x]
            return x

        for x, y in zip(low, diagram[:n], strict=True):
            join[root(("a", x))] = root(("b", y))
        classes = [root(("a", x)) for x in top] + [root(("b", y)) for y in diagram[n:]]
        label = [classes.index(c) for c in classes]
    return label


def test_examples_tell_what_they_are() -> None:
    assert "infinitely many" in repr(examples.fibonacci(6))
    assert "24 arrows" in repr(examples.symmetric(4))
    with pytest.raises(InputError, match="prime"):
        examples.psl2(9)
    with pytest.raises(InputError, match="at least 2"):
        examples.symmetric(1)
