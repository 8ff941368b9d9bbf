"""Tensor products, the Yoneda extension, its right adjoint, and the density theorem."""

from __future__ import annotations

import numpy as np
import pytest
from finite_functors import checked, count, some_functor
from finite_worlds import C4, QUIVER, categories, cycle, functors, graph
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.orders import chain
from presheaf.finite.columns.graph import weak_components
from presheaf.finite.extensions.density import density
from presheaf.finite.extensions.diagram import Diagram, yoneda_embedding
from presheaf.finite.extensions.left_extension import left_extension
from presheaf.finite.extensions.nerve import Nerve, nerve
from presheaf.finite.extensions.tensor import tensor, yoneda_extension
from presheaf.finite.presheaves.natural import transformations
from presheaf.finite.presheaves.presheaf import SetFunctor, Variance, constant, copresheaf, presheaf
from presheaf.finite.presheaves.transformation import Transformation
from presheaf.finite.presheaves.yoneda import representable

ARROW = chain(2)


def of(category: Category, variance: Variance) -> st.SearchStrategy[SetFunctor]:
    return functors(category).filter(lambda t: t.variance == variance)


def restricted_embedding(f) -> Diagram:
    """C -> presheaves on D, c -> D(-, F c)."""
    whole = yoneda_embedding(f.target)
    parts = [whole.parts[d] for d in f.objects.tolist()]
    maps = []
    for arrow, a, b in zip(
        f.arrows.tolist(), f.source.generator_dom.tolist(), f.source.generator_cod.tolist(), strict=True
    ):
        maps.append(Transformation.trusted(parts[a], parts[b], whole.at(arrow).components))
    return Diagram(f.source, parts, maps)


def test_theory_of_the_walking_arrow() -> None:
    f = copresheaf(ARROW, [1, 3], [[0]])
    assert tensor(representable(ARROW, 1, variance="contravariant"), f).size == 3
    assert tensor(presheaf(ARROW, [1, 2], [[0, 0]]), f).size == 5
    assert tensor(presheaf(ARROW, [2, 1], [[0]]), f).size == 4
    both = copresheaf(ARROW, [2, 3], [[0, 1]])
    assert tensor(presheaf(ARROW, [1, 2], [[0, 0]]), both).size == 4


def test_sets_with_a_swap() -> None:
    two = _cyclic_two()
    swap, still = presheaf(two, [2], [[1, 0]]), presheaf(two, [2], [[0, 1]])
    right = copresheaf(two, [2], [[1, 0]])
    assert (tensor(swap, right).size, tensor(still, right).size) == (2, 2)


def _cyclic_two() -> Category:
    from presheaf.finite.categories.maps import from_maps

    return from_maps([[1, 0]])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_tensor_with_representables_and_with_the_point(data: st.DataObject) -> None:
    category = data.draw(categories())
    t, f = data.draw(of(category, "contravariant")), data.draw(of(category, "covariant"))
    for c in range(category.n_objects):
        h = tensor(representable(category, c, variance="contravariant"), f)
        assert h.size == f.sizes[c]
        # F c -> y c (x) F, x to 1 (x) x, is the bijection.
        here = category.hom(c, c)
        unit = int(np.searchsorted(here, category.identity[c]))
        assert sorted(h.element(c, unit, np.arange(f.sizes[c])).tolist()) == list(range(h.size))
        assert tensor(t, representable(category, c, variance="covariant")).size == t.sizes[c]
    first, target = t.element_graph
    label = weak_components(t.n_elements, np.repeat(np.arange(t.n_elements), np.diff(first)), target)
    assert tensor(t, constant(category, 1, variance="covariant")).size == len(np.unique(label))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_tensor_is_balanced_universal_and_functorial(data: st.DataObject) -> None:
    category = data.draw(categories())
    t, f = data.draw(of(category, "contravariant")), data.draw(of(category, "covariant"))
    made = tensor(t, f)
    for u in range(category.n_arrows):
        a, b = int(category.dom[u]), int(category.cod[u])
        rows, x = np.arange(t.sizes[b])[:, None], np.arange(f.sizes[a])[None, :]
        moved = np.array([t.apply(u, np.arange(t.sizes[b]))]).reshape(-1, 1)
        left = made.element(a, moved, x)
        right = made.element(b, rows, f.apply(u, np.arange(f.sizes[a])).reshape(1, -1))
        assert (left == right).all()
    for e in range(made.size):
        c, row, x = made.origin(e)
        assert made.element(c, row, x) == e
    # Maps T (x) F -> 2 are maps T -> Set(F-, 2).
    if f.sizes.max(initial=0) <= 4:
        assert 2**made.size == count(t, _subsets(f))
    g, h = (data.draw(of(category, v)) for v in ("contravariant", "covariant"))
    one, two = transformations(t, g).first(), transformations(f, h).first()
    if one is not None and two is not None:
        other = tensor(g, h)
        image = made.map(one, two, other)
        for c in range(category.n_objects):
            rows, x = np.arange(t.sizes[c])[:, None], np.arange(f.sizes[c])[None, :]
            wanted = other.element(c, one.components[c][rows], two.components[c][x])
            assert (image[made.element(c, rows, x)] == wanted).all()


def _subsets(f: SetFunctor) -> SetFunctor:
    """The presheaf of subsets of F(c), acting by preimage."""
    category = f.category
    columns = []
    for j, (a, b) in enumerate(zip(category.generator_dom.tolist(), category.generator_cod.tolist(), strict=True)):
        bits = (np.arange(2 ** int(f.sizes[b]))[:, None] >> np.arange(int(f.sizes[b]))) & 1
        columns.append((bits[:, f.columns[j]] << np.arange(int(f.sizes[a]))).sum(axis=1))
    return presheaf(category, 2**f.sizes, columns)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_yoneda_extension_of_diagrams(data: st.DataObject) -> None:
    source, target = data.draw(categories()), data.draw(categories())
    f = data.draw(some_functor(source, target))
    diagram = restricted_embedding(f)
    t = data.draw(of(source, "contravariant"))
    made = yoneda_extension(diagram, t)
    checked(made.extension)
    same = left_extension(f, t).extension
    assert made.extension.sizes.tolist() == same.sizes.tolist()
    assert transformations(made.extension, same).first("iso") is not None
    for c in range(source.n_objects):
        for row in range(int(t.sizes[c])):
            leg = made.injection(c, row)
            Transformation(leg.source, leg.target, leg.components)
        h = representable(source, c, variance="contravariant")
        assert transformations(yoneda_extension(diagram, h).extension, diagram.parts[c]).first("iso") is not None
    other = data.draw(of(source, "contravariant"))
    g = transformations(t, other).first()
    if g is not None:
        there = yoneda_extension(diagram, other)
        moved = made.map(g, there)
        Transformation(moved.source, moved.target, moved.components)
        for c in range(source.n_objects):
            for row in range(int(t.sizes[c])):
                assert made.injection(c, row).then(moved) == there.injection(c, int(g.components[c][row]))
    s = data.draw(of(target, "contravariant"))
    right = nerve(diagram, s)
    checked(right.presheaf)
    assert count(made.extension, s) == count(t, right.presheaf)
    # Along the Yoneda embedding the nerve is restriction along F.
    assert right.presheaf.sizes.tolist() == f.restrict(s).sizes.tolist()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_nerve_of_any_diagram(data: st.DataObject) -> None:
    category = data.draw(categories())
    variance = data.draw(st.sampled_from(["contravariant", "covariant"]))
    a, b = (data.draw(of(category, variance)) for _ in range(2))
    f = transformations(a, b).first()
    assume(f is not None)
    assert f is not None
    diagram = Diagram(ARROW, [a, b], [f])
    s = data.draw(of(category, variance))
    try:
        made = nerve(diagram, s, most=2000)
    except InputError:
        assume(False)
        raise
    assert isinstance(made, Nerve)
    assert made.presheaf.sizes.tolist() == [count(a, s), count(b, s)]
    for row in range(min(5, int(made.presheaf.sizes[1]))):
        g = made.element(1, row)
        Transformation(g.source, g.target, g.components)
        assert f.then(g) == made.element(0, int(made.presheaf.columns[0][row]))
    t = data.draw(of(ARROW, "contravariant"))
    assert count(yoneda_extension(diagram, t).extension, s) == count(t, made.presheaf)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_density(data: st.DataObject) -> None:
    category = data.draw(categories())
    t = data.draw(functors(category))
    made = density(t)
    checked(made.colimit)
    comparison = Transformation(made.colimit, t, made.comparison.components)
    assert comparison.is_iso
    assert made.elements.category.n_objects == t.n_elements
    for c in range(category.n_objects):
        for row in range(int(t.sizes[c])):
            leg = made.leg(c, row).then(comparison)
            unit = int(np.searchsorted(category.hom(c, c), category.identity[c]))
            assert leg.components[c][unit] == row
    if t.variance == "contravariant":
        same = yoneda_extension(yoneda_embedding(category), t).extension
        assert transformations(same, t).first("iso") is not None


@settings(max_examples=30, deadline=None)
@given(categories(), st.sampled_from(["contravariant", "covariant"]))
def test_the_embedding_as_a_diagram(category: Category, variance: Variance) -> None:
    made = yoneda_embedding(category, variance=variance)
    Diagram(made.shape, made.parts, made.maps)
    assert made.shape is (category if variance == "contravariant" else category.op)
    # At d it is the representable of the other variance.
    for d in range(category.n_objects):
        sizes = [
            len(category.hom(d, c) if variance == "contravariant" else category.hom(c, d))
            for c in range(len(made.parts))
        ]
        assert made.evaluate(d).sizes.tolist() == sizes
        checked(made.evaluate(d))
    # The colimit of all representables is the terminal functor (density at 1).
    assert made.colimit().apex.sizes.tolist() == [1] * category.n_objects


def test_diagrams_are_checked() -> None:
    a, b = cycle(2), cycle(4)
    f = transformations(b, a).first()
    assert f is not None
    assert Diagram(ARROW, [b, a], [f]).limit().apex.sizes.tolist() == [4, 4]
    with pytest.raises(InputError, match=r"doesn't run from the part of 0"):
        Diagram(ARROW, [a, b], [f])
    ring = cycle(8)
    turn = transformations(ring, ring, given=[(1, 0, 1)]).take(1)[0]
    with pytest.raises(InputError, match=r"the equation .* breaks"):
        Diagram(C4, [ring], [turn])
    assert Diagram(C4, [ring], [turn.then(turn)]).colimit().apex.sizes.tolist() == [2, 2]
    with pytest.raises(InputError, match="2 parts and 1 maps"):
        Diagram(ARROW, [a], [])
    with pytest.raises(InputError, match="another category"):
        Diagram(ARROW, [a, constant(C4, 1, variance="covariant")], [f])


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match="a presheaf and a copresheaf"):
        tensor(constant(QUIVER, 1, variance="covariant"), constant(QUIVER, 1, variance="covariant"))
    with pytest.raises(InputError, match="more than the limit of 3"):
        tensor(constant(QUIVER, 2, variance="contravariant"), graph(3, [(0, 1)]), most=3)
    with pytest.raises(InputError, match="with their variance"):
        nerve(yoneda_embedding(QUIVER), graph(3, [(0, 1)]))
    with pytest.raises(InputError, match="shape of the diagram"):
        yoneda_extension(yoneda_embedding(QUIVER), graph(3, [(0, 1)]))
