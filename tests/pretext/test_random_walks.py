"""The exact law of pairs on random walks, against enumeration, against drawn walks, and against the formula of NetMF."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix

from presheaf.errors import InputError
from presheaf.pretext.data_graphs import load_graph
from presheaf.pretext.random_walks import as_graph, pair_law

Floats = NDArray[np.float64]
KITE = np.array([[0, 2, 1, 0], [2, 0, 3, 0], [1, 3, 0, 1], [0, 0, 1, 0]], dtype=np.float64)


def graphs(n: int = 7) -> st.SearchStrategy[Floats]:
    """Weighted undirected graphs with an edge, isolated nodes and several pieces among them."""

    def symmetric(values: list[int]) -> Floats:
        matrix = np.zeros((n, n))
        matrix[np.triu_indices(n, 1)] = values
        return matrix + matrix.T

    size = n * (n - 1) // 2
    return st.lists(st.sampled_from([0, 0, 1, 1, 2, 5]), min_size=size, max_size=size).filter(any).map(symmetric)


def enumerated(matrix: Floats, window: int, length: int) -> Floats:
    """The law by listing every walk of this length with its probability."""
    n = len(matrix)
    strength = matrix.sum(axis=1)
    pairs = np.zeros((n, n))
    for walk in product(range(n), repeat=length):
        chance = 1.0
        for u, v in pairwise(walk):
            chance *= matrix[u, v] / strength[u]
        for i, j in product(range(length), repeat=2):
            if 0 < abs(i - j) <= window:
                pairs[walk[i], walk[j]] += chance
    return pairs / pairs.sum()


@pytest.mark.parametrize(("window", "length"), [(1, 2), (1, 5), (2, 3), (3, 5), (9, 4)])
def test_the_law_is_what_listing_all_walks_gives(window: int, length: int) -> None:
    law = pair_law(KITE, window, length)
    expected = enumerated(KITE, window, length)
    np.testing.assert_allclose(law.shares(range(4)), expected, atol=1e-14)
    np.testing.assert_allclose(law.occurrences, expected.sum(axis=1), atol=1e-14)
    np.testing.assert_allclose(law.shares([2, 0]), expected[[2, 0]], atol=1e-14)


@given(graphs(), st.integers(1, 6), st.sampled_from([1.0, 5.0]))
def test_long_walks_give_the_matrix_of_netmf(matrix: Floats, window: int, negatives: float) -> None:
    """vol(G) / (b T) (sum_r P^r) D^-1, written out."""
    strength = matrix.sum(axis=1)
    safe = np.where(strength > 0, strength, 1)
    step = matrix / safe[:, None]
    powers = sum(np.linalg.matrix_power(step, r) for r in range(1, window + 1))
    expected = matrix.sum() / (negatives * window) * powers / safe
    law = pair_law(matrix, window)
    np.testing.assert_allclose(law.ratios(range(7), negatives), expected, atol=1e-10)
    np.testing.assert_allclose(law.information(range(7), negatives), np.log(np.maximum(expected, 1)), atol=1e-10)
    assert law.shares(range(7)).sum() == pytest.approx(1)


@given(graphs(), st.integers(1, 5), st.integers(2, 8))
def test_the_law_is_symmetric_and_sums_to_its_margins(matrix: Floats, window: int, length: int) -> None:
    law = pair_law(matrix, window, length)
    shares = law.shares(range(7))
    np.testing.assert_allclose(shares, shares.T, atol=1e-14)
    np.testing.assert_allclose(shares.sum(axis=0), law.occurrences, atol=1e-14)
    assert shares.sum() == pytest.approx(1)


def test_walks_that_are_long_come_near_the_limit() -> None:
    """What differs is the start, whose weight falls like 1 / length."""
    limit = pair_law(KITE, 2).ratios(range(4), 1)
    gaps = [abs(pair_law(KITE, 2, length).ratios(range(4), 1) - limit).max() for length in (10, 100, 1000)]
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=0.3)
    assert gaps[1] / gaps[2] == pytest.approx(10, rel=0.1)


def test_pair_counts_of_drawn_walks_give_m_on_karate() -> None:
    """Law of large numbers: within five standard errors, taken between walks, which are independent."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("networkx")
    from presheaf.pretext.node_vectors import NodeVectors

    graph = load_graph("karate")
    assert graph is not None
    n, window, length = 34, 3, 20
    law = pair_law(graph.train, window, length)
    torch.manual_seed(0)
    walks = NodeVectors(graph.train, law.occurrences, 1).walks(torch.arange(n).repeat(300), length).numpy()
    here = np.arange(len(walks))
    counts = np.zeros((len(walks), n * n), dtype=np.float32)
    for r in range(1, window + 1):
        for i in range(length - r):
            np.add.at(counts, (here, walks[:, i] * n + walks[:, i + r]), 1)
            np.add.at(counts, (here, walks[:, i + r] * n + walks[:, i]), 1)
    total = counts[0].sum()
    mean = (counts.mean(axis=0) / total).reshape(n, n)
    # Walks that start at each node are as many as the law has it, so the spread within a start counts.
    within = counts.reshape(300, n, n * n).var(axis=0, ddof=1).mean(axis=0)
    error = np.sqrt(within / len(walks)).reshape(n, n) / total
    seen = (counts > 0).sum(axis=0).reshape(n, n) >= 30
    assert seen.sum() > 600
    gap = abs(mean - law.shares(range(n)))
    assert (gap[seen] < 5 * error[seen]).all()
    # The logarithm's error, to first order, of the pair and of both margins.
    margin = mean.sum(axis=1)
    share = error / np.maximum(mean, 1e-12) + 2 * (np.sqrt((error**2).sum(axis=1)) / margin).max()
    found = np.log(np.maximum(mean / (margin[:, None] * margin), 1))
    assert (abs(found - law.information(range(n), 1))[seen] < 5 * share[seen]).all()


@settings(max_examples=25)
@given(graphs())
def test_a_walk_takes_edges_only(matrix: Floats) -> None:
    torch = pytest.importorskip("torch")
    from presheaf.pretext.node_vectors import NodeVectors

    keep = matrix.sum(axis=1) > 0
    joined = matrix[keep][:, keep]
    n = len(joined)
    network = NodeVectors(as_graph(joined), np.full(n, 1 / n), 1)
    walks = network.walks(torch.arange(n).repeat(20), 6).numpy()
    assert walks.shape == (20 * n, 6)
    assert (joined[walks[:, :-1], walks[:, 1:]] > 0).all()
    np.testing.assert_array_equal(walks[:, 0], np.tile(np.arange(n), 20))


def test_every_form_of_a_matrix_is_read_the_same() -> None:
    for form in (KITE, KITE.tolist(), csr_array(KITE), csr_matrix(KITE), csr_array(KITE.astype(np.int64))):
        graph = as_graph(form)
        np.testing.assert_array_equal(graph.toarray(), KITE)
        assert graph.dtype == np.float64
    given_one = csr_array(KITE)
    as_graph(given_one).data[:] = 7
    np.testing.assert_array_equal(given_one.toarray(), KITE)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.zeros((0, 0)), "no edge"),
        (np.zeros((3, 3)), "3 nodes and no edge"),
        (np.ones((2, 3)), "shape"),
        ([[0, 1], [1]], "matrix of weights"),
        ([["a", "b"], ["c", "d"]], "matrix of weights"),
        ([[0, 1], [0, 0]], "is directed: 0 -> 1 has weight 1, back 0"),
        ([[0, 1], [2, 0]], "is directed"),
        ([[1, 1], [1, 0]], "to themselves, the first is 0"),
        ([[0, -1], [-1, 0]], "finite weights >= 0"),
        ([[0, np.nan], [np.nan, 0]], "finite weights >= 0"),
        ([[0, np.inf], [np.inf, 0]], "finite weights >= 0"),
    ],
)
def test_what_is_no_graph_is_refused_with_words(matrix: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        as_graph(matrix)


def test_weights_that_differ_by_rounding_are_one_edge() -> None:
    graph = as_graph([[0, 0.1 + 0.2], [0.3, 0]])
    assert graph[0, 1] == graph[1, 0] == pytest.approx(0.3)


def test_numbers_out_of_range_are_refused() -> None:
    for window, length, word in ((0, None, "window"), (1, 1, "length")):
        with pytest.raises(InputError, match=word):
            pair_law(KITE, window, length)
    with pytest.raises(InputError, match="limit_bytes"):
        list(pair_law(KITE, 1).blocks(8))
    assert [(p.start, p.stop) for p in pair_law(KITE, 1).blocks(3 * 4 * 8 * 5)] == [(0, 3), (3, 4)]
