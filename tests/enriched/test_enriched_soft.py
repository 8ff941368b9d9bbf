"""Soft prompts: Cover's count (theory oracle 23), and found or not found on held-out objects only."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from presheaf.enriched.soft import cover_probability, linearly_separable, soft_prompt
from presheaf.errors import InputError


def test_cover_count_values() -> None:
    assert cover_probability(10, 10) == 1
    assert cover_probability(20, 10) == pytest.approx(0.5)
    assert cover_probability(30, 10) == pytest.approx(0.0307, abs=5e-5)
    for n in range(1, 12):
        for d in range(1, 12):
            count = 2 * sum(comb(n - 1, k) for k in range(d))
            assert cover_probability(n, d) == pytest.approx(count / 2**n)
    # Far beyond what whole numbers of that size could be divided as floats.
    assert cover_probability(100_000, 50_000) == pytest.approx(0.5)
    assert cover_probability(5, 0) == 0


def test_random_labels_are_separable_as_often_as_cover_says() -> None:
    rng = np.random.default_rng(0)
    for n, d in ((6, 3), (8, 3)):
        hits = sum(linearly_separable(rng.standard_normal((n, d)), rng.random(n) < 0.5) for _ in range(400))
        expected = cover_probability(n, d)
        # Four standard deviations.
        assert abs(hits / 400 - expected) < 4 * np.sqrt(expected * (1 - expected) / 400)


def test_a_linear_task_is_found() -> None:
    rng = np.random.default_rng(1)
    features = rng.standard_normal((400, 12))
    point = rng.standard_normal(12)
    result = soft_prompt(features, features @ point + 0.05 * rng.standard_normal(400), margin=0.25)
    assert result.found
    np.testing.assert_allclose(result.point, point, atol=0.03)
    assert result.level.fitted == 12
    assert result.null_p == 0.01
    assert result.level.root.low <= result.level.root.value <= result.level.root.high
    # The noise, and what fitting 12 numbers to 200 objects adds to it.
    assert 0.045 < result.rho < 0.06
    assert result.level.root.value == pytest.approx(result.rho, rel=0.02)


def test_no_more_objects_than_features_fit_anything_and_find_nothing() -> None:
    rng = np.random.default_rng(2)
    features, task = rng.standard_normal((160, 100)), np.sign(rng.standard_normal(160))
    choosing = np.arange(80)
    result = soft_prompt(features, task, margin=0.99, scoring=np.arange(80, 160))
    assert np.abs(features[choosing] @ result.point - task[choosing]).max() < 1e-9
    assert result.cover == 1
    assert not result.found
    # The point adds its own size to the task's: worse than no point at all, as the cut deviations could not show.
    assert result.rho > result.spread
    assert result.level.beyond > 0.3
    assert "not found" in repr(result)


def test_shuffled_tasks_are_found_no_better_than_chance() -> None:
    rng = np.random.default_rng(5)
    features = rng.standard_normal((60, 4))
    low = sum(soft_prompt(features, rng.standard_normal(60), 0.5, rounds=19, seed=s).null_p <= 0.1 for s in range(200))
    # Binomial(200, 0.1) exceeds 37 with probability below 1e-4.
    assert low <= 37


def test_features_of_low_rank_count_their_rank() -> None:
    rng = np.random.default_rng(3)
    features = rng.standard_normal((300, 3)) @ rng.standard_normal((3, 50))
    result = soft_prompt(features, features[:, 0], margin=1e-6, rounds=0)
    assert result.level.fitted == 3
    assert result.found
    assert np.isnan(result.null_p)
    assert result.cover == pytest.approx(cover_probability(150, 3))


def test_a_rotation_of_the_features_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    features, task = rng.standard_normal((200, 6)), rng.standard_normal(200)
    turn, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    first, second = soft_prompt(features, task, 0.5), soft_prompt(features @ turn, task, 0.5)
    assert first.rho == pytest.approx(second.rho)
    assert first.level.share == second.level.share
    assert first.null_p == second.null_p


def test_wrong_input_is_named() -> None:
    with pytest.raises(InputError, match="one finite number"):
        soft_prompt(np.ones((4, 2)), [1.0, np.inf, 0.0, 0.0], 0.1)
    with pytest.raises(InputError, match="n >= 1"):
        cover_probability(0, 3)
    with pytest.raises(InputError, match="bool array"):
        linearly_separable(np.ones((4, 2)), [1, 0, 1, 0])
