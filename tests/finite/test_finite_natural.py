"""Natural transformations counted, listed and drawn; the subobject classifier."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from finite_worlds import (
    C4,
    IDEMPOTENT,
    QUIVER,
    S3,
    T2,
    T3,
    all_transformations,
    categories,
    complete,
    cycle,
    functors,
    graph,
    shuffled,
    simplices,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array

from presheaf.errors import InputError
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.categories.orders import discrete
from presheaf.finite.presheaves.classifier import Classifier
from presheaf.finite.presheaves.natural import Transformation, transformations
from presheaf.finite.presheaves.presheaf import SetFunctor, constant, copresheaf


def cost(s: SetFunctor, t: SetFunctor) -> float:
    return float(np.prod(t.sizes.astype(float) ** s.sizes))


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_all_ways_agree_with_brute_force(data: st.DataObject) -> None:
    category = data.draw(categories())
    s = data.draw(functors(category))
    t = data.draw(functors(category).filter(lambda x: x.variance == s.variance))
    found = transformations(s, t)
    count = found.count()
    assert transformations(shuffled(s, 3), shuffled(t, 4)).count() == count
    if cost(s, t) <= 20_000:
        truth = all_transformations(s, t)
        assert count == len(truth)
        assert {tuple(tuple(p.tolist()) for p in f.components) for f in found} == truth
        for kind in ("mono", "epi", "iso"):
            listed = list(found.iterate(kind))
            assert all(getattr(f, f"is_{kind}") for f in listed)
            assert len(listed) == sum(getattr(f, f"is_{kind}") for f in found)
    if count:
        for f in (*found.sample(3, 0), found.first()):
            assert f is not None
            Transformation(f.source, f.target, f.components)
        c = int(np.flatnonzero(s.sizes)[0])
        each = [transformations(s, t, given=[(c, 0, y)]).count() for y in range(int(t.sizes[c]))]
        assert sum(each) == count


@pytest.mark.parametrize("n", range(3, 9))
def test_colourings_of_cycles(n: int) -> None:
    assert transformations(cycle(n), complete(n)).count() == (n - 1) ** n + (-1) ** n * (n - 1)


def test_counts_beyond_int64_are_exact() -> None:
    assert transformations(cycle(20), complete(20)).count() == 19**20 + 19
    assert transformations(graph(100, [(i, i + 1) for i in range(99)]), complete(5)).count() == 5 * 4**99
    assert transformations(graph(80, []), graph(7, [])).count() == 7**80


def test_nothing_maps_everywhere_and_little_maps_to_nothing() -> None:
    none = graph(0, [])
    assert transformations(none, none).count() == transformations(none, cycle(3)).count() == 1
    assert len(list(transformations(none, cycle(3)))) == 1
    assert transformations(cycle(3), none).count() == 0
    assert transformations(cycle(3), none).first() is None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_partial_maps_and_tests_of_elements(data: st.DataObject) -> None:
    category = data.draw(categories())
    s = data.draw(functors(category))
    t = data.draw(functors(category).filter(lambda x: x.variance == s.variance))
    assume(cost(s, t) <= 20_000)
    seed = np.random.default_rng(data.draw(st.integers(0, 999)))
    c = int(seed.choice(np.flatnonzero(s.sizes)))
    allowed = seed.random((int(s.sizes[c]), int(t.sizes[c]))) < 0.7
    found = transformations(s, t, where={c: lambda x, y: allowed[x, y]})
    truth = {f for f in all_transformations(s, t) if all(allowed[x, y] for x, y in enumerate(f[c]))}
    assert found.count() == len(truth)
    assert {tuple(tuple(p.tolist()) for p in f.components) for f in found} == truth
    for f in sorted(truth)[:3]:
        fixed = [(c, x, y) for x, y in enumerate(f[c]) if seed.random() < 0.5]
        part = transformations(s, t, given=fixed, where={c: lambda x, y: allowed[x, y]})
        assert part.count() == len([g for g in truth if all(g[c][x] == y for _, x, y in fixed)])
        for kind in ("mono", "epi", "iso"):
            assert part.count(kind) == sum(getattr(g, f"is_{kind}") for g in part)


def test_injective_and_surjective_maps_of_graphs() -> None:
    # Injective maps of a cycle into a complete graph: falling factorials.
    assert transformations(cycle(5), complete(6)).count("mono") == 6 * 5 * 4 * 3 * 2
    # A Hamiltonian cycle in a directed cycle with all arrows doubled back, and none in a star.
    both = graph(7, [(i, (i + d) % 7) for i in range(7) for d in (1, 6)])
    assert transformations(cycle(7), both).count("mono") == 14
    star = graph(7, [e for i in range(1, 7) for e in ((0, i), (i, 0))])
    assert transformations(cycle(7), star).first("mono") is None
    # Surjections from 6 points onto 3.
    assert transformations(graph(6, []), graph(3, [])).count("epi") == 540
    whole = transformations(complete(12), shuffled(complete(12), 1))
    assert len(whole.take(3, "iso")) == len(whole.take(3, "mono")) == 3
    one = whole.first("iso")
    assert one is not None
    assert one.is_iso


def endofunction(step: np.ndarray) -> SetFunctor:
    """A map of a set to itself as a graph in which every point has one arrow: maps of graphs are commuting maps."""
    return graph(len(step), np.stack([np.arange(len(step)), step], axis=1).tolist())


def commuting_maps(f: np.ndarray, g: np.ndarray) -> int:
    """How many h have h(f(x)) = g(h(x)): trees are summed from the leaves, cycles by closing them."""
    below = [[1] * len(g) for _ in f]
    degree = np.bincount(f, minlength=len(f))
    leaves = [x for x in range(len(f)) if not degree[x]]
    left = set(range(len(f)))
    while leaves:
        x = leaves.pop()
        left.discard(x)
        sums = [0] * len(g)
        for y, ways in enumerate(below[x]):
            sums[g[y]] += ways
        below[f[x]] = [a * b for a, b in zip(below[f[x]], sums, strict=True)]
        degree[f[x]] -= 1
        if not degree[f[x]]:
            leaves.append(int(f[x]))
    total = 1
    while left:
        start = x = left.pop()
        ring = [x]
        while f[x] != start:
            x = int(f[x])
            left.discard(x)
            ring.append(x)
        closed = 0
        for y in range(len(g)):
            ways, at = 1, y
            for z in ring:
                ways, at = ways * below[z][at], int(g[at])
            closed += ways if at == y else 0
        total *= closed
    return total


@pytest.mark.parametrize("seed", range(4))
def test_maps_of_endofunctions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    f, g = rng.integers(0, 2000, 2000), rng.integers(0, 200, 200)
    g[:3] = [0, 2, 1]
    count = transformations(endofunction(f), endofunction(g)).count()
    assert count == commuting_maps(f, g)
    assert count > 10**50


@pytest.mark.parametrize(("n", "edges"), [(150, 1125), pytest.param(20_000, 400_000, marks=pytest.mark.slow)])
def test_triangles_are_the_trace_of_the_cube(n: int, edges: int) -> None:
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, n, (edges, 2))
    a = coo_array((np.ones(edges, dtype=np.int64), (pairs[:, 0], pairs[:, 1])), shape=(n, n)).tocsr()
    assert transformations(cycle(3), graph(n, pairs.tolist())).count() == int((a @ a).multiply(a.T).sum())


def test_sampling_is_uniform_and_repeats_with_its_seed() -> None:
    maps = transformations(cycle(4), complete(3))
    assert maps.count() == 18
    draws = maps.sample(1800, 5)
    assert draws == maps.sample(1800, 5)
    counts = np.unique([tuple(f.components[1].tolist()) for f in draws], axis=0, return_counts=True)[1]
    assert len(counts) == 18
    # 17 degrees of freedom: a chi-square above 50 has probability below 5e-5.
    assert ((counts - 100) ** 2 / 100).sum() < 50


def test_table_of_marks_of_s3() -> None:
    def cosets(rows: list[list[int]]) -> SetFunctor:
        return copresheaf(S3, [len(rows[0])], rows)

    swap, turn = [1, 0, 2], [1, 2, 0]
    assert S3.n_arrows == 6
    regular = cosets([S3.right[:, 0].tolist(), S3.right[:, 1].tolist()])
    by = [regular, cosets([swap, turn]), cosets([[1, 0], [0, 1]]), cosets([[0], [0]])]
    table = [[transformations(a, b).count() for b in by] for a in by]
    # Row by row the marks of the cosets of 1, C2, C3, S3.
    assert [[table[j][i] for j in range(i + 1)] for i in range(4)] == [[6], [3, 1], [2, 0, 2], [1, 1, 1, 1]]


def test_transformations_compose_and_invert() -> None:
    ring = cycle(6)
    turns = transformations(ring, ring).take(10)
    assert len(turns) == 6
    assert all(f.is_iso for f in turns)
    one = Transformation.identity(ring)
    assert all(f.then(f.inverse()) == one for f in turns)
    double = transformations(ring, cycle(3)).first()
    assert double is not None
    assert (double.is_epi, double.is_mono) == (True, False)
    with pytest.raises(InputError, match="no isomorphism"):
        double.inverse()


@pytest.mark.parametrize(
    ("category", "variance", "sizes"),
    [
        (discrete(1), "contravariant", [2]),
        (QUIVER, "covariant", [5, 2]),
        (simplices(1), "contravariant", [2, 5]),
        (simplices(2), "contravariant", [2, 5, 19]),
        (simplices(3), "contravariant", [2, 5, 19, 167]),
        (S3, "contravariant", [2]),
        (C4, "covariant", [2]),
        (IDEMPOTENT, "covariant", [3]),
        (T2, "contravariant", [5]),
        (T3, "contravariant", [19]),
        (from_maps([[1, 2, 1]]), "covariant", [3]),
        (from_maps([[1, 2, 2]]), "covariant", [4]),
    ],
)
def test_sizes_of_the_subobject_classifier(category, variance, sizes) -> None:
    made = Classifier(category, variance=variance)
    assert made.omega.sizes.tolist() == sizes
    SetFunctor(category, made.omega.sizes, made.omega.columns, variance=variance)


def test_omega_of_a_monoid_with_a_tail() -> None:
    # <a | a^4 = a^2>: four ideals; the action of a on them is known from Catlab's tests.
    omega = Classifier(from_maps([[1, 2, 3, 2]]), variance="covariant").omega
    assert omega.sizes.tolist() == [4]
    assert omega.columns[0].tolist() == [0, 2, 3, 3]


def test_endomorphisms_of_omega_of_quivers() -> None:
    omega = Classifier(QUIVER, variance="covariant").omega
    assert transformations(omega, omega).count() == 39


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_subobjects_are_maps_to_omega(data: st.DataObject) -> None:
    category = data.draw(categories())
    t = data.draw(functors(category))
    assume(t.n_elements <= 9)
    made = Classifier(category, variance=t.variance)
    side = t.covariant.category
    ends = list(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True))
    count = 0
    for bits in product([False, True], repeat=t.n_elements):
        part = np.split(np.array(bits, dtype=bool), t.offsets[1:-1])
        if all((~part[a] | part[b][t.columns[j]]).all() for j, (a, b) in enumerate(ends)):
            count += 1
            chi = made.characteristic(t, part)
            Transformation(t, made.omega, chi.components)
            assert all((x == y).all() for x, y in zip(made.subobject(chi), part, strict=True))
    assert transformations(t, made.omega).count() == count


def test_sieves_are_closed() -> None:
    category = simplices(2)
    made = Classifier(category, variance="contravariant")
    for c, size in enumerate(made.omega.sizes.tolist()):
        assert not len(made.sieve(c, 0))
        assert len(made.sieve(c, int(made.truth[c]))) == (category.cod == c).sum()
        for row in range(size):
            arrows = set(made.sieve(c, row).tolist())
            for f in arrows:
                assert {int(category.compose(h, f)) for h in np.flatnonzero(category.cod == category.dom[f])} <= arrows


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Transformation(cycle(3), cycle(3), [[0, 1, 2], [0, 2, 1]]), "not natural at generator s, row 1 of A"),
        (lambda: Transformation(cycle(3), cycle(3), [[0, 1, 2]]), "2 components are needed"),
        (lambda: Transformation(cycle(3), cycle(3), [[0, 1, 5], [0, 1, 2]]), r"component at A\[2\] = 5"),
        (lambda: transformations(cycle(3), constant(C4, 1, variance="covariant")), "same category"),
        (lambda: transformations(cycle(3), cycle(3), given=[(0, 7, 0)]), "names no element"),
        (lambda: transformations(cycle(3), cycle(3), where={2: lambda x, y: x == y}), r"where\[2\]: the category has"),
        (
            lambda: transformations(cycle(3), cycle(3), where={1: lambda x, y: True}),
            "test at V must return a bool array",
        ),
        (lambda: transformations(complete(7), complete(7), limit=5000).count(), "limit of 5000"),
        (lambda: transformations(cycle(3), graph(1, [])).sample(1, 0), "no natural transformation"),
        (lambda: transformations(cycle(3), cycle(3)).count("epic"), "'kind' must be one of"),
        (lambda: Classifier(T3, variance="contravariant", limit=3), "more than 3 sieves"),
        (
            lambda: Classifier(QUIVER, variance="covariant").characteristic(cycle(2), [[1, 0], [0, 0]]),
            "generator s leads row 0 of A out",
        ),
    ],
)
def test_what_is_refused_and_where(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()
