"""Left Kan extensions: closed forms, the coend formula on random data, certificates, honest errors."""

from __future__ import annotations

import doctest
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from presheaf.errors import InputError
from presheaf.finite import examples
from presheaf.finite.columns.budget import Budget
from presheaf.finite.columns.compiled import have_kernel
from presheaf.finite.columns.components import components
from presheaf.finite.presented import kan_left
from presheaf.finite.presented.completion import STRATEGIES
from presheaf.finite.presented.infinite import growing_weights
from presheaf.finite.presented.kan_left import LeftKan, check_functor, hom_from, left_kan
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation

SQUARE = examples.school_square()
GRAPH = examples.quiver().presentation


def equal(a: LeftKan, b: LeftKan) -> bool:
    left = (a.sizes, *a.columns, *a.unit)
    right = (b.sizes, *b.columns, *b.unit)
    return all(np.array_equal(x, y) for x, y in zip(left, right, strict=True))


def coend(mapping: PresentationMap, sizes: list[int], columns: list[list[int]]) -> list[int]:
    """Sizes by the formula: pairs (row of I(c), arrow F(c) -> d) up to sliding generators of C across."""
    d, c = mapping.target, mapping.source
    homs = [hom_from(d, s, compiled=False) for s in range(len(d.objects))]

    def arrow(at: int, path: Path) -> int:
        x = 0
        x = int(homs[at].unit[0][0])
        for j in path:
            x = int(homs[at].columns[j][x])
        return x

    found = []
    for end in range(len(d.objects)):
        base, node = {}, 0
        for a, image in enumerate(mapping.objects):
            base[a] = node
            node += sizes[a] * int(homs[image].sizes[end])
        parent = list(range(node))

        def root(x: int, parent: list[int] = parent) -> int:
            while parent[x] != x:
                x = parent[x]
            return x

        for j, (_, a, b) in enumerate(c.generators):
            fa, fb = mapping.objects[a], mapping.objects[b]
            for h in range(int(homs[fb].sizes[end])):
                slid = arrow(fa, mapping.paths[j] + homs[fb].word(end, h)[2])
                for x in range(sizes[a]):
                    left = base[a] + x * int(homs[fa].sizes[end]) + slid
                    right = base[b] + columns[j][x] * int(homs[fb].sizes[end]) + h
                    parent[root(left)] = root(right)
        found.append(sum(parent[x] == x for x in range(node)))
    return found


def test_school_square_of_engine_notes() -> None:
    result = left_kan(SQUARE, [2, 5, 4], [[0, 1], [0, 1]])
    assert result.sizes.tolist() == [2, 5, 4, 7]
    result.verify([[0, 1], [0, 1]])
    assert result.method == "sweep"
    assert result.word(3, 6) == (2, 3, (3,))
    assert not result.columns[0].flags.writeable


@pytest.mark.parametrize("compiled", [True, False])
def test_random_school_square_is_the_components_of_a_bipartite_graph(compiled: bool) -> None:
    n, rng = 20_000, np.random.default_rng(0)
    f, s = rng.integers(0, n, n), rng.integers(0, n, n)
    result = left_kan(SQUARE, [n] * 3, [f, s], compiled=compiled)
    expected, _ = connected_components(coo_array((np.ones(n), (f, n + s)), shape=(2 * n, 2 * n)), directed=False)
    assert result.sizes.tolist() == [n, n, n, expected]
    result.verify([f, s])


def test_the_point_into_a_group_gives_free_actions() -> None:
    s3 = examples.symmetric(3).presentation
    assert left_kan(PresentationMap.point(s3), [2], []).sizes.tolist() == [12]


def test_induction_from_a_subgroup() -> None:
    s4 = examples.symmetric(4).presentation
    h = Presentation.monoid("t", ["t^2 = 1"])
    along = PresentationMap(h, s4, (0,), ((0,),))
    # an H-set with one fixed point and one free orbit: [G:H] times its size
    assert left_kan(along, [3], [[0, 2, 1]]).sizes.tolist() == [36]


def test_terminal_target_counts_components() -> None:
    one = Presentation(("*",), ())
    along = PresentationMap(GRAPH, one, (0, 0), ((), ()))
    result = left_kan(along, [3, 6], [[0, 1, 3], [1, 2, 4]])
    assert result.sizes.tolist() == [3]
    assert result.unit[1].tolist() == [0, 0, 0, 1, 1, 2]


def test_graphs_to_symmetric_and_reflexive_graphs() -> None:
    symmetric = Presentation(
        ("E", "V"),
        (("source", 0, 1), ("target", 0, 1), ("turn", 0, 0)),
        (((2, 2), ()), ((2, 0), (1,)), ((2, 1), (0,))),
    )
    path = [[0, 1], [1, 2]]
    to_symmetric = PresentationMap(GRAPH, symmetric, (0, 1), ((0,), (1,)))
    assert left_kan(to_symmetric, [2, 3], path).sizes.tolist() == [4, 3]
    to_reflexive = PresentationMap(GRAPH, examples.reflexive_quiver().presentation, (0, 1), ((0,), (1,)))
    assert left_kan(to_reflexive, [2, 3], path).sizes.tolist() == [5, 3]


def test_a_bipartite_graph_folds() -> None:
    bipartite = Presentation(("E", "A", "B"), (("a", 0, 1), ("b", 0, 2)))
    fold = PresentationMap(bipartite, GRAPH, (0, 1, 1), ((0,), (1,)))
    assert left_kan(fold, [4, 4, 3], [[0, 1, 2, 3], [0, 1, 2, 0]]).sizes.tolist() == [4, 7]


def test_amphibians_are_animals_once() -> None:
    """The example of CQL's documentation: land and water animals that share the amphibians."""
    kinds = Presentation(("Amphibian", "Land", "Water"), (("on_land", 0, 1), ("in_water", 0, 2)))
    animals = Presentation(
        ("Amphibian", "Land", "Water", "Animal"),
        (("on_land", 0, 1), ("in_water", 0, 2), ("land_is", 1, 3), ("water_is", 2, 3)),
        (((0, 2), (1, 3)),),
    )
    along = PresentationMap(kinds, animals, (0, 1, 2), ((0,), (1,)))
    result = left_kan(along, [2, 5, 4], [[0, 3], [1, 2]])
    assert result.sizes.tolist() == [2, 5, 4, 7]
    assert result.sizes.sum() == 18


@pytest.mark.parametrize(("n", "order"), [(3, 8), (4, 5), (5, 11), (7, 29)])
def test_fibonacci_groups(n: int, order: int) -> None:
    assert hom_from(examples.fibonacci(n).presentation).sizes.tolist() == [order]


@pytest.mark.parametrize("n", [4, 5, 6])
def test_monoids_of_all_maps_and_symmetric_groups(n: int) -> None:
    assert hom_from(examples.full_transformations(n).presentation).sizes.tolist() == [n**n]
    assert hom_from(examples.symmetric(n).presentation).sizes.tolist() == [factorial(n)]


TARGETS = [
    examples.symmetric(3).presentation,
    examples.dihedral(4).presentation,
    examples.cyclic(3).presentation,
    examples.full_transformations(2).presentation,
    examples.reflexive_quiver().presentation,
    examples.simplex(1).presentation,
    GRAPH,
    SQUARE.target,
    Presentation.monoid("a", ["a^4 = a^2"]),
    Presentation(("x", "y", "z"), (("f", 0, 1), ("g", 1, 2), ("h", 0, 2), ("k", 1, 2)), (((0, 1), (2,)),)),
]


@st.composite
def problems(draw: st.DrawFn) -> tuple[PresentationMap, list[int], list[list[int]]]:
    """A free C on a random graph, a random map into one of the targets, a random functor on C."""
    target = draw(st.sampled_from(TARGETS))
    n = draw(st.integers(1, 3))
    objects = tuple(draw(st.integers(0, len(target.objects) - 1)) for _ in range(n))
    paths: dict[tuple[int, int], list[Path]] = {}
    layer: list[tuple[int, int, Path]] = [(s, s, ()) for s in range(len(target.objects))]
    for _ in range(4):
        for a, b, path in layer:
            paths.setdefault((a, b), []).append(path)
        layer = [(a, g[2], (*p, j)) for a, b, p in layer for j, g in enumerate(target.generators) if g[1] == b][:60]
    sizes = [draw(st.integers(0, 4)) for _ in range(n)]
    generators, images, columns = [], [], []
    for j in range(draw(st.integers(0, 4))):
        a, b = draw(st.integers(0, n - 1)), draw(st.integers(0, n - 1))
        found = paths.get((objects[a], objects[b]))
        if not found or (sizes[a] and not sizes[b]):
            continue
        generators.append((f"u{j}", a, b))
        images.append(draw(st.sampled_from(found)))
        columns.append([draw(st.integers(0, sizes[b] - 1)) for _ in range(sizes[a])])
    source = Presentation(tuple(f"c{i}" for i in range(n)), tuple(generators))
    return PresentationMap(source, target, objects, tuple(images)), sizes, columns


@settings(max_examples=250, deadline=None)
@given(problems())
def test_all_ways_agree_with_the_coend_formula(problem: tuple[PresentationMap, list[int], list[list[int]]]) -> None:
    mapping, sizes, columns = problem
    plain = left_kan(mapping, sizes, columns, compiled=False)
    assert plain.sizes.tolist() == coend(mapping, sizes, columns)
    plain.verify(columns)
    for strategy in STRATEGIES:
        result = left_kan(mapping, sizes, columns, strategy=strategy)
        assert equal(plain, result), strategy
        result.verify(columns)
    for at, many in enumerate(plain.sizes):
        for element in range(int(many)):
            c, row, path = plain.word(at, element)
            x = int(plain.unit[c][row])
            for j in path:
                x = int(plain.columns[j][x])
            assert x == element


@settings(max_examples=80, deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_relabelling_rows_does_not_matter(
    problem: tuple[PresentationMap, list[int], list[list[int]]], random: object
) -> None:
    mapping, sizes, columns = problem
    turns = [np.array(random.sample(range(s), s), dtype=int) for s in sizes]  # type: ignore[attr-defined]
    turned = []
    for (_, a, b), column in zip(mapping.source.generators, columns, strict=True):
        new = np.empty(sizes[a], dtype=int)
        new[turns[a]] = turns[b][np.array(column, dtype=int)] if sizes[a] else 0
        turned.append(new)
    one, two = left_kan(mapping, sizes, columns), left_kan(mapping, sizes, turned)
    assert one.sizes.tolist() == two.sizes.tolist()
    # the isomorphism: units go to units
    for c in range(len(sizes)):
        pairs = set(zip(one.unit[c].tolist(), two.unit[c][turns[c]].tolist(), strict=True))
        assert len(pairs) == len({x for x, _ in pairs}) == len({y for _, y in pairs})


@settings(max_examples=60, deadline=None)
@given(problems())
def test_extension_along_a_composite_is_the_composite_of_extensions(
    problem: tuple[PresentationMap, list[int], list[list[int]]],
) -> None:
    mapping, sizes, columns = problem
    d = mapping.target
    one = Presentation(("*",), ())
    collapse = PresentationMap(d, one, (0,) * len(d.objects), ((),) * len(d.generators))
    whole = PresentationMap(mapping.source, one, (0,) * len(sizes), ((),) * len(columns))
    middle = left_kan(mapping, sizes, columns)
    two_steps = left_kan(collapse, middle.sizes.tolist(), middle.columns)
    assert two_steps.sizes.tolist() == left_kan(whole, sizes, columns).sizes.tolist()


def test_representables_extend_to_representables() -> None:
    # Sigma_F y(c) = y(F c), along the inclusion of the simplex category up to [1] in that up to [2].
    low, high = examples.simplex(1).presentation, examples.simplex(2).presentation
    along = PresentationMap(low, high, (0, 1), tuple(high.path(g[0]) for g in low.generators))
    for c in range(2):
        hom = hom_from(low, c)
        extended = left_kan(along, hom.sizes.tolist(), hom.columns)
        assert extended.sizes.tolist() == hom_from(high, c).sizes.tolist()


def test_infinite_results_are_proved_where_weights_do() -> None:
    free = hom_from(Presentation.monoid("a"))
    assert (free.status, free.weights) == ("infinite", (1,))
    assert "a: 1" in repr(free)
    assert hom_from(examples.bicyclic().presentation).status == "infinite"
    assert hom_from(Presentation.group("a b", ["a b = b a"])).status == "infinite"
    cycle = Presentation(("x", "y"), (("f", 0, 1), ("g", 1, 0)))
    assert hom_from(cycle).status == "infinite"
    # two arrows that cross but never come back
    assert hom_from(Presentation(("x", "y"), (("f", 0, 1), ("g", 0, 1)))).sizes.tolist() == [1, 2]
    # an infinite category, a finite extension: Z acts on one point
    z = Presentation.group("a")
    onto = PresentationMap(Presentation.monoid("t"), z, (0,), ((0,),))
    assert left_kan(onto, [1], [[0]]).sizes.tolist() == [1]
    assert growing_weights(onto, [0]) is None
    # 2Z in Z: two cosets
    twice = PresentationMap(Presentation.monoid("t"), z, (0,), ((0, 0),))
    assert left_kan(twice, [1], [[0]]).sizes.tolist() == [2]


def test_nothing_gives_nothing() -> None:
    assert left_kan(SQUARE, [0, 0, 0], [[], []]).sizes.tolist() == [0, 0, 0, 0]
    assert left_kan(PresentationMap.point(examples.symmetric(3).presentation), [0], []).sizes.tolist() == [0]
    assert left_kan(PresentationMap.point(Presentation.monoid("a")), [0], []).sizes.tolist() == [0]


def test_a_sweep_keeps_its_budget() -> None:
    args = ([2, 5, 4], [[0, 1], [0, 1]])
    assert left_kan(SQUARE, *args, budget=Budget(rows=10)).limit == "rows"
    assert left_kan(SQUARE, *args, budget=Budget(bytes=50)).limit == "bytes"
    assert left_kan(SQUARE, *args, budget=Budget(seconds=1e-9)).limit == "seconds"
    assert left_kan(SQUARE, *args, cancel=lambda: True).status == "cancelled"


@pytest.mark.parametrize(
    ("sizes", "columns", "said"),
    [
        ([2, 5], [[0, 1], [0, 1]], "3 objects, but 2 sizes"),
        ([2, 5, 4], [[0, 1]], "2 generators, but 1 columns"),
        ([2, 5, -1], [[0, 1], [0, 1]], "'Student': size -1"),
        ([2, 5, 2**31], [[0, 1], [0, 1]], "'Student': size 2147483648"),
        ([2, 5, 4], [[0], [0, 1]], "'faculty' has shape"),
        ([2, 5, 4], [[0, 1], [0, 4]], "'student', row 1: 4 is no row of 'Student'"),
        ([2, 5, 4], [[0, 1], [0.0, 1.0]], "'student' holds float64"),
    ],
)
def test_a_broken_functor_names_the_place(sizes: list[int], columns: list[list[int]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        left_kan(SQUARE, sizes, columns)


def test_a_broken_equation_names_the_row() -> None:
    with pytest.raises(InputError, match=r"equation 0 \(faculty faculty_is = student student_is\) fails at row 1"):
        check_functor(SQUARE.target, [2, 2, 1, 2], [[0, 1], [0, 0], [0, 1], [0]])


def test_a_map_that_does_not_fit_names_the_place() -> None:
    with pytest.raises(InputError, match="image of generator 'source'"):
        PresentationMap(GRAPH, GRAPH, (1, 0), ((0,), (1,)))
    with pytest.raises(InputError, match="2 objects, 1 images"):
        PresentationMap(GRAPH, GRAPH, (0,), ((0,), (1,)))
    with pytest.raises(InputError, match="'V' goes to object 7"):
        PresentationMap(GRAPH, GRAPH, (0, 7), ((0,), (1,)))


def test_there_is_no_word_for_an_element_that_is_not_there() -> None:
    with pytest.raises(InputError, match="no element 7 at object 3"):
        left_kan(SQUARE, [2, 5, 4], [[0, 1], [0, 1]]).word(3, 7)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=15))
def test_components_agree(n: int, pairs: list[tuple[int, int]]) -> None:
    kept = np.array([p for p in pairs if max(p) < n], dtype=np.int32).reshape(-1, 2)
    label, first = components(n, [(kept[:, 0], kept[:, 1])], compiled=have_kernel())
    other, least = components(n, [(kept[:, 0], kept[:, 1])], compiled=False)
    assert label.tolist() == other.tolist()
    assert first.tolist() == least.tolist()
    assert label[first].tolist() == list(range(len(first)))


def test_the_examples_in_the_docstrings() -> None:
    failed, tried = doctest.testmod(kan_left)
    assert tried >= 6
    assert not failed
