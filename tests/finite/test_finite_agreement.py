"""One answer: from the compiled kernel and without it, from every strategy, and under every relabelling."""

from __future__ import annotations

import numpy as np
import pytest
from finite_presented import Problem, presentations, problems, short_paths
from finite_worlds import categories
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories import laws
from presheaf.finite.categories.category import Category
from presheaf.finite.columns.buckets import bucket, expand, pair_offsets
from presheaf.finite.columns.budget import Budget
from presheaf.finite.columns.compiled import have_kernel
from presheaf.finite.presented.completion import STRATEGIES
from presheaf.finite.presented.enumerated import presentation_of
from presheaf.finite.presented.kan_left import LeftKan, left_kan
from presheaf.finite.presented.kan_right import right_kan
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.finite.presented.standard import standardise

pytestmark = pytest.mark.skipif(not have_kernel(), reason="the compiled kernel is not built")

FEW = Budget(rows=1500)


def same(a: LeftKan, b: LeftKan) -> bool:
    left, right = (a.sizes, *a.columns, *a.unit), (b.sizes, *b.columns, *b.unit)
    return all(np.array_equal(x, y) for x, y in zip(left, right, strict=True))


def words(result: LeftKan) -> list[tuple[int, int, Path]]:
    return [result.word(at, e) for at, many in enumerate(result.sizes.tolist()) for e in range(many)]


def agree(problem: Problem, budget: Budget | None) -> LeftKan:
    """The numpy answer, after every compiled one that ended within the budget was found to be the same."""
    mapping, sizes, columns = problem
    plain = left_kan(mapping, sizes, columns, compiled=False, budget=budget)
    for strategy in STRATEGIES:
        result = left_kan(mapping, sizes, columns, strategy=strategy, budget=budget)
        if plain.status == "infinite" or result.status == "infinite":
            assert (plain.status, plain.weights) == (result.status, result.weights)
        elif plain.complete and result.complete:
            assert same(plain, result), strategy
            assert words(plain) == words(result), strategy
        else:
            assert budget is not None
    return plain


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(problems(presentations()))
def test_random_presented_categories(problem: Problem) -> None:
    plain = agree(problem, FEW)
    assume(plain.complete)
    plain.verify(problem[2])


@settings(max_examples=80, deadline=None)
@given(problems(categories().map(presentation_of)))
def test_presentations_of_finite_categories_need_no_budget(problem: Problem) -> None:
    agree(problem, None).verify(problem[2])


def relabelled(problem: Problem, rng: np.random.Generator) -> tuple[Problem, list[np.ndarray], list[int], list[int]]:
    """Objects and generators of C and D, rows and D's equations, all in another order, and sides of equations swapped.

    Returns the new problem, the new number of every row of C, and those of C's objects and D's generators.
    """
    mapping, sizes, columns = problem
    c, d = mapping.source, mapping.target
    c_objects, c_arrows = rng.permutation(len(c.objects)).tolist(), rng.permutation(len(c.generators)).tolist()
    d_objects, d_arrows = rng.permutation(len(d.objects)).tolist(), rng.permutation(len(d.generators)).tolist()
    rows = [rng.permutation(s) for s in sizes]

    def path(p: Path) -> Path:
        return tuple(d_arrows[j] for j in p)

    def moved(items: list, new: list[int]) -> tuple:
        out: list = [None] * len(items)
        for i, item in zip(new, items, strict=True):
            out[i] = item
        return tuple(out)

    laws = [(path(u), path(v))[:: int(rng.choice([-1, 1]))] for u, v in d.equations]
    target = Presentation(
        moved(list(d.objects), d_objects),
        moved([(g, d_objects[a], d_objects[b]) for g, a, b in d.generators], d_arrows),
        tuple(laws[i] for i in rng.permutation(len(laws))),
    )
    source = Presentation(
        moved(list(c.objects), c_objects),
        moved([(g, c_objects[a], c_objects[b]) for g, a, b in c.generators], c_arrows),
    )
    images = moved([d_objects[x] for x in mapping.objects], c_objects)
    paths = moved([path(p) for p in mapping.paths], c_arrows)
    new_columns = []
    for (_, a, b), column in zip(c.generators, columns, strict=True):
        out = np.zeros(sizes[a], dtype=int)
        out[rows[a]] = rows[b][np.array(column, dtype=int)] if sizes[a] else 0
        new_columns.append(out.tolist())
    other = (
        PresentationMap(source, target, images, paths),
        list(moved(sizes, c_objects)),
        list(moved(new_columns, c_arrows)),
    )
    return other, rows, c_objects, d_arrows


@settings(max_examples=120, deadline=None)
@given(
    st.one_of(problems(presentations()), problems(categories().map(presentation_of))),
    st.integers(0, 10**6),
    st.sampled_from([*STRATEGIES, "numpy"]),
)
def test_the_result_does_not_depend_on_any_order(problem: Problem, seed: int, strategy: str) -> None:
    how = {"compiled": False} if strategy == "numpy" else {"strategy": strategy}
    one = left_kan(*problem, budget=FEW, **how)
    (mapping, sizes, columns), rows, c_objects, d_arrows = relabelled(problem, np.random.default_rng(seed))
    two = left_kan(mapping, sizes, columns, budget=FEW, **how)
    assert (one.status == "infinite") == (two.status == "infinite")
    if not (one.complete and two.complete):
        return
    assert sorted(one.sizes.tolist()) == sorted(two.sizes.tolist())
    # The one map that can be an isomorphism: follow each element's word on the other side.
    image = {}
    for at, many in enumerate(one.sizes.tolist()):
        for e in range(many):
            c, row, path = one.word(at, e)
            there, x = mapping.objects[c_objects[c]], int(two.unit[c_objects[c]][rows[c][row]])
            for j in path:
                there, x = mapping.target.generators[d_arrows[j]][2], int(two.columns[d_arrows[j]][x])
            image[at, e] = there, x
    assert len(set(image.values())) == len(image) == int(two.sizes.sum())
    for j, (_, a, b) in enumerate(problem[0].target.generators):
        for e in range(int(one.sizes[a])):
            there, x = image[a, e]
            assert image[b, int(one.columns[j][e])][1] == two.columns[d_arrows[j]][x]
    for c, unit in enumerate(one.unit):
        assert [image[problem[0].objects[c], int(e)][1] for e in unit] == two.unit[c_objects[c]][rows[c]].tolist()


@settings(max_examples=100, deadline=None)
@given(problems(categories().map(presentation_of)), st.data())
def test_equations_that_follow_from_others_change_nothing(problem: Problem, data: st.DataObject) -> None:
    mapping, sizes, columns = problem
    d = mapping.target
    assume(d.equations)
    ends = short_paths(d, 2)
    more = []
    for _ in range(3):
        i = data.draw(st.integers(0, len(d.equations) - 1))
        u, v = d.equations[i]
        at = d.equation_source(i)
        stop = d.target(u or v)
        before = data.draw(st.sampled_from([p for (_, b), ps in ends.items() if b == at for p in ps]))
        after = data.draw(st.sampled_from([p for (a, _), ps in ends.items() if a == stop for p in ps]))
        more.append((before + u + after, before + v + after))
    wider = PresentationMap(
        mapping.source, Presentation(d.objects, d.generators, d.equations + tuple(more)), mapping.objects, mapping.paths
    )
    one = left_kan(mapping, sizes, columns)
    for strategy in STRATEGIES:
        assert same(one, left_kan(wider, sizes, columns, strategy=strategy))
    assert same(one, left_kan(wider, sizes, columns, compiled=False))


@pytest.mark.parametrize("seed", range(8))
def test_large_sweeps_agree(seed: int) -> None:
    """Thousands of rows into a random category without cycles whose every equation joins two parallel paths."""
    rng = np.random.default_rng(seed)
    n = 5
    arrows = [(f"g{a}{b}{i}", a, b) for a in range(n) for b in range(a + 1, n) for i in range(int(rng.integers(0, 3)))]
    free = Presentation(tuple(f"d{i}" for i in range(n)), tuple(arrows))
    pools = [p for p in short_paths(free, 4, 400).values() if len(p) > 1]
    laws = []
    for _ in range(4 if pools else 0):
        pool = pools[int(rng.integers(len(pools)))]
        i, j = rng.choice(len(pool), 2, replace=False)
        laws.append((pool[i], pool[j]))
    target = Presentation(free.objects, free.generators, tuple(laws))
    images = tuple(int(x) for x in rng.integers(0, n, 4))
    sizes = [int(x) for x in rng.integers(500, 3000, 4)]
    ways = short_paths(free, 4, 400)
    source, paths, columns = [], [], []
    for a in range(4):
        for b in range(4):
            if a != b and (images[a], images[b]) in ways:
                pool = ways[images[a], images[b]]
                source.append((f"u{a}{b}", a, b))
                paths.append(pool[int(rng.integers(len(pool)))])
                columns.append(rng.integers(0, sizes[b], sizes[a]))
    mapping = PresentationMap(Presentation(("a", "b", "c", "d"), tuple(source)), target, images, tuple(paths))
    one, two = left_kan(mapping, sizes, columns), left_kan(mapping, sizes, columns, compiled=False)
    assert same(one, two)
    one.verify(columns)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_numbering_agrees(data: st.DataObject) -> None:
    """Any functor on a free category, with units that may or may not reach all of it."""
    free = Presentation(
        ("x", "y"), tuple((f"g{j}", *data.draw(st.tuples(st.integers(0, 1), st.integers(0, 1)))) for j in range(3))
    )
    sizes = [data.draw(st.integers(1, 6)) for _ in range(2)]
    columns = [
        np.array([data.draw(st.integers(0, sizes[b] - 1)) for _ in range(sizes[a])], dtype=np.int32)
        for _, a, b in free.generators
    ]
    at = data.draw(st.lists(st.integers(0, 1), max_size=4))
    units = np.array([data.draw(st.integers(0, sizes[s] - 1)) for s in at], dtype=np.int32)
    ends = []
    for compiled in (True, False):
        try:
            made = standardise(free, np.array(sizes), columns, np.array(at, dtype=np.int32), units, compiled=compiled)
            ends.append([a.tolist() for a in (made.sizes, *made.columns, made.units, *made.first)])
        except InputError as error:
            ends.append(str(error))
    assert ends[0] == ends[1]


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 8), st.data())
def test_buckets_agree(bound: int, data: st.DataObject) -> None:
    keys, others = (
        np.array(data.draw(st.lists(st.integers(0, bound - 1), max_size=30)), dtype=np.int32) for _ in range(2)
    )
    ways = []
    for compiled in (True, False):
        into = bucket(others, bound, compiled=compiled)
        offsets = pair_offsets(keys, into, compiled=compiled)
        left, right = expand(keys, offsets, into, compiled=compiled)
        ways.append([a.tolist() for a in (into.first, into.order, into.rank, offsets, left, right)])
    assert ways[0] == ways[1]
    pairs = list(zip(ways[0][4], ways[0][5], strict=True))
    assert pairs == [(i, j) for i in range(len(keys)) for j in range(len(others)) if keys[i] == others[j]]


SHAPES = {
    "pullback": ((("f", 0, 2), ("g", 1, 2)), 3, [3000, 2500, 400]),
    "chain": ((("f", 0, 2), ("g", 1, 2), ("h", 1, 4), ("k", 3, 4)), 5, [300, 250, 60, 200, 80]),
    "parallel": ((("f", 0, 1), ("g", 0, 1)), 2, [5000, 60]),
    "square": ((("f", 0, 2), ("g", 0, 3), ("h", 1, 2), ("k", 1, 3)), 4, [2000, 1500, 40, 50]),
}


@pytest.mark.parametrize("name", list(SHAPES))
def test_large_limits_agree(name: str) -> None:
    """Limits of random diagrams of sets, as extensions to the point, with their sizes by counting."""
    arrows, n, sizes = SHAPES[name]
    rng = np.random.default_rng(7)
    columns = [rng.integers(0, sizes[b], sizes[a]) for _, a, b in arrows]
    source = Presentation(tuple(f"c{i}" for i in range(n)), arrows)
    point = PresentationMap(source, Presentation(("*",), ()), (0,) * n, ((),) * len(arrows))
    one, two = right_kan(point, sizes, columns), right_kan(point, sizes, columns, compiled=False)
    assert one.sizes.tolist() == two.sizes.tolist()
    assert all(np.array_equal(a, b) for a, b in zip(one.counit, two.counit, strict=True))
    for (_, a, b), column in zip(arrows, columns, strict=True):
        assert np.array_equal(column[one.counit[a]], one.counit[b])
    if name in ("pullback", "square"):
        code = columns[:2]
        if name == "square":
            code = [columns[0] * sizes[3] + columns[1], columns[2] * sizes[3] + columns[3]]
        bound = int(max(c.max() for c in code)) + 1
        assert one.sizes[0] == (np.bincount(code[0], minlength=bound) * np.bincount(code[1], minlength=bound)).sum()
    if name == "parallel":
        assert one.sizes[0] == (columns[0] == columns[1]).sum()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(problems(categories().map(presentation_of)), st.integers(0, 10**6), st.booleans())
def test_right_extensions_do_not_depend_on_any_order(problem: Problem, seed: int, compiled: bool) -> None:
    few = Budget(rows=20_000)
    one = right_kan(*problem, budget=few, compiled=compiled)
    assume(one.complete and int(one.sizes.sum()) <= 3000)
    other, rows, c_objects, _ = relabelled(problem, np.random.default_rng(seed))
    two = right_kan(*other, budget=few, compiled=compiled)
    assume(two.complete)
    assert sorted(one.sizes.tolist()) == sorted(two.sizes.tolist())
    for c, counit in enumerate(one.counit):
        there = two.counit[c_objects[c]]
        assert sorted(rows[c][counit].tolist()) == sorted(there.tolist())


@settings(max_examples=80, deadline=None)
@given(categories(), st.data())
def test_both_ways_to_check_associativity_agree(category: Category, data: st.DataObject) -> None:
    """Place by place and triple by triple: the same verdict on a table with up to two entries exchanged."""
    right = np.array(category.right)
    here = np.argwhere(right >= 0)
    assume(len(here))
    for _ in range(data.draw(st.integers(0, 2))):
        (x, i), (y, j) = (here[data.draw(st.integers(0, len(here) - 1))] for _ in range(2))
        right[x, i], right[y, j] = right[y, j], right[x, i]
    said = []
    for few in (laws.FEW_PLACES, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(laws, "FEW_PLACES", few)
            try:
                Category(category.dom, category.cod, category.identity, category.generators, right, category.left)
                said.append("")
            except InputError as error:
                said.append(str(error))
    assert said[0] == said[1]
