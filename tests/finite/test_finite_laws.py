"""Laws of category theory on random small categories, functors and set-valued functors; two engines, one answer."""

from __future__ import annotations

import numpy as np
from finite_worlds import categories, functors, shuffled
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.parts import full_subcategory
from presheaf.finite.extensions.left_extension import left_counit, left_extension
from presheaf.finite.extensions.right_extension import RightExtension, right_extension
from presheaf.finite.extensions.tensor import tensor
from presheaf.finite.functors.elements import elements
from presheaf.finite.functors.functor import Functor, all_functors
from presheaf.finite.presented.enumerated import from_presentation, presentation_of
from presheaf.finite.presented.kan_left import left_kan
from presheaf.finite.presented.kan_right import right_kan
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presheaves.isomorphism import isomorphism
from presheaf.finite.presheaves.limits import colimit
from presheaf.finite.presheaves.natural import Transformation, transformations
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.yoneda import embed, from_element, representable

many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def maps(draw: st.DrawFn, target: Category | None = None) -> Functor:
    """A random functor between random small categories, each of all functors being as likely."""
    source = draw(categories())
    into = draw(categories()) if target is None else target
    try:
        objects, arrows = all_functors(source, into, limit=30_000)
    except InputError:
        objects, arrows = np.empty((0, 0)), np.empty((0, 0))
    assume(len(objects))
    i = draw(st.integers(0, len(objects) - 1))
    return Functor(source, into, objects[i], arrows[i])


def on(category: Category, variance: str) -> st.SearchStrategy[SetFunctor]:
    return functors(category).filter(lambda t: t.variance == variance)


def small(t: SetFunctor) -> SetFunctor:
    assume(t.n_elements <= 40)
    return t


def count(s: SetFunctor, t: SetFunctor) -> int:
    try:
        return transformations(s, t, limit=300_000).count()
    except InputError:
        reject()


def ran(f: Functor, t: SetFunctor) -> RightExtension:
    """The right extension, which is exponential in general: a large one is another example's business."""
    try:
        return right_extension(f, t, most=5000)
    except InputError:
        reject()


@many
@given(st.data())
def test_sigma_delta_pi_by_counting(data: st.DataObject) -> None:
    f = data.draw(maps())
    t = small(data.draw(functors(f.source)))
    s = small(data.draw(on(f.target, t.variance)))
    below, above = left_extension(f, t), ran(f, t)
    assert count(below.extension, s) == count(t, f.restrict(s))
    assert count(s, above.extension) == count(f.restrict(s), t)
    SetFunctor(f.target, below.extension.sizes, below.extension.columns, variance=t.variance)
    SetFunctor(f.target, above.extension.sizes, above.extension.columns, variance=t.variance)
    Transformation(below.unit.source, below.unit.target, below.unit.components)
    Transformation(above.counit.source, above.counit.target, above.counit.components)


@many
@given(st.data())
def test_sigma_delta_pi_by_triangles(data: st.DataObject) -> None:
    f = data.draw(maps())
    t = small(data.draw(functors(f.source)))
    s = small(data.draw(on(f.target, t.variance)))
    below = left_extension(f, t)
    again, counit = left_counit(f, below.extension)
    unit = Transformation(t, again.base, below.unit.components)
    assert below.map(unit, again).then(counit) == Transformation.identity(below.extension)
    under, counit = left_counit(f, s)
    for c, d in enumerate(f.objects.tolist()):
        assert counit.components[d][under.unit.components[c]].tolist() == list(range(int(s.sizes[d])))

    above = ran(f, t)
    again = ran(f, f.restrict(above.extension))
    unit = again.extend(Transformation.identity(again.base), above.extension)
    counit = Transformation(again.base, t, above.counit.components)
    assert unit.then(again.map(counit, above)) == Transformation.identity(above.extension)
    over = ran(f, f.restrict(s))
    unit = over.extend(Transformation.identity(over.base), s)
    for c, d in enumerate(f.objects.tolist()):
        assert over.counit.components[c][unit.components[d]].tolist() == list(range(int(s.sizes[d])))


@many
@given(st.data())
def test_a_full_and_faithful_functor_extends_without_loss(data: st.DataObject) -> None:
    whole = data.draw(categories())
    kept = data.draw(st.sets(st.integers(0, whole.n_objects - 1), min_size=1))
    part, arrow = full_subcategory(whole, sorted(kept))
    f = Functor(part, whole, sorted(kept), arrow[part.generators])
    assert f.full
    assert f.faithful
    t = small(data.draw(functors(part)))
    assert left_extension(f, t).unit.is_iso
    assert ran(f, t).counit.is_iso


@many
@given(st.data())
def test_the_unit_is_iso_on_all_representables_exactly_for_full_and_faithful_functors(data: st.DataObject) -> None:
    f = data.draw(maps())
    variance = data.draw(st.sampled_from(["covariant", "contravariant"]))
    parts = [left_extension(f, representable(f.source, c, variance=variance)) for c in range(f.source.n_objects)]
    assert all(p.unit.is_mono for p in parts) == f.faithful.holds
    assert all(p.unit.is_epi for p in parts) == f.full.holds


@many
@given(st.data())
def test_sigma_of_a_representable_is_represented_by_the_image(data: st.DataObject) -> None:
    f = data.draw(maps())
    c = data.draw(st.integers(0, f.source.n_objects - 1))
    variance = data.draw(st.sampled_from(["covariant", "contravariant"]))
    h = representable(f.source, c, variance=variance)
    made = left_extension(f, h)
    row = int(np.searchsorted(f.source.hom(c, c), f.source.identity[c]))
    universal = int(made.unit.components[c][row])
    assert from_element(made.extension, int(f.objects[c]), universal).is_iso


@many
@given(st.data())
def test_extensions_compose(data: st.DataObject) -> None:
    g = data.draw(maps())
    f = data.draw(maps(target=g.source))
    t = small(data.draw(functors(f.source)))
    both = f.then(g)
    first = left_extension(f, t)
    second = left_extension(g, first.extension)
    whole = left_extension(both, t)
    stairs = [second.unit.components[d][u] for d, u in zip(f.objects.tolist(), first.unit.components, strict=True)]
    unit = Transformation(t, both.restrict(second.extension), stairs)
    assert whole.extend(unit, second.extension).is_iso
    one = ran(f, t)
    two = ran(g, one.extension)
    stairs = [e[two.counit.components[d]] for d, e in zip(f.objects.tolist(), one.counit.components, strict=True)]
    counit = Transformation(both.restrict(two.extension), t, stairs)
    assert ran(both, t).extend(counit, two.extension).is_iso


@many
@given(st.data())
def test_the_transposes_are_inverse_bijections(data: st.DataObject) -> None:
    f = data.draw(maps())
    t = small(data.draw(functors(f.source)))
    s = small(data.draw(on(f.target, t.variance)))
    below, above = left_extension(f, t), ran(f, t)
    for g in transformations(below.extension, s).take(20):
        assert below.extend(below.restrict(g), s) == g
    for g in transformations(s, above.extension).take(20):
        assert above.extend(above.restrict(g), s) == g
    middle = f.restrict(s)
    for u in transformations(t, middle).take(20):
        assert [p.tolist() for p in below.restrict(below.extend(u, s)).components] == [p.tolist() for p in u.components]
    for u in transformations(middle, t).take(20):
        assert [p.tolist() for p in above.restrict(above.extend(u, s)).components] == [p.tolist() for p in u.components]


@many
@given(st.data())
def test_sigma_is_a_functor_on_transformations(data: st.DataObject) -> None:
    f = data.draw(maps())
    a = small(data.draw(functors(f.source)))
    b, c = (small(data.draw(on(f.source, a.variance))) for _ in range(2))
    u, v = transformations(a, b).first(), transformations(b, c).first()
    for extension in (left_extension, ran):
        made = {x: extension(f, t) for x, t in (("a", a), ("b", b), ("c", c))}
        same = Transformation.identity(a)
        assert made["a"].map(same, made["a"]) == Transformation.identity(made["a"].extension)
        if u is not None and v is not None:
            one, two = made["a"].map(u, made["b"]), made["b"].map(v, made["c"])
            assert one.then(two) == made["a"].map(u.then(v), made["c"])
            Transformation(one.source, one.target, one.components)


@many
@given(st.data())
def test_density(data: st.DataObject) -> None:
    """T is the colimit of representables over its elements, by the general colimit and one leg an element."""
    t = small(data.draw(data.draw(categories().map(functors))))
    assume(t.n_elements)
    category, el = t.category, elements(t)
    parts = [representable(category, int(c), variance=t.variance) for c in el.projection.objects]
    arrows = []
    for j, g in enumerate(el.projection.arrows.tolist()):
        a, b = int(el.category.generator_dom[j]), int(el.category.generator_cod[j])
        if t.variance == "covariant":
            a, b = b, a
        made = embed(category, g, variance=t.variance)
        arrows.append((a, b, Transformation(parts[a], parts[b], made.components)))
    glued = colimit(parts, arrows)
    legs = []
    for e, part in enumerate(parts):
        c, row = t.element(e)
        legs.append(Transformation(part, t, from_element(t, c, row).components))
    assert glued.factor(legs).is_iso


@many
@given(st.data())
def test_the_yoneda_extension_of_a_copresheaf(data: st.DataObject) -> None:
    """(h_c) (x) F = F(c), by the unit, and T (x) F is the set of maps out counted: Set(T (x) F, 2) = Nat(T, 2^F)."""
    category = data.draw(categories())
    f = small(data.draw(on(category, "covariant")))
    for c in range(category.n_objects):
        made = tensor(representable(category, c, variance="contravariant"), f)
        row = int(np.searchsorted(category.hom(c, c), category.identity[c]))
        hit = made.element(c, row, np.arange(int(f.sizes[c])))
        assert sorted(hit.tolist()) == list(range(made.size)) == list(range(int(f.sizes[c])))
    assume(f.sizes.max(initial=0) <= 6)
    t = small(data.draw(on(category, "contravariant")))
    subsets = [2 ** int(s) for s in f.sizes]
    columns = []
    for j, (a, b) in enumerate(zip(category.generator_dom.tolist(), category.generator_cod.tolist(), strict=True)):
        mask = np.arange(subsets[b])
        columns.append(sum(((mask >> int(y)) & 1) << x for x, y in enumerate(f.columns[j])) + np.zeros_like(mask))
        assert len(f.columns[j]) == f.sizes[a]
    power = SetFunctor(category, subsets, columns, variance="contravariant")
    assert count(t, power) == 2 ** tensor(t, f).size


def presented_map(f: Functor) -> PresentationMap:
    """The same functor between presentations of its categories."""
    paths = tuple(f.target.word(int(g)) for g in f.arrows)
    return PresentationMap(presentation_of(f.source), presentation_of(f.target), tuple(f.objects.tolist()), paths)


@many
@given(st.data())
def test_tabled_and_presented_categories_give_the_same_left_extension(data: st.DataObject) -> None:
    f = data.draw(maps())
    t = small(data.draw(on(f.source, "covariant")))
    tabled = left_extension(f, t)
    mapping = presented_map(f)
    made = left_kan(mapping, t.sizes.tolist(), t.columns)
    made.verify(t.columns)
    assert made.sizes.tolist() == tabled.extension.sizes.tolist()
    for d, size in enumerate(made.sizes.tolist()):
        images = set()
        for e in range(size):
            c, row, path = made.word(d, e)
            at, x = int(f.objects[c]), int(tabled.unit.components[c][row])
            for j in path:
                assert int(f.target.generator_dom[j]) == at
                at, x = int(f.target.generator_cod[j]), int(tabled.extension.columns[j][x])
            images.add(x)
        assert len(images) == size
    plain = left_kan(mapping, t.sizes.tolist(), t.columns, compiled=False)
    assert [x.tolist() for x in (*made.columns, *made.unit)] == [x.tolist() for x in (*plain.columns, *plain.unit)]


@many
@given(st.data())
def test_tabled_and_presented_categories_give_the_same_right_extension(data: st.DataObject) -> None:
    f = data.draw(maps())
    t = small(data.draw(on(f.source, "covariant")))
    tabled = ran(f, t)
    made = right_kan(presented_map(f), t.sizes.tolist(), t.columns)
    made.verify(t.columns)
    assert made.sizes.tolist() == tabled.extension.sizes.tolist()
    # An element is the family of its values at all arrows d -> F c; both sides list the same families.
    again = SetFunctor(f.target, made.sizes, made.columns, variance="covariant")
    down = Transformation(f.restrict(again), t, made.counit)
    assert tabled.extend(down, again).is_iso


@many
@given(st.data())
def test_a_presentation_of_a_category_presents_it(data: st.DataObject) -> None:
    category = data.draw(categories())
    again = from_presentation(presentation_of(category))
    there = Functor(category, again, np.arange(category.n_objects), again.generators)
    assert there.equivalence
    assert again.n_arrows == category.n_arrows


@many
@given(st.data())
def test_relabelling_rows_changes_no_count(data: st.DataObject) -> None:
    f = data.draw(maps())
    t = small(data.draw(functors(f.source)))
    other = shuffled(t, data.draw(st.integers(0, 1000)))
    for extension in (left_extension, ran):
        one, two = extension(f, t).extension, extension(f, other).extension
        assert one.sizes.tolist() == two.sizes.tolist()
        if one.n_elements <= 100:
            assert isomorphism(one, two)
