"""Adjoint functors and Kan extensions of functors between finite categories."""

from __future__ import annotations

import numpy as np
import pytest
from finite_functors import functor_between, some_functor
from finite_worlds import S3, categories, is_represented
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.arrows import terminal_objects
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.orders import chain, discrete, from_covers
from presheaf.finite.functors.adjoint import Adjunction, left_adjoint, right_adjoint
from presheaf.finite.functors.functor import Functor, all_functors
from presheaf.finite.functors.kan_functor import left_extension_of_functor, right_extension_of_functor
from presheaf.finite.presheaves.yoneda import representable


def assert_adjunction(made: Adjunction) -> None:
    """Units natural, triangles, and the bijection of arrows, all by their definitions."""
    left, right = made.left, made.right
    c, d = left.source, left.target
    round_c, round_d = left.then(right), right.then(left)
    a, b = c.dom[c.generators], c.cod[c.generators]
    assert (c.compose(c.generators, made.unit[b]) == c.compose(made.unit[a], round_c.arrows)).all()
    a, b = d.dom[d.generators], d.cod[d.generators]
    assert (d.compose(round_d.arrows, made.counit[b]) == d.compose(made.counit[a], d.generators)).all()
    assert (d.compose(left.images[made.unit], made.counit[left.objects]) == d.identity[left.objects]).all()
    assert (c.compose(made.unit[right.objects], right.images[made.counit]) == c.identity[right.objects]).all()
    for x in range(c.n_objects):
        for y in range(d.n_objects):
            f = d.hom(int(left.objects[x]), y)
            g = made.transpose(x, f)
            assert sorted(g.tolist()) == c.hom(x, int(right.objects[y])).tolist()
            assert (made.untranspose(y, g) == f).all()


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_an_adjoint_exists_iff_all_are_representable(data: st.DataObject) -> None:
    f = data.draw(functor_between())
    right, left = right_adjoint(f), left_adjoint(f)
    for found, variance in ((right, "contravariant"), (left, "covariant")):
        tests = [
            is_represented(f.restrict(representable(f.target, d, variance=variance))) for d in range(f.target.n_objects)
        ]
        assert bool(found) == all(tests)
        if found.adjunction is None:
            assert found.object == tests.index(False)
            assert found.verdict is not None
            assert not found.verdict
            assert "no adjoint: at object" in repr(found)
        else:
            assert_adjunction(found.adjunction)
    if right.adjunction is not None:
        assert right.adjunction.left is f
        back = left_adjoint(right.adjunction.right)
        assert back
    if left.adjunction is not None:
        assert left.adjunction.right is f


@pytest.mark.parametrize(("m", "n"), [(3, 5), (4, 4), (5, 2)])
def test_galois_connections_of_chains(m: int, n: int) -> None:
    source, target = chain(m), chain(n)
    for objects, arrows in zip(*all_functors(source, target), strict=True):
        f = Functor(source, target, objects, arrows)
        right, left = right_adjoint(f), left_adjoint(f)
        # A map of finite chains has a right adjoint iff it keeps the bottom, a left one iff it keeps the top.
        assert bool(right) == (objects[0] == 0)
        assert bool(left) == (objects[-1] == n - 1)
        if right.adjunction is not None:
            largest = [max(i for i in range(m) if objects[i] <= d) for d in range(n)]
            assert right.adjunction.right.objects.tolist() == largest
        if left.adjunction is not None:
            smallest = [min(i for i in range(m) if objects[i] >= d) for d in range(n)]
            assert left.adjunction.left.objects.tolist() == smallest


def test_to_the_point_adjoints_are_terminal_and_initial_objects() -> None:
    shape = from_covers(4, [(0, 1), (0, 2), (1, 3), (2, 3)])
    end = Functor(shape, discrete(1), [0] * 4, [0] * len(shape.generators))
    for found, at in ((right_adjoint(end), 3), (left_adjoint(end), 0)):
        made = found.adjunction
        assert made is not None
        other = made.right if made.left is end else made.left
        assert other.objects.tolist() == [at]
    group = Functor(S3, discrete(1), [0], [0, 0])
    assert not right_adjoint(group)


def transformations_between(f: Functor, g: Functor) -> int:
    """Natural transformations between functors, by trying all families."""
    category, shape = f.target, f.source
    families: list[tuple[int, ...]] = [()]
    for c in range(shape.n_objects):
        families = [(*x, int(a)) for x in families for a in category.hom(int(f.objects[c]), int(g.objects[c]))]
        for j, (a, b) in enumerate(zip(shape.generator_dom.tolist(), shape.generator_cod.tolist(), strict=True)):
            if max(a, b) == c:
                families = [
                    x for x in families if category.compose(x[a], g.arrows[j]) == category.compose(f.arrows[j], x[b])
                ]
    return len(families)


SMALL = [chain(2), chain(3), discrete(2), from_covers(3, [(0, 1), (0, 2)]), from_covers(3, [(1, 0), (2, 0)]), S3]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_extensions_of_functors_are_universal(data: st.DataObject) -> None:
    source, middle = (data.draw(st.sampled_from(SMALL)) for _ in range(2))
    target = data.draw(st.one_of(st.sampled_from(SMALL), categories().filter(lambda c: c.n_arrows <= 12)))
    widest = max(len(target.hom(a, b)) for a in range(target.n_objects) for b in range(target.n_objects))
    assume(widest ** (middle.n_arrows * source.n_objects) < 10**7)  # families that the definition ranges over
    f, g = data.draw(some_functor(source, middle)), data.draw(some_functor(source, target))
    left, right = left_extension_of_functor(f, g), right_extension_of_functor(f, g)
    assert left.side == "left"
    for made in (left, right):
        if made.extension is None:
            assert made.missing is not None
            assert not made.missing
            assert 0 <= made.object < middle.n_objects
            assert f"at object {made.object} " in repr(made)
            continue
        back = f.then(made.extension)
        a, b = (g, back) if made is left else (back, g)
        assert (target.dom[made.unit] == a.objects).all()
        assert (target.cod[made.unit] == b.objects).all()
        x, y = source.generator_dom, source.generator_cod
        assert (target.compose(a.arrows, made.unit[y]) == target.compose(made.unit[x], b.arrows)).all()
    objects, arrows = all_functors(middle, target)
    for row in range(min(6, len(objects))):
        other = Functor(middle, target, objects[row], arrows[row])
        if left.extension is not None:
            assert transformations_between(left.extension, other) == transformations_between(g, f.then(other))
        if right.extension is not None:
            assert transformations_between(other, right.extension) == transformations_between(f.then(other), g)


def test_extensions_along_a_point_are_copowers_and_powers() -> None:
    numbers = [1, 2, 3, 6]
    order = from_covers(4, [(i, j) for i, a in enumerate(numbers) for j, b in enumerate(numbers) if b % a == 0])
    point = discrete(1)
    into = Functor(point, chain(3), [1], [])
    two = Functor(point, order, [1], [])
    left, right = left_extension_of_functor(into, two), right_extension_of_functor(into, two)
    assert left.extension is not None
    assert right.extension is not None
    # Below the point the empty join, which is the bottom; above it 2. Dually the top above, 2 up to the point.
    assert [numbers[i] for i in left.extension.objects] == [1, 2, 2]
    assert [numbers[i] for i in right.extension.objects] == [2, 2, 6]
    # Without a bottom there is no left extension, and the object is named.
    bare = Functor(point, discrete(2), [0], [])
    missing = left_extension_of_functor(into, bare)
    assert (bool(missing), missing.object) == (False, 0)
    assert "no left Kan extension" in repr(missing)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_left_adjoint_is_the_right_extension_of_the_identity(data: st.DataObject) -> None:
    # F has a left adjoint iff Ran_F 1 exists and F keeps it; one way is tested: the extension is then the adjoint.
    f = data.draw(functor_between())
    for found, extend in ((left_adjoint(f), right_extension_of_functor), (right_adjoint(f), left_extension_of_functor)):
        if found.adjunction is None:
            continue
        made = extend(f, Functor.identity(f.source))
        assert made.extension is not None
        other = found.adjunction.left if found.adjunction.right is f else found.adjunction.right
        for d in range(f.target.n_objects):
            assert _isomorphic(f.source, int(made.extension.objects[d]), int(other.objects[d]))


def _isomorphic(category: Category, a: int, b: int) -> bool:
    forth, back = category.hom(a, b), category.hom(b, a)
    return any(
        category.compose(x, y) == category.identity[a] and category.compose(y, x) == category.identity[b]
        for x in forth
        for y in back
    )


def test_functors_from_different_places_are_refused() -> None:
    with pytest.raises(InputError, match="start at the same category"):
        left_extension_of_functor(Functor.identity(S3), Functor.identity(chain(2)))
    assert len(terminal_objects(chain(3))) == 1
    assert np.array_equal(right_adjoint(Functor.identity(S3)).adjunction.unit, [0])  # type: ignore[union-attr]
