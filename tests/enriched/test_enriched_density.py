"""Prompt curve and prompt number against brute force, planted worlds and the RotNet groupoid (theory 4.4, oracles 9, 15)."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.enriched.closure import close_distances
from presheaf.enriched.construct import hom_from_distances, hom_from_features, hom_from_relation
from presheaf.enriched.cover import error_of, exact_choice, greedy_cover, least_cover, packing_bounds
from presheaf.enriched.density import prompt_curve, prompt_number
from presheaf.enriched.ensembles import ensembles
from presheaf.enriched.functor import functor_defect
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import laplacian
from presheaf.enriched.quantale import COST, FUZZY_MIN, LUKASIEWICZ, Quantale
from presheaf.enriched.weights import ensemble, fit_weights
from presheaf.errors import InputError


def lawful(seed: int, n: int, quantale: Quantale = COST) -> Hom:
    d = np.random.default_rng(seed).random((n, n)) * min(quantale.cap, 3.0)
    return hom_from_distances(close_distances(d, quantale), quantale, lawful=True)


def three_far(noise: float) -> tuple[Hom, np.ndarray]:
    rng = np.random.default_rng(2)
    centres = 10 * np.eye(3, 8)
    features = np.concatenate([c + rng.standard_normal((60, 8)) for c in centres])
    hom = hom_from_features(features, laplacian(1.0))
    task = ensemble(hom, [5, 70, 130], [0, 0, 0], "contravariant")
    return hom, np.abs(task + noise * rng.standard_normal(180))


def test_path() -> None:
    path = hom_from_distances([[0, 1, 2], [1, 0, 1], [2, 1, 0]], COST, lawful=True)
    curve = prompt_curve(path, [0, 1, 0], "contravariant", 3)
    np.testing.assert_array_equal(curve.high, [1, 0, 0])
    np.testing.assert_array_equal(curve.low, [1, 0, 0])
    assert sorted(curve.fits[1].prompts) == [0, 2]
    number = prompt_number(path, [0, 1, 0], "contravariant", 0)
    assert (number.low, number.high, number.exact) == (2, 2, True)
    assert prompt_number(path, [0, 1, 0], "contravariant", 1).high == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([COST, LUKASIEWICZ, FUZZY_MIN]))
def test_curve_agrees_with_all_subsets(seed: int, quantale: Quantale) -> None:
    rng = np.random.default_rng(seed)
    hom = lawful(seed, 7, quantale)
    task = rng.random(7) * min(quantale.cap, 2.0)
    best = [
        min(fit_weights(hom, task, list(a), "contravariant").error for a in combinations(range(7), k))
        for k in (1, 2, 3)
    ]
    exact = prompt_curve(hom, task, "contravariant", 3, exact=True)
    np.testing.assert_allclose(exact.high, best, atol=1e-12)
    assert exact.exact.all()
    greedy = prompt_curve(hom, task, "contravariant", 3)
    assert (greedy.low <= np.array(best) + 1e-12).all()
    assert (greedy.high >= np.array(best) - 1e-12).all()
    assert greedy.high[0] == pytest.approx(best[0], abs=1e-12)
    for k, fit in enumerate(greedy.fits, 1):
        assert len(fit.prompts) <= k
        reached = ensemble(hom, fit.prompts, fit.weights, "contravariant")
        assert np.abs(reached - task).max() == pytest.approx(greedy.high[k - 1], abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_curve_falls_to_nothing_on_a_presheaf(seed: int) -> None:
    hom = lawful(seed, 8)
    task = ensemble(hom, [0, 3], np.random.default_rng(seed).random(2), "covariant")
    curve = prompt_curve(hom, task, "covariant", 8)
    assert (np.diff(curve.high) <= 0).all()
    assert curve.high[-1] < 1e-12
    assert prompt_number(hom, task, "covariant", 0).high <= 2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_k_center_within_twice_the_least(seed: int) -> None:
    points = np.random.default_rng(seed).random((14, 2))
    hom = hom_from_features(points, laplacian(1.0))
    d = hom.dense(10**6)
    curve = prompt_curve(hom, np.zeros(14), "contravariant", 3)
    assert "at most twice" in curve.guarantee
    exact = prompt_curve(hom, np.zeros(14), "contravariant", 3, exact=True)
    assert "exact" in exact.guarantee
    for k in (1, 2, 3):
        least = min(d[:, list(a)].min(axis=1).max() for a in combinations(range(14), k))
        assert least - 1e-9 <= curve.high[k - 1] <= 2 * least + 1e-9
        assert curve.low[k - 1] <= least + 1e-9
        assert exact.high[k - 1] == pytest.approx(least, abs=1e-9)
        assert exact.low[k - 1] == pytest.approx(least, abs=1e-9)


def test_three_far_representables_need_three_prompts() -> None:
    hom, task = three_far(0.0)
    number = prompt_number(hom, task, "contravariant", 0.0)
    assert (number.low, number.high) == (3, 3)
    assert number.fit is not None
    np.testing.assert_array_equal(np.sort(number.fit.prompts), [5, 70, 130])
    noisy, values = three_far(0.01)
    assert prompt_number(noisy, values, "contravariant", 0.05).high == 3
    curve = prompt_curve(noisy, values, "contravariant", 4)
    assert curve.high[1] > 5
    assert curve.low[1] > 5
    assert curve.high[2] < 0.05


def test_three_far_representables_on_held_out_objects() -> None:
    hom, task = three_far(0.01)
    result = ensembles(hom, task, "contravariant", 0.05, 3, candidates=np.arange(180))
    assert result.enough == 3
    assert [level.verdict for level in result.levels] == ["cannot say", "cannot say", "representable"]
    assert result.levels[2].fitted == 3
    # On held-out objects nearly all of two thirds are far off with one prompt.
    assert result.levels[0].share.value > 0.5
    assert result.curve.objects == 90


def test_rotnet_class_of_free_orbits_needs_one_prompt_each() -> None:
    # Action groupoid of C4: orbits of 4, 4, 4, 2, 1 images; within an orbit everything is related.
    sizes = [4, 4, 4, 2, 1]
    orbit = np.repeat(np.arange(5), sizes)
    hom = hom_from_relation(orbit[:, None] == orbit)
    cost = hom_from_distances(hom.dense(10**6), COST, lawful=True)
    for k in (1, 2, 3):
        task = np.where(orbit < k, 0.0, np.inf)
        for each in (hom, cost):
            number = prompt_number(each, task, "contravariant", 0)
            assert (number.low, number.high) == (k, k)
            curve = prompt_curve(each, task, "contravariant", 4)
            assert (np.isinf(curve.high) == (np.arange(1, 5) < k)).all()
            assert sorted(orbit[curve.fits[3].prompts]) == list(range(k))


def test_no_number_of_prompts_may_do() -> None:
    # Half an orbit is no presheaf: nothing tells its images apart.
    hom = hom_from_relation(np.ones((4, 4)))
    number = prompt_number(hom, [0, 0, np.inf, np.inf], "contravariant", 0)
    assert number.high is None
    assert number.fit is None
    # A task that is the cap everywhere needs no prompt.
    none = prompt_number(hom, [np.inf] * 4, "contravariant", 0)
    assert (none.low, none.high) == (0, 0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_exact_search_where_the_bounds_leave_a_gap(seed: int) -> None:
    # No metric: costs at random, so that pairs of rows say little about the best choice.
    costs = np.random.default_rng(seed).integers(0, 40, (16, 9)).astype(float)
    free = np.full(16, np.inf)
    for k in (2, 3):
        least = min(costs[:, list(a)].min(axis=1).max() for a in combinations(range(9), k))
        low = packing_bounds(costs, free, k)[k - 1]
        assert low <= least
        columns, proved = exact_choice(costs, free, k, low, np.arange(k), 10_000)
        assert (error_of(costs, free, columns), proved) == (least, least)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_covers_agree_with_brute_force(seed: int) -> None:
    covers = np.random.default_rng(seed).random((9, 7)) < 0.35
    sizes = [k for k in range(1, 8) for c in combinations(range(7), k) if covers[:, list(c)].any(axis=1).all()]
    cover = least_cover(covers)
    if not sizes:
        assert cover.columns is None
        return
    assert cover.columns is not None
    assert len(cover.columns) == cover.least == sizes[0]
    assert covers[:, cover.columns].any(axis=1).all()
    greedy = greedy_cover(covers, 9)
    assert greedy is not None
    assert len(greedy) <= (1 + np.log(9)) * sizes[0]
    assert least_cover(covers, nodes=0).least <= sizes[0]


def test_wrong_input_is_named() -> None:
    hom = lawful(0, 5)
    with pytest.raises(InputError, match="most must be at least 1"):
        prompt_curve(hom, np.zeros(5), "contravariant", 0)
    with pytest.raises(InputError, match="margin"):
        prompt_number(hom, np.zeros(5), "contravariant", -1)
    with pytest.raises(InputError, match="limit_bytes"):
        prompt_curve(hom, np.zeros(5), "contravariant", 2, limit_bytes=100)


def test_the_least_error_of_any_number_is_that_of_all_candidates() -> None:
    line = hom_from_distances(np.abs(np.subtract.outer([0, 0.1, 0.2], [0, 0.1, 0.2])), COST, lawful=True)
    task = np.array([0.0, 1.0, 0.0])
    number = prompt_number(line, task, "contravariant", 0.2)
    # T(1) - d(1, 0) - T(0) = .9 is the functor defect of T, and half of it is what the nearest presheaf leaves (oracle 11).
    assert number.least == pytest.approx(functor_defect(line, task, "contravariant") / 2)
    assert number.least == pytest.approx(0.45)
    assert (number.high, number.fit) == (None, None)
    assert prompt_number(line, task, "contravariant", 0.46).high is not None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_no_choice_of_candidates_beats_the_least_error(seed: int) -> None:
    hom, rng = lawful(seed, 7), np.random.default_rng(seed)
    task = rng.random(7) * 2
    least = prompt_number(hom, task, "contravariant", 0.1, candidates=[1, 3, 4]).least
    errors = [
        fit_weights(hom, task, list(chosen), "contravariant").error
        for k in (1, 2, 3)
        for chosen in combinations([1, 3, 4], k)
    ]
    assert min(errors) == pytest.approx(least)
