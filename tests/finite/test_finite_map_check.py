"""Maps of presentations: composition, restriction along them, and whether they carry equations."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from finite_presented import presentations, short_paths
from finite_worlds import categories
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite import examples
from presheaf.finite.columns.budget import Budget
from presheaf.finite.presented import kan_delta, map_check
from presheaf.finite.presented.copresheaf import check_functor, trace
from presheaf.finite.presented.enumerated import presentation_of
from presheaf.finite.presented.kan_delta import restrict
from presheaf.finite.presented.kan_left import hom_from
from presheaf.finite.presented.map_check import MapVerdict, check_functor_map
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation

GRAPH = examples.quiver().presentation


def endomap(source: Presentation, target: Presentation, *images: str) -> PresentationMap:
    """Between presentations with one object, by words."""
    return PresentationMap(source, target, (0,), tuple(target.path(word) for word in images))


def model_refutes(mapping: PresentationMap, verdict: MapVerdict) -> bool:
    """The model is a functor on D, and the two sides' images differ at its row."""
    assert verdict.model is not None
    assert verdict.equation is not None
    m = verdict.model
    columns = check_functor(mapping.target, m.sizes, m.columns)
    row = np.array([m.row], dtype=np.int32)
    ends = [int(trace(columns, mapping.along(side), row)[0]) for side in mapping.source.equations[verdict.equation]]
    return ends == [m.left, m.right] and m.left != m.right


def test_a_homomorphism_of_cyclic_groups() -> None:
    four, six = (Presentation.monoid("a", [f"a^{n} = 1"]) for n in (4, 6))
    assert check_functor_map(endomap(four, six, "a a a")).status == "holds"
    along = endomap(four, six, "a a")
    verdict = check_functor_map(along)
    assert (verdict.status, verdict.equation) == ("fails", 0)
    assert model_refutes(along, verdict)
    with pytest.raises(InputError, match=r"breaks equation 0 of the source \(a a a a = 1\).*row 0"):
        restrict(along, [6], [[1, 2, 3, 4, 5, 0]])


def test_a_sign_that_weights_can_see_and_a_commutator_that_they_can_not() -> None:
    plane = Presentation.group("a b", ["a b = b a"])
    free = Presentation.group("a b")
    inverses = tuple(free.generator(g[0]) for g in plane.generators)
    broken = PresentationMap(plane, free, (0,), tuple((j,) for j in inverses))
    # the free group is infinite and the two sides have equal weights: undecided, and honest about it
    verdict = check_functor_map(broken, budget=Budget(rows=20_000))
    assert (verdict.status, verdict.equation, verdict.model) == ("undecided", verdict.equation, None)
    assert "rows ran out" in verdict.why
    shift = endomap(Presentation.monoid("t", ["t^2 = t"]), Presentation.monoid("a"), "a")
    weighed = check_functor_map(shift, budget=Budget(rows=10))
    assert weighed.status == "fails"
    assert model_refutes(shift, weighed)


def test_an_equation_that_holds_in_an_infinite_category_is_found() -> None:
    # In the infinite dihedral group (r s)^2 commutes with nothing plain, but s r r s = 1 follows in two steps.
    d = Presentation.group("r s", ["r^2", "s^2"])
    along = endomap(Presentation.monoid("t", ["t = 1"]), d, "s r r s")
    verdict = check_functor_map(along, budget=Budget(rows=100_000))
    assert verdict.status == "holds"


def test_inclusions_of_the_simplex_category() -> None:
    low, high = examples.simplex(1).presentation, examples.simplex(2).presentation
    along = PresentationMap(low, high, (0, 1), tuple(high.path(g[0]) for g in low.generators))
    assert check_functor_map(along).status == "holds"
    # the two cofaces exchanged, the codegeneracy kept: still a functor (the order is turned around)
    turned = PresentationMap(low, high, (0, 1), tuple(high.path(n) for n in ("d1_1", "d1_0", "s1_0")))
    assert check_functor_map(turned).status == "holds"


def agrees(mapping: PresentationMap) -> None:
    """The verdict is what the arrows of D say, listed one object at a time by the Python engine."""
    verdict = check_functor_map(mapping, budget=Budget(rows=200_000))
    truth = True
    for i, (u, v) in enumerate(mapping.source.equations):
        start = mapping.objects[mapping.source.equation_source(i)]
        kan = hom_from(mapping.target, start, budget=Budget(rows=3000), compiled=False)
        assume(kan.complete)
        ends = [int(trace(kan.columns, mapping.along(side), kan.unit[0])[0]) for side in (u, v)]
        truth = truth and ends[0] == ends[1]
    assert verdict.status == ("holds" if truth else "fails")
    if not truth:
        assert model_refutes(mapping, verdict)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(presentations(), categories().map(presentation_of), st.data())
def test_the_verdict_is_the_truth(source: Presentation, target: Presentation, data: st.DataObject) -> None:
    objects = tuple(data.draw(st.integers(0, len(target.objects) - 1)) for _ in source.objects)
    paths = short_paths(target, 2)
    images: list[Path] = []
    for _, a, b in source.generators:
        ways = paths.get((objects[a], objects[b]))
        assume(ways)
        images.append(data.draw(st.sampled_from(ways)))
    agrees(PresentationMap(source, target, objects, tuple(images)))


def test_maps_compose() -> None:
    people = Presentation(("Person",), (("mother", 0, 0),))
    twice = PresentationMap(people, people, (0,), ((0, 0),))
    four = twice.then(twice)
    assert four.paths == ((0, 0, 0, 0),)
    mother = [[1, 2, 3, 4, 5, 5]]
    once, again = restrict(twice, *restrict(twice, [6], mother)), restrict(four, [6], mother)
    assert [c.tolist() for c in once[1]] == [c.tolist() for c in again[1]] == [[4, 5, 5, 5, 5, 5]]
    assert twice.then(PresentationMap.identity(people)) == twice
    with pytest.raises(InputError, match="don't compose"):
        twice.then(PresentationMap.identity(GRAPH))


def test_restriction_to_an_identity_is_the_identity() -> None:
    monoid = Presentation.monoid("t", ["t^2 = t"])
    along = PresentationMap(monoid, GRAPH, (1,), ((),))
    sizes, columns = restrict(along, [2, 3], [[0, 1], [1, 2]])
    assert sizes == [3]
    assert columns[0].tolist() == [0, 1, 2]


def test_a_broken_functor_is_refused_by_restriction() -> None:
    with pytest.raises(InputError, match="'target', row 1: 3 is no row of 'V'"):
        restrict(PresentationMap.identity(GRAPH), [2, 3], [[0, 1], [1, 3]])


def test_plainly_equal() -> None:
    d = Presentation.monoid("a b c", ["a b = c", "a a b = a c c", "b^2 = 1"])
    assert d.plainly_equal((0, 1, 2), (2, 2))
    assert d.plainly_equal((2, 2), (0, 1, 2))
    assert d.plainly_equal((0, 0, 1), (0, 2, 2))
    assert d.plainly_equal((0, 1, 1, 2), (0, 2))
    assert d.plainly_equal((0, 2), (0, 1, 1, 2))
    assert d.plainly_equal((), (1, 1))
    assert d.plainly_equal((1,), (1,))
    assert not d.plainly_equal((0, 1, 0, 1), (2, 2))
    assert not d.plainly_equal((0,), (2,))


def test_the_examples_in_the_docstrings() -> None:
    for module in (map_check, kan_delta):
        failed, tried = doctest.testmod(module)
        assert tried >= 3
        assert not failed
