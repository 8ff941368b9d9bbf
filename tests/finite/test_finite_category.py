"""Categories as data: what is accepted, what is refused and where, and the ways to make one."""

from __future__ import annotations

from math import comb, factorial

import numpy as np
import pytest
from finite_worlds import C4, QUIVER, S3, T3, categories, lawful, simplices
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.categories.orders import chain, discrete, from_covers, from_preorder
from presheaf.finite.categories.parts import full_subcategory
from presheaf.finite.categories.paths import free_category
from presheaf.finite.categories.products import product_category
from presheaf.finite.categories.tables import from_monoid, from_table
from presheaf.finite.functors.elements import coslice_category, slice_category


@settings(max_examples=60, deadline=None)
@given(categories(), st.integers(0, 10**6))
def test_random_categories_obey_the_laws(category: Category, seed: int) -> None:
    lawful(category)
    Category(category.dom, category.cod, category.identity, category.generators, category.right, category.left)
    assert (category.op.table == category.table.T).all()
    assert category.op.op is category
    for mine, its in ((category.dom, category.op.cod), (category._right.flat, category.op._left.flat)):
        assert mine is its
        assert np.shares_memory(mine, its) or not len(mine)
    # The table alone gives the category back, under any numbering of arrows.
    new = np.random.default_rng(seed).permutation(category.n_arrows)
    table = np.full_like(category.table, -1)
    x, y = np.nonzero(category.table >= 0)
    table[new[x], new[y]] = new[category.table[x, y]]
    again = from_table(table)
    lawful(again)
    assert sorted(again.hom_pairs[2].tolist()) == sorted(category.hom_pairs[2].tolist())


@settings(max_examples=40, deadline=None)
@given(categories())
def test_words_compose_to_their_arrows_and_relations_present_the_category(category: Category) -> None:
    for x in range(category.n_arrows):
        assert category.path(category.word(x), int(category.dom[x])) == x
    for x, j, y in zip(*(part.tolist() for part in category.relations), strict=True):
        assert category.compose(x, category.generators[j]) == y


def test_composition_without_the_dense_table_agrees_with_it() -> None:
    big = from_maps([[1, 0, 2, 3, 4], [1, 2, 3, 4, 0], [0, 0, 2, 3, 4]])
    assert big.n_arrows == 3125
    x, y, z = np.random.default_rng(0).integers(0, 3125, (3, 500))
    assert (big.compose(big.compose(x, y), z) == big.compose(x, big.compose(y, z))).all()
    assert (big.compose(x, y) == big.op.compose(y, x)).all()
    assert (big.compose(x, y) == big.table[x, y]).all()


@pytest.mark.parametrize(("n", "order"), [(2, 4), (3, 27), (4, 256)])
def test_full_transformation_monoids(n: int, order: int) -> None:
    swap, turn, merge = [1, 0, *range(2, n)], [*range(1, n), 0], [0, 0, *range(2, n)]
    assert from_maps([swap, turn, merge]).n_arrows == order
    assert from_maps([swap, turn]).n_arrows == factorial(n)


def test_free_categories_count_paths() -> None:
    n = 8
    full = free_category(n, [(i, j) for i in range(n) for j in range(i + 1, n)])
    assert len(full.hom(0, n - 1)) == 2 ** (n - 2)
    assert not len(full.relations[0])
    lawful(full)


def test_chains_orders_and_products() -> None:
    assert chain(4).n_arrows == 10
    assert len(chain(4).generators) == 3
    square = product_category(chain(2), chain(2))
    assert (square.n_objects, square.n_arrows, len(square.relations[0])) == (4, 9, 1)
    lawful(product_category(S3, QUIVER))
    assert from_preorder(np.ones((3, 3))).n_arrows == 9
    assert discrete(3).n_arrows == 3
    assert from_covers(3, [(0, 1), (1, 0), (1, 2)]).n_arrows == 7
    part, arrows = full_subcategory(chain(5), [0, 2, 4])
    assert (part.n_arrows, len(part.generators)) == (6, 2)
    assert part.objects == ("0", "2", "4")
    assert chain(5).dom[arrows].tolist() == [0, 0, 0, 2, 2, 4]


def test_simplex_category_is_generated_by_faces_and_degeneracies() -> None:
    category = simplices(2)
    assert category.n_arrows == sum(comb(m + n + 1, m + 1) for m in range(3) for n in range(3))
    lawful(category)


def test_slices_and_coslices() -> None:
    over = slice_category(chain(4), 2)
    assert over.category.n_objects == 3
    lawful(over.category)
    assert coslice_category(chain(4), 1).category.n_objects == 3
    lawful(slice_category(T3, 0).category)
    lawful(coslice_category(simplices(1), 1).category)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: from_table([[0, 1, 2], [1, 2, 0], [2, 1, 1]]),
            r"not associative at the triple \(1, 2, 1\): \(1;2\);1 = 1, 1;\(2;1\) = 2",
        ),
        (lambda: from_monoid([[0, 1], [1, -1]]), "negative"),
        (lambda: from_table([[1, 1], [1, 1]]), "identities"),
        (lambda: from_table({("e", "e"): "e", ("e", "f"): "f", ("f", "e"): "f"}), "f and f meet but have no"),
        (lambda: from_table([[0]], names=["a", "b"]), "names: 1 are needed"),
        (lambda: from_table([[0, 1]]), "must be square"),
        (lambda: from_table([[0, -1], [-1, 1]], dom=[0, 1], cod=[1, 0]), r"cod\[0\] = 1 doesn't agree"),
        (lambda: from_table([[0.5]]), "must hold integers"),
        (lambda: from_table([[7]]), r"table\[\(0, 0\)\] = 7 is outside"),
        (lambda: from_preorder([[0, 1, 0], [0, 0, 1], [0, 0, 0]]), r"not transitive at the triple \(0, 1, 2\)"),
        (lambda: free_category(3, [(0, 1), (1, 2), (2, 1)]), "cycle 1 -> 2 -> 1"),
        (lambda: free_category(2, [(0, 1)] * 10, limit=5), "more than 5 paths"),
        (lambda: from_maps([[0, 3]]), r"maps\[\(0, 1\)\] = 3"),
        (lambda: from_covers(2, [(0, 2)]), r"pairs\[\(0, 1\)\] = 2"),
        (lambda: chain(3).compose(chain(3).hom(0, 1), chain(3).hom(0, 1)), "don't compose"),
        (lambda: C4.path(()), "empty word"),
        (lambda: full_subcategory(chain(3), [0, 0]), "differ"),
    ],
)
def test_what_is_refused_and_where(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()


def test_a_broken_step_is_named() -> None:
    right = T3.right.copy()
    right[5, 1], right[6, 1] = T3.right[6, 1], T3.right[5, 1]
    with pytest.raises(InputError, match=r"not associative at the triple|one step|no composite"):
        Category(T3.dom, T3.cod, T3.identity, T3.generators, right, T3.left)
    with pytest.raises(InputError, match="meet, yet the entry is -1"):
        Category(QUIVER.dom, QUIVER.cod, QUIVER.identity, QUIVER.generators, QUIVER.left, QUIVER.left)


def test_every_single_change_of_a_table_is_seen() -> None:
    """At x, (g x) g = g (x g) reads x + 2 = value + 1: no other value of x g than x + 1 will do."""
    for position in np.ndindex(*C4.right.shape):
        for value in range(C4.n_arrows):
            right = C4.right.copy()
            right[position] = value
            if value == C4.right[position]:
                lawful(Category(C4.dom, C4.cod, C4.identity, C4.generators, right, C4.left))
                continue
            with pytest.raises(InputError):
                Category(C4.dom, C4.cod, C4.identity, C4.generators, right, C4.left)


def test_how_it_shows() -> None:
    assert repr(chain(2)) == "Category(2 objects, 3 arrows; 0<1: 0 -> 1)"
    assert "27 arrows" in repr(T3)
    assert '0 -> 1 [label="s"];' in QUIVER.dot()
    assert "and 1 more generators" in QUIVER.dot(limit=1)
