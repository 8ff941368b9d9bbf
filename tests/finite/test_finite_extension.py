"""Left and right Kan extension along functors of finite categories: values, adjunctions, triangles."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from finite_functors import checked, count, functor_between
from finite_worlds import QUIVER, S3, S4, categories, functors, graph, shuffled
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.categories.orders import chain, discrete
from presheaf.finite.categories.tables import from_table
from presheaf.finite.columns.graph import weak_components
from presheaf.finite.extensions.left_extension import LeftExtension, left_counit, left_extension
from presheaf.finite.extensions.right_extension import RightExtension, right_extension, right_unit
from presheaf.finite.functors.functor import Functor
from presheaf.finite.presheaves.natural import transformations
from presheaf.finite.presheaves.presheaf import SetFunctor, Variance, constant, copresheaf
from presheaf.finite.presheaves.transformation import Transformation
from presheaf.finite.presheaves.yoneda import representable

POINT = discrete(1)
SIDES: tuple[Variance, Variance] = ("covariant", "contravariant")


def natural(f: Transformation) -> Transformation:
    return Transformation(f.source, f.target, f.components)


def equal(f: Transformation, g: Transformation) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(f.components, g.components, strict=True))


def right_or_skip(f: Functor, t: SetFunctor) -> RightExtension:
    try:
        return right_extension(f, t, most=300)
    except InputError:
        assume(False)
        raise


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_left_extension_is_left_adjoint_to_restriction(data: st.DataObject) -> None:
    f = data.draw(functor_between())
    t = data.draw(functors(f.source))
    s = data.draw(functors(f.target).filter(lambda x: x.variance == t.variance))
    made = left_extension(f, t)
    checked(made.extension)
    natural(made.unit)
    restriction = f.restrict(s)
    assert count(made.extension, s) == count(t, restriction)
    for g in transformations(made.extension, s).take(3):
        back = made.extend(natural(made.restrict(g)), s)
        assert equal(back, g)
    for g in transformations(t, restriction).take(3):
        forth = natural(made.extend(g, s))
        assert equal(made.restrict(forth), g)
    both, counit = left_counit(f, s)
    natural(counit)
    # F* S -> F* Lan F* S -> F* S
    assert equal(
        Transformation.identity(both.base),
        Transformation.trusted(
            both.base,
            both.base,
            tuple(counit.components[d][u] for d, u in zip(f.objects, both.unit.components, strict=True)),
        ),
    )
    # Lan T -> Lan F* Lan T -> Lan T
    again, counit = left_counit(f, made.extension)
    unit = Transformation.trusted(t, again.base, made.unit.components)
    assert equal(made.map(unit, again).then(counit), Transformation.identity(made.extension))
    for d in range(f.target.n_objects):
        for row in range(int(made.extension.sizes[d])):
            c, arrow, x = made.origin(d, row)
            assert made.extension.apply(arrow, made.unit.components[c][[x]]) == [row]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_right_extension_is_right_adjoint_to_restriction(data: st.DataObject) -> None:
    f = data.draw(functor_between())
    t = data.draw(functors(f.source))
    s = data.draw(functors(f.target).filter(lambda x: x.variance == t.variance))
    made = right_or_skip(f, t)
    checked(made.extension)
    natural(made.counit)
    restriction = f.restrict(s)
    assert count(s, made.extension) == count(restriction, t)
    for g in transformations(s, made.extension).take(3):
        assert equal(made.extend(natural(made.restrict(g)), s), g)
    for g in transformations(restriction, t).take(3):
        assert equal(made.restrict(natural(made.extend(g, s))), g)
    try:
        both, unit = right_unit(f, s, most=3000)
        again, back_unit = right_unit(f, made.extension, most=3000)
    except InputError:
        return
    natural(unit)
    # F* S -> F* Ran F* S -> F* S
    for d, c_unit in zip(f.objects.tolist(), both.counit.components, strict=True):
        assert (c_unit[unit.components[d]] == np.arange(s.sizes[d])).all()
    back = Transformation.trusted(again.base, t, made.counit.components)
    assert equal(back_unit.then(again.map(back, made)), Transformation.identity(made.extension))
    d = data.draw(st.integers(0, f.target.n_objects - 1))
    if made.extension.sizes[d]:
        c, arrow, value = made.family(d, 0)
        for i, (o, h, y) in enumerate(zip(c.tolist(), arrow.tolist(), value.tolist(), strict=True)):
            moved = made.extension.apply(h, [0])
            assert made.counit.components[o][moved] == [y], i


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_full_and_faithful_functors_extend(data: st.DataObject) -> None:
    f = data.draw(functor_between())
    t = data.draw(functors(f.source))
    left = left_extension(f, t)
    if f.full and f.faithful:
        assert left.unit.is_iso
        assert right_or_skip(f, t).counit.is_iso


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_left_extension_of_representables_and_composites(data: st.DataObject) -> None:
    f = data.draw(functor_between())
    variance = data.draw(st.sampled_from(SIDES))
    for c in range(f.source.n_objects):
        made = left_extension(f, representable(f.source, c, variance=variance)).extension
        wanted = representable(f.target, int(f.objects[c]), variance=variance)
        assert transformations(made, wanted).first("iso") is not None
    end = Functor(f.target, POINT, [0] * f.target.n_objects, [0] * len(f.target.generators))
    t = data.draw(functors(f.source))
    twice = left_extension(end, left_extension(f, t).extension).extension
    once = left_extension(f.then(end), t).extension
    assert twice.sizes.tolist() == once.sizes.tolist()
    assert left_extension(f, shuffled(t, 3)).extension.sizes.tolist() == left_extension(f, t).extension.sizes.tolist()


def one_object(category: Category) -> Functor:
    """1 -> BG."""
    return Functor(POINT, category, [0], [])


@pytest.mark.parametrize("variance", SIDES)
def test_along_the_point_of_a_group(variance: Variance) -> None:
    t = constant(POINT, 2, variance=variance)
    assert left_extension(one_object(S3), t).extension.sizes.tolist() == [12]
    assert right_extension(one_object(S3), t).extension.sizes.tolist() == [64]


@pytest.mark.parametrize("variance", SIDES)
@pytest.mark.parametrize(("group", "inside", "index"), [(S3, [1], 2), (S3, [0], 3), (S4, [0], 12), (S4, [1], 6)])
def test_induction_and_coinduction(group: Category, inside: list[int], index: int, variance: Variance) -> None:
    # The subgroup that one generator of the group generates: [G:H]|X| and |X|^[G:H] elements.
    turn = group.generators[inside]
    order = group.n_arrows // index
    cyclic = from_maps([np.roll(np.arange(order), -1).tolist()])
    assert cyclic.n_arrows == order
    f = Functor(cyclic, group, [0], turn)
    t = SetFunctor(cyclic, [3], [[0, 1, 2]], variance=variance)
    assert left_extension(f, t).extension.sizes.tolist() == [3 * index]
    if index <= 6:
        assert right_extension(f, t).extension.sizes.tolist() == [3**index]


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_to_the_point_components_and_compatible_families(data: st.DataObject) -> None:
    category = data.draw(categories())
    t = data.draw(functors(category))
    end = Functor(category, POINT, [0] * category.n_objects, [0] * len(category.generators))
    first, target = t.element_graph
    label = weak_components(t.n_elements, np.repeat(np.arange(t.n_elements), np.diff(first)), target)
    assert left_extension(end, t).extension.sizes.tolist() == [len(np.unique(label))]
    families = count(constant(category, 1, variance=t.variance), t)
    assert right_or_skip(end, t).extension.sizes.tolist() == [families]


def reflexive() -> Functor:
    """Quivers inside quivers with a chosen loop at each vertex."""
    # Arrows: A, s, t, st = s;r, tt = t;r, V, r with r;s = r;t = V.
    table = {
        ("A", "A"): "A", ("A", "s"): "s", ("A", "t"): "t", ("A", "x"): "x", ("A", "y"): "y",
        ("s", "V"): "s", ("t", "V"): "t", ("s", "r"): "x", ("t", "r"): "y",
        ("x", "A"): "x", ("x", "s"): "s", ("x", "t"): "s", ("x", "x"): "x", ("x", "y"): "x",
        ("y", "A"): "y", ("y", "s"): "t", ("y", "t"): "t", ("y", "x"): "y", ("y", "y"): "y",
        ("V", "V"): "V", ("V", "r"): "r", ("r", "A"): "r", ("r", "s"): "V", ("r", "t"): "V",
        ("r", "x"): "r", ("r", "y"): "r",
    }  # fmt: skip
    made = from_table(table)
    name = {tuple(k): v for v, k in enumerate(dict.fromkeys(x for pair in table for x in pair))}
    s, t = name[("s",)], name[("t",)]
    return Functor(QUIVER, made, [made.dom[s], made.cod[s]], [s, t])


def test_graphs_to_reflexive_graphs() -> None:
    f = reflexive()
    made = left_extension(f, graph(3, [(0, 1), (1, 2)]))
    edges, vertices = f.objects.tolist()
    assert (made.extension.sizes[vertices], made.extension.sizes[edges]) == (3, 5)
    assert made.unit.is_mono
    assert isinstance(made, LeftExtension)


def test_graphs_to_symmetric_graphs() -> None:
    table = {
        ("A", "A"): "A", ("A", "i"): "i", ("i", "A"): "i", ("i", "i"): "A", ("A", "s"): "s", ("A", "t"): "t",
        ("i", "s"): "t", ("i", "t"): "s", ("s", "V"): "s", ("t", "V"): "t", ("V", "V"): "V",
    }  # fmt: skip
    made = from_table(table)
    s, t = 2, 3
    f = Functor(QUIVER, made, [made.dom[s], made.cod[s]], [s, t])
    rng = np.random.default_rng(0)
    for n, m in ((3, 2), (10, 40), (50, 7)):
        extension = left_extension(f, graph(n, rng.integers(0, n, (m, 2)).tolist())).extension
        assert extension.sizes[f.objects].tolist() == [2 * m, n]


def test_limits_of_a_graph_are_loops_and_colimits_components() -> None:
    loops = graph(5, [(0, 1), (1, 1), (3, 4), (4, 4), (4, 4)])
    end = Functor(QUIVER, POINT, [0, 0], [0, 0])
    assert right_extension(end, loops).extension.sizes.tolist() == [3]
    assert left_extension(end, loops).extension.sizes.tolist() == [3]


def test_bipartite_graphs_folded_to_graphs() -> None:
    # E -> L, E -> R goes to A => V: 4 + 3 vertices and 4 edges give 7 vertices and 4 arrows.
    schema = Functor(*_fold())
    rows = copresheaf(schema.source, [4, 4, 3], [[0, 1, 2, 3], [0, 0, 1, 2]])
    assert left_extension(schema, rows).extension.sizes.tolist() == [4, 7]


def _fold() -> tuple[Category, Category, list[int], list[int]]:
    from presheaf.finite.categories.paths import free_category

    return free_category(3, [(0, 1), (0, 2)]), QUIVER, [0, 1, 1], QUIVER.generators.tolist()


def test_where_nothing_arrives_left_is_empty_and_right_a_point() -> None:
    f = Functor(POINT, discrete(2), [0], [])
    t = constant(POINT, 3, variance="covariant")
    assert left_extension(f, t).extension.sizes.tolist() == [3, 0]
    assert right_extension(f, t).extension.sizes.tolist() == [3, 1]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: left_extension(one_object(S3), constant(S3, 1, variance="covariant")), "source of the functor"),
        (lambda: right_extension(one_object(S3), constant(S3, 1, variance="covariant")), "source of the functor"),
        (lambda: _large(left_extension, 100), "coend over 600 pairs is needed, more than the limit of 100"),
        (
            lambda: _large(right_extension, 1000),
            r"at object \* .* too many to list: there are 1000000000000, more than",
        ),
        (
            lambda: _point().extend(Transformation.identity(_point().base), constant(S3, 1, variance="covariant")),
            "f must",
        ),
        (lambda: _point().origin(0, 99), "no element 99"),
    ],
)
def test_what_is_refused_and_where(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()


def _large(extension, most: int):
    f = one_object(S3)
    return extension(f, constant(f.source, 100, variance="covariant"), most=most)


def _point() -> LeftExtension:
    f = one_object(S3)
    return left_extension(f, constant(f.source, 2, variance="covariant"))


def test_a_chain_inside_a_chain() -> None:
    # Rows move up to the next object inside (left), or down to the last (right).
    a, b = chain(2), chain(4)
    f = Functor(a, b, [1, 3], [int(b.hom(1, 3)[0])])
    t = copresheaf(a, [3, 2], [[0, 0, 1]])
    assert left_extension(f, t).extension.sizes.tolist() == [0, 3, 3, 2]
    assert right_extension(f, t).extension.sizes.tolist() == [3, 3, 2, 2]
    assert isinstance(right_extension(f, t), RightExtension)


def test_the_compiled_path_and_the_other_agree(monkeypatch) -> None:
    rng = np.random.default_rng(4)
    t = graph(200, rng.integers(0, 200, (300, 2)).tolist())
    functors_out = [reflexive(), Functor(QUIVER, POINT, [0, 0], [0, 0])]
    before = [left_extension(f, t) for f in functors_out]
    monkeypatch.setattr(import_module("presheaf.finite.columns.components"), "kernel", None)
    for f, one in zip(functors_out, before, strict=True):
        two = left_extension(f, t)
        assert all(map(np.array_equal, one.extension.columns, two.extension.columns))
        assert equal(one.unit, two.unit)
