"""Representability (Theorem 1): theory's oracles 7 to 9, planted prompts, and verdicts that keep their level."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls
from scipy.stats import beta, binom

from presheaf.enriched import concave
from presheaf.enriched.closure import close_distances
from presheaf.enriched.concave import contradictions, fit_concave, fit_kinked, screen
from presheaf.enriched.construct import (
    hom_from_distances,
    hom_from_features,
    hom_from_probabilities,
    hom_from_relation,
)
from presheaf.enriched.defects import class_task, net_radius, representability_defects
from presheaf.enriched.evidence import Criteria, bernstein, split_objects
from presheaf.enriched.false_alarms import false_representable_rate
from presheaf.enriched.functor import functor_defect
from presheaf.enriched.hom import Hom, Variance
from presheaf.enriched.kernel import angle, laplacian
from presheaf.enriched.quantale import COST, FUZZY_MIN, LUKASIEWICZ, Quantale
from presheaf.enriched.representability import Representability, representability
from presheaf.enriched.weights import ensemble
from presheaf.errors import InputError

VARIANCES: tuple[Variance, ...] = ("contravariant", "covariant")


def lawful(seed: int, n: int, quantale: Quantale = COST) -> Hom:
    d = np.random.default_rng(seed).random((n, n)) * min(quantale.cap, 3.0)
    return hom_from_distances(close_distances(d, quantale), quantale, lawful=True)


def cloud(n: int = 400, seed: int = 0) -> Hom:
    return hom_from_features(np.random.default_rng(seed).standard_normal((n, 6)), angle())


def planted(prompt: int = 17, noise: float = 0.02) -> tuple[Hom, np.ndarray, np.ndarray]:
    """A hom, a task that is the prompt's representable with noise, and scoring objects without the prompt."""
    hom, rng = cloud(), np.random.default_rng(1)
    task = np.clip(hom.row(prompt, "contravariant") + noise * rng.standard_normal(hom.n), 0, np.pi)
    return hom, task, np.setdiff1d(rng.permutation(hom.n)[: hom.n // 2], [prompt])


def test_path() -> None:
    path = hom_from_distances([[0, 1, 2], [1, 0, 1], [2, 1, 0]], COST, lawful=True)
    result = representability_defects(path, [0, 1, 0], "contravariant")
    np.testing.assert_array_equal(result.rho, [2, 1, 2])
    np.testing.assert_array_equal(result.own, [0, 1, 0])
    np.testing.assert_array_equal(result.beyond, [2, 1, 2])
    assert (result.best, result.least, result.functor, result.complete) == (1, 1, 0, True)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([COST, LUKASIEWICZ, FUZZY_MIN]), st.sampled_from(VARIANCES))
def test_yoneda_and_the_sup_distance_on_presheaves(seed: int, quantale: Quantale, variance: Variance) -> None:
    hom, rng = lawful(seed, 8, quantale), np.random.default_rng(seed)
    task = ensemble(hom, [1, 2, 6], rng.random(3) * min(quantale.cap, 2.0), variance)
    result = representability_defects(hom, task, variance)
    d = hom.dense(10**6) if variance == "contravariant" else hom.dense(10**6).T
    np.testing.assert_allclose(result.rho, np.abs(task[:, None] - d).max(axis=0), atol=1e-12)
    assert result.functor < 1e-12
    if quantale.sums:
        # Yoneda, and with it oracle 8: the sup distance is the larger of T(p) and what T has beyond p's reach.
        np.testing.assert_allclose(result.within, task, atol=1e-12)
        np.testing.assert_allclose(result.rho, np.maximum(result.own, result.beyond), atol=1e-12)
        # Yoneda is isometric, so near prompts have near defects.
        apart = np.abs(result.rho[:, None] - result.rho)
        assert (apart <= np.maximum(d, d.T) + 1e-12).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([COST, LUKASIEWICZ, FUZZY_MIN]), st.sampled_from(VARIANCES))
def test_functor_defect_is_the_one_of_all_pairs(seed: int, quantale: Quantale, variance: Variance) -> None:
    hom = lawful(seed, 7, quantale)
    task = np.random.default_rng(seed).random(7) * min(quantale.cap, 2.0)
    complete = representability_defects(hom, task, variance)
    assert complete.functor == pytest.approx(functor_defect(hom, task, variance), abs=1e-12)
    some = representability_defects(hom, task, variance, candidates=[2, 5])
    assert not some.complete
    assert some.functor <= complete.functor
    np.testing.assert_array_equal(some.rho, complete.rho[[2, 5]])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([COST, LUKASIEWICZ, FUZZY_MIN]), st.sampled_from(VARIANCES))
def test_a_net_of_candidates_speaks_for_all_objects(seed: int, quantale: Quantale, variance: Variance) -> None:
    hom, rng = lawful(seed, 12, quantale), np.random.default_rng(seed)
    task = rng.random(12) * min(quantale.cap, 2.0)
    some = rng.permutation(12)[:4]
    d = hom.dense(10**6)
    eta = net_radius(hom, some)
    assert eta == max(min(max(d[p, y], d[y, p]) for p in some) for y in range(12))
    least = representability_defects(hom, task, variance).least
    assert least >= representability_defects(hom, task, variance, some).least - eta - 1e-12


def test_rotnet_orbits_and_infinite_distances() -> None:
    orbit = np.repeat([0, 1], 4)
    hom = hom_from_relation(orbit[:, None] == orbit)
    one = representability_defects(hom, class_task(hom, orbit == 0, np.inf), "contravariant")
    assert (one.least, one.functor) == (0, 0)
    np.testing.assert_array_equal(one.rho, [0] * 4 + [np.inf] * 4)
    both = representability_defects(hom, np.zeros(8), "contravariant")
    assert both.least == np.inf


def test_direction_matters() -> None:
    rng = np.random.default_rng(3)
    hom = hom_from_probabilities(rng.dirichlet(np.ones(5), 60))
    task = hom.row(7, "covariant")
    right = representability_defects(hom, task, "covariant")
    assert (right.best, right.least) == (7, 0)
    assert representability_defects(hom, task, "contravariant").least > 0.1


def test_blocks_and_order_change_nothing() -> None:
    hom, task, scoring = planted()
    small = 400 * 8 * 4 * 7
    whole, parts = (representability_defects(hom, task, "contravariant", limit_bytes=b) for b in (1 << 28, small))
    np.testing.assert_array_equal(whole.rho, parts.rho)
    first, second = (
        representability(hom, task, "contravariant", 0.08, scoring=scoring, limit_bytes=b) for b in (1 << 28, small)
    )
    assert (first.value, first.calibrated, first.null_p) == (second.value, second.calibrated, second.null_p)
    order = np.random.default_rng(0).permutation(400)
    moved = representability_defects(hom.take(order), task[order], "contravariant")
    assert order[moved.best] == whole.best
    np.testing.assert_allclose(moved.rho, whole.rho[order], atol=1e-9)


def test_a_noisy_representable_is_promptable_and_its_prompt_is_found() -> None:
    hom, task, scoring = planted()
    result = representability(hom, task, "contravariant", 0.08, scoring=scoring)
    assert result.value.verdict == "representable"
    assert result.value.prompts == (17,)
    assert result.calibrated.prompts == (17,)
    assert result.null_p == 0.01
    assert result.value.kind == "estimate"
    assert result.defects.kind == "proof"
    # Mean absolute value and standard deviation of the noise.
    assert result.value.mean.low < 0.02 * sqrt(2 / np.pi) < result.value.mean.high
    assert result.value.root.low < 0.02 < result.value.root.high
    assert "prompt 17" in repr(result)


def test_a_concave_reading_is_representable_at_calibrated_level_only() -> None:
    hom, _, scoring = planted()
    task = np.sqrt(hom.row(17, "contravariant"))
    result = representability(hom, task, "contravariant", 0.08, scoring=scoring)
    assert result.value.verdict == "not within the candidates"
    assert result.calibrated.verdict == "representable"
    assert result.calibrated.prompts == (17,)
    assert result.calibrated.fitted == result.calibration.fitted >= 2


def test_a_shuffled_task_is_not_within_the_candidates() -> None:
    hom, task, scoring = planted()
    shuffled = np.random.default_rng(8).permutation(task)
    result = representability(hom, shuffled, "contravariant", 0.08, scoring=scoring)
    assert result.value.verdict == "not within the candidates"
    assert result.calibrated.verdict == "not within the candidates"
    assert result.null_p > 0.05
    # Intersection-union by hand: the candidate with the fewest objects outside, and the lower end of its interval.
    choosing, held = split_objects(400, scoring)
    outside = (np.abs(hom.dense(1 << 24)[:, choosing] - shuffled[:, None])[held] > 0.08).sum(axis=0).min()
    assert result.value.least == pytest.approx(beta.ppf(0.05, outside, len(held) - outside + 1))


def test_half_the_contradicted_pairs_lie_outside_every_reading() -> None:
    # 0 or 3 at random: a pair contradicts only where its values differ, which half of the pairs do, so the share outside that
    # is proved can't pass a quarter but by chance.
    hom = cloud()
    task = np.where(np.random.default_rng(9).random(400) < 0.5, 0.0, 3.0)
    result = representability(hom, task, "contravariant", 0.1, rounds=0)
    assert result.calibrated.verdict == "not within the candidates"
    assert 0.1 < result.calibrated.least < 0.3


def test_few_objects_can_not_say() -> None:
    hom, task, _ = planted()
    few = hom.take(np.arange(60))
    result = representability(few, task[:60], "contravariant", 0.08, candidates=[17], rounds=0)
    assert result.value.verdict == "cannot say"
    assert "at least 59 are needed" in result.value.reason
    assert np.isnan(result.null_p)
    # A prompt among the scoring objects does not speak for itself.
    scoring = np.arange(30)
    own = representability(few, task[:60], "contravariant", 0.08, candidates=[17], scoring=scoring, rounds=0)
    assert own.value.share.rows == 29


def test_label_tasks() -> None:
    rng = np.random.default_rng(4)
    features = np.concatenate([0.05 * rng.standard_normal((150, 4)), 20 + rng.standard_normal((150, 4))])
    hom = hom_from_features(features, laplacian(10.0))
    task = class_task(hom, np.arange(300) < 150, 4.0)
    # Class 0 lies within 0.03 of its middle and class 1 at about 4 from it.
    result = representability(hom, task, "contravariant", 0.25)
    assert result.value.verdict == "representable"
    assert result.value.prompts[0] < 150
    infinite = representability(hom, class_task(hom, np.arange(300) < 150, np.inf), "contravariant", 0.25, rounds=9)
    assert infinite.value.verdict == "not within the candidates"
    assert infinite.calibrated.verdict != "representable"


def test_criteria_and_intervals() -> None:
    criteria = Criteria(0.1, outside=0.05, alpha=0.05)
    assert criteria.least_objects == 59
    low, high = criteria.share(0, 59)
    assert (low, high) == (0, pytest.approx(1 - 0.05 ** (1 / 59)))
    # The rule of three: none among n outside leaves at most 3 / n.
    assert criteria.share(0, 300)[1] <= 3 / 300
    values = np.random.default_rng(0).random(50)
    interval = bernstein(values, 1.0, 0.05)
    half = sqrt(2 * values.var(ddof=1) * log(40) / 50) + 7 * log(40) / (3 * 49)
    assert interval.low == pytest.approx(values.mean() - half)
    assert interval.high == pytest.approx(values.mean() + half)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_no_concave_reading_is_called_contradicted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    near, far = rng.random((2, 40, 3)) * 3
    slopes, knots = rng.random(4), rng.random(4) * 3

    def g(d: np.ndarray) -> np.ndarray:
        return sum(s * np.minimum(d, k) for s, k in zip(slopes, knots, strict=True))

    margin = 0.2
    tasks = [g(d[:, 1]) + rng.uniform(-margin, margin, 40) for d in (near, far)]
    assert contradictions(near, far, *tasks, margin + 1e-12)[1] == 0


def test_contradictions_by_hand() -> None:
    # Nearer but larger; nearer by half but less than half; fine; both at infinity.
    near, far = np.array([[1.0], [1.0], [1.0], [np.inf]]), np.array([[2.0], [2.0], [2.0], [np.inf]])
    first, second = np.array([3.0, 0.4, 0.6, np.inf]), np.array([1.0, 1.0, 1.0, np.inf])
    assert contradictions(near, far, first, second, 0.0)[0] == 2
    assert contradictions(far, near, second, first, 0.0)[0] == 2
    assert contradictions(near, far, first, second, 1.1)[0] == 0


def test_screening_finds_what_the_exact_fit_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concave, "SWEEPS", 20_000)
    rng = np.random.default_rng(5)
    distances, task = rng.random((80, 4)) * 2, rng.random(80)
    distances[3, 2] = np.inf
    impossible, squares = screen(distances, task)
    np.testing.assert_array_equal(impossible, [0, 0, 1, 0])
    for p in range(4):
        g = fit_concave(distances[:, p], task)
        fine = np.isfinite(distances[:, p])
        _, left = nnls(np.minimum(distances[fine, p, None], g.knots), task[fine])
        assert squares[p] == pytest.approx(left**2, rel=1e-6)
        assert np.sum((g(distances[fine, p]) - task[fine]) ** 2) == pytest.approx(left**2)
    np.testing.assert_array_equal(
        fit_concave(np.array([np.inf, 0.0]), np.array([np.inf, 0.0]))(np.array([np.inf])), [np.inf]
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_the_kinked_reading_leaves_the_fewest_outside(seed: int) -> None:
    """Against all slopes at which some object enters or leaves the margin, for every knot that is allowed."""
    rng = np.random.default_rng(seed)
    distances, task, margin = rng.random(15) * 2, rng.choice([0.0, 1.0, rng.random()], 15), 0.25
    distances[0] = 0.0
    found = fit_kinked(distances, task, margin)
    best = 0
    for knot in [*np.quantile(distances, concave.KNOTS, method="inverted_cdf"), np.inf]:
        size = np.minimum(distances, knot)
        away = size[size > 0]
        for slope in np.maximum((task[size > 0] + [[margin], [-margin]]) / away, 0).ravel():
            best = max(best, int((np.abs(slope * size - task) <= margin + 1e-9).sum()))
    assert (np.abs(found(distances) - task) <= margin + 1e-9).sum() == best
    assert found(np.array([0.0, np.inf])).tolist() == [0.0, np.inf]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_curve_is_never_worse_than_the_distance_where_it_is_fitted(share: float) -> None:
    """Labels at random: the best answer is one for all rows, "on" or "off", and the curve finds the commoner one."""
    hom = cloud(800, seed=2)
    task = np.where(np.random.default_rng(3).random(800) < share, 0.0, 1.5)
    result = representability(hom, task, "contravariant", 0.3, rounds=0, scoring=np.arange(400, 800))
    rows = [hom.row(level.prompts[0], "contravariant")[:400] for level in (result.value, result.calibrated)]
    choosing = task[:400]
    value = (np.abs(rows[0] - choosing) > 0.3).mean()
    calibrated = (np.abs(result.calibration(rows[1]) - choosing) > 0.3).mean()
    assert calibrated <= value
    # The prompt is at distance 0 from itself whatever the curve is, and its nearest neighbours are near.
    assert calibrated <= min((choosing == 0).mean(), (choosing > 0).mean()) + 0.01


def test_the_null_of_the_calibrated_level() -> None:
    hom, _, scoring = planted()
    curved = np.sqrt(hom.row(17, "contravariant"))
    seen = representability(hom, curved, "contravariant", 0.08, scoring=scoring, rounds=19, candidates=np.arange(60))
    assert seen.calibrated_null_p == 1 / 20
    none = representability(hom, curved, "contravariant", 0.08, scoring=scoring, rounds=0, candidates=[17])
    assert np.isnan(none.calibrated_null_p)
    # For tasks that mean nothing p is at most .1 in a tenth of the cases, and takes other values too.
    rng = np.random.default_rng(7)
    tasks = [rng.permutation(curved) for _ in range(30)]
    p = [
        representability(hom, task, "contravariant", 0.3, rounds=9, seed=s, candidates=range(20)).calibrated_null_p
        for s, task in enumerate(tasks)
    ]
    assert sum(one <= 0.1 for one in p) <= binom.ppf(0.999, 30, 0.1)
    assert min(p) < 0.7


def test_wrong_input_is_named() -> None:
    hom, task, _ = planted()
    for bad, match in (
        ({"margin": -1}, "margin"),
        ({"margin": 0.1, "alpha": 0}, "alpha"),
        ({"margin": 0.1, "candidates": [1, 1]}, "candidates"),
        ({"margin": 0.1, "scoring": np.arange(400)}, "scoring"),
        ({"margin": 0.1, "limit_bytes": 10}, "limit_bytes"),
    ):
        with pytest.raises(InputError, match=match):
            representability(hom, task, "contravariant", **bad)
    with pytest.raises(InputError, match="bool array"):
        class_task(hom, [1], 1.0)
    with pytest.raises(InputError, match="off must"):
        class_task(hom, np.ones(400, dtype=bool), 4.0)
    with pytest.raises(InputError, match="near constant"):
        false_representable_rate(hom, np.ones(400), "contravariant", 0.1, 5)


def contaminated(seed: int, share: float) -> Representability:
    """One candidate whose representable is the task but for a share of independent objects."""
    rng = np.random.default_rng(seed)
    hom = hom_from_features(rng.standard_normal((201, 3)), laplacian(1.0))
    task = hom.row(0, "contravariant") + (rng.random(201) < share)
    return representability(
        hom, task, "contravariant", 0.5, candidates=[0], scoring=np.arange(101, 201), outside=0.1, rounds=0, seed=seed
    )


@pytest.mark.slow
def test_verdicts_at_the_edge_keep_their_level() -> None:
    # Just beyond and just within what is allowed: each wrong verdict at most at level 5 %, and not never.
    found = sum(contaminated(s, 0.101).value.verdict == "representable" for s in range(500))
    missed = sum(contaminated(s, 0.099).value.verdict == "not within the candidates" for s in range(500))
    limit = binom.ppf(0.999, 500, 0.05)
    assert 0 < found <= limit
    assert 0 < missed <= limit


@pytest.mark.slow
def test_shuffled_tasks_are_rarely_called_representable() -> None:
    hom, task, _ = planted()
    for margin in (0.1, 0.5, 0.8):
        result = false_representable_rate(hom.take(np.arange(200)), task[:200], "contravariant", margin, 300)
        assert result.value.low <= 0.05
        assert result.calibrated.low <= 0.05


@pytest.mark.slow
def test_intervals_cover_at_least_their_level() -> None:
    # The share outside and the mean deviation of a fixed prompt, against a population large enough to be the truth.
    rng = np.random.default_rng(0)
    population = np.abs(rng.standard_normal(200_000)) * 0.1
    criteria = Criteria(0.15)
    share, bound = (population > 0.15).mean(), 0.6
    mean = np.minimum(population, bound).mean()
    seen = [criteria.judge("value", 0, rng.choice(population, 150), bound, 0.0, 0) for _ in range(1000)]
    for interval, truth in (("share", share), ("mean", mean)):
        ends = [getattr(level, interval) for level in seen]
        # Each end at level 5 %; Binomial(1000, 0.05) exceeds 74 with probability below 1e-3.
        assert sum(e.high < truth for e in ends) <= 74
        assert sum(e.low > truth for e in ends) <= 74
