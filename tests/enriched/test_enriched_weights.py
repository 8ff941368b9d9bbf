"""Prompts with weights: the best ones against brute force and linear programs (theory oracle 15), and the density theorem."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from presheaf.enriched.closure import close_distances
from presheaf.enriched.construct import hom_from_distances, hom_from_relation
from presheaf.enriched.hom import Hom, Variance
from presheaf.enriched.quantale import BOOL, COST, FUZZY_MIN, LUKASIEWICZ, Quantale
from presheaf.enriched.weights import cover_costs, ensemble, fit_weights, weights_from
from presheaf.errors import InputError

VARIANCES: tuple[Variance, ...] = ("contravariant", "covariant")


def lawful(seed: int, n: int, quantale: Quantale = COST) -> Hom:
    d = np.random.default_rng(seed).random((n, n)) * min(quantale.cap, 3.0)
    return hom_from_distances(close_distances(d, quantale), quantale, lawful=True)


def least_by_programs(d: np.ndarray, task: np.ndarray, lower: float | None) -> float:
    """One linear program for each way to say which prompt covers which object."""
    n, k = d.shape
    stay = np.hstack([-np.tile(np.eye(k), (n, 1)), -np.ones((n * k, 1))])
    best = np.inf
    for who in product(range(k), repeat=n):
        reach = np.hstack([np.eye(k)[list(who)], -np.ones((n, 1))])
        bounds = np.concatenate([d.ravel() - np.repeat(task, k), task - d[np.arange(n), list(who)]])
        result = linprog(
            [0.0] * k + [1.0],
            np.vstack([stay, reach]),
            bounds,
            bounds=[(lower, None)] * k + [(0, None)],
            method="highs",
        )
        if result.status == 0:
            best = min(best, result.fun)
    return best


@pytest.mark.parametrize("seed", range(6))
def test_best_weights_agree_with_linear_programs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d, task = rng.random((6, 2)) * 3, rng.random(6) * 3
    fit = weights_from(d, task, np.arange(2), COST)
    assert fit.error == pytest.approx(least_by_programs(d, task, 0.0), abs=1e-11)
    assert fit.unclipped == pytest.approx(least_by_programs(d, task, None), abs=1e-11)
    assert fit.unclipped <= fit.error
    assert (fit.weights >= 0).all()


def test_half_the_residual() -> None:
    # Weights above T: max(1 - 0, 4 - 2) = 2, then T_w = (2, 4, 5) over T = (1, 4, 3): excess 2, half of it 1.
    fit = weights_from(np.array([[0.0], [2.0], [3.0]]), np.array([1.0, 4.0, 3.0]), np.arange(1), COST)
    assert (fit.error, fit.unclipped) == (1.0, 1.0)
    np.testing.assert_array_equal(fit.weights, [1.0])
    # Here the half-residual weight is -1/2, which leaves the quantale: at 0 the error is 1 instead of 1/2.
    low = weights_from(np.array([[1.0], [1.0]]), np.array([0.0, 1.0]), np.arange(1), COST)
    assert (low.error, low.unclipped) == (1.0, 0.5)
    np.testing.assert_array_equal(low.weights, [0.0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([LUKASIEWICZ, FUZZY_MIN]))
def test_best_weights_agree_with_a_search(seed: int, quantale: Quantale) -> None:
    # With distances in eighths the best weights and errors are sixteenths, so a search over these is exact.
    rng = np.random.default_rng(seed)
    d, task = rng.integers(0, 9, (5, 2)) / 8, rng.integers(0, 9, 5) / 8
    grid = np.arange(17) / 16
    reached = np.minimum(
        quantale.add(d[:, 0], grid[:, None])[:, None, :], quantale.add(d[:, 1], grid[:, None])[None, :, :]
    )
    best = np.abs(reached - task).max(axis=2).min()
    fit = weights_from(d, task, np.arange(2), quantale)
    assert fit.error == best
    assert np.abs(quantale.add(d, fit.weights).min(axis=1) - task).max() == best


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([COST, LUKASIEWICZ, FUZZY_MIN]))
def test_each_cost_is_the_error_of_weights_that_see_it_alone(seed: int, quantale: Quantale) -> None:
    # The error of one prompt is its largest cost, up to where the cap is near enough.
    rng = np.random.default_rng(seed)
    d, task = rng.random((7, 3)), rng.random(7)
    costs = cover_costs(d, task, quantale)
    for p in range(3):
        alone = weights_from(d[:, [p]], task, np.array([p]), quantale)
        assert alone.error == pytest.approx(np.minimum(costs[:, p], quantale.cap - task).max(), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([COST, LUKASIEWICZ, FUZZY_MIN]), st.sampled_from(VARIANCES))
def test_density_theorem(seed: int, quantale: Quantale, variance: Variance) -> None:
    rng = np.random.default_rng(seed)
    hom = lawful(seed, 9, quantale)
    # Any ensemble is a presheaf; a presheaf is the ensemble of all objects weighted with itself.
    task = ensemble(hom, [1, 4, 7], rng.random(3) * min(quantale.cap, 2.0), variance)
    np.testing.assert_allclose(ensemble(hom, np.arange(9), task, variance), task, atol=1e-12)
    # Left Kan extension from some objects stays above it.
    some = np.array([0, 2, 8])
    assert (ensemble(hom, some, task[some], variance) >= task - 1e-12).all()
    assert fit_weights(hom, task, np.arange(9), variance).error < 1e-12


def test_infinite_distances() -> None:
    # Two components; the task lives on the first.
    hom = hom_from_relation(np.kron(np.eye(2), np.ones((2, 2))))
    task = np.array([0, 0, np.inf, np.inf])
    fit = fit_weights(hom, task, [0], "contravariant")
    assert (fit.error, fit.weights[0]) == (0.0, 0.0)
    assert fit_weights(hom, task, [2], "contravariant").error == np.inf
    both = fit_weights(hom, task, [0, 2], "contravariant")
    assert both.error == 0.0
    # The prompt outside the class is left out by an infinite weight.
    np.testing.assert_array_equal(both.weights, [0.0, np.inf])
    assert hom.quantale is BOOL
    cost = hom_from_distances(hom.dense(10**6), COST)
    np.testing.assert_array_equal(fit_weights(cost, task, [0, 2], "covariant").weights, [0.0, np.inf])


def test_blocks_change_nothing_and_direction_matters() -> None:
    hom = lawful(3, 40)
    weights = np.random.default_rng(0).random(40)
    whole = ensemble(hom, np.arange(40), weights, "contravariant")
    np.testing.assert_array_equal(
        whole, ensemble(hom, np.arange(40), weights, "contravariant", limit_bytes=40 * 8 * 4 * 3)
    )
    d = hom.dense(10**6)
    np.testing.assert_array_equal(ensemble(hom, [5], [0.5], "contravariant"), d[:, 5] + 0.5)
    np.testing.assert_array_equal(ensemble(hom, [5], [0.5], "covariant"), d[5] + 0.5)
    assert (ensemble(hom, [], [], "covariant") == np.inf).all()


def test_wrong_input_is_named() -> None:
    hom = lawful(0, 4)
    with pytest.raises(InputError, match="one number >= 0"):
        ensemble(hom, [0, 1], [0.0, -1.0], "contravariant")
    with pytest.raises(InputError, match="distinct objects"):
        fit_weights(hom, np.zeros(4), [1, 1], "contravariant")
    with pytest.raises(InputError, match="variance"):
        fit_weights(hom, np.zeros(4), [1], "both")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="limit_bytes"):
        ensemble(hom, [0], [0.0], "contravariant", limit_bytes=10)
