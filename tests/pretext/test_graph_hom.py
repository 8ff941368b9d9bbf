"""The category of random walks, and the one that d dimensions keep."""

from __future__ import annotations

import numpy as np
import pytest

from presheaf.enriched.construct import hom_from_counts, hom_from_features
from presheaf.enriched.ideality import ideality
from presheaf.enriched.kernel import angle
from presheaf.enriched.quantale import LUKASIEWICZ
from presheaf.errors import InputError
from presheaf.pretext.data_graphs import load_graph
from presheaf.pretext.graph_hom import information_kernel, rank_hom, rank_ideality, walk_hom
from presheaf.pretext.netmf import netmf
from presheaf.pretext.random_walks import pair_law

pytest.importorskip("networkx")
PATH = np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])


@pytest.fixture(scope="module")
def miserables() -> object:
    data = load_graph("miserables")
    assert data is not None
    return data.train


def test_values_by_hand() -> None:
    """On a path of three with window 1 both edges have M = ln 2, so hom 1 - 1/2; other pairs have 0."""
    hom = walk_hom(PATH, 1, 1)
    assert hom.quantale is LUKASIEWICZ
    assert (hom.symmetric, hom.lawful, hom.fitted) == (True, False, 0)
    np.testing.assert_allclose(hom.dense(1 << 20), 1 - PATH / 2, atol=1e-14)
    np.testing.assert_allclose(walk_hom(PATH, 1, 1, [2, 1]).dense(1 << 20), [[1, 0.5], [0.5, 1]], atol=1e-14)


def test_all_dimensions_are_ideal_and_fewer_are_not(miserables: object) -> None:
    full = rank_ideality(miserables, netmf(miserables, 77, 5, 2))
    assert full.value.value < 1e-6
    measured = [rank_ideality(miserables, netmf(miserables, d, 5, 2)) for d in (1, 8, 32)]
    values = [one.value.value for one in measured]
    assert values == sorted(values, reverse=True)
    assert values[-1] > 1e-3
    assert all(one.p == 0.05 and one.value.high < one.null.min() for one in measured[1:])


def test_ideality_by_brute_force(miserables: object) -> None:
    embedding = netmf(miserables, 6, 3, 1)
    nodes = np.array([3, 70, 11, 5, 27, 48, 10, 12])
    law = pair_law(miserables, 3)
    total = 0.0
    for u in nodes:
        row = law.information([u], 1)[0]
        for v in nodes:
            if u != v:
                product = float(embedding.vectors[u] @ embedding.contexts[v])
                total += abs((1 - np.exp(-max(0.0, product))) - (1 - np.exp(-row[v])))
    found = rank_ideality(miserables, embedding, nodes, repeats=2)
    assert found.value.value == pytest.approx(total / (len(nodes) * (len(nodes) - 1)), rel=1e-9)


def test_the_angle_of_ppmi_rows_is_the_hom_from_counts(miserables: object) -> None:
    """At one negative M is the positive pointwise mutual information of the shares."""
    law = pair_law(miserables, 4)
    rows = law.information(np.arange(77), 1)
    counted = hom_from_counts(law.shares(np.arange(77))).dense(1 << 24)
    np.testing.assert_allclose(counted, hom_from_features(rows, angle()).dense(1 << 24), atol=1e-5)


def test_the_kernel_is_directed_and_agrees_with_itself() -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((6, 8))
    hom = hom_from_features(features, information_kernel())
    block = hom.dense(1 << 20)
    u, v = np.meshgrid(range(6), range(6), indexing="ij")
    np.testing.assert_allclose(hom.pairs(u.ravel(), v.ravel()).reshape(6, 6), block, atol=1e-12)
    assert block[2, 5] == pytest.approx(np.exp(-max(0.0, float(features[2, :4] @ features[5, 4:]))))
    assert not np.allclose(block, block.T)
    assert not hom.symmetric


def test_a_shuffled_embedding_is_no_better_than_the_null(miserables: object) -> None:
    embedding = netmf(miserables, 32, 5, 1)
    order = np.random.default_rng(1).permutation(77)
    found = ideality(rank_hom(embedding).take(order), walk_hom(miserables, 5, 1), "covariant", "none", repeats=99)
    assert found.null.min() * 0.9 < found.value.value
    assert found.p > 0.01


def test_wrong_nodes_and_odd_features_are_refused() -> None:
    for nodes in ([3], [-1], [0.5], [[0]]):
        with pytest.raises(InputError, match=r"numbers in 0\.\.2"):
            walk_hom(PATH, 1, 1, nodes)
    with pytest.raises(InputError, match="same length"):
        hom_from_features(np.ones((2, 3)), information_kernel())
