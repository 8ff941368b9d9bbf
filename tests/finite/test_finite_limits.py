"""Limits and colimits, of functors and inside a category, by their universal properties."""

from __future__ import annotations

from math import gcd, lcm

import numpy as np
import pytest
from finite_worlds import QUIVER, S3, categories, cycle, functors, graph, simplices
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.orders import chain, discrete, from_covers
from presheaf.finite.categories.paths import free_category
from presheaf.finite.columns.graph import sources, weak_components
from presheaf.finite.functors.functor import Functor
from presheaf.finite.functors.limits_in import colimit_in, limit_in
from presheaf.finite.presheaves.limits import (
    coequalizer,
    colimit,
    coproduct,
    equalizer,
    limit,
    product,
    pullback,
    pushout,
)
from presheaf.finite.presheaves.natural import transformations
from presheaf.finite.presheaves.presheaf import SetFunctor, constant
from presheaf.finite.presheaves.transformation import Transformation
from presheaf.finite.presheaves.yoneda import representable


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_universal_properties(data: st.DataObject) -> None:
    category = data.draw(categories())
    s = data.draw(functors(category))
    t, u = (data.draw(functors(category).filter(lambda x: x.variance == s.variance)) for _ in range(2))
    both, either = product(s, t), coproduct(s, t)
    assert both.apex.sizes.tolist() == (s.sizes * t.sizes).tolist()
    assert either.apex.sizes.tolist() == (s.sizes + t.sizes).tolist()
    for made in (both.apex, either.apex):
        SetFunctor(category, made.sizes, made.columns, variance=made.variance)

    def count(a: SetFunctor, b: SetFunctor) -> int:
        return transformations(a, b).count()

    assert count(u, both.apex) == count(u, s) * count(u, t)
    assert count(either.apex, u) == count(s, u) * count(t, u)
    pair = transformations(s, t).take(2)
    if len(pair) == 2:
        same, glued = equalizer(*pair), coequalizer(*pair)
        inclusion, quotient = same.legs[0], glued.legs[1]
        assert inclusion.is_mono
        assert quotient.is_epi
        for a, b in zip(inclusion.then(pair[0]).components, inclusion.then(pair[1]).components, strict=True):
            assert (a == b).all()
        few = transformations(u, s)
        if few.count() <= 300:
            assert count(u, same.apex) == sum(f.then(pair[0]) == f.then(pair[1]) for f in few)
        few = transformations(t, u)
        if few.count() <= 300:
            assert count(glued.apex, u) == sum(pair[0].then(f) == pair[1].then(f) for f in few)


def test_products_of_cycles() -> None:
    for m, n in ((4, 6), (3, 5), (6, 9)):
        apex = product(cycle(m), cycle(n)).apex
        label = weak_components(m * n, apex.columns[0], apex.columns[1])
        assert np.bincount(label).tolist() == [lcm(m, n)] * gcd(m, n)


def test_powers_of_the_interval() -> None:
    category = simplices(2)
    interval = representable(category, 1, variance="contravariant")
    for k in (1, 2, 3):
        assert product(*[interval] * k).apex.sizes.tolist() == [(n + 2) ** k for n in range(3)]


def test_pullback_pushout_and_factors() -> None:
    point = graph(1, [])
    ends = transformations(point, graph(2, [(0, 1)])).take(2)
    glued = pushout(*ends)
    assert glued.apex.sizes.tolist() == [2, 3]
    assert len(sources(*glued.apex.element_graph)[0]) == 2
    meet = pullback(*ends)
    assert meet.apex.n_elements == 0
    both = product(cycle(2), cycle(3))
    back = both.factor(both.legs)
    assert back == Transformation.identity(both.apex)
    either = coproduct(cycle(2), cycle(3))
    assert either.factor(either.legs) == Transformation.identity(either.apex)
    loop = cycle(1)
    folds = [transformations(leg.source, loop).take(1)[0] for leg in either.legs]
    fold = either.factor(folds)
    assert fold.is_epi


def test_limits_in_a_category() -> None:
    # Divisors of 12: products are greatest common divisors, coproducts least common multiples.
    numbers = [1, 2, 3, 4, 6, 12]
    covers = [(i, j) for i, a in enumerate(numbers) for j, b in enumerate(numbers) if b % a == 0]
    order = from_covers(6, covers)
    for i, a in enumerate(numbers):
        for j, b in enumerate(numbers):
            pair = Functor(discrete(2), order, [i, j], [])
            assert numbers[limit_in(pair).object] == gcd(a, b)
            assert numbers[colimit_in(pair).object] == lcm(a, b)
    assert limit_in(Functor(discrete(0), order, [], [])).object == 5
    assert colimit_in(Functor(discrete(0), order, [], [])).object == 0


def test_a_limit_that_is_missing_has_a_witness() -> None:
    pair = Functor(discrete(2), from_covers(4, [(0, 2), (0, 3), (1, 2), (1, 3)]), [2, 3], [])
    found = limit_in(pair)
    assert not found
    assert found.verdict.apart == ((0, 0), (1, 0))
    group = Functor(discrete(2), S3, [0, 0], [])
    assert not limit_in(group)
    same = Functor(free_category(2, [(0, 1), (0, 1)]), QUIVER, [0, 1], QUIVER.generators)
    assert not limit_in(same)
    loop = limit_in(Functor(chain(2), QUIVER, [0, 1], QUIVER.generators[:1]))
    assert loop
    assert (loop.object, loop.legs.tolist()) == (0, [int(QUIVER.identity[0]), int(QUIVER.generators[0])])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: limit([]), "an empty diagram"),
        (lambda: product(cycle(3), constant(S3, 1, variance="covariant")), "part 1 lives on another"),
        (lambda: limit([cycle(3)], [(0, 1, Transformation.identity(cycle(3)))]), "there are 1 parts"),
        (lambda: colimit([cycle(3), cycle(4)], [(0, 1, Transformation.identity(cycle(3)))]), "sizes differ"),
        (lambda: limit([cycle(30)] * 4, most=1000), "limit of 1000"),
    ],
)
def test_what_is_refused_and_where(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()
