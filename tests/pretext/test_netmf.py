"""NetMF: its matrix by hand, its filter exact at full rank, and what it finds in graphs whose blocks are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import block_diag, csr_array

from presheaf.errors import InputError
from presheaf.pretext.netmf import NetMF, largest, netmf

Floats = NDArray[np.float64]
PATH = np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])
TRIANGLE = np.ones((3, 3)) - np.eye(3)


def random_graph(seed: int, n: int = 12, p: float = 0.4) -> Floats:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((n, n)) < p, 1) * rng.integers(1, 4, (n, n))
    upper[0, 1] = 1
    return (upper + upper.T).astype(np.float64)


def blocks(n: int, inside: float, outside: float, seed: int) -> tuple[csr_array, NDArray[np.int64]]:
    """Two blocks of n / 2 nodes, joined within with probability inside / n, between with outside / n."""
    rng = np.random.default_rng(seed)
    block = np.arange(n) % 2
    chance = np.where(block[:, None] == block, inside, outside) / n
    upper = np.triu(rng.random((n, n)) < chance, 1).astype(np.float64)
    return csr_array(upper + upper.T), block


def rebuilt(embedding: NetMF) -> Floats:
    return embedding.vectors @ embedding.contexts.T


def test_window_one_is_line_of_second_order_by_hand() -> None:
    """ln(vol A_ij / (d_i d_j)), Tang et al. 2015: on a path of three, ln(4 / (1 * 2)) on both edges."""
    np.testing.assert_allclose(rebuilt(netmf(PATH, 3, window=1)), np.log(2) * PATH, atol=1e-12)


@given(st.integers(0, 500))
def test_window_one_is_line_of_second_order(seed: int) -> None:
    graph = random_graph(seed)
    degree = graph.sum(axis=1)
    line = np.zeros_like(graph)
    for i, j in np.argwhere(graph):
        line[i, j] = max(0.0, np.log(graph.sum() * graph[i, j] / (degree[i] * degree[j])))
    np.testing.assert_allclose(rebuilt(netmf(graph, 12, window=1)), line, atol=1e-10)


def test_a_window_of_two_by_hand() -> None:
    """P + P^2 has rows (1/2, 1, 1/2) on the path, so vol / T (P + P^2) D^-1 is 1 everywhere: b = 1 leaves nothing, b = 1/2 ln 2."""
    np.testing.assert_allclose(rebuilt(netmf(PATH, 2, window=2, negatives=0.5)), np.full((3, 3), np.log(2)), atol=1e-12)
    with pytest.raises(InputError, match="M is 0"):
        netmf(PATH, 2, window=2)


@given(st.integers(0, 500), st.integers(1, 12), st.sampled_from([0.5, 0.25]))
def test_the_filter_is_exact_with_all_eigenpairs(seed: int, window: int, negatives: float) -> None:
    graph = random_graph(seed)
    exact = netmf(graph, 12, window, negatives)
    filtered = netmf(graph, 12, window, negatives, rank=12)
    np.testing.assert_allclose(rebuilt(filtered), rebuilt(exact), atol=1e-9)
    np.testing.assert_allclose(np.abs(filtered.values), np.abs(exact.values), atol=1e-9)


def test_fewer_eigenpairs_come_nearer_as_they_grow() -> None:
    graph = random_graph(3, n=60, p=0.1)
    exact = rebuilt(netmf(graph, 60, 10))
    gaps = [np.linalg.norm(rebuilt(netmf(graph, 60, 10, rank=h)) - exact) for h in (5, 20, 40, 60)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 1e-8 < gaps[-2]


@given(st.integers(0, 200), st.integers(1, 11))
def test_rank_d_is_the_best_there_is(seed: int, dim: int) -> None:
    """Eckart and Young 1936: the error is what the left-out singular values leave."""
    graph = random_graph(seed)
    matrix = rebuilt(netmf(graph, 12, 3, 0.5))
    error = np.linalg.norm(matrix - rebuilt(netmf(graph, dim, 3, 0.5)))
    left = np.linalg.svd(matrix, compute_uv=False)[dim:]
    assert error == pytest.approx(np.sqrt((left**2).sum()), abs=1e-8)


@given(st.integers(0, 200))
def test_the_order_of_nodes_and_the_scale_of_weights_change_nothing(seed: int) -> None:
    graph = random_graph(seed)
    order = np.random.default_rng(seed + 1).permutation(12)
    plain = rebuilt(netmf(graph, 12, 4, 0.5))
    np.testing.assert_allclose(
        rebuilt(netmf(graph[order][:, order] * 7, 12, 4, 0.5)), plain[order][:, order], atol=1e-9
    )


def test_pieces_of_a_graph_say_nothing_about_each_other() -> None:
    found = rebuilt(netmf(block_diag([TRIANGLE, 2 * TRIANGLE]), 6, 4))
    np.testing.assert_array_equal(np.abs(found[:3, 3:]) < 1e-12, True)
    assert found[:3, :3].min() > 0.1


def test_an_isolated_node_gets_zeros() -> None:
    graph = np.zeros((5, 5))
    graph[:4, :4] = np.ones((4, 4)) - np.eye(4)
    for rank in (None, 5):
        embedding = netmf(graph, 2, 1, rank=rank)
        np.testing.assert_allclose(embedding.vectors[4], 0, atol=1e-12)
        assert (np.abs(embedding.vectors[:4]).sum(axis=1) > 0).all()


def test_lanczos_and_the_dense_decomposition_agree() -> None:
    graph, _ = blocks(500, 12, 4, 0)
    values, basis = largest(graph, 5, "LM")
    by_size = np.linalg.eigvalsh(graph.toarray())
    np.testing.assert_allclose(np.abs(values), np.sort(np.abs(by_size))[::-1][:5], atol=1e-8)
    np.testing.assert_allclose(graph @ basis, basis * values, atol=1e-7)
    np.testing.assert_allclose(largest(graph, 5, "LA")[0], by_size[::-1][:5], atol=1e-8)
    again = largest(graph, 5, "LM")[1]
    np.testing.assert_array_equal(basis, again)
    assert (basis[np.abs(basis).argmax(axis=0), np.arange(5)] > 0).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_the_second_dimension_finds_two_blocks_above_the_threshold_and_not_below(seed: int) -> None:
    """Kesten and Stigum: (a - b)^2 > 2 (a + b). 196 > 36 above, 1 < 34 below; mean degree 8 or 9 in both."""

    def agreement(inside: float, outside: float) -> float:
        graph, block = blocks(1000, inside, outside, seed)
        side = netmf(graph, 2, 10, rank=100).vectors[:, 1] > 0
        share = float(np.mean(side == (block == 1)))
        return max(share, 1 - share)

    assert agreement(16, 2) > 0.85
    # The better of two signs is above one half by chance: 5 standard errors of it, 0.5 / sqrt(1000) each.
    assert agreement(9, 8) < 0.5 + 5 * 0.5 / np.sqrt(1000)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dim": 4}, "'dim' must lie in 1..3"),
        ({"dim": 0}, "'dim' must lie in 1..3"),
        ({"dim": 1, "rank": 4}, "'rank' must lie in 1..3"),
        ({"dim": 1, "negatives": 0}, "'negatives'"),
        ({"dim": 1, "window": 0}, "'window'"),
        ({"dim": 1, "limit_bytes": 10}, "limit_bytes=10"),
    ],
)
def test_numbers_out_of_range_are_refused(options: dict[str, int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        netmf(PATH, **{"window": 1, **options})


def test_what_it_says_of_itself() -> None:
    embedding = netmf(PATH, 2, 1)
    assert repr(embedding) == "NetMF(3 nodes, 2 dimensions, window 1, 1 negatives, exact)"
    assert embedding.stored == 4
    assert "from 2 eigenpairs" in repr(netmf(PATH, 1, 1, rank=2))
