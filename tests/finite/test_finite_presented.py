"""Presentations to finite categories and back; what doesn't end is told apart."""

from __future__ import annotations

import numpy as np
import pytest
from finite_worlds import S4, T3, categories, lawful, simplices
from hypothesis import given, settings

from presheaf.errors import InputError
from presheaf.finite import examples
from presheaf.finite.categories.arrows import is_groupoid
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.categories.orders import chain
from presheaf.finite.columns.budget import Budget
from presheaf.finite.functors.functor import Functor
from presheaf.finite.presented.enumerated import NotEnumerated, from_presentation, presentation_of
from presheaf.finite.presented.kan_left import hom_from
from presheaf.finite.presented.presentation import Presentation


@settings(max_examples=60, deadline=None)
@given(categories())
def test_there_and_back_is_an_isomorphism(category: Category) -> None:
    presentation = presentation_of(category)
    for compiled in (True, False):
        again = from_presentation(presentation, compiled=compiled)
        lawful(again)
        there = Functor(category, again, np.arange(category.n_objects), again.generators)
        back = Functor(again, category, np.arange(category.n_objects), category.generators)
        assert (back.images[there.images] == np.arange(category.n_arrows)).all()
        assert (there.images[back.images] == np.arange(again.n_arrows)).all()


@pytest.mark.parametrize(
    "example",
    [
        examples.cyclic(6),
        examples.dihedral(5),
        examples.quaternion(),
        examples.symmetric(5),
        examples.fibonacci(5),
        examples.full_transformations(3),
        examples.reflexive_quiver(),
        examples.simplex(3),
    ],
    ids=lambda e: e.name,
)
def test_examples_are_categories(example: examples.Example) -> None:
    made = from_presentation(example.presentation)
    assert made.n_arrows == example.arrows
    Category(made.dom, made.cod, made.identity, made.generators, made.right, made.left)
    for a in range(made.n_objects):
        sizes = np.bincount(made.cod[made.out(a)], minlength=made.n_objects)
        assert sizes.tolist() == hom_from(example.presentation, a).sizes.tolist()
    if "Coxeter" in example.source:
        assert is_groupoid(made)


def test_presented_monoids_are_those_of_maps() -> None:
    made = from_presentation(presentation_of(T3))
    assert (made.table == T3.table).all()
    assert (from_presentation(presentation_of(S4)).table == S4.table).all()
    hexagon = from_maps([[1, 2, 3, 4, 5, 0]])
    assert from_presentation(Presentation.group("a", ["a^6"])).n_arrows == hexagon.n_arrows
    assert from_presentation(presentation_of(simplices(2))).n_arrows == simplices(2).n_arrows


def test_generators_may_collapse() -> None:
    trivial = from_presentation(examples.fibonacci(2).presentation)
    assert (trivial.n_arrows, set(trivial.generators.tolist())) == (1, {0})
    lawful(trivial)
    equal = from_presentation(Presentation(("A", "B"), (("f", 0, 1), ("g", 0, 1)), (((0,), (1,)),)))
    assert (equal.n_arrows, *equal.generators.tolist()) == (3, 2, 2)
    empty = from_presentation(Presentation((), ()))
    assert (empty.n_objects, empty.n_arrows) == (0, 0)
    assert presentation_of(equal).equations == (((1,), (0,)),)


@pytest.mark.parametrize("compiled", [True, False])
def test_what_does_not_end_says_so(compiled: bool) -> None:
    with pytest.raises(NotEnumerated, match="not enumerated within the budget of rows") as ended:
        from_presentation(examples.fibonacci(6).presentation, budget=Budget(rows=5000), compiled=compiled)
    assert (ended.value.status, ended.value.limit) == ("budget exceeded", "rows")
    loops = [
        examples.bicyclic().presentation,
        Presentation(("Employee",), (("manager", 0, 0),)),
        Presentation(("A", "B"), (("f", 0, 1), ("g", 1, 0))),
    ]
    for presentation in loops:
        with pytest.raises(InputError, match="infinitely many arrows") as proved:
            from_presentation(presentation, compiled=compiled)
        assert isinstance(proved.value, NotEnumerated)
        assert proved.value.status == "infinite"
        # The proof: the weights balance every equation.
        weights = proved.value.weights or ()
        for left, right in presentation.equations:
            assert sum(weights[j] for j in left) == sum(weights[j] for j in right)
        assert any(weights)


def test_cancelled() -> None:
    with pytest.raises(NotEnumerated, match="cancelled") as ended:
        from_presentation(examples.fibonacci(6).presentation, cancel=lambda: True)
    assert ended.value.status == "cancelled"


def test_names_that_repeat_are_numbered() -> None:
    twice = Category.from_steps([0, 1], [0, 1], [0, 1], [0, 1], [0, 1], [0, 1], objects=["x", "x"], names=["f", "f"])
    made = presentation_of(twice)
    assert made.objects == ("x", "x_2")
    assert [g[0] for g in made.generators] == ["f", "f_2"]
    assert presentation_of(chain(3)).objects == ("0", "1", "2")
