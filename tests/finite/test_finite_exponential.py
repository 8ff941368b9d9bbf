"""Exponentials and power objects: sizes, evaluation, and both transposes."""

from __future__ import annotations

import numpy as np
import pytest
from finite_functors import checked, count
from finite_worlds import C4, QUIVER, categories, complete, cycle, functors, graph, simplices
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.orders import discrete
from presheaf.finite.extensions.exponential import Exponential, exponential
from presheaf.finite.extensions.power import power_object
from presheaf.finite.presheaves.limits import product
from presheaf.finite.presheaves.natural import transformations
from presheaf.finite.presheaves.presheaf import SetFunctor, constant, copresheaf
from presheaf.finite.presheaves.transformation import Transformation
from presheaf.finite.presheaves.yoneda import from_element, representable


def small_or_skip(y: SetFunctor, z: SetFunctor) -> Exponential:
    try:
        return exponential(y, z, most=2000)
    except InputError:
        assume(False)
        raise


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_maps_from_a_product_are_maps_to_a_power(data: st.DataObject) -> None:
    category = data.draw(categories())
    y = data.draw(functors(category))
    x, z = (data.draw(functors(category).filter(lambda t: t.variance == y.variance)) for _ in range(2))
    made = small_or_skip(y, z)
    checked(made.power)
    Transformation(made.product.apex, z, made.evaluation.components)
    pairs = product(x, y)
    assert count(pairs.apex, z) == count(x, made.power)
    for f in transformations(pairs.apex, z).take(4):
        g = made.curry(f, pairs)
        Transformation(x, made.power, g.components)
        assert made.uncurry(g, pairs) == f
        # The universal property itself: g x Y, then evaluation.
        both = made.product.factor([pairs.legs[0].then(g), pairs.legs[1]])
        assert both.then(made.evaluation) == f
    for g in transformations(x, made.power).take(4):
        assert made.curry(made.uncurry(g, pairs), pairs) == g
    for c in range(category.n_objects):
        h = representable(category, c, variance=y.variance)
        assert made.power.sizes[c] == count(product(h, y).apex, z)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_quiver_to_the_power_of_a_vertex(n: int) -> None:
    rng = np.random.default_rng(n)
    x = graph(n, rng.integers(0, n, (4, 2)).tolist())
    assert exponential(graph(1, []), x).power.sizes.tolist() == [n * n, n]


def test_the_power_of_sets_and_of_actions() -> None:
    point = discrete(1)
    two, three = (constant(point, n, variance="contravariant") for n in (2, 3))
    assert exponential(two, three).power.sizes.tolist() == [9]
    # All maps between the underlying sets, a group acting by conjugation: fixed points are the equivariant maps.
    turn, swap = copresheaf(C4, [4], [[1, 2, 3, 0]]), copresheaf(C4, [2], [[1, 0]])
    power = exponential(turn, swap).power
    assert power.sizes.tolist() == [16]
    assert (power.columns[0] == np.arange(16)).sum() == count(turn, swap) == 2


def test_global_elements_of_a_power_are_maps() -> None:
    for y, z in ((cycle(3), complete(3)), (graph(2, [(0, 1)]), cycle(4)), (cycle(4), graph(3, [(0, 1), (1, 0)]))):
        one = constant(QUIVER, 1, variance="covariant")
        assert count(one, exponential(y, z).power) == count(y, z)


def test_maps_between_simplices() -> None:
    category = simplices(2)
    edge = representable(category, 1, variance="contravariant")
    made = exponential(edge, edge)
    # (Delta^1)^(Delta^1) at [n] holds the monotone maps [n] x [1] -> [1], which are the down-sets of a product of
    # chains of n + 1 and 2 elements: C(n + 3, 2).
    assert made.power.sizes.tolist() == [3, 6, 10]
    checked(made.power)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_relations_are_maps_to_the_power_object(data: st.DataObject) -> None:
    category = data.draw(categories())
    x = data.draw(functors(category).filter(lambda t: t.n_elements <= 6))
    y = data.draw(functors(category).filter(lambda t: t.variance == x.variance and t.n_elements <= 8))
    try:
        made = power_object(x, most=500)
    except InputError:
        assume(False)
        raise
    checked(made.power)
    pairs = product(y, x)
    omega = made.classifier.omega
    assert count(y, made.power) == count(pairs.apex, omega)
    for chi in transformations(pairs.apex, omega).take(5):
        part = made.classifier.subobject(chi)
        name = made.transpose(part, pairs)
        Transformation(y, made.power, name.components)
        assert all((a == b).all() for a, b in zip(made.relation(name, pairs), part, strict=True))
        # The relation is membership pulled back along name x X.
        along = made.exponential.product.factor([pairs.legs[0].then(name), pairs.legs[1]])
        for a, b, c in zip(along.components, made.membership, part, strict=True):
            assert (b[a] == c).all()
    for c in range(category.n_objects):
        h = representable(category, c, variance=x.variance)
        assert made.power.sizes[c] == count(product(h, x).apex, omega)


def test_power_of_an_edge_by_hand() -> None:
    made = power_object(graph(2, [(0, 1)]))
    # At V subsets of 2 vertices; at A subsets of the 4 vertices and 1 edge of h_A x X, the edge only with its ends.
    assert made.power.sizes.tolist() == [16 + 4, 4]
    assert "20" in repr(made)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: exponential(cycle(3), constant(C4, 1, variance="covariant")), "same category"),
        (lambda: exponential(complete(3), complete(30), most=1000), "at object A the natural transformations are too"),
        (lambda: exponential(cycle(2), cycle(3)).curry(Transformation.identity(cycle(2)), product(cycle(2))), "pairs"),
        (lambda: _wrong_source(), "f must run from the apex"),
    ],
)
def test_what_is_refused_and_where(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()


def _wrong_source() -> None:
    y = cycle(2)
    exponential(y, cycle(3)).curry(from_element(y, 0, 0), product(y, y))
