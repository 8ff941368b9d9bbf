"""Right Kan extensions: closed forms, all natural families by brute force, transposes and triangles, honest endings."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from finite_presented import Problem, problems
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite import examples
from presheaf.finite.columns.budget import Budget, Progress
from presheaf.finite.presented import kan_right
from presheaf.finite.presented.adjunction import from_right, right_on, right_unit, to_right
from presheaf.finite.presented.kan_delta import restrict
from presheaf.finite.presented.kan_left import hom_from
from presheaf.finite.presented.kan_right import RightKan, right_kan, right_kan_sizes
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Presentation
from presheaf.finite.presented.query import conjunctive_queries

ONE = Presentation(("*",), ())
GRAPH = examples.quiver().presentation
COSPAN = Presentation(("A", "B", "C"), (("f", 0, 2), ("g", 1, 2)))
SQUARE = Presentation(("A", "B", "C", "P"), (("f", 0, 2), ("g", 1, 2), ("p", 3, 0), ("q", 3, 1)), (((2, 0), (3, 1)),))
PULLBACK = PresentationMap(COSPAN, SQUARE, (0, 1, 2), ((0,), (1,)))
TO_POINT = PresentationMap(GRAPH, ONE, (0, 0), ((), ()))

TARGETS = [
    examples.symmetric(3).presentation,
    examples.cyclic(3).presentation,
    examples.full_transformations(2).presentation,
    examples.reflexive_quiver().presentation,
    GRAPH,
    SQUARE,
    ONE,
    Presentation.monoid("a", ["a^3 = a"]),
    Presentation(("x", "y", "z"), (("f", 0, 1), ("g", 1, 2), ("h", 0, 2), ("k", 1, 2)), (((0, 1), (2,)),)),
]
small_problems = problems(st.sampled_from(TARGETS))


def families(mapping: PresentationMap, sizes: list[int], columns: list[list[int]], d: int) -> list[dict[object, int]]:
    """All natural families of rows of I(c), one for each arrow h: d -> F(c), by backtracking over all arrows."""
    kan = hom_from(mapping.target, d, compiled=False)
    places = [(c, h) for c, image in enumerate(mapping.objects) for h in range(int(kan.sizes[image]))]
    needs: dict[object, list[tuple[int, object, object]]] = {place: [] for place in places}
    for u, (_, a, b) in enumerate(mapping.source.generators):
        for h in range(int(kan.sizes[mapping.objects[a]])):
            end = h
            for g in mapping.paths[u]:
                end = int(kan.columns[g][end])
            rule = u, (a, h), (b, end)
            for place in rule[1:]:
                needs[place].append(rule)
    found: list[dict[object, int]] = []

    def extend(chosen: dict[object, int], at: int) -> None:
        if at == len(places):
            found.append(dict(chosen))
            return
        place = places[at]
        for row in range(sizes[place[0]]):
            chosen[place] = row
            if all(columns[u][chosen[x]] == chosen[y] for u, x, y in needs[place] if x in chosen and y in chosen):
                extend(chosen, at + 1)
            del chosen[place]

    extend({}, 0)
    return found


def solve(problem: Problem, most: int) -> RightKan:
    mapping, sizes, columns = problem
    try:
        counted = right_kan_sizes(mapping, sizes, columns, budget=Budget(rows=10**6))
    except InputError:
        assume(False)
    assume(max(counted) <= most)
    result = right_kan(mapping, sizes, columns)
    assert tuple(result.sizes.tolist()) == counted
    return result


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(small_problems)
def test_elements_are_exactly_the_natural_families(problem: Problem) -> None:
    mapping, sizes, columns = problem
    result = solve(problem, 200)
    result.verify(columns)
    for d in range(len(mapping.target.objects)):
        kan = hom_from(mapping.target, d)
        assume(sum(int(kan.sizes[image]) for image in mapping.objects) <= 14)
        expected = families(mapping, sizes, columns, d)
        variables = result.queries.queries[d].variables
        places = []
        for c, path in variables:
            h = int(kan.unit[0][0])
            for g in path:
                h = int(kan.columns[g][h])
            places.append((c, h))
        mine = [tuple(row for _, _, row in result.element(d, i)) for i in range(int(result.sizes[d]))]
        # The variables generate, so that restricting families to them is one to one.
        assert len(set(mine)) == len(mine) == len(expected)
        assert set(mine) == {tuple(f[p] for p in places) for f in expected}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(small_problems)
def test_the_numpy_path_gives_the_same_arrays(problem: Problem) -> None:
    mapping, sizes, columns = problem
    one = solve(problem, 5000)
    two = right_kan(mapping, sizes, columns, compiled=False)
    assert one.sizes.tolist() == two.sizes.tolist()
    for a, b in zip((*one.columns, *one.counit), (*two.columns, *two.counit), strict=True):
        assert a.dtype == b.dtype == np.int32
        assert a.tolist() == b.tolist()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(small_problems)
def test_both_triangles(problem: Problem) -> None:
    mapping, sizes, columns = problem
    result = solve(problem, 60)
    pi = result.sizes.tolist(), result.columns
    # Pi I -> Pi F* Pi I -> Pi I, the second map being Pi of the counit, is the identity.
    pulled = restrict(mapping, *pi)
    try:
        double = right_kan(mapping, *pulled, budget=Budget(rows=300_000))
    except InputError:
        raise AssertionError("F* Pi I must be a functor") from None
    assume(double.complete)
    unit = right_unit(double, pi)
    back = right_on(double, result, (sizes, columns), result.counit)
    assert [back[d][unit[d]].tolist() for d in range(len(unit))] == [list(range(s)) for s in pi[0]]
    # F* J -> F* Pi F* J -> F* J is the identity, for J = Pi I.
    assert [x.tolist() for x in from_right(double, unit)] == [list(range(s)) for s in pulled[0]]
    # Transposing there and back: the counit's transpose is the identity.
    again = to_right(result, pi, (sizes, columns), result.counit)
    assert [x.tolist() for x in again] == [list(range(s)) for s in pi[0]]


def test_functions_on_a_group() -> None:
    s3 = examples.symmetric(3).presentation
    result = right_kan(PresentationMap.point(s3), [2], [])
    assert result.sizes.tolist() == [64]
    result.verify([])
    # as an S3-set: Burnside's lemma on functions S3 -> 2, (2^6 + 3 * 2^3 + 2 * 2^2) / 6 orbits
    assert count_orbits(result) == 16


def count_orbits(result: RightKan) -> int:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = int(result.sizes[0])
    ends = np.concatenate(result.columns)
    starts = np.tile(np.arange(n), len(result.columns))
    return int(connected_components(coo_array((np.ones(len(ends)), (starts, ends)), shape=(n, n)))[0])


def test_coinduction_from_a_subgroup() -> None:
    s4 = examples.symmetric(4).presentation
    h = Presentation.monoid("t", ["t^2 = 1"])
    along = PresentationMap(h, s4, (0,), ((0,),))
    # |X|^[G:H] with [S4 : H] = 12
    assert right_kan_sizes(along, [3], [[0, 2, 1]]) == (3**12,)
    result = right_kan(along, [2], [[1, 0]])
    assert result.sizes.tolist() == [2**12]
    result.verify([[1, 0]])


def test_limits_of_graphs_are_loops() -> None:
    assert right_kan(TO_POINT, [5, 3], [[0, 1, 2, 2, 0], [0, 2, 2, 2, 1]]).sizes.tolist() == [3]
    found = right_kan(TO_POINT, [5, 3], [[0, 1, 2, 2, 0], [0, 2, 2, 2, 1]])
    assert sorted(found.counit[0].tolist()) == [0, 2, 3]


def test_terminal_target_gives_compatible_families() -> None:
    span = PresentationMap(COSPAN, ONE, (0, 0, 0), ((), ()))
    assert right_kan(span, [3, 2, 2], [[0, 0, 1], [0, 1]]).sizes.tolist() == [3]
    discrete = Presentation(("A", "B"), ())
    product = right_kan(PresentationMap(discrete, ONE, (0, 0), ()), [3, 4], [])
    assert product.sizes.tolist() == [12]
    assert len(set(zip(product.counit[0].tolist(), product.counit[1].tolist(), strict=True))) == 12


def test_objects_that_lead_nowhere_have_one_element() -> None:
    # D's other object has no arrow into the image: the empty family
    two = Presentation(("X", "Y"), (("f", 0, 1),))
    result = right_kan(PresentationMap.point(two, 0), [5], [])
    assert result.sizes.tolist() == [5, 1]
    assert result.columns[0].tolist() == [0] * 5
    assert result.element(1, 0) == ()


def test_the_empty_source_gives_the_terminal_functor() -> None:
    nothing = Presentation((), ())
    assert right_kan(PresentationMap(nothing, SQUARE, (), ()), [], []).sizes.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("compiled", [True, False])
def test_a_pullback_is_what_a_dictionary_join_gives(compiled: bool) -> None:
    rng = np.random.default_rng(5)
    f, g = rng.integers(0, 300, 1000), rng.integers(0, 300, 700)
    result = right_kan(PULLBACK, [1000, 700, 300], [f, g], compiled=compiled)
    result.verify([f, g])
    mine = set(zip(result.columns[2].tolist(), result.columns[3].tolist(), strict=True))
    assert len(mine) == result.sizes[3]
    assert mine == {(a, b) for a in range(1000) for b in range(700) if f[a] == g[b]}


def test_a_chain_of_joins_is_reduced_before_it_is_made() -> None:
    """R(a, b), S(b, c), T(c, d) with R and T huge on values that S lacks: no step makes more rows than the answer."""
    shape = Presentation(("R", "S", "T", "B", "C"), (("rb", 0, 3), ("sb", 1, 3), ("sc", 1, 4), ("tc", 2, 4)))
    onto = PresentationMap(shape, ONE, (0,) * 5, ((),) * 4)
    columns = [[0] * 500 + [1], [0] * 500 + [1], [2] * 500 + [1], [3] * 500 + [1]]
    assert right_kan(onto, [501, 501, 501, 2, 4], columns, budget=Budget(rows=10)).sizes.tolist() == [1]


def triangles(n: int, edges: list[tuple[int, int]]) -> tuple[PresentationMap, list[int], list[list[int]]]:
    """Maps from the directed 3-cycle to a graph, as a limit over the cycle's category of elements."""
    shape = Presentation(
        ("e0", "e1", "e2", "v0", "v1", "v2"),
        tuple((f"{end}{i}", i, 3 + (i + (end == "t")) % 3) for i in range(3) for end in "st"),
    )
    s, t = [a for a, _ in edges], [b for _, b in edges]
    return PresentationMap(shape, ONE, (0,) * 6, ((),) * 6), [len(edges)] * 3 + [n] * 3, [s, t] * 3


def test_a_cyclic_query_counts_directed_triangles() -> None:
    rng = np.random.default_rng(2)
    edges = sorted({(int(a), int(b)) for a, b in rng.integers(0, 25, (160, 2))})
    matrix = np.zeros((25, 25), dtype=np.int64)
    for a, b in edges:
        matrix[a, b] = 1
    expected = int(np.trace(matrix @ matrix @ matrix))
    problem = triangles(25, edges)
    assert right_kan_sizes(*problem) == (expected,)
    result = right_kan(*problem)
    assert result.sizes.tolist() == [expected]
    result.verify(problem[2])


def test_a_table_that_refers_to_itself_is_copied_not_listed() -> None:
    """D(d, -) is infinite, for managers have managers; D(d, F-) has one generator."""
    staff = Presentation(("Employee", "Department"), (("manager", 0, 0), ("works_in", 0, 1)))
    more = Presentation(
        ("Employee", "Department", "Pair"),
        (("manager", 0, 0), ("works_in", 0, 1), ("one", 2, 0), ("two", 2, 0)),
        (((2, 1), (3, 1)),),
    )
    along = PresentationMap(staff, more, (0, 1), ((0,), (1,)))
    manager, works_in = [0, 0, 1, 1], [0, 0, 1, 1]
    result = right_kan(along, [4, 2], [manager, works_in])
    assert result.sizes.tolist() == [4, 2, 8]
    assert result.columns[0].tolist() == manager
    result.verify([manager, works_in])
    same = right_kan(PresentationMap.identity(staff), [4, 2], [manager, works_in])
    assert [c.tolist() for c in same.columns] == [manager, works_in]
    boss = Presentation(
        ("Employee", "Department", "Team"),
        (("manager", 0, 0), ("works_in", 0, 1), ("lead", 2, 0), ("of", 2, 1)),
        (((2, 0), (2,)), ((2, 1), (3,))),
    )
    heads = right_kan(PresentationMap(staff, boss, (0, 1), ((0,), (1,))), [4, 2], [manager, works_in])
    # leads that are their own managers; where they work is theirs
    assert heads.sizes.tolist() == [4, 2, 1]
    assert heads.element(2, 0) == ((0, (2,), 0),)
    heads.verify([manager, works_in])


def test_queries_are_small() -> None:
    queries = conjunctive_queries(PULLBACK)
    assert queries.queries[3].variables == ((0, (2,)), (1, (3,)))
    assert queries.queries[3].conditions == ((0, (0,), 1, (1,)),)
    assert queries.projections[2] == ((0, ()),)
    assert queries.counit == ((0, ()), (0, ()), (0, ()))
    assert "2 variables" in repr(queries.queries[3])


def test_infinitely_many_arrows_are_said_so() -> None:
    free = PresentationMap.point(Presentation.monoid("a"))
    result = right_kan(free, [2], [])
    assert (result.status, result.complete) == ("infinite", False)
    assert "infinitely many" in repr(result)
    with pytest.raises(InputError, match="infinitely many"):
        result.sizes  # noqa: B018
    with pytest.raises(InputError, match="infinitely many"):
        conjunctive_queries(free)
    f26 = PresentationMap.point(examples.fibonacci(6).presentation)
    ended = right_kan(f26, [2], [], budget=Budget(rows=3000))
    assert (ended.status, ended.limit) == ("budget exceeded", "rows")


def test_a_refused_size_is_exact_whatever_it_is() -> None:
    two = Presentation(("A", "B"), ())
    product = PresentationMap(two, ONE, (0, 0), ())
    refused = right_kan(product, [100_000, 100_000], [])
    assert (refused.status, refused.limit) == ("budget exceeded", "rows")
    assert "10,000,000,000 elements" in refused.why
    assert right_kan_sizes(product, [2**31 - 1, 2**31 - 1], []) == ((2**31 - 1) ** 2,)
    assert f"{(2**31 - 1) ** 2:,} elements" in right_kan(product, [2**31 - 1, 2**31 - 1], []).why
    assert "2,147,483,647 elements" in right_kan(PresentationMap.identity(ONE), [2**31 - 1], []).why
    m12 = PresentationMap.point(examples.symmetric(5).presentation)
    assert right_kan_sizes(m12, [3], []) == (3**120,)
    assert f"{3**120:,}" in right_kan(m12, [3], []).why


def test_nothing_times_anything_is_nothing() -> None:
    two = Presentation(("A", "B"), ())
    onto = PresentationMap(two, Presentation(("D",), (("f", 0, 0),), (((0,), ()),)), (0, 0), ())
    empty = right_kan(onto, [0, 2**31 - 1], [])
    assert empty.sizes.tolist() == [0]
    assert empty.columns[0].tolist() == []
    assert right_kan(PULLBACK, [2, 2, 2], [[0, 0], [1, 1]]).sizes.tolist() == [2, 2, 2, 0]


def test_a_pullback_beyond_32_bits_is_refused_with_its_size() -> None:
    n = 70_000
    result = right_kan(PULLBACK, [n, n, 1], [np.zeros(n, dtype=np.int32)] * 2)
    assert (result.status, result.limit) == ("budget exceeded", "rows")
    assert f"{n * n:,} elements" in result.why


def test_every_kind_of_budget() -> None:
    f, g = np.arange(2000) % 20, np.arange(1000) % 20
    args = PULLBACK, [2000, 1000, 20], [f, g]
    assert right_kan(*args, budget=Budget(rows=50_000)).limit == "rows"
    assert right_kan(*args, budget=Budget(bytes=50_000)).limit == "bytes"
    assert right_kan(*args, budget=Budget(seconds=1e-9)).limit == "seconds"
    assert right_kan(*args, cancel=lambda: True).status == "cancelled"
    seen: list[Progress] = []
    assert right_kan(*args, progress=seen.append).sizes.tolist() == [2000, 1000, 20, 100_000]
    assert seen[-1].held == 103_020


@pytest.mark.parametrize(
    ("sizes", "columns", "said"),
    [
        ([2, 5], [[0, 1], [0, 1]], "3 objects, but 2 sizes"),
        ([2, 1, 1], [[0, 1], [0]], "'f', row 1: 1 is no row of 'C'"),
    ],
)
def test_a_broken_functor_names_the_place(sizes: list[int], columns: list[list[int]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        right_kan(PULLBACK, sizes, columns)


def test_there_is_no_element_beyond_the_last() -> None:
    with pytest.raises(InputError, match="no element 3 at object 3"):
        right_kan(PULLBACK, [3, 2, 2], [[0, 0, 1], [0, 1]]).element(3, 3)


def test_the_examples_in_the_docstrings() -> None:
    failed, tried = doctest.testmod(kan_right, optionflags=doctest.ELLIPSIS)
    assert tried >= 5
    assert not failed
