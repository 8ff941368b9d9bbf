"""Limits and colimits inside a category: named shapes, weights, preservation."""

from __future__ import annotations

from math import gcd, lcm

import numpy as np
import pytest
from finite_functors import some_functor
from finite_worlds import IDEMPOTENT, QUIVER, S3, categories, functors, simplices
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.arrows import initial_objects, terminal_objects
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.orders import chain, discrete, from_covers
from presheaf.finite.categories.paths import free_category
from presheaf.finite.functors.functor import Functor
from presheaf.finite.functors.limits_in import (
    coequalizer_in,
    colimit_in,
    coproduct_in,
    equalizer_in,
    limit_in,
    preserves_colimit,
    preserves_limit,
    product_in,
    pullback_in,
    pushout_in,
    weighted_colimit_in,
    weighted_limit_in,
)
from presheaf.finite.presheaves.presheaf import SetFunctor, constant
from presheaf.finite.presheaves.yoneda import representable

SPAN = free_category(3, [(0, 1), (0, 2)])
NUMBERS = [1, 2, 3, 4, 6, 12]
DIVISORS = from_covers(6, [(i, j) for i, a in enumerate(NUMBERS) for j, b in enumerate(NUMBERS) if b % a == 0])


def cones(diagram: Functor, apex: int) -> list[tuple[int, ...]]:
    """All cones, by trying all families of arrows."""
    category, shape = diagram.target, diagram.source
    families: list[tuple[int, ...]] = [()]
    for c in diagram.objects.tolist():
        families = [(*f, int(a)) for f in families for a in category.hom(apex, c)]
    ends = list(zip(shape.generator_dom.tolist(), shape.generator_cod.tolist(), diagram.arrows.tolist(), strict=True))
    return [f for f in families if all(category.compose(f[a], u) == f[b] for a, b, u in ends)]


def is_limit(diagram: Functor, apex: int, legs: tuple[int, ...]) -> bool:
    """The definition: every cone factors through this one in exactly one way."""
    category = diagram.target
    for c in range(category.n_objects):
        made = [tuple(int(category.compose(a, leg)) for leg in legs) for a in category.hom(c, apex)]
        if sorted(made) != sorted(cones(diagram, c)):
            return False
    return True


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_limits_agree_with_the_definition(data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from([discrete(0), discrete(2), chain(2), SPAN, SPAN.op, QUIVER, IDEMPOTENT]))
    category = data.draw(categories().filter(lambda c: c.n_arrows <= 30))
    diagram = data.draw(some_functor(shape, category))
    found = limit_in(diagram)
    every = [(c, f) for c in range(category.n_objects) for f in cones(diagram, c)]
    truth = [(c, f) for c, f in every if is_limit(diagram, c, f)]
    assert bool(found) == bool(truth)
    if found:
        assert (found.object, tuple(found.legs.tolist())) in truth
    dual = colimit_in(diagram.opposite())
    assert bool(dual) == bool(found)
    assert dual.object == found.object


@pytest.mark.parametrize("i", range(6))
def test_products_of_divisors(i: int) -> None:
    for j, b in enumerate(NUMBERS):
        assert NUMBERS[product_in(DIVISORS, [i, j]).object] == gcd(NUMBERS[i], b)
        assert NUMBERS[coproduct_in(DIVISORS, [i, j]).object] == lcm(NUMBERS[i], b)
    assert NUMBERS[product_in(DIVISORS, [3, 4, 5]).object] == 2
    assert NUMBERS[coproduct_in(DIVISORS, [1, 2, 3]).object] == 12


@settings(max_examples=40, deadline=None)
@given(categories())
def test_limits_of_nothing_are_terminal_and_initial(category: Category) -> None:
    last, first = product_in(category, []), coproduct_in(category, [])
    assert bool(last) == bool(len(terminal_objects(category)))
    assert not last or last.object == terminal_objects(category)[0]
    assert bool(first) == bool(len(initial_objects(category)))
    assert not first or first.object == initial_objects(category)[0]


def test_simplices_glue() -> None:
    # In the simplex category up to [2] two edges end to end have the pushout [2]; two vertices have no coproduct.
    category = simplices(2)
    ends = category.hom(0, 1)
    tips = {int(f): category.name(int(f)) for f in ends}
    made = [pushout_in(category, f, g) for f in tips for g in tips if f != g]
    assert [m.object for m in made] == [2, 2]
    assert not coproduct_in(category, [0, 0])
    # The equalizer of the two vertices of an edge is empty, and the simplex category has no empty object.
    assert not equalizer_in(category, *ends.tolist())
    assert coequalizer_in(category, *ends.tolist()).object == 0
    # A surjection [1] -> [0] pulled back along itself would be a square.
    down = int(category.hom(1, 0)[0])
    assert not pullback_in(category, down, down)
    same = pullback_in(category, int(ends[0]), int(ends[0]))
    assert (same.object, same.legs[:2].tolist()) == (0, [int(category.identity[0])] * 2)


def test_a_group_has_equalizers_only_of_equal_arrows() -> None:
    for f in range(6):
        for g in range(6):
            assert bool(equalizer_in(S3, f, g)) == bool(coequalizer_in(S3, f, g)) == (f == g)
            square = pullback_in(S3, f, g)
            assert S3.compose(square.legs[0], f) == S3.compose(square.legs[1], g) == square.legs[2]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_weighted_by_a_representable_is_evaluation(data: st.DataObject) -> None:
    shape, category = data.draw(categories()), data.draw(categories())
    diagram = data.draw(some_functor(shape, category))
    j = data.draw(st.integers(0, shape.n_objects - 1))
    at = int(diagram.objects[j])
    for variance, build in (("covariant", weighted_limit_in), ("contravariant", weighted_colimit_in)):
        made = build(representable(shape, j, variance=variance), diagram)
        assert made
        there = category.hom(made.object, at) if variance == "covariant" else category.hom(at, made.object)
        assert len(there)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_weighted_limits_in_an_order_are_meets(data: st.DataObject) -> None:
    shape = data.draw(categories())
    diagram = data.draw(some_functor(shape, DIVISORS))
    weight = data.draw(functors(shape))
    here = [NUMBERS[d] for d, size in zip(diagram.objects.tolist(), weight.sizes.tolist(), strict=True) if size]
    if weight.variance == "covariant":
        assert NUMBERS[weighted_limit_in(weight, diagram).object] == gcd(*here)
    else:
        assert NUMBERS[weighted_colimit_in(weight, diagram).object] == lcm(*here)


def test_powers_as_weighted_limits() -> None:
    # The weight n on a point: the n-th power of an object; in S3 only the first power exists.
    point = discrete(1)
    for n, holds in ((1, True), (2, False)):
        weight = constant(point, n, variance="covariant")
        assert bool(weighted_limit_in(weight, Functor(point, S3, [0], []))) == holds
        assert weighted_limit_in(weight, Functor(point, DIVISORS, [4], [])).object == 4


def test_preservation() -> None:
    # x -> x * 2 into the divisors of 24 keeps binary meets and joins and the top, not the bottom.
    big = [1, 2, 3, 4, 6, 8, 12, 24]
    target = from_covers(8, [(i, j) for i, a in enumerate(big) for j, b in enumerate(big) if b % a == 0])
    double = [big.index(2 * n) for n in NUMBERS]
    f = Functor(DIVISORS, target, double, [int(target.hom(double[a], double[b])[0]) for a, b in _covers(DIVISORS)])
    pair = Functor(discrete(2), DIVISORS, [3, 4], [])
    assert preserves_limit(f, pair)
    assert preserves_colimit(f, pair)
    nothing = Functor(discrete(0), DIVISORS, [], [])
    assert not preserves_colimit(f, nothing)
    answer = preserves_limit(f, nothing)
    assert answer
    assert answer.witness == (int(target.identity[7]),)
    two = discrete(2)
    collapse = Functor(two, discrete(1), [0, 0], [])
    assert preserves_limit(collapse, Functor.identity(two)).why.startswith("the diagram has no limit")


def _covers(category: Category) -> list[tuple[int, int]]:
    return list(zip(category.generator_dom.tolist(), category.generator_cod.tolist(), strict=True))


def test_a_functor_into_an_incomplete_category() -> None:
    corner = from_covers(3, [(2, 0), (2, 1)])
    into = Functor(corner, corner, [0, 1, 2], corner.generators)
    assert preserves_limit(into, Functor(discrete(2), corner, [0, 1], []))
    apart = from_covers(4, [(2, 0), (2, 1), (3, 0), (3, 1)])
    f = Functor(corner, apart, [0, 1, 2], [int(apart.hom(2, 0)[0]), int(apart.hom(2, 1)[0])])
    answer = preserves_limit(f, Functor(discrete(2), corner, [0, 1], []))
    assert not answer
    assert "has no limit" in answer.why


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: equalizer_in(QUIVER, 0, int(QUIVER.generators[0])), "aren't parallel"),
        (lambda: pullback_in(QUIVER, 0, int(QUIVER.generators[0])), "common target"),
        (lambda: pushout_in(QUIVER, int(QUIVER.identity[1]), int(QUIVER.generators[0])), "common source"),
        (
            lambda: weighted_limit_in(constant(chain(2), 1, variance="covariant"), Functor.identity(QUIVER)),
            "covariant functor on the shape",
        ),
    ],
)
def test_what_is_refused_and_where(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()


def test_legs_of_a_weighted_colimit_form_a_cocone() -> None:
    shape = SPAN
    weight = SetFunctor(shape, [3, 2, 1], [[0, 2], [1]], variance="contravariant")
    diagram = Functor(shape, DIVISORS, [1, 3, 4], [int(DIVISORS.hom(1, 3)[0]), int(DIVISORS.hom(1, 4)[0])])
    made = weighted_colimit_in(weight, diagram)
    assert NUMBERS[made.object] == 12
    assert DIVISORS.dom[made.legs].tolist() == [1, 1, 1, 3, 3, 4]
    assert (DIVISORS.cod[made.legs] == 5).all()
    assert np.array_equal(made.legs[:3], np.repeat(DIVISORS.hom(1, 5), 3))
