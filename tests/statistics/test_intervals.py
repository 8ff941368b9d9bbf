"""Intervals against published tables, against their defining equations, and by exact coverage."""

from __future__ import annotations

from itertools import product
from math import comb, isnan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binom, binomtest

from presheaf.statistics.intervals import (
    accuracy_interval,
    beta_binomial,
    clopper_pearson,
    effective_rows,
    paired_difference,
    wilson,
)

Z = 1.959963984540054
COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


# Newcombe (1998), Statistics in Medicine 17, table I: score method and exact method.
@pytest.mark.parametrize(
    ("s", "n", "score", "exact"),
    [
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ],
)
def test_published_values(s: int, n: int, score: tuple[float, float], exact: tuple[float, float]) -> None:
    assert wilson(s, n) == pytest.approx(score, abs=6e-5)
    assert clopper_pearson(s, n) == pytest.approx(exact, abs=6e-5)


@given(COUNTS, st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_and_clopper_pearson_agree_with_scipy(case: tuple[int, int], level: float) -> None:
    s, n = case
    test = binomtest(s, n)
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        theirs = test.proportion_ci(level, method)
        assert ours(s, n, level) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(st.floats(0.5, 300), st.floats(0.01, 0.99))
def test_wilson_ends_solve_the_score_equation_for_fractional_rows(n: float, p: float) -> None:
    low, high = wilson(p * n, n)

    def score(q: float) -> float:
        return (p - q) ** 2 * n - Z * Z * q * (1 - q)

    assert low == pytest.approx(brentq(score, 1e-12, p), abs=1e-7)
    assert high == pytest.approx(brentq(score, p, 1 - 1e-12), abs=1e-7)


@given(COUNTS)
def test_beta_binomial_leaves_a_fortieth_on_either_side(case: tuple[int, int]) -> None:
    s, n = case
    low, high = beta_binomial(s, n)
    # Beta(1 + s, 1 + n - s) is below x exactly when at least s + 1 of n + 1 uniform numbers are below x.
    assert binom.sf(s, n + 1, low) == pytest.approx(0.025, abs=1e-8)
    assert binom.sf(s, n + 1, high) == pytest.approx(0.975, abs=1e-8)


@given(COUNTS)
def test_intervals_mirror_when_hits_and_misses_change_places(case: tuple[int, int]) -> None:
    s, n = case
    for method in (wilson, clopper_pearson, beta_binomial):
        low, high = method(s, n)
        assert 0 <= low <= high <= 1
        assert method(n - s, n) == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_no_rows_know_nothing() -> None:
    assert wilson(0, 0) == clopper_pearson(0, 0) == (0.0, 1.0)
    assert beta_binomial(0, 0) == pytest.approx((0.025, 0.975))
    empty = accuracy_interval([])
    assert isnan(empty.value)
    assert (empty.low, empty.high, empty.rows, empty.effective) == (0.0, 1.0, 0, 0.0)


def coverage(bounds: list[tuple[float, float]], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact chance, for every p, that the interval of a binomial count holds p."""
    n = len(bounds) - 1
    low, high = np.array(bounds).T[:, :, None]
    chance = binom.pmf(np.arange(n + 1)[:, None], n, p)
    return np.asarray((chance * ((low <= p) & (p <= high))).sum(axis=0))


@pytest.mark.parametrize("n", [10, 60, 400])
def test_coverage(n: int) -> None:
    p = (np.arange(4000) + 0.5) / 4000
    by_wilson = coverage([wilson(s, n) for s in range(n + 1)], p)
    exact = coverage([clopper_pearson(s, n) for s in range(n + 1)], p)
    beta = coverage([beta_binomial(s, n) for s in range(n + 1)], p)
    assert exact.min() >= 0.95
    assert 0.945 < by_wilson.mean() < 0.965
    assert by_wilson.min() > 0.82  # its known dip near 0 and 1 (Brown, Cai and DasGupta 2001)
    # A credible interval under the uniform prior holds a uniform p with exactly its level.
    assert beta.mean() == pytest.approx(0.95, abs=1e-3)


def test_accuracy_interval_takes_the_method_its_docstring_names() -> None:
    few = accuracy_interval([True] * 250 + [False] * 49)
    assert (few.method, few.low, few.high) == ("beta-binomial", *beta_binomial(250, 299))
    many = accuracy_interval([True] * 250 + [False] * 50)
    assert (many.method, many.low, many.high) == ("Wilson", *wilson(250, 300))
    assert many.value == pytest.approx(5 / 6)
    assert many.half_width == pytest.approx((many.high - many.low) / 2)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=60))
def test_accuracy_interval_holds_its_value_and_never_gains_by_groups(rows: list[tuple[bool, int]]) -> None:
    hits, groups = np.array([h for h, _ in rows]), np.array([g for _, g in rows])
    grouped, plain = accuracy_interval(hits, groups), accuracy_interval(hits)
    assert 0 <= grouped.low <= grouped.value <= grouped.high <= 1
    assert grouped.value == plain.value
    assert grouped.effective <= plain.effective == len(rows)
    assert grouped.half_width >= plain.half_width - 1e-12


def test_equal_rows_of_a_cluster_are_worth_one_row() -> None:
    rng = np.random.default_rng(0)
    cluster = rng.random(80) < 0.7
    hits, groups = np.repeat(cluster, 5), np.repeat(np.arange(80), 5)
    assert effective_rows(hits, groups) == pytest.approx(80, abs=1.5)
    assert effective_rows(np.ones(400, dtype=bool), groups) == 80
    assert effective_rows(np.zeros(400, dtype=bool), groups) == 80
    assert effective_rows(hits, None) == effective_rows(hits, np.arange(400)) == 400
    independent = rng.random(400) < 0.7
    assert effective_rows(independent, groups) > 250
    assert effective_rows(np.array([True, False]), np.zeros(2, dtype=int)) == 1


def test_effective_rows_by_hand() -> None:
    # Variance 6 * (1/4) / 5 = 3/10. One of three pairs disagrees, by 1/2: 1/6. So rho = 1 - (1/6) / (3/10) = 4/9, and
    # each row is in a group of 2: 6 / (1 + 4/9).
    hits = np.array([True, True, True, False, False, False])
    assert effective_rows(hits, np.array([7, 7, 3, 3, 5, 5])) == pytest.approx(54 / 13)
    # Groups of 3 and 1 that agree within themselves: rho = 1, the mean size is (9 + 1) / 4.
    assert effective_rows(np.array([True, True, True, False]), np.array([0, 0, 0, 1])) == pytest.approx(4 / 2.5)


@pytest.mark.parametrize("p", [0.5, 0.95, 0.99])
def test_a_few_large_groups_do_not_make_the_interval_too_short(p: float) -> None:
    """Groups of very different sizes, all rows of a group right or all wrong: the interval still holds the truth."""
    rng = np.random.default_rng(int(100 * p))
    held = 0
    for _ in range(400):
        size = np.minimum(rng.geometric(0.3, 60) ** 2, 60)
        interval = accuracy_interval(np.repeat(rng.random(60) < p, size), np.repeat(np.arange(60), size))
        held += interval.low <= p <= interval.high
    assert held >= 0.9 * 400


@pytest.mark.parametrize("copies", [1, 4])
def test_coverage_with_copied_rows(copies: int) -> None:
    m = 60
    groups = np.repeat(np.arange(m), copies)
    bounds = []
    for s in range(m + 1):
        interval = accuracy_interval(np.repeat(np.arange(m) < s, copies), groups)
        bounds.append((interval.low, interval.high))
    p = (np.arange(2000) + 0.5) / 2000
    assert coverage(bounds, p).mean() == pytest.approx(0.95, abs=0.006)


def test_paired_difference_by_hand() -> None:
    # 10 rows: 4 right in a only, 1 in b only. Adjusted (4 + 1)/12 and (1 + 1)/12 (Bonett and Price 2012).
    a = [True] * 4 + [False] * 1 + [True] * 3 + [False] * 2
    b = [False] * 4 + [True] * 1 + [True] * 3 + [False] * 2
    half = Z * sqrt((5 / 12 + 2 / 12 - (3 / 12) ** 2) / 12)
    d = paired_difference(a, b)
    assert d.value == pytest.approx(0.3)
    assert (d.low, d.high) == pytest.approx((0.25 - half, 0.25 + half))
    mirrored = paired_difference(b, a)
    assert (mirrored.value, mirrored.low, mirrored.high) == pytest.approx((-0.3, -d.high, -d.low))
    assert isnan(paired_difference([], []).value)
    same = paired_difference([True] * 50, [True] * 50)
    assert same.value == 0
    assert -0.1 < same.low < 0 < same.high < 0.1


@pytest.mark.parametrize(("p10", "p01"), [(0.1, 0.1), (0.3, 0.1), (0.05, 0.02), (0.25, 0.25), (0.5, 0.1)])
def test_paired_difference_coverage_by_enumeration(p10: float, p01: float) -> None:
    n, held = 25, 0.0
    for x, y in product(range(n + 1), repeat=2):
        if x + y > n:
            continue
        chance = comb(n, x) * comb(n - x, y) * p10**x * p01**y * (1 - p10 - p01) ** (n - x - y)
        a = np.arange(n) < x
        b = (np.arange(n) >= x) & (np.arange(n) < x + y)
        d = paired_difference(a, b)
        held += chance * (d.low <= p10 - p01 <= d.high)
    assert held > 0.93


def test_copying_every_row_does_not_sharpen_a_paired_difference() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random((2, 150)) < [[0.8], [0.7]]
    plain = paired_difference(a, b)
    copied = paired_difference(np.repeat(a, 6), np.repeat(b, 6), np.repeat(np.arange(150), 6))
    assert copied.value == pytest.approx(plain.value)
    assert copied.half_width == pytest.approx(plain.half_width, rel=0.02)
    assert paired_difference(a, b, np.arange(150)) == plain
