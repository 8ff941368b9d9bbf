"""Resolving sets against known metric dimensions (oracle 22), brute force, and the greedy guarantee."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import coo_array

from presheaf.enriched.anchors import relative_representation, resolving_set
from presheaf.enriched.construct import hom_from_distances, hom_from_features, hom_from_graph
from presheaf.enriched.hom import Hom, Variance
from presheaf.enriched.kernel import angle
from presheaf.enriched.quantale import COST
from presheaf.errors import InputError


def graph(n: int, edges: list[tuple[int, int]], directed: bool = False) -> Hom:
    i, j = np.array(edges).T
    return hom_from_graph(coo_array((np.ones(len(edges)), (i, j)), shape=(n, n)), directed)


def cycle(n: int) -> list[tuple[int, int]]:
    return [(i, (i + 1) % n) for i in range(n)]


def cube(d: int) -> list[tuple[int, int]]:
    return [(v, v ^ (1 << b)) for v in range(1 << d) for b in range(d) if v < v ^ (1 << b)]


def grid(w: int, h: int) -> list[tuple[int, int]]:
    at = {cell: k for k, cell in enumerate(product(range(w), range(h)))}
    return [(at[x, y], at[u, v]) for x, y in at for u, v in ((x + 1, y), (x, y + 1)) if (u, v) in at]


PETERSEN = [*cycle(5), *((i, i + 5) for i in range(5)), *((5 + i, 5 + (i + 2) % 5) for i in range(5))]
# Path 1, complete graph n - 1, cycle 2, grid 2 (Khuller, Raghavachari and Rosenfeld 1996); Petersen 3; cubes 3, 4.
KNOWN = [
    (6, cycle(6), 2),
    (7, cycle(7), 2),
    (5, [(i, i + 1) for i in range(4)], 1),
    (5, list(combinations(range(5), 2)), 4),
    (12, grid(3, 4), 2),
    (10, PETERSEN, 3),
    (8, cube(3), 3),
    (16, cube(4), 4),
]


@pytest.mark.parametrize(("n", "edges", "dimension"), KNOWN)
def test_metric_dimension_of_known_graphs(n: int, edges: list[tuple[int, int]], dimension: int) -> None:
    hom = graph(n, edges)
    exact, greedy = (resolving_set(hom, "contravariant", exact=e) for e in (True, False))
    assert len(exact.anchors) == exact.lower == dimension
    assert exact.smallest
    assert exact.kind == "proof"
    assert greedy.lower <= dimension <= len(greedy.anchors)
    for found in (exact, greedy):
        assert found.unresolved == 0
        assert len(np.unique(relative_representation(hom, found.anchors, "contravariant"), axis=0)) == n


def test_one_anchor_never_resolves_the_six_cycle() -> None:
    d = graph(6, cycle(6)).dense(10**6)
    assert all(len(np.unique(d[:, a])) < 6 for a in range(6))


def brute(d: NDArray[np.float64], tolerance: float) -> int:
    """Fewest columns of d in which all rows that any column tells apart differ by more than the tolerance."""
    n = len(d)
    wanted = [(i, j) for i, j in combinations(range(n), 2) if (np.abs(d[i] - d[j]) > tolerance).any()]
    for k in range(n + 1):
        for chosen in combinations(range(n), k):
            if all((np.abs(d[i, chosen] - d[j, chosen]) > tolerance).any() for i, j in wanted):
                return k
    raise AssertionError


@pytest.mark.parametrize("variance", ["contravariant", "covariant"])
@given(seed=st.integers(0, 10**6), tolerance=st.sampled_from([0.0, 1.0]))
@settings(max_examples=30, deadline=None)
def test_exact_search_agrees_with_brute_force_for_both_variances(
    variance: Variance, seed: int, tolerance: float
) -> None:
    d = np.random.default_rng(seed).integers(0, 4, (7, 7)).astype(float)
    exact = resolving_set(hom_from_distances(d, COST), variance, tolerance, exact=True)
    seen = d if variance == "contravariant" else d.T
    assert len(exact.anchors) == exact.lower == brute(seen, tolerance)
    greedy = resolving_set(hom_from_distances(d, COST), variance, tolerance)
    assert greedy.lower <= exact.lower <= len(greedy.anchors) <= exact.lower * (1 + np.log(21)) + 1e-9
    together = sum(bool((np.abs(a - b) <= tolerance).all()) for a, b in combinations(seen, 2))
    assert exact.unresolved == greedy.unresolved == together


def test_twins_are_unresolved_and_candidates_are_kept_to() -> None:
    x = np.random.default_rng(0).standard_normal((30, 4))
    hom = hom_from_features(np.concatenate([x, x[:3]]), angle())
    found = resolving_set(hom, "covariant", candidates=[5, 7, 9])
    assert found.unresolved == 3
    assert set(found.anchors.tolist()) <= {5, 7, 9}
    # Continuous features: a single anchor separates all but twins, a coarse tolerance needs more.
    assert len(found.anchors) == 1
    assert len(resolving_set(hom, "covariant", tolerance=0.3).anchors) > 2


def test_infinite_distances_agree_with_each_other_only() -> None:
    d = np.array([[0, 1, np.inf, np.inf], [1, 0, np.inf, np.inf], [np.inf, np.inf, 0, 2], [np.inf, np.inf, 2, 0]])
    for tolerance in (0.0, 0.5):
        found = resolving_set(hom_from_distances(d, COST), "contravariant", tolerance, exact=True)
        # One anchor sees the other part as one: its two objects need an anchor of their own.
        assert len(found.anchors) == 2
        assert found.unresolved == 0


def test_limits_and_tolerances_are_checked() -> None:
    hom = graph(6, cycle(6))
    with pytest.raises(InputError, match="limit_bytes=100"):
        resolving_set(hom, "contravariant", limit_bytes=100)
    with pytest.raises(InputError, match="tolerance"):
        resolving_set(hom, "contravariant", tolerance=-1.0)
