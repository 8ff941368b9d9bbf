"""Random features know the words, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from presheaf.statistics.nulls import random_features


def test_they_are_deterministic_and_depend_on_the_words_of_the_text_only() -> None:
    texts = ["the dog bites the man", "a second text, entirely different"]
    first = random_features(texts, 64, seed=3)
    assert first.shape == (2, 64)
    assert first.dtype == np.float32
    assert np.array_equal(first, random_features(texts, 64, seed=3))
    np.testing.assert_allclose(random_features([texts[1]], 64, seed=3)[0], first[1], atol=1e-6)
    assert not np.allclose(first, random_features(texts, 64, seed=4), atol=0.1)


def test_they_are_blind_to_order_and_case_but_not_to_words() -> None:
    same = random_features(["dog bites man", "Man bites dog", "man  bites\tdog"], 50)
    np.testing.assert_allclose(same[0], same[1], atol=1e-6)
    np.testing.assert_allclose(same[0], same[2], atol=1e-6)
    other = random_features(["dog bites cat"], 50)[0]
    assert np.linalg.norm(other - same[0]) > 0.5


def test_a_text_is_the_mean_of_its_words() -> None:
    a, b, both, twice = random_features(["fish", "whale", "fish whale", "fish fish whale"], 40)
    np.testing.assert_allclose(both, (a + b) / 2, atol=1e-6)
    np.testing.assert_allclose(twice, (2 * a + b) / 3, atol=1e-6)
    assert not random_features(["", "   "], 40).any()
    assert random_features([], 40).shape == (0, 40)


def test_words_are_standard_normal_and_unrelated() -> None:
    words = random_features([f"word{i}" for i in range(300)], 200)
    assert words.mean() == pytest.approx(0, abs=0.02)
    assert words.std() == pytest.approx(1, abs=0.02)
    cosine = (words @ words.T) / 200
    assert np.abs(cosine[~np.eye(300, dtype=bool)]).max() < 0.5


def test_more_words_than_a_block_holds() -> None:
    texts = [f"w{i}" for i in range(9000)]
    features = random_features(texts, 2)
    np.testing.assert_allclose(features[8999], random_features(["w8999"], 2)[0], atol=1e-6)
