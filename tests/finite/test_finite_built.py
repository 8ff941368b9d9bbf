"""Commas, collages, unions and action groupoids against their definitions."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from finite_worlds import C4, QUIVER, S3, T2, categories, lawful, rotnet
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.arrows import groupoid_cardinality, is_groupoid
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.categories.orders import chain, discrete, from_preorder
from presheaf.finite.categories.tables import from_monoid
from presheaf.finite.functors.collage import collage, disjoint_union
from presheaf.finite.functors.comma import arrow_category, comma_category
from presheaf.finite.functors.elements import action_category, action_groupoid, coslice_category, slice_category
from presheaf.finite.functors.functor import Functor, all_functors
from presheaf.finite.presheaves.presheaf import copresheaf

SMALL = [chain(1), chain(2), discrete(2), QUIVER, T2, C4, from_preorder(np.ones((2, 2)))]


@st.composite
def functors_into(draw: st.DrawFn, target: Category) -> Functor:
    source = draw(st.sampled_from(SMALL))
    objects, arrows = all_functors(source, target)
    assume(len(objects))
    i = draw(st.integers(0, len(objects) - 1))
    return Functor(source, target, objects[i], arrows[i])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_comma_categories_are_those_of_the_definition(data: st.DataObject) -> None:
    base = data.draw(st.sampled_from([*SMALL, chain(3), S3]))
    f, g = data.draw(functors_into(base)), data.draw(functors_into(base))
    made = comma_category(f, g)
    a, b, h = made.left.objects, made.right.objects, made.arrow
    expected = [
        (x, y, k)
        for x, y in product(range(f.source.n_objects), range(g.source.n_objects))
        for k in base.hom(int(f.objects[x]), int(g.objects[y])).tolist()
    ]
    assert list(zip(a.tolist(), b.tolist(), h.tolist(), strict=True)) == expected
    squares = sorted(
        (i, j, u, v)
        for i, j in product(range(len(h)), repeat=2)
        for u in f.source.hom(int(a[i]), int(a[j])).tolist()
        for v in g.source.hom(int(b[i]), int(b[j])).tolist()
        if base.compose(f.images[u], h[j]) == base.compose(h[i], g.images[v])
    )
    c = made.category
    found = zip(c.dom.tolist(), c.cod.tolist(), made.u.tolist(), made.v.tolist(), strict=True)
    assert sorted(found) == squares
    lawful(c)
    assert (made.left.images == made.u).all()
    assert (made.right.images == made.v).all()
    assert made.left.then(f).source is c


def test_slices_coslices_and_arrows_are_commas() -> None:
    for base in (chain(4), QUIVER, T2, S3):
        same = Functor.identity(base)
        for c in range(base.n_objects):
            point = Functor(chain(1), base, [c], [])
            over, under = slice_category(base, c).category, coslice_category(base, c).category
            assert comma_category(same, point).category.n_arrows == over.n_arrows
            assert comma_category(point, same).category.n_arrows == under.n_arrows
    # Monotone maps [1] -> [n-1] are the objects, and [1] x [1] -> [n-1] the arrows: pairs of comparable intervals.
    for n in range(1, 5):
        made = arrow_category(chain(n)).category
        intervals = [(i, j) for i in range(n) for j in range(i, n)]
        assert made.n_objects == len(intervals)
        assert made.n_arrows == sum(i <= k and j <= m for (i, j), (k, m) in product(intervals, repeat=2))
    squares = arrow_category(S3).category
    assert is_groupoid(squares)
    assert (squares.n_objects, squares.n_arrows) == (6, 6 * 36)


def test_a_comma_is_refused() -> None:
    with pytest.raises(InputError, match="same category"):
        comma_category(Functor.identity(chain(2)), Functor.identity(chain(2)))
    with pytest.raises(InputError, match="has 216 arrows; raise limit=100"):
        arrow_category(S3, limit=100)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_collages(data: st.DataObject) -> None:
    target = data.draw(st.sampled_from([*SMALL, chain(3), S3]))
    f = data.draw(functors_into(target))
    made = collage(f)
    c, d, both = f.source, f.target, made.category
    lawful(both)
    n = c.n_objects
    for a, b in product(range(n), range(d.n_objects)):
        assert len(both.hom(a, n + b)) == len(d.hom(int(f.objects[a]), b))
        assert not len(both.hom(n + b, a))
    for inclusion in (made.source, made.target):
        assert inclusion.full
        assert inclusion.faithful
    # The bridge (c, h) after an arrow of C is F of it, then h; before an arrow of D it is h, then that arrow.
    bridges = c.n_arrows + d.n_arrows + np.arange(len(made.arrow))
    for x, i in product(range(c.n_arrows), range(len(bridges))):
        if c.cod[x] == made.object[i]:
            y = int(both.compose(x, bridges[i])) - int(bridges[0])
            assert made.object[y] == c.dom[x]
            assert made.arrow[y] == d.compose(f.images[x], made.arrow[i])


@settings(max_examples=20, deadline=None)
@given(st.lists(categories(), max_size=3))
def test_disjoint_unions(parts: list[Category]) -> None:
    made, inclusions = disjoint_union(parts)
    lawful(made)
    Category(made.dom, made.cod, made.identity, made.generators, made.right, made.left)
    assert made.n_arrows == sum(c.n_arrows for c in parts)
    assert len(set(made.objects)) == made.n_objects
    images = np.concatenate([np.empty(0, dtype=int), *(f.images for f in inclusions)])
    assert images.tolist() == list(range(made.n_arrows))


def test_rotnet_groupoid() -> None:
    groupoid = rotnet()
    assert is_groupoid(groupoid)
    ends = [len(groupoid.hom(x, x)) for x in (0, 4, 8, 10)]
    assert ends == [1, 1, 2, 4]
    assert groupoid.n_arrows == 11 * 4
    cardinality = groupoid_cardinality(groupoid)
    assert cardinality == Fraction(11, 4)
    n = groupoid.n_objects
    counts = np.array([[len(groupoid.hom(a, b)) for b in range(n)] for a in range(n)], dtype=float)
    assert abs(np.linalg.pinv(counts).sum() - float(cardinality)) < 1e-9
    with pytest.raises(InputError, match="1, 2 or 4 images; got 3"):
        rotnet([3])


def test_groupoid_cardinality_of_groups_sets_and_actions() -> None:
    assert groupoid_cardinality(S3) == Fraction(1, 6)
    assert groupoid_cardinality(discrete(5)) == 5
    assert groupoid_cardinality(from_preorder(np.ones((4, 4)))) == 1
    assert groupoid_cardinality(action_groupoid(copresheaf(S3, [3], [[1, 0, 2], [1, 2, 0]]))) == Fraction(3, 6)
    assert groupoid_cardinality(disjoint_union([S3, discrete(2)])[0]) == Fraction(13, 6)
    with pytest.raises(InputError, match="0<1 has no inverse"):
        groupoid_cardinality(chain(2))


def test_action_groupoids_are_for_groups() -> None:
    act = copresheaf(T2, [2], [[1, 0], [0, 0]])
    assert action_category(act).n_arrows == 8
    with pytest.raises(InputError, match="generator g1 has no inverse"):
        action_groupoid(act)
    with pytest.raises(InputError, match="one object"):
        action_groupoid(copresheaf(QUIVER, [0, 1], [[], []]))


def test_groups_and_monoids_from_tables_and_from_maps_agree() -> None:
    for made in (S3, T2, C4):
        again = from_monoid(made.table)
        assert (again.table == made.table).all()
        assert is_groupoid(again) == is_groupoid(made)
    klein = from_monoid([[i ^ j for j in range(4)] for i in range(4)])
    assert is_groupoid(klein)
    assert len(klein.generators) == 2
    assert not is_groupoid(from_monoid([[0, 1], [1, 1]]))
    assert from_maps(np.empty((0, 3), dtype=int)).n_arrows == 1
