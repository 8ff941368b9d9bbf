"""Natural transformations between functors of categories, and functor categories."""

from __future__ import annotations

from collections import Counter
from itertools import product as every
from math import comb

import numpy as np
import pytest
from finite_worlds import IDEMPOTENT, QUIVER, S3, S4, T2, categories, functors
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.orders import chain, discrete, from_preorder
from presheaf.finite.categories.paths import free_category
from presheaf.finite.categories.products import product_category
from presheaf.finite.functors.functor import Functor, all_functors
from presheaf.finite.functors.functor_category import FunctorCategory, functor_category
from presheaf.finite.functors.functor_natural import NaturalTransformation, natural_transformations
from presheaf.finite.presheaves.natural import transformations
from presheaf.finite.presheaves.transformation import Transformation

LOOP = from_preorder(np.ones((2, 2)))


def functors_between(source: Category, target: Category) -> list[Functor]:
    objects, arrows = all_functors(source, target)
    return [Functor(source, target, a, b) for a, b in zip(objects, arrows, strict=True)]


def by_definition(f: Functor, g: Functor) -> set[tuple[int, ...]]:
    """All families of arrows that commute with every arrow of the source."""
    c, d = f.source, f.target
    homs = [d.hom(a, b).tolist() for a, b in zip(f.objects.tolist(), g.objects.tolist(), strict=True)]
    return {
        family
        for family in every(*homs)
        if all(
            d.table[f.images[x], family[c.cod[x]]] == d.table[family[c.dom[x]], g.images[x]] for x in range(c.n_arrows)
        )
    }


def draw_functor(data: st.DataObject, source: Category, target: Category) -> Functor:
    try:
        objects, arrows = all_functors(source, target, limit=20_000)
    except InputError:
        assume(False)
    assume(len(objects) > 0)
    i = data.draw(st.integers(0, len(objects) - 1))
    return Functor(source, target, objects[i], arrows[i])


@settings(max_examples=60, deadline=None)
@given(st.data(), categories(), categories())
def test_all_of_them(data: st.DataObject, source: Category, target: Category) -> None:
    f, g = (draw_functor(data, source, target) for _ in range(2))
    sizes = [len(target.hom(a, b)) for a, b in zip(f.objects.tolist(), g.objects.tolist(), strict=True)]
    assume(np.prod([float(s) for s in sizes]) <= 5000)
    truth = by_definition(f, g)
    found = natural_transformations(f, g)
    assert found.count() == len(truth)
    listed = list(found)
    assert {tuple(a.components.tolist()) for a in listed} == truth
    assert all(NaturalTransformation(f, g, a.components) == a for a in listed)
    isos = list(natural_transformations(f, g, kind="iso"))
    assert isos == [a for a in listed if a.is_iso] or {*isos} == {a for a in listed if a.is_iso}
    for a in isos:
        assert a.then(a.inverse()) == NaturalTransformation.identity(f)
        assert a.inverse().then(a) == NaturalTransformation.identity(g)
    if truth:
        assert all(tuple(a.components.tolist()) in truth for a in found.sample(3, 0))
        assert found.first() in listed


@settings(max_examples=40, deadline=None)
@given(st.data(), categories(), categories(), categories())
def test_interchange_and_whiskering(data: st.DataObject, b: Category, c: Category, d: Category) -> None:
    f = draw_functor(data, b, c)
    h = draw_functor(data, c, d)
    seed = data.draw(st.integers(0, 99))

    def onward(start: Functor) -> NaturalTransformation:
        ends = functors_between(start.source, start.target)[:40]
        ways = [w for w in (natural_transformations(start, g) for g in [*ends, start]) if w.count()]
        return ways[seed % len(ways)].sample(1, seed)[0]

    assume(len(all_functors(b, c)[0]) <= 200 and len(all_functors(c, d)[0]) <= 200)
    one = onward(f)
    two = onward(one.target)
    three = onward(h)
    four = onward(three.target)
    assert one.then(two).beside(three.then(four)) == one.beside(three).then(two.beside(four))
    both = one.beside(three)
    assert both == one.after(Functor.identity(b)).beside(three)
    assert both == three.after(f).then(one.before(three.target))
    assert NaturalTransformation(both.source, both.target, both.components) == both
    assert one.beside(NaturalTransformation.identity(h)) == one.before(h)
    assert NaturalTransformation.identity(f).beside(three) == three.after(f)


@settings(max_examples=40, deadline=None)
@given(st.data(), categories(), categories())
def test_restriction_of_set_valued_functors(data: st.DataObject, source: Category, target: Category) -> None:
    f, g = (draw_functor(data, source, target) for _ in range(2))
    ways = natural_transformations(f, g)
    assume(ways.count() > 0)
    alpha = ways.sample(1, 1)[0]
    s = data.draw(functors(target))
    t = data.draw(functors(target).filter(lambda x: x.variance == s.variance))
    along = alpha.restrict(s)
    assert Transformation(along.source, along.target, along.components) == along
    maps = transformations(s, t)
    assume(maps.count() > 0)
    beta = maps.sample(1, 2)[0]
    moved = f.restrict_map(beta)
    assert Transformation(f.restrict(s), f.restrict(t), moved.components) == moved
    assert f.restrict_map(Transformation.identity(s)) == Transformation.identity(f.restrict(s))
    # Both ways around the square of beta and alpha.
    first, second = (g, f) if s.variance == "contravariant" else (f, g)
    assert along.then(second.restrict_map(beta)) == first.restrict_map(beta).then(alpha.restrict(t))


def test_transformations_of_group_homomorphisms_are_conjugators() -> None:
    for one, two in ((S3, S3), (S3, S4)):
        homs = functors_between(one, two)
        for f, g in every(homs[:6], homs):
            x = np.arange(two.n_arrows)
            truth = [a for a in x if (two.table[f.arrows, a] == two.table[a, g.arrows]).all()]
            assert natural_transformations(f, g).count() == len(truth)
    # Homomorphisms S3 -> S4 by image: 1 trivial, 6 + 3 onto a transposition or a double one, 24 injective; their
    # centralisers have 24, 4, 8 and 1 elements.
    orders = [natural_transformations(f, f).count() for f in functors_between(S3, S4)]
    assert Counter(orders) == {24: 1, 4: 6, 8: 3, 1: 24}
    centre = natural_transformations(Functor.identity(S4), Functor.identity(S4))
    assert centre.count() == 1


def laws(made: FunctorCategory) -> None:
    """Composition is componentwise, and numbers go both ways."""
    c = made.category
    seed = np.random.default_rng(0)
    for x in seed.integers(0, c.n_arrows, min(20, c.n_arrows)).tolist():
        a = made.transformation(x)
        assert NaturalTransformation(a.source, a.target, a.components) == a
        assert made.arrow_of(a) == x
        after = np.flatnonzero(c.dom == c.cod[x])
        y = int(after[seed.integers(len(after))])
        assert made.transformation(int(c.compose(x, y))) == a.then(made.transformation(y))
    for i in range(min(10, c.n_objects)):
        assert made.object_of(made.functor(i)) == i
        unit = made.transformation(int(c.identity[i]))
        assert unit == NaturalTransformation.identity(made.functor(i))


@pytest.mark.parametrize(
    ("source", "target", "objects", "arrows"),
    [
        # Monotone maps [m] -> [n], and pairs of such with one below the other: [m] x [2] -> [n].
        (chain(2), chain(3), comb(4, 2), 20),
        (chain(3), chain(2), comb(4, 3), 10),
        # Two objects side by side: pairs.
        (discrete(2), S3, 1, 36),
        (discrete(0), S3, 1, 1),
        # Endomorphisms of S3 under conjugation: 10 of them, 10 x 6 conjugators in all.
        (S3, S3, 10, 60),
        (IDEMPOTENT, IDEMPOTENT, 2, None),
        (QUIVER, LOOP, 4, 16),
        (T2, T2, None, None),
    ],
)
def test_functor_categories(source: Category, target: Category, objects: int | None, arrows: int | None) -> None:
    made = functor_category(source, target)
    pairs = every(functors_between(source, target), repeat=2)
    assert made.category.n_arrows == sum(natural_transformations(f, g).count() for f, g in pairs)
    assert objects is None or made.category.n_objects == objects
    assert arrows is None or made.category.n_arrows == arrows
    laws(made)
    evaluation = made.evaluation
    n = source.n_objects
    for i, c in every(range(made.category.n_objects), range(n)):
        assert evaluation.objects[i * n + c] == made.objects[i, c]
    for x in range(min(30, made.category.n_arrows)):
        for g in range(source.n_arrows):
            image = evaluation.images[x * source.n_arrows + g]
            alpha = made.transformation(x)
            expected = target.compose(alpha.components[source.dom[g]], alpha.target.images[g])
            assert image == expected


@pytest.mark.parametrize(
    ("a", "b", "c"),
    [
        (chain(2), chain(2), chain(3)),
        (chain(2), IDEMPOTENT, T2),
        (QUIVER, chain(2), chain(2)),
        (discrete(2), S3, S3),
        (chain(2), S3, S3),
        (free_category(3, [(0, 1), (0, 2)]), chain(2), IDEMPOTENT),
    ],
)
def test_the_exponential_law(a: Category, b: Category, c: Category) -> None:
    inner = functor_category(b, c)
    both = product_category(a, b)
    whole = functors_between(both, c)
    curried = [inner.curry(a, f) for f in whole]
    assert len(curried) == len(all_functors(a, inner.category)[0]) == len(set(curried))
    for f, g in list(zip(whole, curried, strict=True))[:10]:
        for x in range(a.n_objects):
            assert inner.functor(int(g.objects[x])).objects.tolist() == [
                f.objects[x * b.n_objects + y] for y in range(b.n_objects)
            ]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: NaturalTransformation(Functor.identity(chain(2)), Functor.identity(chain(2)), [0, 0]),
            "same two categories",
        ),
        (lambda: NaturalTransformation(Functor.identity(S3), Functor.identity(S3), [1]), "not natural at generator"),
        (lambda: NaturalTransformation(Functor.identity(T2), Functor.identity(T2), [9]), r"components\[0\] = 9"),
        (
            lambda: NaturalTransformation(Functor.identity(LOOP), Functor.identity(LOOP), LOOP.generators[[0, 1]]),
            "the component at 0 must run 0 -> 0",
        ),
        (lambda: natural_transformations(Functor.identity(S3), Functor.identity(S4)), "same two categories"),
        (lambda: natural_transformations(Functor.identity(S3), Functor.identity(S3), kind="epi"), "'kind' must be one"),
        (lambda: functor_category(discrete(4), chain(4), limit=1000), "more than the limit of 1000"),
        (lambda: functor_category(chain(2), chain(2)).curry(S3, Functor.identity(S3)), "a functor from the product"),
        (lambda: functor_category(chain(2), chain(2)).object_of(Functor.identity(S3)), "two categories of the functor"),
    ],
)
def test_what_is_refused_and_where(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()


def test_components_that_are_no_isomorphisms() -> None:
    point = Functor(chain(1), chain(2), [0], [])
    other = Functor(point.source, point.target, [1], [])
    step = natural_transformations(point, other).first()
    assert step is not None
    with pytest.raises(InputError, match="at 0 is no isomorphism"):
        step.inverse()
    with pytest.raises(InputError, match="must start at the functor"):
        step.then(step)
    assert repr(step) == "NaturalTransformation(0: 0<1)"
    assert natural_transformations(other, point).first() is None
    with pytest.raises(InputError, match="no natural transformation"):
        natural_transformations(other, point).sample(1, 0)
