"""Neighbours against sorting the whole matrix, with ties, copies and both directions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from presheaf.enriched import search
from presheaf.enriched.construct import hom_from_distances, hom_from_features, hom_from_probabilities
from presheaf.enriched.hom import Direction, Hom
from presheaf.enriched.kernel import angle, gaussian, hellinger, laplacian
from presheaf.enriched.quantale import COST
from presheaf.enriched.running import Smallest
from presheaf.errors import InputError

DIRECTIONS: tuple[Direction, ...] = ("contravariant", "covariant", "both")


def seen_from(hom: Hom, direction: Direction) -> np.ndarray:
    d = hom.pairs(*(i.ravel() for i in np.indices((hom.n, hom.n)))).reshape(hom.n, hom.n)
    out = {"covariant": d, "contravariant": d.T, "both": np.maximum(d, d.T)}[direction].copy()
    np.fill_diagonal(out, np.inf)
    return out


def check(hom: Hom, k: int, radius: float, direction: Direction, limit: int) -> None:
    d = seen_from(hom, direction)
    order = np.lexsort((np.broadcast_to(np.arange(hom.n), d.shape), d), axis=1)[:, :k]
    indices, distances = hom.nearest(k, direction, limit)
    np.testing.assert_allclose(distances, np.take_along_axis(d, order, axis=1), atol=1e-12)
    np.testing.assert_allclose(np.take_along_axis(d, indices, axis=1), distances, atol=1e-12)
    found = hom.within(radius, direction, limit)
    x, y = np.nonzero(d <= radius)
    np.testing.assert_array_equal(found.rows, x)
    np.testing.assert_array_equal(found.indices, y)
    np.testing.assert_allclose(found.distances, d[x, y], atol=1e-12)
    assert found.graph().nnz == len(x)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["angle", "laplacian", "gaussian", "hellinger"]), st.integers(20, 150))
def test_euclidean_search_is_exact(seed: int, which: str, n: int) -> None:
    rng = np.random.default_rng(seed)
    # Whole numbers, few of them: copies and ties abound.
    features = rng.integers(1, 4, (n, 3)).astype(np.float32)
    kernel = {
        "angle": angle(),
        "laplacian": laplacian(2.0),
        "gaussian": gaussian(1.0, unlawful=True),
        "hellinger": hellinger(),
    }
    if which == "hellinger":
        features = (features / features.sum(axis=1, keepdims=True)).astype(np.float64)  # type: ignore[assignment]
    hom = hom_from_features(features, kernel[which])
    for radius in (0.0, 0.21, 0.5):
        check(hom, int(rng.integers(1, n)), radius, "both", 1 << 22)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_directed_search_is_exact(direction: Direction) -> None:
    rng = np.random.default_rng(5)
    check(hom_from_probabilities(rng.dirichlet(np.ones(4), 60)), 7, 0.8, direction, 1 << 17)
    check(hom_from_distances(rng.integers(0, 5, (40, 40)), COST), 39, 1.0, direction, 1 << 20)


def test_ties_go_to_the_smaller_number() -> None:
    hom = hom_from_features(np.zeros((500, 2), dtype=np.float32), laplacian(1.0))
    indices, distances = hom.nearest(2, "both")
    assert not distances.any()
    np.testing.assert_array_equal(indices[0], [1, 2])
    np.testing.assert_array_equal(indices[7], [0, 1])


def test_radius_zero_finds_copies_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    base = rng.standard_normal((300, 16)).astype(np.float32)
    features = np.concatenate([base, base[:20], base[20:40] * np.float32(1 + 2e-7)])
    found = hom_from_features(features, laplacian(1.0)).within(0.0, "both")
    assert len(found.indices) == 40
    np.testing.assert_array_equal(found.indices[found.rows < 20], np.arange(300, 320))
    count, _ = connected_components(found.graph(), directed=False)
    assert count == 320


def test_near_ties_are_told_apart_in_double_precision() -> None:
    # On a circle of radius 1e4 around far-away points, steps of 1e-6 vanish in float32 squares.
    steps = np.array([0.0, 3e-6, 1e-6, 2e-6, 10.0, 20.0])
    features = np.stack([1e4 + steps, np.zeros(6)], axis=1)
    indices, _ = hom_from_features(features, laplacian(1.0)).nearest(3, "both")
    np.testing.assert_array_equal(indices[0], [2, 3, 1])


def test_too_many_pairs_are_refused() -> None:
    hom = hom_from_features(np.zeros((400, 2)), laplacian(1.0))
    with pytest.raises(InputError, match="smaller radius or raise the limit"):
        hom.within(0.0, "both", limit_bytes=1 << 20)
    with pytest.raises(InputError, match=r"k must lie in 1\.\.399"):
        hom.nearest(400, "both")
    with pytest.raises(InputError, match="radius must be"):
        hom.within(-1, "both")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 30), st.booleans())
def test_the_smallest_so_far_are_kept_tile_by_tile(seed: int, k: int, side: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    matrix = (rng.integers(0, 4, (30, 70)) if ties else rng.random((30, 70))).astype(np.float32)
    seen = Smallest.of(30, k)
    for step, start in enumerate(range(0, 70, side)):
        tile = np.ascontiguousarray(matrix[:, start : start + side])
        seen.offer(np.ascontiguousarray(tile.T) if step % 2 else tile, 0, start, across=bool(step % 2))
    np.testing.assert_array_equal(np.sort(seen.keys, axis=1), np.sort(matrix, axis=1)[:, :k])
    np.testing.assert_array_equal(np.take_along_axis(matrix, seen.columns, axis=1), seen.keys)
    np.testing.assert_array_equal(seen.bound, seen.keys.max(axis=1))
    assert all(len(set(row)) == k for row in seen.columns.tolist())


def test_what_tiles_leave_open_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    # Sorted, so that the first tiles say nothing of the later ones; dense, so that float32 can't settle it.
    monkeypatch.setattr(search, "SIDE", 64)
    monkeypatch.setattr(search, "MANY", 40)
    line = np.sort(np.random.default_rng(2).random(1500))[:, None]
    for scale in (1.0, 1e-4):
        shifted = (1 + scale * line).astype(np.float32)
        indices, distances = hom_from_features(shifted, laplacian(1.0)).nearest(1, "both")
        gaps = np.diff(shifted[:, 0].astype(np.float64))
        expected = np.minimum(np.concatenate([[np.inf], gaps]), np.concatenate([gaps, [np.inf]]))
        np.testing.assert_allclose(distances[:, 0], expected, atol=1e-15)
        np.testing.assert_allclose(np.abs(shifted[indices[:, 0], 0].astype(np.float64) - shifted[:, 0]), expected)
