"""The published evaluation of node embeddings, against scikit-learn's scores and labels whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from presheaf.errors import InputError
from presheaf.pretext.node_scores import f1, likeliest, node_scores, score_difference


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 5))
def test_f1_is_that_of_scikit_learn(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    predicted, true = rng.random((2, n, k)) < 0.4
    micro, macro = f1(predicted, true)
    assert micro == pytest.approx(f1_score(true, predicted, average="micro", zero_division=0) if k > 1 else micro)
    each = [f1_score(true[:, j], predicted[:, j], zero_division=0) for j in range(k)]
    assert macro == pytest.approx(np.mean(each))


def test_the_number_of_labels_of_a_node_is_given() -> None:
    scores = np.array([[0.1, 0.9, 0.5], [0.3, 0.2, 0.1], [0.5, 0.5, 0.5]])
    chosen = likeliest(scores, np.array([2, 0, 1]))
    np.testing.assert_array_equal(chosen, [[0, 1, 1], [0, 0, 0], [1, 0, 0]])


def test_one_split_by_hand() -> None:
    """The same split, fitted label by label by scikit-learn and ranked by its own ranking."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((60, 3))
    labels = (features @ rng.standard_normal((3, 4)) + rng.standard_normal((60, 4))) > 0.5
    labels[~labels.any(axis=1), 0] = True
    found = node_scores(features, labels, 0.5, shuffles=2, null=False, seed=5)
    draws = np.random.default_rng(5)
    expected = []
    for _ in range(2):
        order = draws.permutation(60)
        train, test = order[:30], order[30:]
        scores = np.column_stack(
            [
                LogisticRegression().fit(features[train], labels[train, j]).decision_function(features[test])
                for j in range(4)
            ]
        )
        predicted = np.zeros((30, 4), dtype=bool)
        for row, (score, count) in enumerate(zip(scores, labels[test].sum(axis=1), strict=True)):
            predicted[row, score.argsort()[::-1][:count]] = True
        expected.append(f1_score(labels[test], predicted, average="micro"))
    assert found.micro.value == pytest.approx(np.mean(expected))
    half = 12.706 * np.std(expected, ddof=1) / np.sqrt(2)
    assert found.micro.high == pytest.approx(min(1, np.mean(expected) + half), abs=1e-4)
    assert (found.trained, found.tested, found.null_micro) == (30, 30, None)


def test_planted_labels_are_found_and_permuted_ones_are_not() -> None:
    rng = np.random.default_rng(1)
    block = rng.integers(0, 4, 200)
    features = np.eye(4)[block] + 0.1 * rng.standard_normal((200, 4))
    found = node_scores(features, csr_array(np.eye(4)[block]), 0.3, shuffles=5)
    assert found.micro.value > 0.99
    assert found.null_micro is not None
    assert found.null_macro is not None
    assert found.null_micro.high < 0.4
    assert abs(found.null_micro.value - 0.25) < 0.08
    assert "30% of 200 nodes train" in repr(found)


def test_a_label_without_a_training_node_is_never_given_first() -> None:
    features = np.arange(10.0)[:, None]
    labels = np.zeros((10, 2), dtype=int)
    labels[:, 0] = 1
    labels[9] = [0, 1]
    split_without = next(s for s in range(99) if 9 in np.random.default_rng(s).permutation(10)[5:])
    found = node_scores(features, labels, 0.5, shuffles=2, null=False, seed=split_without)
    assert found.macro.value < found.micro.value < 1


def test_nodes_without_labels_neither_train_nor_test() -> None:
    rng = np.random.default_rng(2)
    features, labels = rng.standard_normal((30, 2)), np.eye(3)[rng.integers(0, 3, 30)]
    padded = np.vstack([labels, np.zeros((50, 3))])
    more = np.vstack([features, np.full((50, 2), 1e3)])
    plain = node_scores(features, labels, 0.5, shuffles=3)
    wider = node_scores(more, padded, 0.5, shuffles=3)
    assert (wider.trained, wider.tested) == (plain.trained, plain.tested) == (15, 15)
    assert wider.micro == plain.micro


@pytest.mark.parametrize(
    ("features", "labels", "share", "shuffles", "words"),
    [
        (np.ones((3, 1)), np.ones((4, 1)), 0.5, 2, "same nodes"),
        (np.ones((4, 1)), np.ones(4), 0.5, 2, "same nodes"),
        (np.full((4, 1), np.nan), np.ones((4, 1)), 0.5, 2, "finite"),
        (np.ones((4, 1)), np.ones((4, 1)), 0.0, 2, "share"),
        (np.ones((4, 1)), np.ones((4, 1)), 0.01, 2, "share"),
        (np.ones((4, 1)), np.zeros((4, 1)), 0.5, 2, "share"),
        (np.ones((4, 1)), np.ones((4, 1)), 0.5, 1, "shuffles"),
    ],
)
def test_what_can_not_be_scored_is_refused(
    features: object, labels: object, share: float, shuffles: int, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        node_scores(features, labels, share, shuffles)  # type: ignore[arg-type]


def test_a_difference_is_taken_split_by_split() -> None:
    rng = np.random.default_rng(3)
    labels = np.eye(3)[rng.integers(0, 3, 90)]
    good, bad = labels + 0.5 * rng.standard_normal((90, 3)), rng.standard_normal((90, 3))
    a, b = (node_scores(one, labels, 0.5, shuffles=4, null=False) for one in (good, bad))
    micro, macro = score_difference(a, b)
    assert micro.value == pytest.approx(a.micro.value - b.micro.value)
    assert macro.value == pytest.approx(a.macro.value - b.macro.value)
    assert micro.low > 0
    assert score_difference(b, a)[0].high == pytest.approx(-micro.low)
    assert score_difference(a, a)[0].half_width == 0
    with pytest.raises(InputError, match="same splits"):
        score_difference(a, node_scores(bad, labels, 0.4, shuffles=4, null=False))
