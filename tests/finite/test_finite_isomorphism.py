"""Isomorphism, canonical forms and automorphisms, against brute force and the orders of known groups."""

from __future__ import annotations

import re
from math import factorial

import numpy as np
import pytest
from finite_worlds import C4, QUIVER, S3, all_transformations, categories, complete, cycle, functors, graph, shuffled
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.columns.budget import Budget
from presheaf.finite.presheaves.isomorphism import automorphisms, canonical_form, isomorphism
from presheaf.finite.presheaves.limits import coproduct
from presheaf.finite.presheaves.natural import transformations
from presheaf.finite.presheaves.presheaf import SetFunctor, constant, copresheaf
from presheaf.finite.presheaves.transformation import Transformation


def undirected(n: int, edges: list[tuple[int, int]]) -> SetFunctor:
    return graph(n, [*edges, *((b, a) for a, b in edges)])


def on_grid(steps: set[tuple[int, int]]) -> SetFunctor:
    """The graph on Z4 x Z4 that joins points whose difference is one of the steps."""
    points = [(i, j) for i in range(4) for j in range(4)]
    near = [
        (a, b)
        for a, p in enumerate(points)
        for b, q in enumerate(points)
        if ((p[0] - q[0]) % 4, (p[1] - q[1]) % 4) in steps
    ]
    return graph(16, near)


def ring(n: int) -> SetFunctor:
    return undirected(n, [(i, (i + 1) % n) for i in range(n)])


PETERSEN = undirected(
    10,
    [(i, (i + 1) % 5) for i in range(5)]
    + [(i, i + 5) for i in range(5)]
    + [(5 + i, 5 + (i + 2) % 5) for i in range(5)],
)
CUBE = undirected(8, [(a, a ^ b) for a in range(8) for b in (1, 2, 4) if a < a ^ b])
ROOK = on_grid({(0, 1), (0, 2), (0, 3), (1, 0), (2, 0), (3, 0)})
SHRIKHANDE = on_grid({(0, 1), (0, 3), (1, 0), (3, 0), (1, 1), (3, 3)})


def same_form(one: SetFunctor, two: SetFunctor) -> bool:
    a, b = canonical_form(one), canonical_form(two)
    equal = all(np.array_equal(x, y) for x, y in zip(a.functor.columns, b.functor.columns, strict=True))
    equal &= np.array_equal(a.functor.sizes, b.functor.sizes)
    assert equal == (a.digest == b.digest)
    return equal


def checked(f: Transformation) -> Transformation:
    """The same transformation, made with all checks."""
    return Transformation(f.source, f.target, f.components)


def group_order(moves: list[Transformation], t: SetFunctor) -> int:
    """How many transformations the given ones generate, by listing them."""
    seen = {Transformation.identity(t)}
    front = list(seen)
    while front:
        front = [h for h in {f.then(g) for f in front for g in moves} if h not in seen]
        seen.update(front)
    return len(seen)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_agrees_with_brute_force(data: st.DataObject) -> None:
    category = data.draw(categories())
    s = data.draw(functors(category))
    t = data.draw(functors(category).filter(lambda x: x.variance == s.variance))
    found = isomorphism(s, t)
    if found:
        assert found.map is not None
        assert checked(found.map).is_iso
    assert same_form(s, t) == bool(found)
    fits = np.array_equal(s.sizes, t.sizes)
    if np.prod(t.sizes.astype(float) ** s.sizes) <= 20_000:
        bijections = [f for f in all_transformations(s, t) if all(len(set(p)) == len(p) for p in f)] if fits else []
        assert bool(found) == bool(bijections)
    elif fits:
        # The search over all maps knows nothing of labels.
        assert bool(found) == any(f.is_iso for f in transformations(s, t).iterate("mono"))


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(0, 1000))
def test_the_numbering_of_rows_does_not_matter(data: st.DataObject, seed: int) -> None:
    t = data.draw(functors(data.draw(categories())))
    other = shuffled(t, seed)
    form = canonical_form(t)
    assert checked(form.labelling).is_iso
    SetFunctor(t.category, form.functor.sizes, form.functor.columns, variance=t.variance)
    assert same_form(t, other)
    found = isomorphism(t, other)
    assert found.map is not None
    assert checked(found.map).is_iso


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_automorphisms_of_small_functors(data: st.DataObject) -> None:
    t = data.draw(functors(data.draw(categories())))
    group = automorphisms(t)
    if group.count > 200:
        return
    listed = [f for f in transformations(t, t).iterate("mono") if f.is_epi]
    assert group.count == len(listed) == transformations(t, t).count("iso")
    assert len(list(transformations(t, t).iterate("iso"))) == group.count
    assert group_order([checked(f) for f in group.generators()], t) == group.count
    for c, orbit in enumerate(group.orbits):
        for x in range(len(orbit)):
            reached = {int(f.components[c][x]) for f in listed}
            assert reached == set(np.flatnonzero(orbit == orbit[x]).tolist())


@pytest.mark.parametrize(
    ("t", "order"),
    [
        (PETERSEN, 120),
        (CUBE, 48),
        (ROOK, 2 * 24 * 24),
        (SHRIKHANDE, 192),
        (cycle(7), 7),
        (graph(3, [(0, 1), (1, 2)]), 1),
        (graph(6, []), 720),
        (undirected(7, [(0, i) for i in range(1, 7)]), 720),
        (copresheaf(S3, [6], [S3.right[:, 0], S3.right[:, 1]]), 6),
        (copresheaf(C4, [8], [[1, 2, 3, 0, 5, 6, 7, 4]]), 32),
        (constant(QUIVER, 0, variance="covariant"), 1),
        *((ring(n), 2 * n) for n in (3, 4, 9, 20)),
        *((complete(n), factorial(n)) for n in range(1, 9)),
    ],
)
def test_orders_of_automorphism_groups(t: SetFunctor, order: int) -> None:
    group = automorphisms(t)
    assert group.count == order
    moves = [checked(f) for f in group.generators()]
    assert all(f.is_iso for f in moves)
    if order <= 1200:
        assert group_order(moves, t) == order
    other = shuffled(t, 1)
    assert automorphisms(other).count == order
    assert same_form(t, other)


def test_vertex_transitive_graphs_have_one_orbit_of_points() -> None:
    for t in (PETERSEN, CUBE, ROOK, SHRIKHANDE):
        assert [len(set(orbit.tolist())) for orbit in automorphisms(t).orbits] == [1, 1]
    star = automorphisms(undirected(7, [(0, i) for i in range(1, 7)])).orbits
    assert [len(set(orbit.tolist())) for orbit in star] == [2, 2]


def test_strongly_regular_graphs_with_equal_parameters_are_told_apart() -> None:
    found = isomorphism(ROOK, SHRIKHANDE)
    assert not found
    assert "canonical forms differ" in found.why
    assert not same_form(ROOK, SHRIKHANDE)
    # Two of one and one of the other, in either order, inside larger functors.
    mixed = [coproduct(ROOK, SHRIKHANDE, ROOK).apex, coproduct(ROOK, ROOK, SHRIKHANDE).apex]
    assert isomorphism(*mixed)
    assert not isomorphism(mixed[0], coproduct(ROOK, SHRIKHANDE, SHRIKHANDE).apex)
    assert automorphisms(mixed[0]).count == 2 * 1152**2 * 192
    assert not isomorphism(ring(6), coproduct(ring(3), ring(3)).apex)


def test_symmetric_parts_inside_a_rigid_whole() -> None:
    # Two copies of the Petersen graph, each tied to its own hub by all its points; the hubs are tied to a root.
    edges = []
    for copy in (0, 1):
        hub, shift = 1 + copy, 3 + 10 * copy
        edges += [(0, hub), *((hub, shift + i) for i in range(10))]
        source, target = PETERSEN.columns
        edges += [(shift + a, shift + b) for a, b in zip(source.tolist(), target.tolist(), strict=True)]
    t = graph(23, edges)
    assert automorphisms(t).count == 2 * 120**2
    assert same_form(t, shuffled(t, 9))
    assert automorphisms(graph(23, edges[1:])).count == 120**2


@pytest.mark.parametrize(
    ("s", "t", "says"),
    [
        (cycle(3), cycle(4), "A has 3 elements on one side and 4 on the other"),
        (graph(3, [(0, 1), (0, 2)]), graph(3, [(1, 0), (2, 0)]), "generator s takes its values"),
        (
            graph(6, [(0, 1), (1, 2), (3, 4)]),
            graph(6, [(0, 1), (1, 2), (2, 3)]),
            "elements of V fall into 6 classes .* and 5 on",
        ),
        (
            graph(6, [(0, 1), (1, 2), (2, 0), (3, 4)]),
            graph(6, [(0, 1), (1, 2), (2, 3), (4, 0)]),
            "fall into .* classes of like surroundings",
        ),
    ],
)
def test_why_not(s: SetFunctor, t: SetFunctor, says: str) -> None:
    found = isomorphism(s, t)
    assert not found
    assert found.map is None
    assert re.search(says, found.why)


def test_a_budget_ends_the_search_undecided() -> None:
    stop = isomorphism(ROOK, SHRIKHANDE, budget=Budget(seconds=1e-9))
    assert stop.status == "budget exceeded"
    with pytest.raises(InputError, match="not decided"):
        bool(stop)
    assert isomorphism(ROOK, SHRIKHANDE, cancel=lambda: True).status == "cancelled"
    with pytest.raises(InputError, match="budget exceeded: no answer within"):
        canonical_form(ROOK, budget=Budget(seconds=1e-9))
    with pytest.raises(InputError, match="cancelled"):
        automorphisms(ROOK, cancel=lambda: True)
    with pytest.raises(InputError, match="same category"):
        isomorphism(cycle(3), constant(C4, 1, variance="covariant"))


def test_large_functors_with_many_like_parts() -> None:
    seed = np.random.default_rng(0)
    n = 20_000
    tree = graph(n, np.stack([np.arange(1, n), (seed.random(n - 1) * np.arange(1, n)).astype(int)], axis=1).tolist())
    found = isomorphism(tree, shuffled(tree, 3))
    assert found.map is not None
    assert checked(found.map).is_iso
    triangles = graph(n, [(i, i // 3 * 3 + (i + 1) % 3) for i in range(n - n % 3)])
    copies, points = n // 3, n % 3
    assert automorphisms(triangles).count == factorial(copies) * 3**copies * factorial(points)
    free = copresheaf(S3, [600], [(np.arange(100)[:, None] * 6 + S3.right[:, j]).ravel() for j in range(2)])
    assert automorphisms(free).count == 6**100 * factorial(100)
    assert same_form(free, shuffled(free, 2))


@pytest.mark.slow
def test_a_million_elements() -> None:
    seed = np.random.default_rng(1)
    n = 500_000
    tree = graph(n, np.stack([np.arange(1, n), (seed.random(n - 1) * np.arange(1, n)).astype(int)], axis=1).tolist())
    found = isomorphism(tree, shuffled(tree, 3))
    assert found.map is not None
    assert checked(found.map).is_iso
    moved = np.array(tree.columns[1])
    moved[-1] = (moved[-1] + 1) % n
    assert not isomorphism(tree, tree.like(tree.sizes, [tree.columns[0], moved]))
