"""Kinds of arrows, objects and categories against their definitions."""

from __future__ import annotations

import numpy as np
from finite_worlds import C4, QUIVER, S3, T3, categories, rotnet
from hypothesis import given, settings

from presheaf.finite.categories.arrows import (
    components,
    core,
    epis,
    initial_objects,
    inverses,
    is_groupoid,
    is_thin,
    isomorphism_classes,
    isomorphisms,
    monos,
    skeleton,
    terminal_objects,
    zero_objects,
)
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.orders import chain, from_preorder


@settings(max_examples=60, deadline=None)
@given(categories())
def test_kinds_of_arrows_are_those_of_the_definition(category: Category) -> None:
    table, m = category.table, category.n_arrows
    inverse = inverses(category)
    mono, epi, iso = monos(category), epis(category), isomorphisms(category)
    for f in range(m):
        a, b = int(category.dom[f]), int(category.cod[f])
        back = [
            g
            for g in category.hom(b, a).tolist()
            if table[f, g] == category.identity[a] and table[g, f] == category.identity[b]
        ]
        assert iso[f] == bool(back)
        assert inverse[f] == (back[0] if back else -1)
        before = [(int(category.dom[x]), int(table[x, f])) for x in range(m) if category.cod[x] == a]
        after = [(int(category.cod[x]), int(table[f, x])) for x in range(m) if category.dom[x] == b]
        assert mono[f] == (len(set(before)) == len(before))
        assert epi[f] == (len(set(after)) == len(after))


@settings(max_examples=30, deadline=None)
@given(categories())
def test_objects_and_parts(category: Category) -> None:
    n = category.n_objects
    counts = np.array([[len(category.hom(a, b)) for b in range(n)] for a in range(n)])
    assert initial_objects(category).tolist() == np.flatnonzero((counts == 1).all(axis=1)).tolist()
    assert terminal_objects(category).tolist() == np.flatnonzero((counts == 1).all(axis=0)).tolist()
    assert is_thin(category) == (counts.max() <= 1)
    bones, _ = skeleton(category)
    assert bones.n_objects == isomorphism_classes(category).max() + 1
    assert not isomorphisms(bones)[bones.dom != bones.cod].any()
    assert is_groupoid(core(category)[0])


def test_named_categories() -> None:
    assert is_groupoid(S3)
    assert not is_groupoid(T3)
    assert core(T3)[0].n_arrows == 6
    assert is_groupoid(rotnet())
    assert np.bincount(components(rotnet())).tolist() == [4, 4, 2, 1]
    assert skeleton(rotnet())[0].n_arrows == 1 + 1 + 2 + 4
    assert initial_objects(chain(3)).tolist() == [0]
    assert terminal_objects(chain(3)).tolist() == [2]
    assert zero_objects(from_preorder(np.ones((2, 2)))).tolist() == [0, 1]
    assert not len(zero_objects(C4))
    assert monos(QUIVER).all()
