"""Sub-presheaves: lattice laws, counts, lists; image factorisation, preimages, kernel pairs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from finite_worlds import QUIVER, S3, categories, complete, cycle, functors, graph, simplices
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.orders import chain
from presheaf.finite.presheaves.classifier import Classifier
from presheaf.finite.presheaves.natural import transformations
from presheaf.finite.presheaves.presheaf import SetFunctor, constant, copresheaf
from presheaf.finite.presheaves.subpresheaves import (
    Subpresheaf,
    factorisation,
    generated,
    image,
    kernel_pair,
    preimage,
    subpresheaves,
)
from presheaf.finite.presheaves.transformation import Transformation
from presheaf.finite.presheaves.yoneda import representable


def closed_parts(t: SetFunctor) -> set[tuple[bool, ...]]:
    """All closed parts, by trying every set of elements."""
    side = t.covariant.category
    ends = list(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True))
    out = set()
    for bits in product([False, True], repeat=t.n_elements):
        part = np.split(np.array(bits, dtype=bool), t.offsets[1:-1])
        if all((~part[a] | part[b][t.columns[j]]).all() for j, (a, b) in enumerate(ends)):
            out.add(bits)
    return out


def bits(s: Subpresheaf) -> tuple[bool, ...]:
    return tuple(np.concatenate([np.empty(0, dtype=bool), *s.part]).tolist())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_all_of_them_and_the_law_of_omega(data: st.DataObject) -> None:
    category = data.draw(categories())
    t = data.draw(functors(category))
    assume(t.n_elements <= 10)
    truth = closed_parts(t)
    every = subpresheaves(t)
    assert every.count() == len(truth)
    assert {bits(s) for s in every} == truth
    omega = Classifier(category, variance=t.variance).omega
    assert transformations(t, omega).count() == len(truth)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_lattice_is_heyting_and_co_heyting(data: st.DataObject) -> None:
    t = data.draw(functors(data.draw(categories())))
    assume(t.n_elements <= 9)
    parts = list(subpresheaves(t))
    seed = np.random.default_rng(data.draw(st.integers(0, 999)))
    a, b = (parts[int(i)] for i in seed.integers(0, len(parts), 2))
    whole, empty = Subpresheaf.whole(t), Subpresheaf.empty(t)
    for made in (a & b, a | b, a >> b, a - b, ~a):
        Subpresheaf(t, made.part)
    for x in parts:
        assert (x <= (a >> b)) == ((x & a) <= b)
        assert ((a - b) <= x) == (a <= (b | x))
        assert (x <= a & b) == (x <= a and x <= b)
        assert (a | b <= x) == (a <= x and b <= x)
        assert (x <= ~a) == ((x & a) == empty)
    assert (a < b) == (a <= b and a != b)
    assert empty <= a <= whole
    assert len({hash(a), hash(Subpresheaf(t, a.part))}) == 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_generated_parts_are_the_smallest(data: st.DataObject) -> None:
    t = data.draw(functors(data.draw(categories())))
    assume(t.n_elements <= 10)
    seed = np.random.default_rng(data.draw(st.integers(0, 999)))
    elements = [t.element(int(i)) for i in seed.integers(0, t.n_elements, int(seed.integers(0, 3)))]
    made = generated(t, elements)
    assert all(e in made for e in elements)
    assert all(made <= s for s in subpresheaves(t) if all(e in s for e in elements))
    inclusion = Transformation(made.functor, t, made.inclusion.components)
    SetFunctor(t.category, made.functor.sizes, made.functor.columns, variance=t.variance)
    assert inclusion.is_mono
    assert image(inclusion) == made


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_maps_factor_and_parts_pull_back(data: st.DataObject) -> None:
    category = data.draw(categories())
    s = data.draw(functors(category))
    t = data.draw(functors(category).filter(lambda x: x.variance == s.variance))
    maps = transformations(s, t)
    assume(maps.count() > 0)
    f = maps.sample(1, data.draw(st.integers(0, 99)))[0]
    onto, into = factorisation(f)
    assert Transformation(onto.source, onto.target, onto.components).is_epi
    assert Transformation(into.source, into.target, into.components).is_mono
    assert onto.then(into) == f
    pair = kernel_pair(f)
    assert [int(n) for n in pair.apex.sizes] == [int((np.bincount(p, minlength=1) ** 2).sum()) for p in f.components]
    one, two = pair.legs[:2]
    assert one.then(f) == two.then(f)
    part = generated(t, [t.element(int(x)) for x in np.random.default_rng(0).integers(0, t.n_elements, 1)])
    back = preimage(f, part)
    Subpresheaf(s, back.part)
    for c, component in enumerate(f.components):
        assert back.part[c].tolist() == [bool(part.part[c][y]) for y in component]
    assert preimage(f, image(f)) == Subpresheaf.whole(s)


@pytest.mark.parametrize(
    ("t", "count"),
    [
        # One edge: nothing, either end, both ends, all.
        (graph(2, [(0, 1)]), 5),
        # Subgraphs of the complete directed graph: subsets of points, and any arrows between those.
        (complete(3), 1 + 3 + 3 * 4 + 64),
        # An up-set of a chain of n elements: n + 1.
        (representable(chain(6), 0, variance="covariant"), 7),
        (copresheaf(S3, [6], [S3.right[:, 0], S3.right[:, 1]]), 2),
        (constant(S3, 5, variance="covariant"), 32),
        (constant(QUIVER, 0, variance="covariant"), 1),
        # Sub-simplicial sets of the simplices: Dedekind numbers less one.
        *((representable(simplices(n), n, variance="contravariant"), count) for n, count in enumerate([2, 5, 19, 167])),
    ],
)
def test_counts(t: SetFunctor, count: int) -> None:
    assert subpresheaves(t).count() == count
    assert len(set(map(bits, subpresheaves(t)))) == count


def test_counts_without_listing() -> None:
    # Subgraphs of a path with n points: with a(n) = those where the last point is out, b(n) = in:
    # a(n+1) = a + b, b(n+1) = a + 2 b.
    out, within = 1, 1
    for _ in range(199):
        out, within = out + within, out + 2 * within
    path = graph(200, [(i, i + 1) for i in range(199)])
    assert subpresheaves(path).count() == out + within
    assert next(iter(subpresheaves(path))).ambient is path


def test_operations_on_a_path() -> None:
    # 0 -> 1 -> 2: the part that holds the first arrow and the part that holds the second share point 1.
    path = graph(3, [(0, 1), (1, 2)])
    left, right = generated(path, [(0, 0)]), generated(path, [(0, 1)])
    assert len(left & right) == 1
    assert left | right == Subpresheaf.whole(path)
    # What meets the first arrow nowhere: point 2 alone, without the arrow that leads there from point 1.
    assert ~left == generated(path, [(1, 2)])
    assert left - right == left
    assert (left >> right) == right


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Subpresheaf(cycle(3), [[True] * 3]), "2 masks are needed"),
        (lambda: Subpresheaf(cycle(3), [[True] * 3, [True] * 2]), r"the mask at V must be bool of shape \(3,\)"),
        (lambda: Subpresheaf(cycle(3), [[0, 1, 1], [1, 1, 1]]), "the mask at A must be bool"),
        (lambda: Subpresheaf(cycle(2), [[True, False], [False, False]]), "generator s leads row 0 of A out"),
        (lambda: generated(cycle(2), [(0, 2)]), "no element 2 at object 0"),
        (lambda: Subpresheaf.whole(cycle(2)) & Subpresheaf.whole(cycle(2)), "same functor"),
        (
            lambda: preimage(Transformation.identity(cycle(2)), Subpresheaf.whole(cycle(2))),
            "must be one of the transformation's target",
        ),
        (lambda: subpresheaves(complete(7), limit=50).count(), "limit of 50"),
    ],
)
def test_what_is_refused_and_where(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()
