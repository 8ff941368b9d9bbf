"""Planted learning curves are read back."""

from __future__ import annotations

import numpy as np
import pytest

from presheaf.statistics.curves import _solve, reach

K = 2.0 ** np.arange(8)


def curve(a: float, b: float, c: float, noise: float = 0.0, draws: int = 10, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (a - b * K**-c)[:, None] + noise * rng.standard_normal((len(K), draws))


LAWS = [(0.95, 0.4, 0.5, 0.93), (0.9, 0.3, 1.0, 0.8), (0.8, 0.3, 0.3, 0.75)]


@pytest.mark.parametrize(("a", "b", "c", "target"), LAWS)
def test_a_planted_power_law_is_solved(a: float, b: float, c: float, target: float) -> None:
    truth = (b / (a - target)) ** (1 / c)
    found = reach(K, curve(a, b, c), target)
    assert found.k is not None
    assert np.log2(found.k) == pytest.approx(np.log2(truth), abs=0.3)


def test_the_interval_of_a_noisy_curve_mostly_holds_the_truth() -> None:
    a, b, c, target = 0.93, 0.4, 0.6, 0.9
    truth = (b / (a - target)) ** (1 / c)
    held = 0
    for seed in range(20):
        found = reach(K, curve(a, b, c, noise=0.02, seed=seed), target, seed=seed)
        assert found.low is None or found.high is None or found.low <= found.high
        held += (found.low or 1.0) <= truth <= (found.high or np.inf)
    assert held >= 17


def test_a_curve_that_levels_off_below_the_target_never_meets_it() -> None:
    found = reach(K, curve(0.8, 0.3, 1.0, noise=0.002), 0.9)
    assert (found.k, found.high) == (None, None)
    flat = reach(K, np.full((8, 10), 0.5), 0.6)
    assert (flat.k, flat.low, flat.high) == (None, None, None)


def test_a_curve_above_the_target_needs_one() -> None:
    found = reach(K, np.full((8, 10), 0.95), 0.9)
    assert (found.k, found.low, found.high) == (1.0, 1.0, 1.0)


def test_shared_noise_widens() -> None:
    draws = curve(0.95, 0.4, 0.5, noise=0.003)
    sharp, wide = reach(K, draws, 0.9), reach(K, draws, 0.9, row_noise=0.03)
    assert sharp.low is not None
    assert sharp.high is not None
    assert wide.low is not None
    assert wide.low < sharp.low
    assert wide.high is None or wide.high > sharp.high


def test_a_curve_that_is_no_power_law_widens() -> None:
    """Two laws with the same mean distance from their draws; one has a bend that no power law follows."""
    smooth = curve(0.95, 0.4, 0.5, noise=0.003)
    bent = smooth + 0.02 * np.array([1, -1, -1, 1, 1, -1, -1, 1])[:, None]
    sharp, wide = reach(K, smooth, 0.9), reach(K, bent, 0.9)
    assert sharp.low is not None
    assert sharp.high is not None
    assert wide.low is not None
    assert wide.high is None or wide.high / wide.low > 2 * sharp.high / sharp.low


def test_short_curves_are_read_off_and_missing_draws_left_out() -> None:
    assert reach(K[:2], np.array([[0.5, 0.5], [0.8, 0.9]]), 0.85).k == 2.0
    assert reach(K[:2], np.array([[0.5, 0.5], [0.8, 0.9]]), 0.95).k is None
    draws = curve(0.9, 0.3, 1.0)
    draws[:, 3] = np.nan
    assert reach(K, draws, 0.8).k == pytest.approx(reach(K, curve(0.9, 0.3, 1.0), 0.8).k)


def test_the_same_seed_gives_the_same_interval() -> None:
    draws = curve(0.93, 0.4, 0.6, noise=0.02)
    assert reach(K, draws, 0.9, seed=5) == reach(K, draws, 0.9, seed=5)


def test_a_number_of_examples_past_what_a_float_holds_is_never_reached() -> None:
    assert _solve(0.9, 0.5, 0.05, float(np.nextafter(0.9, 0))) == np.inf
    assert _solve(0.9, 0.4, 0.5, 0.8) == pytest.approx(16.0)
    assert _solve(0.9, 0.0, 0.5, 0.8) == 1.0
