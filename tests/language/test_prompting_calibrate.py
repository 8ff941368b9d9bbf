"""Calibration against the formulas, brute force, and an independent optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from presheaf.language.calibrate import CALIBRATIONS, best_prompt, contextual_shift, fitted_shift, judge


def test_contextual_calibration_by_hand():
    # Of a text without content the model says .8 / .2; of the row .6 / .4. Divided: .75 against 2.
    shift = contextual_shift(np.log([[0.8, 0.2]]))
    scores = np.log([0.6, 0.4]) + shift
    np.testing.assert_allclose(np.exp(scores), [0.75, 2.0])


def test_contextual_calibration_averages_normalised_probabilities():
    # Unnormalised sums .02 and .5 must not weigh the two texts: (.5 + .9) / 2 and (.5 + .1) / 2.
    shift = contextual_shift(np.log([[0.01, 0.01], [0.45, 0.05]]))
    np.testing.assert_allclose(np.exp(-shift), [0.7, 0.3])


@given(st.lists(st.integers(0, 1), min_size=1, max_size=40), st.integers(0, 1000), st.floats(-30, 30))
def test_two_classes_call_as_many_rows_by_each_name_as_carry_it(labels, seed, leaning):
    y = np.array(labels)
    scores = np.random.default_rng(seed).normal(size=(len(y), 2)) + np.array([leaning, 0])
    predicted = (scores + fitted_shift(scores, y, 2)).argmax(axis=1)
    assert (predicted == 1).sum() == (y == 1).sum()


def test_two_balanced_classes_are_cut_at_the_median():
    scores = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 10.0], [0.0, 50.0]])
    shift = fitted_shift(scores, np.array([0, 0, 1, 1]), 2)
    assert shift[0] - shift[1] == pytest.approx(6.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 6), st.integers(5, 60), st.integers(0, 10_000), st.sampled_from([0.1, 1.0, 20.0]))
def test_more_classes_against_an_independent_optimiser(classes, n, seed, scale):
    rng = np.random.default_rng(seed)
    scores = scale * rng.normal(size=(n, classes)) + rng.normal(size=classes) * 3
    y = rng.integers(0, classes, n)
    shift = fitted_shift(scores, y, classes)
    share = (np.bincount(y, minlength=classes) + 1) / (n + classes)

    def loss(b):
        return logsumexp(scores + b, axis=1).mean() - share @ b

    other = minimize(loss, np.zeros(classes), method="BFGS", options={"gtol": 1e-9})
    assert loss(shift) <= other.fun + 1e-7
    np.testing.assert_allclose(softmax(scores + shift, axis=1).mean(axis=0), share, atol=1e-6)
    assert shift.sum() == pytest.approx(0, abs=1e-9)


def test_impossible_answers_and_absent_classes_stay_finite():
    scores = np.array([[-np.inf, -1.0, -2.0], [-1.0, -np.inf, -2.0], [-np.inf, -np.inf, -np.inf]])
    assert np.isfinite(fitted_shift(scores, np.array([0, 0, 0]), 3)).all()
    assert np.isfinite(contextual_shift(np.array([[-np.inf, 0.0]]))).all()
    judged = judge(scores, np.array([1, 0, 2]), scores, np.array([0, 1, 2]))
    assert judged.predict(scores, 0).tolist() == [1, 0, 0]


def test_the_choosing_half_is_judged_on_folds_it_was_not_fitted_on():
    rng = np.random.default_rng(3)
    scores, y, fold = rng.normal(size=(30, 2)) + np.array([2, 0]), rng.integers(0, 2, 30), np.arange(30) % 3
    hits = 0
    for f in range(3):
        margins, known = scores[fold != f, 1] - scores[fold != f, 0], y[fold != f]
        # Brute force: a threshold that calls as many rows 0 as there are.
        ranked = np.sort(margins)
        k = int((known == 0).sum())
        threshold = (ranked[k - 1] + ranked[k]) / 2
        hits += int((((scores[fold == f, 1] - scores[fold == f, 0]) > threshold) == y[fold == f]).sum())
    judged = judge(scores, y, np.zeros((1, 2)), fold)
    assert judged.accuracy[2] == pytest.approx(hits / 30)
    assert judged.accuracy[0] == pytest.approx((scores.argmax(axis=1) == y).mean())


def test_a_leaning_is_found_and_taken_off():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 300)
    scores = np.stack([-(y - 0.5), y - 0.5], axis=1) + rng.normal(size=(300, 2)) * 0.3 + [4.0, 0.0]
    judged = judge(scores, y, np.array([[4.0, 0.0]]), np.arange(300) % 3)
    raw, contextual, fitted = judged.accuracy
    assert raw < 0.6 < 0.95 < min(contextual, fitted)
    assert judged.calibrate in CALIBRATIONS[1:]
    assert (judged.predict(scores) == y).mean() > 0.95


def test_equal_calibrations_give_the_simplest_and_equal_prompts_the_first():
    y = np.array([0, 1] * 6)
    scores = np.stack([1.0 - y, y], axis=1)
    judged = judge(scores, y, np.zeros((1, 2)), np.arange(12) % 3)
    assert judged.calibrate == "none"
    assert best_prompt([judged, judged]) == 0
