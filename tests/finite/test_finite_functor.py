"""Functors between categories: checks, composition, full, faithful, essentially surjective, and all of them."""

from __future__ import annotations

from itertools import product as every
from math import comb

import numpy as np
import pytest
from finite_worlds import IDEMPOTENT, QUIVER, S3, S4, T2, T3, categories, functors
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.arrows import skeleton
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.categories.orders import chain, discrete, from_preorder
from presheaf.finite.categories.parts import full_subcategory
from presheaf.finite.categories.paths import free_category
from presheaf.finite.functors.functor import Functor, all_functors
from presheaf.finite.presheaves.presheaf import copresheaf

V4 = from_maps([[1, 0, 3, 2], [2, 3, 0, 1]])
D4 = from_maps([[1, 2, 3, 0], [0, 3, 2, 1]])
Q8 = from_maps([[2, 3, 1, 0, 6, 7, 5, 4], [4, 5, 7, 6, 1, 0, 2, 3]])
C6 = from_maps([[1, 2, 3, 4, 5, 0]])
S5 = from_maps([[1, 0, 2, 3, 4], [1, 2, 3, 4, 0]])
A5 = from_maps([[1, 2, 0, 3, 4], [1, 2, 3, 4, 0]])


@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_monotone_maps(m: int, n: int) -> None:
    assert len(all_functors(chain(m), chain(n))[0]) == comb(m + n - 1, m)


@pytest.mark.parametrize(
    ("one", "two", "count"),
    [(S3, S3, 10), (S4, S3, 10), (S4, S4, 58), (V4, S4, 52), (Q8, D4, 28), (C6, S5, 66), (A5, A5, 121)],
)
def test_group_homomorphisms(one: Category, two: Category, count: int) -> None:
    assert len(all_functors(one, two)[0]) == count


def test_functors_from_a_free_category_are_maps_of_graphs() -> None:
    assert len(all_functors(QUIVER, chain(3))[0]) == 6
    assert len(all_functors(discrete(3), chain(4))[0]) == 64
    path = free_category(3, [(0, 1), (1, 2)])
    arrows = chain(3).n_arrows
    pairs = every(range(arrows), repeat=2)
    assert len(all_functors(path, chain(3))[0]) == sum(chain(3).cod[f] == chain(3).dom[g] for f, g in pairs)


@settings(max_examples=40, deadline=None)
@given(categories(), categories(), st.integers(0, 10**6))
def test_answers_are_those_of_the_definition(source: Category, target: Category, seed: int) -> None:
    try:
        objects, arrows = all_functors(source, target, limit=20_000)
    except InputError:
        return
    if not len(objects):
        return
    i = int(np.random.default_rng(seed).integers(len(objects)))
    f = Functor(source, target, objects[i], arrows[i])
    x, y = np.nonzero(source.table >= 0)
    assert (target.compose(f.images[x], f.images[y]) == f.images[source.table[x, y]]).all()
    pairs = list(every(range(source.n_objects), repeat=2))
    images = {p: f.images[source.hom(*p)].tolist() for p in pairs}
    assert bool(f.faithful) == all(len(set(v)) == len(v) for v in images.values())
    homs = {(a, b): set(target.hom(f.objects[a], f.objects[b]).tolist()) for a, b in pairs}
    assert bool(f.full) == all(set(images[p]) == homs[p] for p in pairs)
    if not f.full:
        a, b, arrow = f.full.witness
        assert arrow in homs[a, b]
        assert arrow not in images[a, b]
    if not f.faithful:
        g, h = f.faithful.witness
        assert f.images[g] == f.images[h]
        assert (source.dom[g], source.cod[g]) == (source.dom[h], source.cod[h])
    assert (f.opposite().images == f.images).all()
    assert (f.then(Functor.identity(target)).images == f.images).all()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_skeleton_is_equivalent_and_restriction_is_functorial(data: st.DataObject) -> None:
    category = data.draw(categories())
    bones, arrows = skeleton(category)
    inclusion = Functor(bones, category, category.dom[arrows[bones.identity]], arrows[bones.generators])
    assert inclusion.equivalence
    t = data.draw(functors(category))
    down = inclusion.restrict(t)
    type(down)(bones, down.sizes, down.columns, variance=down.variance)


def test_functors_are_equal_when_their_maps_are() -> None:
    one, two = Functor.identity(S3), Functor.identity(S3)
    assert one == two
    assert len({one, two}) == 1
    assert one != Functor.identity(S4)
    assert one.then(two) == one
    assert one != Functor(S3, S3, [0], S3.identity[[0, 0]])
    t = copresheaf(S3, [3], [[1, 0, 2], [1, 2, 0]])
    assert one.restrict(t) is one.restrict(t)


def test_witnesses_in_words() -> None:
    part, arrows = full_subcategory(chain(3), [0, 2])
    inclusion = Functor(part, chain(3), [0, 2], arrows[part.generators])
    assert inclusion.full
    assert inclusion.faithful
    assert inclusion.essentially_surjective.why == "1 is isomorphic to no image."
    assert not inclusion.equivalence
    fold = Functor(QUIVER, chain(2), [0, 1], [1, 1])
    assert fold.faithful.why == "s and t have the same image."
    assert not Functor(discrete(2), chain(2), [0, 1], []).full
    assert Functor(from_preorder(np.ones((2, 2))), chain(1), [0, 0], [0, 0]).equivalence


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Functor(QUIVER, chain(2), [0, 1], [0, 1]), "generator s goes to 1_0, which doesn't end at 1"),
        (lambda: Functor(IDEMPOTENT, S3, [0], [S3.generators[0]]), "the equation g0;g0 = g0 breaks"),
        (lambda: Functor(chain(2), chain(2), [0, 1, 1], [1]), "objects must have shape"),
        (lambda: Functor.identity(T2).then(Functor.identity(T3)), "must start at the category"),
        (lambda: all_functors(discrete(3), chain(4), limit=10), "more than 10 partial functors"),
    ],
)
def test_what_is_refused_and_where(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()
