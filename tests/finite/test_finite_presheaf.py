"""Functors to sets: what is accepted, what is refused and where, and their categories of elements."""

from __future__ import annotations

import numpy as np
import pytest
from finite_worlds import C4, IDEMPOTENT, QUIVER, categories, cycle, functors, rotnet, shuffled
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.arrows import components
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.categories.orders import chain
from presheaf.finite.categories.products import product_category
from presheaf.finite.functors.elements import action_category, elements
from presheaf.finite.presheaves.presheaf import SetFunctor, action, constant, copresheaf, presheaf
from presheaf.finite.presheaves.yoneda import representable

SQUARE = product_category(chain(2), chain(2))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_functors_respect_composition_and_survive_relabelling(data: st.DataObject) -> None:
    category = data.draw(categories())
    t = data.draw(functors(category))
    shuffled(t, data.draw(st.integers(0, 100)))
    side = t.covariant.category
    for f in range(side.n_arrows):
        rows = np.arange(t.sizes[side.dom[f]])
        for g in np.flatnonzero(side.dom == side.cod[f]).tolist():
            assert (t.apply(int(side.compose(f, g)), rows) == t.apply(g, t.apply(f, rows))).all()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_random_change_of_a_column_is_seen_exactly_when_an_equation_breaks(data: st.DataObject) -> None:
    category = data.draw(categories())
    t = data.draw(functors(category))
    columns = [c.copy() for c in t.columns]
    side = t.covariant.category
    for j, column in enumerate(columns):
        if len(column):
            column[data.draw(st.integers(0, len(column) - 1))] = data.draw(
                st.integers(0, int(t.sizes[side.generator_cod[j]]) - 1)
            )
    loose = SetFunctor.trusted(category, t.sizes, columns, variance=t.variance)
    broken = False
    for f in range(side.n_arrows):
        rows = np.arange(t.sizes[side.dom[f]])
        for j in side.leaving(int(side.cod[f])).tolist():
            one = columns[j][loose.apply(f, rows)]
            broken |= bool((one != loose.apply(int(side.then(f, j)), rows)).any())
    if broken:
        with pytest.raises(InputError, match="path equation"):
            SetFunctor(category, t.sizes, columns, variance=t.variance)
    else:
        SetFunctor(category, t.sizes, columns, variance=t.variance)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_elements_form_a_category_over_the_base(data: st.DataObject) -> None:
    category = data.draw(categories())
    t = data.draw(functors(category))
    el = elements(t)
    made = el.category
    Category(made.dom, made.cod, made.identity, made.generators, made.right, made.left)
    assert made.n_objects == t.n_elements
    assert (el.projection.images == el.arrow).all()
    at, values = action(t.covariant)
    assert made.n_arrows == at[-1] == len(values)


def test_many_relations_are_checked_in_blocks() -> None:
    maps = [[1, 0, 2, 3], [1, 2, 3, 0], [0, 0, 2, 3]]
    monoid = from_maps(maps)
    assert len(monoid.relations[0]) > 64
    rng = np.random.default_rng(0)
    verdicts = []
    for _ in range(100):
        columns = [np.array(c) if rng.random() < 0.7 else rng.integers(0, 4, 4) for c in maps]
        loose = SetFunctor.trusted(monoid, np.array([4]), [c.astype(np.int32) for c in columns], variance="covariant")
        values = action(loose)[1].reshape(-1, 4)
        holds = all((columns[j][values] == values[monoid.right[:, j]]).all() for j in range(3))
        verdicts.append(holds)
        if holds:
            copresheaf(monoid, [4], columns)
        else:
            with pytest.raises(InputError, match=r"path equation .* fails at row"):
                copresheaf(monoid, [4], columns)
    assert 0 < sum(verdicts) < 100


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: copresheaf(QUIVER, [2, 1], [[0, 0]]), "2 columns are needed; got 1"),
        (lambda: copresheaf(QUIVER, [2, 1], [[0, 0], [0, 1]]), r"column of generator t\[1\] = 1 is outside"),
        (lambda: copresheaf(QUIVER, [2, 1], [[0, 0], [0]]), r"column of generator t must have shape \(2,\)"),
        (lambda: copresheaf(IDEMPOTENT, [2], [[1, 0]]), r"g0;g0 = g0 fails at row 0 of object \*"),
        (lambda: copresheaf(SQUARE, [1, 1, 1, 2], [[0], [0], [0], [1]]), "path equation"),
        (lambda: SetFunctor(QUIVER, [0, 0], [[], []], variance="both"), "must be one of contravariant, covariant"),
        (lambda: copresheaf(chain(2), [2**31 - 1, 5], [[0]]), "don't fit int32"),
        (lambda: presheaf(C4, [3], [[1, 2, 0]]), "path equation r;r;r;r = identity fails at row 0"),
        (lambda: action_category(cycle(3)), "a monoid has one object"),
        (lambda: representable(C4, 1, variance="covariant"), "outside"),
    ],
)
def test_what_is_refused_and_where(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()


def test_the_rotation_groupoid() -> None:
    made = rotnet()
    assert (made.n_objects, made.n_arrows) == (11, 44)
    assert [len(made.hom(i, i)) for i in (0, 4, 8, 10)] == [1, 1, 2, 4]
    assert components(made).max() == 3


def test_how_it_shows() -> None:
    assert repr(cycle(3)) == "Copresheaf(A: 3, V: 3)"
    assert repr(constant(chain(20), 1, variance="contravariant")).startswith("Presheaf(20 elements over 20 objects")
