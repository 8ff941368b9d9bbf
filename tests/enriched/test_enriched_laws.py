"""Defects against brute force, against closed forms for known distributions (theory oracles 16 and 17), and under noise."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import dblquad
from scipy.stats import beta, binom

from presheaf.enriched.construct import (
    hom_from_distances,
    hom_from_features,
    hom_from_probabilities,
    hom_from_relation,
    hom_from_values,
)
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import angle, gamma, gaussian, half_cosine, kullback_leibler, laplacian, total_variation
from presheaf.enriched.laws import laws
from presheaf.enriched.quantale import ANGLE, BOOL, COST, FUZZY_MIN, LUKASIEWICZ, Quantale
from presheaf.enriched.ustatistics import (
    disjoint_tuples,
    hoeffding,
    jackknife,
    jackknife_variance,
    quantile_interval,
    share_interval,
)
from presheaf.errors import InputError


def normal(n: int, d: int = 3, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize("quantale", [COST, LUKASIEWICZ, FUZZY_MIN, BOOL], ids=lambda q: q.name)
def test_exact_defects_are_those_of_a_plain_loop(quantale: Quantale) -> None:
    rng = np.random.default_rng(1)
    d = rng.integers(0, 9, (9, 9)) / 8
    if quantale is BOOL:
        d = np.where(d < 0.4, 0, np.inf)
    elif quantale is COST:
        d[2, 5] = np.inf
    found = laws(hom_from_distances(np.minimum(d, quantale.cap), quantale))
    d = np.minimum(d, quantale.cap)
    defects = []
    for x, y, z in permutations(range(9), 3):
        around = float(quantale.add(d[x, y], d[y, z]))
        defects.append(0.0 if d[x, z] <= around else d[x, z] - around)
    assert found.exact
    assert found.kind == "proof"
    assert found.triples == 9 * 8 * 7
    assert found.share.value == pytest.approx(np.mean(np.array(defects) > 1e-6))
    assert found.mean.value == pytest.approx(np.mean(defects))
    assert found.largest == max(defects)
    ranked = sorted(defects)
    assert found.q95.value == pytest.approx(ranked[int(np.ceil(0.95 * len(ranked))) - 1])
    assert found.identity == d.diagonal().max()
    assert found.infinite == pytest.approx(np.mean(np.isinf(defects)))
    assert not found.kept


@pytest.mark.parametrize("dimension", [2, 3, 8])
def test_gaussian_breaks_as_many_triples_as_there_are_obtuse_angles(dimension: int) -> None:
    # |x - z|^2 > |x - y|^2 + |y - z|^2 iff the angle at y is obtuse. For normal points x + z - 2 y and x - z are
    # independent with variances 6 and 2, so the share is that of F(d, d) < 1/3: a beta distribution at 1/4; 19.55 % for d = 3.
    expected = beta.cdf(0.25, dimension / 2, dimension / 2)
    hom = hom_from_features(normal(3000, dimension), gaussian(1.0, unlawful=True))
    found = laws(hom)
    assert not found.exact
    assert found.kind == "estimate"
    assert found.share.low < expected < found.share.high
    assert found.share.half_width < 0.02
    assert found.share_bound[0] < found.share.low < found.share.high < found.share_bound[1]


def test_exact_and_sampled_agree_and_lawful_exponents_break_nothing() -> None:
    features = normal(200)
    hom = hom_from_features(features, gaussian(1.0, unlawful=True))
    exact, sampled = laws(hom), laws(hom, exact_up_to=3)
    assert exact.share.value == pytest.approx(0.198, abs=0.02)
    assert sampled.share.value == pytest.approx(exact.share.value, abs=0.01)
    assert sampled.mean.value == pytest.approx(exact.mean.value, rel=0.1)
    assert sampled.share.low < exact.share.value < sampled.share.high
    assert exact.share.half_width == pytest.approx(sampled.share.half_width, rel=0.3)
    for kernel in (laplacian(1.0), gamma(0.5, 1.0), angle()):
        kept = laws(hom_from_features(features, kernel))
        assert kept.kept
        assert kept.share.value == 0
        assert kept.share.high > 0, "no violation among some triples leaves room for some"


def test_half_cosine_breaks_a_quarter_of_the_triples_and_its_angle_none() -> None:
    # Project the sphere from the point opposite y: with r = tan(a/2) tan(b/2) and phi the angle at y, the law breaks iff
    # r^2 + 2 r cos(phi) < 0. On the unit sphere in R^3 sin^2(a/2) and sin^2(b/2) are uniform and phi is: 26.36 %.
    def given(u: float, v: float) -> float:
        return float(np.arccos(min(1.0, np.sqrt(u / (1 - u) * v / (1 - v)) / 2)) / np.pi)

    expected, _ = dblquad(given, 0, 1, 0, 1)
    found = laws(hom_from_features(normal(2000), half_cosine(unlawful=True)))
    assert found.share.low < expected < found.share.high
    assert found.share.value == pytest.approx(0.25, abs=0.03)


def test_unit_diagonal_positive_semidefinite_values_are_lawful_as_angles() -> None:
    # Oracle 16 on matrices that no kernel of ours made.
    factors = np.abs(normal(60, 4))
    factors /= np.linalg.norm(factors, axis=1, keepdims=True)
    squares = ((factors[:, None] - factors) ** 2).sum(axis=2)
    for values in (factors @ factors.T, np.exp(-3 * squares), np.exp(-np.sqrt(squares))):
        np.fill_diagonal(values, 1)
        assert laws(hom_from_values(values, ANGLE)).share.value == 0


def test_max_log_ratio_and_variation_are_lawful_and_divergence_is_not() -> None:
    rows = np.random.default_rng(2).dirichlet(np.full(5, 0.5), 80)
    ratio = laws(hom_from_probabilities(rows))
    assert ratio.kept
    assert ratio.symmetry.low > 0
    assert laws(hom_from_probabilities(rows, total_variation())).kept
    divergence = laws(hom_from_probabilities(rows, kullback_leibler(unlawful=True)))
    assert divergence.largest > 1
    assert divergence.share.value > 0.01


def test_symmetry_defect_by_hand() -> None:
    # Every pair is 1 one way and 3 the other: |1 - 3| / 2 = 1.
    d = np.where(np.triu(np.ones((12, 12)), 1) > 0, 1.0, 3.0)
    np.fill_diagonal(d, 0)
    found = laws(hom_from_distances(d, COST)).symmetry
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))
    assert laws(hom_from_relation(np.eye(4))).symmetry.value == 0


def test_what_noise_breaks_stays_below_the_noise_floor() -> None:
    # Points on a line keep the law with equality, so noise alone breaks about half of the triples with y between.
    rng = np.random.default_rng(3)
    line = np.abs(np.subtract.outer(*[np.sort(rng.random(60)) * 10] * 2))

    def measured(true: NDArray[np.float64]) -> Hom:
        noise = rng.standard_normal((60, 60)) * 0.1
        return hom_from_distances(np.where(np.eye(60) > 0, 0, np.maximum(0, true + noise)), COST)

    noisy = laws(measured(line), noise=measured(line))
    assert noisy.share.value > 0.05
    assert noisy.above_floor is not None
    assert noisy.above_floor.value < 0.005
    assert "above the noise floor" in repr(noisy)
    broken = laws(measured(line**2), noise=measured(line**2))
    assert broken.above_floor is not None
    assert broken.above_floor.low > 0.1


def test_bounds_hold_as_often_as_they_say() -> None:
    truth = beta.cdf(0.25, 1.5, 1.5)
    covered = {"jackknife": 0, "hoeffding": 0, "q99": 0}
    # F(3, 3) < 1/3 and the defect is a known function of triples; its 99 % quantile from a large sample.
    points = normal(300_000, 3, 99).reshape(-1, 3, 3)
    x, y, z = points.transpose(1, 0, 2)
    defects = np.maximum(((x - z) ** 2 - (x - y) ** 2 - (y - z) ** 2).sum(axis=1), 0)
    q = np.quantile(defects, 0.99)
    worlds = 200
    for seed in range(worlds):
        hom = hom_from_features(normal(60, 3, seed), gaussian(1.0, unlawful=True))
        found = laws(hom, exact_up_to=3, triples=4000, seed=seed)
        covered["jackknife"] += found.share.low <= truth <= found.share.high
        covered["hoeffding"] += found.share_bound[0] <= truth <= found.share_bound[1]
        covered["q99"] += found.q99.low <= q <= found.q99.high
    # 95 % of 200, less what chance takes once in a thousand.
    least = binom.ppf(0.001, worlds, 0.95)
    assert all(count >= least for count in covered.values()), covered


@pytest.mark.parametrize(("n", "triples"), [(600, 600), (200, 4000)])
def test_intervals_of_sampled_triples_are_as_wide_as_shares_scatter(n: int, triples: int) -> None:
    """With 3 triples an object the sample moves the share more than the objects do; with 60 both count."""
    found = [
        laws(
            hom_from_features(normal(n, 3, seed), gaussian(1.0, unlawful=True)), 1e-6, None, 3, triples, seed=seed
        ).share
        for seed in range(150)
    ]
    scatter = np.std([x.value for x in found], ddof=1)
    # A standard deviation of 150 numbers is within a fifth of the true one but once in two thousand times.
    assert np.mean([x.half_width for x in found]) / 1.96 == pytest.approx(scatter, rel=0.25)
    assert all(0 <= x.low < x.value < x.high <= 1 for x in found)


def test_variance_of_a_mean_over_tuples_by_hand() -> None:
    # Var(0, 0, 1, 1) = 1/3 with n - 1; (2 * 3 / 2)^2 / 3 / 4 = 3/4, and what sampling adds is taken off, down to itself.
    half = np.array([0.0, 0.0, 1.0, 1.0])
    assert jackknife_variance(half, 2) == pytest.approx(0.75)
    assert jackknife_variance(half, 2, 0.1) == pytest.approx(0.65)
    assert jackknife_variance(half, 2, 1.0) == 1.0
    assert jackknife_variance(np.array([0.0, np.nan, np.nan, 1.0]), 2) == np.inf


def test_few_broken_triples_leave_room_for_more() -> None:
    # One hit among 60 triples of 60 objects, three an object: about 1 of 60 independent ones, of which Clopper and Pearson
    # say .0253 to 5.4 of 60. A normal interval would end at 3 of 60.
    each = np.zeros(60)
    each[:3] = 1 / 3
    found = share_interval(1 / 60, each, np.arange(20) == 0, 60, 60, 0.95, True)
    assert 50 < found.effective <= 60
    assert 0 < found.low < 0.0253 / 50
    assert found.high > 5 / 60


def test_partitions_share_no_object_within_a_round() -> None:
    triples = disjoint_tuples(11, 3, 5, np.random.default_rng(0))
    assert triples.shape == (15, 3)
    assert all(len(set(part.ravel())) == 9 for part in triples.reshape(5, 3, 3))


def test_intervals_by_hand() -> None:
    # t = sqrt(ln(40) / (2 * 100)).
    assert hoeffding(0.5, 300, 3) == pytest.approx((0.5 - 0.13581, 0.5 + 0.13581), abs=1e-5)
    assert hoeffding(0.0, 300, 3, scale=2.0) == pytest.approx((0, 0.27162), abs=1e-5)
    # Order 1 is the ordinary t interval of a mean: 1, 2, 3 has mean 2, sd 1, t = 4.3027.
    assert jackknife(np.array([1.0, 2, 3]), 2.0, 1) == pytest.approx(
        (2 - 4.30265 / 3**0.5, 2 + 4.30265 / 3**0.5), abs=1e-4
    )
    # A sample of 10 can't bound a 99 % quantile from above.
    assert quantile_interval(0.5, np.linspace(0, 1, 10), 0.99, 10).high == np.inf
    median = quantile_interval(50.0, np.arange(1.0, 101), 0.5, 100)
    # Number below the median is binomial(100, 1/2), within 40..60 with 95 %.
    assert (median.low, median.high) == (40, 61)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(InputError, match="at least 3 objects"):
        laws(hom_from_features(normal(2), angle()))
    with pytest.raises(InputError, match="same 5 objects; got 4"):
        laws(hom_from_features(normal(5), angle()), noise=hom_from_features(normal(4), angle()))
