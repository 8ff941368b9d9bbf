"""One class for all homs: blocks, columns, subsets and outside points against the whole matrix; constructors by hand."""

from __future__ import annotations

from math import inf, log, pi
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import floyd_warshall

from presheaf.enriched import sources
from presheaf.enriched.construct import (
    hom_from_counts,
    hom_from_distances,
    hom_from_features,
    hom_from_graph,
    hom_from_probabilities,
    hom_from_relation,
    hom_from_values,
)
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import angle, hellinger, laplacian, max_log_ratio
from presheaf.enriched.quantale import ANGLE, BOOL, COST, PROBABILITY
from presheaf.errors import InputError

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((30, 4)).astype(np.float32)
ROWS = RNG.dirichlet(np.ones(6), 30)
DIRECTED = RNG.random((30, 30))
np.fill_diagonal(DIRECTED, 0)
EDGES = csr_array(np.where(RNG.random((30, 30)) < 0.1, RNG.integers(1, 9, (30, 30)), 0).astype(float))

HOMS = [
    hom_from_features(FEATURES, angle()),
    hom_from_features(FEATURES.astype(np.float64), laplacian(1.0)),
    hom_from_probabilities(ROWS),
    hom_from_distances(DIRECTED, COST),
    hom_from_graph(EDGES, directed=True),
]


@pytest.mark.parametrize("hom", HOMS, ids=lambda h: h.name)
def test_every_view_is_a_part_of_the_whole(hom: Hom) -> None:
    whole = hom.dense(1 << 14)
    assert whole.shape == (30, 30)
    np.testing.assert_allclose(hom.distances([3, 1], slice(4, 9)), whole[[3, 1], 4:9], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(hom.columns([5, 2], "contravariant"), whole[:, [5, 2]], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(hom.columns([5, 2], "covariant"), whole[[5, 2]].T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(hom.row(7, "contravariant"), whole[:, 7], atol=1e-12)
    np.testing.assert_allclose(hom.row(7, "covariant"), whole[7], atol=1e-12)
    np.testing.assert_allclose(hom.pairs([1, 4, 1], [2, 2, 29]), whole[[1, 4, 1], [2, 2, 29]], atol=1e-12)
    np.testing.assert_allclose(hom.take([9, 4, 4]).dense(1 << 14), whole[np.ix_([9, 4, 4], [9, 4, 4])], atol=1e-12)
    blocks = list(hom.blocks(30 * 8 * 4 * 7, np.float64))
    assert [b.shape for _, b in blocks] == [(7, 30)] * 4 + [(2, 30)]
    np.testing.assert_allclose(np.concatenate([b for _, b in blocks]), whole, atol=1e-12)
    assert hom.symmetric == np.allclose(whole, whole.T)


def test_limits_are_kept_and_named() -> None:
    hom = HOMS[0]
    with pytest.raises(InputError, match="limit_bytes=7,199"):
        hom.dense(30 * 30 * 8 - 1)
    with pytest.raises(InputError, match="Raise the limit"):
        list(hom.blocks(100))
    with pytest.raises(InputError, match="'variance' must be one of contravariant, covariant"):
        hom.columns([0], "both")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"objects must lie in 0\.\.29"):
        hom.distances([30])


def test_outside_points_are_reached_in_the_direction_asked_for() -> None:
    hom = hom_from_probabilities(ROWS[:20])
    inside = hom_from_probabilities(ROWS).dense(1 << 14)
    np.testing.assert_allclose(hom.between(ROWS[20:], "contravariant", np.float64), inside[:20, 20:], atol=1e-12)
    np.testing.assert_allclose(hom.between(ROWS[20:], "covariant", np.float64), inside[20:, :20].T, atol=1e-12)
    assert hom.extended(ROWS[20:]).n == 30
    with pytest.raises(InputError, match="must have 6 features; got 5"):
        hom.between(ROWS[:, :5], "covariant")
    with pytest.raises(InputError, match="only a hom made from features"):
        HOMS[3].between(ROWS, "covariant")


def test_equal_features_are_at_distance_zero_in_any_precision() -> None:
    features = np.repeat(FEATURES[:3], 4, axis=0)
    for dtype in (np.float32, np.float64):
        d = hom_from_features(features.astype(dtype), angle()).distances(dtype=dtype)  # type: ignore[arg-type]
        assert np.count_nonzero(d == 0) == 3 * 16


def test_graph_distances_are_shortest_paths() -> None:
    expected = floyd_warshall(EDGES)
    np.testing.assert_allclose(HOMS[4].dense(1 << 14), expected)
    both = hom_from_graph(EDGES, directed=False)
    # Of the two lengths a pair can have, the shorter counts.
    dense = np.where(EDGES.toarray() > 0, EDGES.toarray(), inf)
    np.testing.assert_allclose(both.dense(1 << 14), floyd_warshall(np.minimum(dense, dense.T)))
    assert both.symmetric
    assert both.lawful


def test_a_graph_keeps_edges_of_length_zero() -> None:
    edges = csr_array((np.array([0.0, 2.0]), (np.array([0, 1]), np.array([1, 2]))), shape=(3, 3))
    np.testing.assert_array_equal(hom_from_graph(edges, True).dense(1 << 10), [[0, 0, 2], [inf, 0, 2], [inf, inf, 0]])
    with pytest.raises(InputError, match="must be >= 0"):
        hom_from_graph(-EDGES, True)


def test_relation_is_checked_to_be_a_preorder() -> None:
    chain = np.triu(np.ones((4, 4), dtype=int)) * 3
    hom = hom_from_relation(chain)
    assert hom.lawful
    assert hom.quantale is BOOL
    np.testing.assert_array_equal(hom.dense(1 << 10) == 0, chain > 0)
    chain[0, 3] = 0
    with pytest.raises(InputError, match=r"holds for \(0, [12]\) and \([12], 3\), not for \(0, 3\)"):
        hom_from_relation(chain)
    with pytest.raises(InputError, match="from every object to itself; 1 lacks it"):
        hom_from_relation([[1, 0], [0, 0]])


def test_counts_by_hand() -> None:
    # Objects 0 and 1 have the same context, object 2 another: PPMI is ln(4 / 2) on the one, ln(4 / 2) on the other.
    hom = hom_from_counts(csr_array(np.array([[1, 0], [1, 0], [0, 2]])))
    np.testing.assert_allclose(hom.dense(1 << 10), [[0, 0, pi / 2], [0, 0, pi / 2], [pi / 2, pi / 2, 0]], atol=1e-7)
    assert hom.quantale is ANGLE
    # N = 6: PPMI of (0,0) ln(2*6/(3*3)) = ln 4/3, of (0,1) max(0, ln(1*6/(3*3))) = 0, mirrored for object 1.
    np.testing.assert_allclose(hom_from_counts([[2, 1], [1, 2]]).dense(1 << 10), [[0, pi / 2], [pi / 2, 0]], atol=1e-7)
    with pytest.raises(InputError, match="row 0 is zero"):
        hom_from_counts([[1, 1], [1, 1]])
    with pytest.raises(InputError, match="limit_bytes"):
        hom_from_counts(np.ones((10, 10)), limit_bytes=10)


def test_values_and_distances_are_two_faces_of_one_hom() -> None:
    values = np.array([[1, 0.5], [0.25, 1]])
    hom = hom_from_values(values, PROBABILITY)
    np.testing.assert_allclose(hom.dense(1 << 10), [[0, log(2)], [log(4), 0]])
    assert hom.lawful is None
    assert not hom.symmetric
    with pytest.raises(InputError, match=r"lie in \[0, inf\]; got -1 at \(0, 1\)"):
        hom_from_distances([[0, -1], [1, 0]], COST)
    with pytest.raises(InputError, match=r"shape \(n, n\)"):
        hom_from_distances(np.zeros((2, 3)), COST)


def test_a_floor_on_probabilities_is_named() -> None:
    rows = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert np.isinf(hom_from_probabilities(rows).dense(1 << 10)).any()
    floored = hom_from_probabilities(rows, max_log_ratio(), floor=0.1)
    assert "floored at 0.1" in floored.name
    # (1, .1) / 1.1 against (.5, .5): ln(.5 * 1.1 / .1).
    assert floored.dense(1 << 10)[1, 0] == pytest.approx(log(5.5))
    assert hom_from_probabilities(rows, hellinger()).symmetric


def test_features_that_cannot_be_used_are_named() -> None:
    with pytest.raises(InputError, match="row 1 holds nan or inf"):
        hom_from_features([[1.0], [np.nan]], laplacian(1))
    with pytest.raises(InputError, match=r"shape \(n, d\)"):
        hom_from_features([1.0, 2.0], laplacian(1))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("collide", [False, True])
def test_equal_rows_get_one_number_whatever_their_hashes(
    kind: type[np.floating[Any]], collide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if collide:
        monkeypatch.setattr(sources, "row_hashes", lambda rows: np.zeros(len(rows), dtype=np.uint64))
    rows = np.random.default_rng(1).integers(0, 3, (60, 3)).astype(kind)
    # -0 is 0, and what differs in the last bit only is not equal.
    rows[1], rows[2], rows[3] = (0, 0, 7), (-0.0, 0, 7), (0, 0, np.nextafter(kind(7), kind(8)))
    number = sources.equal_rows(rows)
    np.testing.assert_array_equal(number[:, None] == number, (rows[:, None] == rows).all(axis=2))
    assert number[1] == number[2] != number[3]
    assert sources.equal_rows(np.zeros((4, 0), dtype=kind)).tolist() == [0] * 4
