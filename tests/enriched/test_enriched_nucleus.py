"""Isbell completions against theory oracle 13, laws of the adjunction, and corners by brute force over linear equations."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from presheaf.enriched.closure import close_distances
from presheaf.enriched.construct import hom_from_distances, hom_from_relation
from presheaf.enriched.hom import Hom
from presheaf.enriched.nucleus import (
    Profunctor,
    is_tight,
    isbell_lower,
    isbell_upper,
    nucleus_vertices,
    presheaf_distances,
    tighten,
)
from presheaf.enriched.quantale import BOOL, COST, FUZZY_MIN, LUKASIEWICZ, Quantale
from presheaf.errors import InputError


def space(n: int, seed: int, quantale: Quantale = COST) -> Hom:
    scale = 3.0 if quantale is COST else 1.0
    distances = np.random.default_rng(seed).uniform(0, scale, (n, n))
    return hom_from_distances(close_distances(distances, quantale), quantale)


def test_two_points_complete_to_a_rectangle() -> None:
    r, s = 2.0, 0.7
    hom = hom_from_distances([[0, r], [s, 0]], COST)
    corners = nucleus_vertices(hom)
    assert corners.presheaves == pytest.approx(np.array([[0, 0], [0, s], [r, 0], [r, s]]), abs=1e-8)
    for p in np.linspace(0, r, 5):
        for q in np.linspace(0, s, 5):
            assert is_tight(hom, [p, q])
            assert isbell_upper(hom, [p, q]) == pytest.approx([s - q, r - p])
    assert not is_tight(hom, [r + 0.1, 0.1])
    assert not is_tight(hom, [0.1, s + 0.1])
    # Yoneda: the representables of the two points are opposite corners.
    assert hom.row(0, "contravariant") == pytest.approx([0, s])
    assert hom.row(1, "contravariant") == pytest.approx([r, 0])
    closed, upper = tighten(hom, [r + 1, s + 3])
    assert closed == pytest.approx([r, s])
    assert upper == pytest.approx([0, 0])


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), quantale=st.sampled_from([COST, LUKASIEWICZ, FUZZY_MIN]))
def test_laws_of_the_adjunction(seed: int, quantale: Quantale) -> None:
    hom = space(6, seed, quantale)
    rng = np.random.default_rng(seed)
    top = 3.0 if quantale is COST else 1.0
    f, g = rng.uniform(0, top, (6, 3)), rng.uniform(0, top, (6, 3))
    upper, lower = isbell_upper(hom, f), isbell_lower(hom, g)
    # f and g meet in the middle: g >= upper(f) exactly where f >= lower(g), as distances.
    for i in range(3):
        for j in range(3):
            assert bool((g[:, j] >= upper[:, i]).all()) == bool((f[:, i] >= lower[:, j]).all())
    closed, again = tighten(hom, f)
    assert (closed <= f + 1e-12).all()
    assert is_tight(hom, closed)
    assert isbell_upper(hom, closed) == pytest.approx(again, abs=1e-9)
    assert is_tight(hom, hom.columns(range(6), "contravariant", np.float64))
    assert isbell_upper(hom, hom.row(2, "contravariant")) == pytest.approx(hom.row(2, "covariant"), abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_one_side_tells_the_distance_of_the_other(seed: int) -> None:
    hom = space(5, seed)
    f, g = tighten(hom, np.random.default_rng(seed).uniform(0, 3, (5, 4)))
    d = presheaf_distances(f, f)
    assert d == pytest.approx(presheaf_distances(g, g).T, abs=1e-9)
    representables = hom.columns(range(5), "contravariant", np.float64)
    # Yoneda: hom from a representable is the presheaf's value, and among representables it is the hom.
    assert presheaf_distances(representables, f) == pytest.approx(f, abs=1e-9)
    assert presheaf_distances(representables, representables) == pytest.approx(
        hom.distances(dtype=np.float64), abs=1e-9
    )


def test_bool_gives_upper_and_lower_bounds() -> None:
    # Dedekind-MacNeille: of a set in a preorder, the objects above all of it and then those below all of these.
    below = np.tril(np.ones((4, 4), dtype=bool)).T
    hom = hom_from_relation(below)
    some = BOOL.distance([0, 1, 1, 0])
    assert list(isbell_upper(hom, some)) == [np.inf, np.inf, 0, 0]
    assert list(isbell_lower(hom, isbell_upper(hom, some))) == [0, 0, 0, np.inf]


def brute_corners(matrix: NDArray[np.float64]) -> set[tuple[float, ...]]:
    n, m = matrix.shape
    lines, right = [], []
    for a in range(n):
        for b in range(m):
            row = np.zeros(n + m)
            row[a] = row[n + b] = 1
            lines.append(row)
            right.append(matrix[a, b])
    lines += list(np.eye(n + m))
    right += [0.0] * (n + m)
    every, level = np.array(lines), np.array(right)
    corners = set()
    for chosen in combinations(range(len(every)), n + m):
        part = every[list(chosen)]
        if abs(np.linalg.det(part)) > 1e-9:
            point = np.linalg.solve(part, level[list(chosen)])
            if (every @ point >= level - 1e-9).all():
                corners.add(tuple(np.round(point, 6) + 0.0))
    return corners


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 3)])
def test_corners_by_brute_force(shape: tuple[int, int], seed: int) -> None:
    matrix = np.random.default_rng(seed).integers(0, 5, shape).astype(float)
    if matrix.max() == 0:
        matrix[0, 0] = 1
    found = nucleus_vertices(Profunctor(matrix))
    points = {tuple(p) for p in np.round(np.hstack([found.presheaves, found.copresheaves]), 6) + 0.0}
    assert points == brute_corners(matrix)
    profunctor = Profunctor(matrix)
    assert is_tight(profunctor, found.presheaves.T, tolerance=1e-7)
    upper = isbell_upper(profunctor, found.presheaves.T)
    assert np.allclose(upper.T, found.copresheaves, atol=1e-7)


def test_blocks_change_nothing_and_input_is_checked() -> None:
    hom = space(40, 1)
    f = np.random.default_rng(0).uniform(0, 2, 40)
    assert isbell_upper(hom, f, limit_bytes=40 * 8 * 4 * 3) == pytest.approx(isbell_upper(hom, f))
    assert isbell_lower(hom, f, limit_bytes=40 * 8 * 4 * 3) == pytest.approx(isbell_lower(hom, f))
    assert len(nucleus_vertices(Profunctor(np.zeros((2, 2))))) == 1
    with pytest.raises(InputError, match="up to 8"):
        nucleus_vertices(hom)
    with pytest.raises(InputError, match="one distance for each"):
        isbell_upper(hom, [1.0, 2.0])
    with pytest.raises(InputError, match="distances of the quantale"):
        isbell_upper(hom, -f)
    with pytest.raises(InputError, match="finite distances"):
        nucleus_vertices(Profunctor(np.array([[0, np.inf]])))
    with pytest.raises(InputError, match="must be of shape"):
        Profunctor(np.array([[-1.0]]))
    with pytest.raises(InputError, match="must be columns"):
        presheaf_distances([1.0], [2.0])
