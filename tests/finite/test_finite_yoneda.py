"""The Yoneda lemma, representability with its witnesses, and covers by representables."""

from __future__ import annotations

import numpy as np
import pytest
from finite_worlds import C4, S3, categories, functors, is_represented, rotnet, shuffled
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.orders import chain
from presheaf.finite.presheaves.natural import Transformation, transformations
from presheaf.finite.presheaves.presheaf import SetFunctor, constant, copresheaf, presheaf
from presheaf.finite.presheaves.yoneda import (
    embed,
    from_element,
    generators,
    representability,
    representable,
    to_element,
)

ARROW = chain(2)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_lemma(data: st.DataObject) -> None:
    category = data.draw(categories())
    t = data.draw(functors(category))
    for c in range(category.n_objects):
        h = representable(category, c, variance=t.variance)
        assert transformations(h, t).count() == t.sizes[c]
        for x in range(int(t.sizes[c])):
            f = from_element(t, c, x)
            Transformation(f.source, f.target, f.components)
            assert to_element(f, c) == x


@settings(max_examples=40, deadline=None)
@given(categories(), st.sampled_from(["contravariant", "covariant"]))
def test_the_embedding_is_a_functor_full_and_faithful(category, variance) -> None:
    for f in range(category.n_arrows):
        one = embed(category, f, variance=variance)
        Transformation(one.source, one.target, one.components)
        for g in np.flatnonzero(category.dom == category.cod[f]).tolist():
            two, both = (
                embed(category, g, variance=variance),
                embed(category, int(category.compose(f, g)), variance=variance),
            )
            first, second = (one, two) if variance == "contravariant" else (two, one)
            for a, b, c in zip(first.components, second.components, both.components, strict=True):
                assert (b[a] == c).all()
    for a in range(category.n_objects):
        for b in range(category.n_objects):
            parts = (representable(category, c, variance="contravariant") for c in (a, b))
            assert transformations(*parts).count() == len(category.hom(a, b))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_representability_agrees_with_the_definition(data: st.DataObject) -> None:
    category = data.draw(categories())
    t = data.draw(functors(category))
    verdict = representability(t)
    assert bool(verdict) == is_represented(t)
    assert bool(representability(shuffled(t, 1))) == bool(verdict)
    side = t.covariant.category
    for c in range(category.n_objects):
        same = np.array_equal(np.bincount(side.cod[side.dom == c], minlength=category.n_objects), t.sizes)
        assert (c in verdict.pointwise) == same
    if verdict:
        assert from_element(t, verdict.object, verdict.row).is_iso
        assert verdict.object in verdict.pointwise
    elif verdict.collapse is not None:
        (c, row), f, g = verdict.collapse
        assert f != g
        assert side.dom[f] == side.dom[g] == c
        assert side.cod[f] == side.cod[g]
        assert t.apply(f, [row]) == t.apply(g, [row])
        assert from_element(t, c, row).is_epi
    elif verdict.apart is not None:
        yields = []
        for c, row in verdict.apart:
            yields.append(
                {(d, y) for d in range(category.n_objects) for y in range(int(t.sizes[d])) if _leads(t, d, y, c, row)}
            )
        assert not yields[0] & yields[1]


def _leads(t: SetFunctor, d: int, y: int, c: int, row: int) -> bool:
    side = t.covariant.category
    return any(t.apply(f, [y])[0] == row for f in side.hom(d, c).tolist())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_generators_and_relations_present_the_functor(data: st.DataObject) -> None:
    category = data.draw(categories())
    t = data.draw(functors(category))
    cover = generators(t)
    side = t.covariant.category
    reached = set()
    for c, row in zip(cover.objects.tolist(), cover.rows.tolist(), strict=True):
        values, arrows = t.orbit(c, row), t.arrows_from(c)
        reached |= set((t.offsets[side.cod[arrows]] + values).tolist())
    assert reached == set(range(t.n_elements))
    assert cover.coproduct == (cover.excess == 0) == (len(cover.relations) == 0)
    assert len(cover) == (generators(shuffled(t, 2)).objects.size)
    # Maps to any functor are choices of images that satisfy the relations: T is the quotient that they present.
    other = data.draw(functors(category).filter(lambda s: s.variance == t.variance))
    images = np.stack(np.meshgrid(*(np.arange(other.sizes[c]) for c in cover.objects), indexing="ij"), -1).reshape(
        -1, len(cover)
    )
    if len(images) > 5000:
        return
    good = np.ones(len(images), dtype=bool)
    for i, f, j, g in cover.relations.tolist():
        good &= other.apply(f, images[:, i]) == other.apply(g, images[:, j])
    assert transformations(t, other).count() == good.sum()


def test_the_walking_arrow() -> None:
    h0, h1 = (representable(ARROW, c, variance="contravariant") for c in (0, 1))
    assert (h0.sizes.tolist(), h1.sizes.tolist()) == ([1, 0], [1, 1])
    for t, counts in ((presheaf(ARROW, [1, 2], [[0, 0]]), (1, 2)), (presheaf(ARROW, [2, 1], [[0]]), (2, 1))):
        assert tuple(transformations(h, t).count() for h in (h0, h1)) == counts
        assert not representability(t)
    for c, h in enumerate((h0, h1)):
        assert representability(h).object == c
        assert representability(h).pointwise == (c,)


def test_four_points_with_trivial_action_fool_the_pointwise_reading() -> None:
    h = representable(C4, 0, variance="contravariant")
    trivial = presheaf(C4, [4], [[0, 1, 2, 3]])
    verdict = representability(trivial)
    assert not verdict
    assert verdict.pointwise == (0,)
    assert [transformations(a, b).count() for a, b in ((h, trivial), (trivial, h), (h, h))] == [4, 0, 4]
    assert sum(from_element(h, 0, x).is_iso for x in range(4)) == 4


def test_rotations_one_prompt_for_a_free_orbit_none_for_a_symmetric_one() -> None:
    category = rotnet()

    def indicator(rows: range) -> SetFunctor:
        inside = np.isin(np.arange(11), rows)
        columns = [[0] if inside[b] else [] for b in category.generator_cod.tolist()]
        return presheaf(category, inside.astype(int), columns)

    assert representability(indicator(range(4))).object == 0
    assert [from_element(indicator(range(4)), c, 0).is_iso for c in range(4)] == [True] * 4
    assert representability(indicator(range(8, 10))).collapse is not None
    assert representability(indicator(range(10, 11))).collapse is not None
    both = generators(indicator(range(8)))
    assert (len(both), both.coproduct) == (2, True)
    everything = generators(constant(category, 1, variance="contravariant"))
    assert (len(everything), everything.excess) == (4, 5)
    assert "4 representables" in representability(constant(category, 1, variance="contravariant")).why


def test_edges() -> None:
    empty = constant(ARROW, 0, variance="contravariant")
    assert "no elements" in representability(empty).why
    assert len(generators(empty)) == 0
    with pytest.raises(InputError, match="no element 3"):
        from_element(constant(ARROW, 1, variance="covariant"), 0, 3)
    with pytest.raises(InputError, match="not the representable"):
        to_element(Transformation.identity(copresheaf(S3, [1], [[0], [0]])), 0)
