"""Values from the literature and from other programs, gathered where no other test file has them."""

from __future__ import annotations

from itertools import combinations, permutations, product

import numpy as np
import pytest
from finite_worlds import C4, QUIVER, categories, complete, cycle, functors, graph, rotnet, simplices
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.finite.categories.arrows import groupoid_cardinality
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.categories.nucleus import concepts
from presheaf.finite.categories.orders import chain
from presheaf.finite.categories.paths import free_category
from presheaf.finite.columns.graph import weak_components
from presheaf.finite.extensions.exponential import exponential
from presheaf.finite.extensions.right_extension import right_extension
from presheaf.finite.extensions.tensor import tensor
from presheaf.finite.functors.elements import elements
from presheaf.finite.functors.functor import Functor
from presheaf.finite.presented.enumerated import from_presentation
from presheaf.finite.presented.kan_left import left_kan
from presheaf.finite.presented.kan_right import right_kan
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.finite.presheaves.classifier import Classifier
from presheaf.finite.presheaves.isomorphism import canonical_form
from presheaf.finite.presheaves.limits import product as times
from presheaf.finite.presheaves.natural import transformations
from presheaf.finite.presheaves.presheaf import SetFunctor, constant, copresheaf, presheaf
from presheaf.finite.presheaves.yoneda import representable

ARROW = chain(2)

# Tables of marks, checked with GAP: orders of the classes of subgroups, and row i, column j: fixed points of the j-th
# subgroup on the cosets of the i-th.
MARKS = {
    "D4": (
        [[1, 2, 3, 0], [0, 3, 2, 1]],
        [1, 2, 2, 2, 4, 4, 4, 8],
        [[8], [4, 4], [4, 0, 2], [4, 0, 0, 2], [2, 2, 2, 0, 2], [2, 2, 0, 2, 0, 2], [2, 2, 0, 0, 0, 0, 2], [1] * 8],
    ),
    "S4": (
        [[1, 0, 2, 3], [1, 2, 3, 0]],
        [1, 2, 2, 3, 4, 4, 4, 6, 8, 12, 24],
        [
            [24],
            [12, 4],
            [12, 0, 2],
            [8, 0, 0, 2],
            [6, 6, 0, 0, 6],
            [6, 2, 2, 0, 0, 2],
            [6, 2, 0, 0, 0, 0, 2],
            [4, 0, 2, 1, 0, 0, 0, 1],
            [3, 3, 1, 0, 3, 1, 1, 0, 1],
            [2, 2, 0, 2, 2, 0, 0, 0, 0, 2],
            [1] * 11,
        ],
    ),
    "A5": (
        [[1, 2, 0, 3, 4], [1, 2, 3, 4, 0]],
        [1, 2, 3, 4, 5, 6, 10, 12, 60],
        [
            [60],
            [30, 2],
            [20, 0, 2],
            [15, 3, 0, 3],
            [12, 0, 0, 0, 2],
            [10, 2, 1, 0, 0, 1],
            [6, 2, 0, 0, 1, 0, 1],
            [5, 1, 2, 1, 0, 0, 0, 1],
            [1] * 9,
        ],
    ),
}


def subgroups(group: Category) -> list[frozenset[int]]:
    """One subgroup of each conjugacy class, smallest first, for a group whose subgroups all have two generators."""
    table = group.table.tolist()
    one = int(group.identity[0])

    def generated(letters: tuple[int, ...]) -> frozenset[int]:
        found, front = {one}, [one]
        while front:
            front = [y for y in {table[x][g] for x in front for g in letters} if y not in found]
            found.update(front)
        return frozenset(found)

    inverse = [row.index(one) for row in table]
    kept: dict[frozenset[int], None] = {}
    seen: set[frozenset[int]] = set()
    for pair in combinations(range(group.n_arrows), 2):
        h = generated(pair)
        if h not in seen:
            seen.update(frozenset(table[table[inverse[g]][x]][g] for x in h) for g in range(group.n_arrows))
            kept[h] = None
    return sorted(
        [*kept, frozenset({one})] if frozenset({one}) not in kept else kept, key=lambda h: (len(h), sorted(h))
    )


def cosets(group: Category, h: frozenset[int]) -> SetFunctor:
    table = group.table
    number, where = -np.ones(group.n_arrows, dtype=int), []
    for x in range(group.n_arrows):
        if number[x] < 0:
            number[table[sorted(h), x]] = len(where)
            where.append(x)
    return copresheaf(group, [len(where)], [number[group.then(where, j)] for j in range(len(group.generators))])


@pytest.mark.parametrize("name", list(MARKS))
def test_maps_between_transitive_actions_are_the_table_of_marks(name: str) -> None:
    generators, orders, rows = MARKS[name]
    group = from_maps(generators)
    classes = subgroups(group)
    assert [len(h) for h in classes] == orders
    acts = [cosets(group, h) for h in classes]
    hom = np.array([[transformations(a, b).count() for a in acts] for b in acts])
    marks = np.array([row + [0] * (len(rows) - len(row)) for row in rows])
    # Classes of one order come in no particular order.
    ties = [[i for i, o in enumerate(orders) if o == order] for order in sorted(set(orders))]
    turns = product(*(permutations(tie) for tie in ties))
    assert any((hom[np.ix_(t, t)] == marks).all() for t in ([i for part in turn for i in part] for turn in turns))


def trees(k: int) -> list[list[tuple[int, int]]]:
    """All trees on k labelled points, by their Pruefer codes."""
    if k == 1:
        return [[]]
    made = []
    for code in product(range(k), repeat=k - 2):
        degree = [1 + code.count(v) for v in range(k)]
        edges = []
        for v in code:
            leaf = degree.index(1)
            edges.append((leaf, v))
            degree[leaf] -= 1
            degree[v] -= 1
        last = [v for v in range(k) if degree[v] == 1]
        made.append([*edges, (last[0], last[1])])
    return made


@pytest.mark.parametrize(("k", "count"), [(1, 1), (2, 1), (3, 2), (4, 3), (5, 6)])
def test_connected_categories_with_fewest_arrows(k: int, count: int) -> None:
    """OEIS A125702: k objects and 2k - 1 arrows, connected: trees directed so that no two arrows compose."""
    kinds = set()
    for tree in trees(k):
        for turn in product((1, -1), repeat=k - 1):
            arrows = [edge[::t] for edge, t in zip(tree, turn, strict=True)]
            if free_category(k, arrows).n_arrows == 2 * k - 1:
                kinds.add(canonical_form(graph(k, arrows)).digest)
    assert len(kinds) == count


@pytest.mark.parametrize("n", range(4))
def test_the_classifier_of_globular_sets(n: int) -> None:
    """3k + 2 sieves on the k-globe, by hand."""
    arrows: list[tuple[str, int, int]] = []
    laws: list[tuple[Path, Path]] = []
    for k in range(n):
        arrows += [(f"s{k}", k, k + 1), (f"t{k}", k, k + 1)]
        if k:
            laws += [((2 * k - 2, 2 * k), (2 * k - 2, 2 * k + 1)), ((2 * k - 1, 2 * k), (2 * k - 1, 2 * k + 1))]
    globes = from_presentation(Presentation(tuple(f"G{k}" for k in range(n + 1)), tuple(arrows), tuple(laws)))
    made = Classifier(globes, variance="contravariant")
    assert made.omega.sizes.tolist() == [3 * k + 2 for k in range(n + 1)]


def test_the_classifier_of_simplices_of_dimension_four() -> None:
    """Sieves on [k] are families of faces closed downward: Dedekind numbers 3, 6, 20, 168, 7581 less one."""
    assert Classifier(simplices(4), variance="contravariant").omega.sizes.tolist() == [2, 5, 19, 167, 7580]


def test_limits_of_graphs_are_loops_and_colimits_components() -> None:
    one = constant(QUIVER, 1, variance="covariant")
    loops = graph(5, [(0, 0), (0, 1), (1, 2), (3, 3), (3, 3), (4, 0)])
    assert transformations(one, loops).count() == 3
    assert tensor(constant(QUIVER, 1, variance="contravariant"), loops).size == 2
    rng = np.random.default_rng(0)
    for _ in range(5):
        ends = rng.integers(0, 12, (9, 2))
        many = weak_components(12, ends[:, 0], ends[:, 1]).max() + 1
        made = graph(12, [tuple(e) for e in ends.tolist()])
        assert tensor(constant(QUIVER, 1, variance="contravariant"), made).size == many


def test_the_square_of_the_interval_has_4_5_2_simplices() -> None:
    category = simplices(2)
    interval = representable(category, 1, variance="contravariant")
    square = times(interval, interval).apex
    proper = []
    for k in range(3):
        degenerate = set()
        for f in range(category.n_arrows):
            # A surjection [k] -> [l] with l < k has a section, so it is no mono; all others from [k] factor by one.
            if category.dom[f] == k and category.cod[f] < k:
                degenerate.update(square.apply(f, np.arange(square.sizes[category.cod[f]])).tolist())
        proper.append(int(square.sizes[k]) - len(degenerate))
    assert proper == [4, 5, 2]


@pytest.mark.parametrize(("vertices", "size"), [(1, [1, 1]), (2, [4, 2]), (3, [9, 3])])
def test_quivers_to_the_power_of_a_vertex(vertices: int, size: list[int]) -> None:
    made = exponential(graph(1, []), graph(vertices, [(0, 0)] * 2))
    assert made.power.sizes.tolist() == size


def test_products_and_powers_are_adjoint() -> None:
    edge, triangle, many = graph(2, [(0, 1)]), cycle(3), complete(3)
    for x, y, z in ((edge, triangle, many), (triangle, edge, many), (edge, edge, many)):
        assert transformations(times(x, y).apex, z).count() == transformations(x, exponential(y, z).power).count()


def walking_arrow(at_zero: int, at_one: list[int]) -> SetFunctor:
    """A presheaf on 0 -> 1 from its restriction map T(1) -> T(0)."""
    return presheaf(ARROW, [at_zero, len(at_one)], [at_one])


def test_left_extension_along_yoneda_of_the_walking_arrow() -> None:
    f = copresheaf(ARROW, [1, 3], [[0]])
    assert tensor(representable(ARROW, 1, variance="contravariant"), f).size == 3
    assert tensor(walking_arrow(1, [0, 0]), f).size == 5
    assert tensor(walking_arrow(2, [0]), f).size == 4
    pair = copresheaf(ARROW, [2, 3], [[0, 2]])
    assert tensor(walking_arrow(1, [0, 0]), pair).size == 4


def test_tensors_of_sets_with_an_involution() -> None:
    c2 = from_maps([[1, 0]])
    swap, trivial = presheaf(c2, [2], [[1, 0]]), presheaf(c2, [2], [[0, 1]])
    other = copresheaf(c2, [2], [[1, 0]])
    assert (tensor(swap, other).size, tensor(trivial, other).size) == (2, 2)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_tensoring_with_one_counts_components(data: st.DataObject) -> None:
    category = data.draw(categories())
    t = data.draw(functors(category).filter(lambda t: t.variance == "contravariant"))
    el = elements(t).category
    ends = weak_components(el.n_objects, el.generator_dom, el.generator_cod)
    many = int(ends.max()) + 1 if len(ends) else 0
    assert tensor(t, constant(category, 1, variance="covariant")).size == many


def test_the_rotation_groupoid_weighs_eleven_quarters() -> None:
    category = rotnet()
    n = category.n_objects
    assert sorted(len(category.hom(c, c)) for c in range(n)) == [1] * 8 + [2, 2, 4]
    counts = np.array([[len(category.hom(a, b)) for b in range(n)] for a in range(n)], dtype=float)
    assert np.linalg.pinv(counts).sum() == pytest.approx(2.75)
    assert float(groupoid_cardinality(category)) == 2.75


@pytest.mark.parametrize(
    ("relation", "count"),
    [
        (1 - np.eye(3, dtype=int), 8),
        (np.eye(3, dtype=int), 5),
        *((np.tril(np.ones((n, n), dtype=int)), n) for n in (1, 2, 5, 9)),
        (np.ones((4, 3), dtype=int), 1),
    ],
)
def test_formal_concepts(relation: np.ndarray, count: int) -> None:
    assert len(concepts(relation.astype(bool))) == count


def test_right_extension_of_four_points_along_a_point_of_c4() -> None:
    """Ran along 1 -> BG of a set X has |X|^|G| elements."""
    one = chain(1)
    for size in (0, 1, 2, 3):
        made = right_extension(Functor(one, C4, [0], []), copresheaf(one, [size], []))
        assert made.extension.sizes.tolist() == [size**4]


def test_a_petri_net_is_the_extension_of_its_points() -> None:
    """The net p1 -> t1 -> p2 -> t2 -> p3: Sigma of one row for each of its nine elements gives it back (CQL: 9 rows)."""
    net = Presentation(
        ("Input", "Place", "Trans", "Output"), (("from", 0, 1), ("to", 0, 2), ("place", 3, 1), ("trans", 3, 2))
    )
    names = ("i1", "i2", "p1", "p2", "p3", "t1", "t2", "o1", "o2")
    at = (0, 0, 1, 1, 1, 2, 2, 3, 3)
    steps = ((0, 2, 0), (0, 5, 1), (1, 3, 0), (1, 6, 1), (7, 3, 2), (7, 5, 3), (8, 4, 2), (8, 6, 3))
    pivot = Presentation(names, tuple((f"{names[a]}.{j}", a, b) for a, b, j in steps))
    proj = PresentationMap(pivot, net, at, tuple((j,) for _, _, j in steps))
    # CQL gives rows at places and transitions and lets the other four follow; here all nine are given.
    made = left_kan(proj, [1] * 9, [[0]] * 8)
    assert made.sizes.tolist() == [2, 3, 2, 2]
    assert [c.tolist() for c in made.columns] == [[0, 1], [0, 1], [1, 2], [0, 1]]


def test_connections_are_the_components_of_likes() -> None:
    """CQL's Quotient: six persons, four likes, two connections."""
    likes = Presentation(("Like", "Person"), (("likee", 0, 1), ("liker", 0, 1)))
    fold = PresentationMap(likes, Presentation(("Connection",), ()), (0, 0), ((), ()))
    made = left_kan(fold, [4, 6], [[1, 2, 3, 4], [0, 1, 2, 5]])
    assert made.sizes.tolist() == [2]
    assert made.unit[1].tolist() == [0, 0, 0, 0, 1, 1]


def test_advisers_are_matched_by_department() -> None:
    """CQL's ForeignKeys: 3 professors, 3 students and 2 departments have 4 matches, 12 rows in all."""
    university = Presentation(("Professor", "Student", "Department"), (("works", 0, 2), ("majors", 1, 2)))
    matches = Presentation(
        ("Professor", "Student", "Department", "Match"),
        (("works", 0, 2), ("majors", 1, 2), ("professor", 3, 0), ("student", 3, 1)),
        (((2, 0), (3, 1)),),
    )
    keep = PresentationMap(university, matches, (0, 1, 2), ((0,), (1,)))
    made = right_kan(keep, [3, 3, 2], [[0, 1, 0], [0, 1, 1]])
    assert made.sizes.tolist() == [3, 3, 2, 4]
    pairs = set(zip(made.columns[2].tolist(), made.columns[3].tolist(), strict=True))
    assert pairs == {(0, 0), (2, 0), (1, 1), (1, 2)}
