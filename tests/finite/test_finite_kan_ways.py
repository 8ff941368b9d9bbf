"""Left Kan extension by case: every way gives the same tables, and each is taken where it should be."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from finite_presented import Problem, presentations, problems
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from presheaf.finite import examples
from presheaf.finite.columns.budget import Budget, Progress
from presheaf.finite.presented import small_homs, sweep
from presheaf.finite.presented.adjunction import from_left, left_counit, left_on, restrict_maps, to_left
from presheaf.finite.presented.copresheaf import check_functor, check_morphism
from presheaf.finite.presented.kan_delta import restrict
from presheaf.finite.presented.kan_left import LeftKan, hom_from, left_kan
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Presentation

FEW = Budget(rows=3000)
GRAPH = examples.quiver().presentation
SYMMETRIC = Presentation(
    ("E", "V"),
    (("source", 0, 1), ("target", 0, 1), ("turn", 0, 0)),
    (((2, 2), ()), ((2, 0), (1,)), ((2, 1), (0,))),
)
TARGETS = [
    examples.symmetric(3).presentation,
    examples.cyclic(3).presentation,
    examples.full_transformations(2).presentation,
    examples.reflexive_quiver().presentation,
    examples.simplex(1).presentation,
    SYMMETRIC,
    GRAPH,
    examples.school_square().target,
    # cyclic parts with parts before, between and after them, and equations that cross
    Presentation(
        ("x", "y", "z", "w"),
        (("f", 0, 1), ("a", 1, 1), ("g", 1, 2), ("b", 2, 2), ("k", 2, 3), ("h", 0, 2)),
        (((1, 1), ()), ((3, 3), (3,)), ((1, 2), (2, 3)), ((0, 2, 3), (5,)), ((3, 4), (4,))),
    ),
    Presentation(
        ("x", "y", "z"),
        (("f", 0, 1), ("u", 1, 2), ("v", 2, 1), ("g", 0, 2)),
        (((1, 2), ()), ((2, 1), ()), ((0, 1), (3,))),
    ),
]
known_problems = problems(st.sampled_from(TARGETS))
patient = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


def same(a: LeftKan, b: LeftKan) -> bool:
    left, right = (a.sizes, *a.columns, *a.unit), (b.sizes, *b.columns, *b.unit)
    return all(np.array_equal(x, y) for x, y in zip(left, right, strict=True))


@pytest.fixture(scope="module", autouse=True)
def _coend_on_small_inputs() -> Iterator[None]:
    """The coend formula wherever the arrows can be listed, whatever it costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_homs, "FEWEST_UNITS", 0)
        patch.setattr(sweep, "worth_it", lambda *_: True)
        patch.setattr(sweep, "small_homs", lambda d, units, compiled: _listed(d, units, compiled))
        yield


def _listed(presentation: Presentation, units: np.ndarray, compiled: bool) -> object:
    return small_homs.small_homs(presentation, np.tile(units, 200), compiled=compiled) if len(units) else None


@patient
@given(st.one_of(known_problems, problems(presentations())))
def test_the_coend_is_what_completion_finds(problem: Problem) -> None:
    mapping, sizes, columns = problem
    one = left_kan(mapping, sizes, columns, strategy="hlt", budget=FEW)
    assume(one.complete)
    two = left_kan(mapping, sizes, columns, budget=FEW)
    three = left_kan(mapping, sizes, columns, budget=FEW, compiled=False)
    for other in (two, three):
        if other.complete:
            assert same(one, other), other.method
            assert [one.word(s, x) for s in range(len(one.sizes)) for x in range(one.sizes[s])] == [
                other.word(s, x) for s in range(len(one.sizes)) for x in range(one.sizes[s])
            ]
            other.verify(columns)


def test_the_coend_is_taken() -> None:
    into = PresentationMap(GRAPH, SYMMETRIC, (0, 1), ((0,), (1,)))
    result = left_kan(into, [2, 3], [[0, 1], [1, 2]])
    assert result.method == "coend, sweep"
    assert result.sizes.tolist() == [4, 3]
    assert left_kan(into, [2, 3], [[0, 1], [1, 2]], strategy="hlt").method == "hlt on relators, sweep"


def test_only_cyclic_parts_are_completed() -> None:
    staff = Presentation(("Employee", "Desk"), (("manager", 0, 0),))
    more = Presentation(
        ("Employee", "Desk", "Room"), (("manager", 0, 0), ("at", 0, 1), ("in", 1, 2)), (((0, 1), (1,)),)
    )
    along = PresentationMap(staff, more, (0, 1), ((0,),))
    # everybody sits at the root manager's desk: a desk a component of the forest, beside the given one
    result = left_kan(along, [5, 1], [[0, 0, 1, 3, 3]], strategy="hlt")
    assert result.method == "hlt on equations, sweep"
    assert result.sizes.tolist() == [5, 3, 3]
    result.verify([[0, 0, 1, 3, 3]])


def test_opfibrations_are_laid_end_to_end() -> None:
    two = Presentation(("E", "F", "V"), (("s", 0, 2), ("t", 0, 2), ("u", 1, 2), ("v", 1, 2)))
    fold = PresentationMap(two, GRAPH, (0, 0, 1), ((0,), (1,), (0,), (1,)))
    columns = [[0, 1], [1, 2], [2, 0, 1], [2, 2, 2]]
    result = left_kan(fold, [2, 3, 3], columns)
    assert result.method == "opfibration"
    assert result.sizes.tolist() == [5, 3]
    assert result.columns[0].tolist() == [0, 1, 2, 0, 1]
    assert [u.tolist() for u in result.unit] == [[0, 1], [2, 3, 4], [0, 1, 2]]
    assert result.word(0, 3) == (1, 1, ())
    result.verify(columns)


def test_what_looks_like_an_opfibration_but_breaks_an_equation_is_not() -> None:
    free, idempotent = Presentation.monoid("a"), Presentation.monoid("a", ["a^2 = a"])
    along = PresentationMap(free, idempotent, (0,), ((0,),))
    result = left_kan(along, [3], [[1, 2, 2]])
    assert result.method != "opfibration"
    assert result.sizes.tolist() == [2]
    assert left_kan(along, [3], [[2, 2, 2]]).method == "opfibration"


@patient
@given(st.sampled_from(TARGETS), st.data())
def test_the_identity_and_coproducts_are_opfibrations(d: Presentation, data: st.DataObject) -> None:
    """I + I along the fold of two copies of D, by laying end to end and by completion of the same."""
    half = hom_from(d, data.draw(st.integers(0, len(d.objects) - 1)))
    n, k = len(d.objects), len(d.generators)
    twice = Presentation(
        tuple(f"{o}{i}" for i in (0, 1) for o in d.objects),
        tuple((f"{g}{i}", a + n * i, b + n * i) for i in (0, 1) for g, a, b in d.generators),
    )
    fold = PresentationMap(twice, d, (*range(n), *range(n)), tuple((j % k,) for j in range(2 * k)))
    sizes, columns = [*half.sizes.tolist()] * 2, [*half.columns] * 2
    result = left_kan(fold, sizes, columns)
    assert result.method == "opfibration"
    assert result.sizes.tolist() == [2 * s for s in half.sizes.tolist()]
    forced = PresentationMap(twice, d, fold.objects, fold.paths)
    slow = sweep.Sweep(forced, sizes, [np.asarray(c) for c in columns], sweep.Meter(), strategy="hlt").run()
    assert all(np.array_equal(a, b) for a, b in zip(result.columns, slow.columns, strict=True))


def test_a_target_without_arrows_takes_components() -> None:
    one = Presentation(("*",), ())
    result = left_kan(PresentationMap(GRAPH, one, (0, 0), ((), ())), [3, 6], [[0, 1, 3], [1, 2, 4]])
    assert (result.method, result.sizes.tolist()) == ("connected components", [3])


@patient
@given(known_problems)
def test_both_triangles_and_transposes(problem: Problem) -> None:
    mapping, sizes, columns = problem
    kan = left_kan(mapping, sizes, columns)
    sigma = kan.sizes.tolist(), kan.columns
    # Sigma I -> Sigma F* Sigma I -> Sigma I is the identity: Sigma of the unit, then the counit.
    pulled = restrict(mapping, *sigma)
    double = left_kan(mapping, *pulled, budget=FEW)
    assume(double.complete)
    counit = left_counit(double, sigma)
    check_morphism(mapping.target, (double.sizes.tolist(), double.columns), sigma, counit)
    moved = left_on(kan, double, (sizes, columns), kan.unit)
    assert [counit[s][moved[s]].tolist() for s in range(len(moved))] == [list(range(s)) for s in sigma[0]]
    # F* J -> F* Sigma F* J -> F* J is the identity, for J = Sigma I.
    back = restrict_maps(mapping, counit)
    assert [back[c][double.unit[c]].tolist() for c in range(len(back))] == [list(range(s)) for s in pulled[0]]
    # The transpose of the unit is the identity, and the transposes are inverse to each other.
    identity = from_left(kan, (sizes, columns), sigma, kan.unit)
    assert [x.tolist() for x in identity] == [list(range(s)) for s in sigma[0]]
    assert [x.tolist() for x in to_left(double, counit)] == [list(range(s)) for s in pulled[0]]


@patient
@given(known_problems, known_problems)
def test_maps_out_of_the_extension_are_maps_into_the_restriction(one: Problem, two: Problem) -> None:
    """|Nat(Sigma I, K)| = |Nat(I, F* K)| by listing all families of maps."""
    mapping, sizes, columns = one
    kan = left_kan(mapping, sizes, columns)
    other = left_kan(
        PresentationMap(
            Presentation(("p",), ()), mapping.target, (two[0].objects[0] % len(mapping.target.objects),), ()
        ),
        [1],
        [],
    )
    k = other.sizes.tolist(), other.columns
    pulled = restrict(mapping, *k)
    assume(families(kan.sizes.tolist(), k[0]) <= 3000 and families(sizes, pulled[0]) <= 3000)
    sides = (
        naturals(mapping.target, (kan.sizes.tolist(), kan.columns), k),
        naturals(mapping.source, (sizes, check_functor(mapping.source, sizes, columns)), pulled),
    )
    assert sides[0] == sides[1]


def families(source: list[int], target: list[int]) -> int:
    out = 1
    for a, b in zip(source, target, strict=True):
        out *= b**a
    return out


def naturals(presentation: Presentation, source: tuple, target: tuple) -> int:  # type: ignore[type-arg]
    from itertools import product

    found = 0
    for maps in product(*(product(range(b), repeat=a) for a, b in zip(source[0], target[0], strict=True))):
        arrays = [np.array(m, dtype=np.int32) for m in maps]
        found += all(
            np.array_equal(arrays[b][source[1][j]], target[1][j][arrays[a]])
            for j, (_, a, b) in enumerate(presentation.generators)
        )
    return found


@patient
@given(known_problems, st.data())
def test_extension_respects_composition_of_transformations(problem: Problem, data: st.DataObject) -> None:
    """Sigma of a composite is the composite, along quotients of I by random pairs of rows."""
    mapping, sizes, columns = problem
    first, second = quotient(mapping.source, sizes, columns, data), None
    second = quotient(mapping.source, first[0], first[1], data)
    steps = [(sizes, columns), first[:2], second[:2]]
    kans = [left_kan(mapping, s, c) for s, c in steps]
    whole = [second[2][c][first[2][c]] for c in range(len(sizes))]
    one = left_on(kans[0], kans[1], steps[0], first[2])
    two = left_on(kans[1], kans[2], steps[1], second[2])
    direct = left_on(kans[0], kans[2], steps[0], whole)
    assert [two[s][one[s]].tolist() for s in range(len(one))] == [x.tolist() for x in direct]
    identity = left_on(kans[0], kans[0], steps[0], [np.arange(s) for s in sizes])
    assert [x.tolist() for x in identity] == [list(range(int(s))) for s in kans[0].sizes]


def quotient(c: Presentation, sizes: list[int], columns: list, data: st.DataObject) -> tuple:  # type: ignore[type-arg]
    """A functor on a free C divided by the congruence that a few pairs of rows generate, and the map onto it."""
    label = [list(range(s)) for s in sizes]
    for s, many in enumerate(sizes):
        if many and data.draw(st.booleans()):
            x, y = data.draw(st.integers(0, many - 1)), data.draw(st.integers(0, many - 1))
            label[s] = [label[s][y] if v == label[s][x] else v for v in label[s]]
    changed = True
    while changed:
        changed = False
        for j, (_, a, b) in enumerate(c.generators):
            for x in range(sizes[a]):
                for y in range(x):
                    ends = label[b][columns[j][x]], label[b][columns[j][y]]
                    if label[a][x] == label[a][y] and ends[0] != ends[1]:
                        label[b] = [min(ends) if v in ends else v for v in label[b]]
                        changed = True
    maps = [np.array([sorted(set(row)).index(v) for v in row], dtype=np.int32) for row in label]
    new_sizes = [len(set(row)) for row in label]
    new_columns = []
    for j, (_, a, b) in enumerate(c.generators):
        column = np.zeros(new_sizes[a], dtype=np.int32)
        column[maps[a]] = maps[b][np.asarray(columns[j], dtype=np.int64)] if sizes[a] else 0
        new_columns.append(column)
    return new_sizes, new_columns, maps


@patient
@given(known_problems)
def test_extension_along_a_composite_map(problem: Problem) -> None:
    """Sigma_{G F} = Sigma_G Sigma_F, with the canonical comparison an isomorphism."""
    mapping, sizes, columns = problem
    d = mapping.target
    into_pairs = Presentation((*d.objects, "new"), (*d.generators, ("extra", 0, len(d.objects))), d.equations)
    g = PresentationMap(d, into_pairs, tuple(range(len(d.objects))), tuple((j,) for j in range(len(d.generators))))
    first = left_kan(mapping, sizes, columns)
    stepwise = left_kan(g, first.sizes.tolist(), first.columns)
    direct = left_kan(mapping.then(g), sizes, columns)
    assert stepwise.sizes.tolist() == direct.sizes.tolist()
    units = [stepwise.unit[mapping.objects[c]][first.unit[c]] for c in range(len(sizes))]
    compare = from_left(direct, (sizes, columns), (stepwise.sizes.tolist(), stepwise.columns), units)
    assert all(np.array_equal(np.sort(x), np.arange(len(x))) for x in compare)


def test_a_part_that_runs_out_of_budget_says_so() -> None:
    f26 = examples.fibonacci(6).presentation
    d = Presentation(
        ("before", "*"),
        (("f", 0, 1), *((name, 1, 1) for name, _, _ in f26.generators)),
        tuple((tuple(j + 1 for j in u), tuple(j + 1 for j in v)) for u, v in f26.equations),
    )
    result = left_kan(PresentationMap.point(d, 0), [3], [], budget=Budget(rows=5000))
    assert (result.status, result.limit) == ("budget exceeded", "rows")
    seen: list[Progress] = []
    ended = left_kan(
        PresentationMap.point(d, 0),
        [3],
        [],
        progress=seen.append,
        cancel=lambda: len(seen) > 2,
        budget=Budget(rows=50_000_000),
    )
    assert ended.status == "cancelled"
    assert seen[0].held == 3
    assert seen[-1].held > seen[1].held


def test_a_free_self_reference_that_receives_elements_is_proved_infinite() -> None:
    staff = Presentation(("Person",), ())
    employees = Presentation(("Person", "Employee"), (("job", 0, 1), ("manager", 1, 1)))
    result = left_kan(PresentationMap(staff, employees, (0,), ()), [4], [])
    assert result.status == "infinite"
    assert result.weights == (0, 1)
    # nothing arrives: nothing grows
    assert left_kan(PresentationMap(staff, employees, (0,), ()), [0], []).sizes.tolist() == [0, 0]


def test_row_numbers_do_not_wrap_around() -> None:
    """Three tables of 2^31 - 1 rows, none of them made: there is no column to make them from."""
    big = 2**31 - 1
    three = Presentation(("a", "b", "c"), ())
    onto = left_kan(PresentationMap(three, Presentation(("*",), ()), (0, 0, 0), ()), [big] * 3, [])
    assert (onto.status, onto.limit) == ("budget exceeded", "rows")
    group = examples.cyclic(2).presentation
    spread = left_kan(PresentationMap(three, group, (0, 0, 0), ()), [big] * 3, [])
    assert (spread.status, spread.limit) == ("budget exceeded", "rows")
