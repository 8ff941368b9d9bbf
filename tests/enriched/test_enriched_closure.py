"""Closure against scipy's shortest paths, the idempotence of oracle 7, bottlenecks against a plain loop."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra, floyd_warshall

from presheaf.enriched.closure import close_distances, closure, minplus
from presheaf.enriched.construct import hom_from_distances, hom_from_features
from presheaf.enriched.kernel import angle, gaussian
from presheaf.enriched.laws import laws
from presheaf.enriched.quantale import BOOL, COST, FUZZY_MIN, LUKASIEWICZ, QUANTALES, Quantale
from presheaf.errors import InputError


def random_distances(seed: int, n: int, quantale: Quantale) -> np.ndarray:
    rng = np.random.default_rng(seed)
    top = min(quantale.cap, 4.0)
    d = np.round(rng.random((n, n)) * top * 64) / 64 if quantale is not BOOL else np.zeros((n, n))
    d = np.where(rng.random((n, n)) < 0.3, quantale.cap, d)
    np.fill_diagonal(d, 0)
    return d


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.sampled_from(QUANTALES))
def test_closure_is_lawful_below_idempotent_and_the_largest_such(seed: int, n: int, quantale: Quantale) -> None:
    d = random_distances(seed, n, quantale)
    closed = close_distances(d, quantale)
    assert (closed <= d).all()
    # Oracle 7: d * d = d, so closing again changes nothing.
    np.testing.assert_allclose(minplus(closed, closed, quantale), closed, atol=1e-12)
    np.testing.assert_allclose(close_distances(closed, quantale), closed, atol=1e-12)
    # Powers of d by squaring reach every path: an independent road to the largest lawful hom below d.
    power = d
    for _ in range(int(np.ceil(np.log2(n + 1))) + 1):
        power = quantale.add(power[:, :, None], power[None, :, :]).min(axis=1)
    np.testing.assert_allclose(closed, power, atol=1e-12)


@pytest.mark.parametrize("n", [5, 64, 65, 200])
def test_closure_is_scipys_shortest_path(n: int) -> None:
    # scipy takes a 0 of a dense matrix for no edge.
    d = random_distances(n, n, COST) + 0.25
    np.testing.assert_allclose(close_distances(d), floyd_warshall(d), atol=1e-12)
    np.testing.assert_allclose(close_distances(d), dijkstra(d), atol=1e-12)


def test_bottleneck_by_hand() -> None:
    # 0 -1- 1 -3- 2: the widest step on the way is 3, and the direct one is 8.
    d = np.array([[0, 1, 8], [1, 0, 3], [8, 3, 0]]) / 8
    assert close_distances(d, FUZZY_MIN)[0, 2] == 3 / 8
    assert close_distances(d, LUKASIEWICZ)[0, 2] == 4 / 8


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(QUANTALES), st.integers(0, 30), st.integers(1, 150), st.integers(1, 30))
def test_minplus_is_its_definition(seed: int, quantale: Quantale, m: int, n: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    top = min(quantale.cap, 5.0)
    a, b = rng.random((n, m)) * top, rng.random((m, p)) * top
    expected = quantale.add(a[:, :, None], b[None, :, :]).min(axis=1, initial=quantale.cap)
    np.testing.assert_array_equal(minplus(a, b, quantale), expected)
    single = minplus(a.astype(np.float32), b.astype(np.float32), quantale)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-6)


def test_distortion_by_hand() -> None:
    # One shortcut: 0 -> 2 is 5 directly and 2 by 1; 2 -> 0 is inf and stays so.
    d = [[0, 1, 5], [inf, 0, 1], [inf, inf, 0]]
    result = closure(hom_from_distances(d, COST))
    assert (result.largest, result.joined, result.moved) == (3, 0, pytest.approx(1 / 6))
    assert result.mean == pytest.approx(3 / 6)
    assert result.hom.lawful
    d[0][2] = inf
    result = closure(hom_from_distances(d, COST))
    assert (result.largest, result.joined, result.mean) == (inf, 1, 0)


def test_closing_a_lawful_hom_moves_nothing_and_an_unlawful_one_into_law() -> None:
    features = np.random.default_rng(0).standard_normal((80, 3))
    assert closure(hom_from_features(features, angle())).largest < 1e-9
    broken = hom_from_features(features, gaussian(1.0, unlawful=True))
    result = closure(broken)
    assert laws(result.hom).kept
    assert result.hom.symmetric
    assert result.largest > 1
    assert "lawful" in repr(result.hom)


def test_limits_and_shapes_are_refused() -> None:
    hom = hom_from_features(np.ones((50, 2)), angle())
    with pytest.raises(InputError, match="closing 50 objects takes 60,000 bytes"):
        closure(hom, limit_bytes=59_999)
    with pytest.raises(InputError, match=r"minplus needs shapes"):
        minplus(np.ones((2, 3)), np.ones((2, 3)))
