"""Spread against a plain loop and closed forms, its place below magnitude, and the intervals of it and of dimensions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from presheaf.enriched.construct import hom_from_distances, hom_from_features
from presheaf.enriched.dimension import magnitude_dimension
from presheaf.enriched.kernel import angle, laplacian
from presheaf.enriched.magnitude import magnitude
from presheaf.enriched.quantale import COST
from presheaf.enriched.spread import spread
from presheaf.errors import InputError


def cloud(n: int, d: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize("variance", ["contravariant", "covariant"])
def test_a_plain_loop_in_both_variances(variance: str) -> None:
    distances = np.random.default_rng(1).uniform(0, 3, (17, 17))
    distances[2, 5] = np.inf
    np.fill_diagonal(distances, 0)
    found = spread(hom_from_distances(distances, COST), [0.5, 2.0], variance, limit_bytes=3000)  # type: ignore[arg-type]
    for i, t in enumerate((0.5, 2.0)):
        total = 0.0
        for p in range(17):
            row = distances[:, p] if variance == "contravariant" else distances[p]
            total += 1 / sum(np.exp(-t * d) for d in row)
        assert found.value[i] == pytest.approx(total, rel=1e-5)
    assert found.kind == "proof"
    assert (found.low == found.value).all()
    assert (found.high == found.value).all()


def test_equidistant_points_have_the_spread_and_slope_of_the_closed_form() -> None:
    n, d, t = 9, 1.3, 0.7
    found = spread(hom_from_distances(d * (1 - np.eye(n)), COST), t, "covariant")
    q = np.exp(-t * d)
    assert found.value[0] == pytest.approx(n / (1 + (n - 1) * q), rel=1e-5)
    assert found.dimension[0] == pytest.approx(t * d * (n - 1) * q / (1 + (n - 1) * q), rel=1e-5)


@pytest.mark.parametrize("t", [0.1, 1.0, 10.0])
def test_spread_lies_below_magnitude_where_zeta_is_positive(t: float) -> None:
    for hom in (hom_from_features(cloud(150, 3), angle()), hom_from_features(cloud(150, 2), laplacian(1.0))):
        found = spread(hom, t, "covariant").value[0]
        assert 1 <= found <= magnitude(hom, t).value * (1 + 1e-5)
        assert found <= hom.n


def test_dimension_is_the_slope_of_the_logarithm() -> None:
    hom = hom_from_features(cloud(80, 3), angle())
    found = spread(hom, [1.99, 2.0, 2.01], "covariant")
    slope = np.log(found.value[2] / found.value[0]) / np.log(2.01 / 1.99)
    assert found.dimension[1] == pytest.approx(slope, rel=1e-3)


def test_a_square_has_dimension_two() -> None:
    # A grid with 1 / t well between its step and its side; edges pull the slope below 2.
    side = np.linspace(0, 1, 60)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    found = spread(hom_from_features(grid.astype(np.float32), laplacian(1.0)), 20.0, "covariant")
    assert found.dimension[0] == pytest.approx(2, abs=0.35)


def test_sampled_rows_cover_the_whole_at_the_stated_rate() -> None:
    features = np.concatenate([cloud(250, 3), 0.1 * cloud(250, 3, 1)])
    hom = hom_from_features(features, laplacian(1.0))
    truth = spread(hom, 1.0, "covariant").value[0]
    runs, hits = 400, 0
    for seed in range(runs):
        found = spread(hom, 1.0, "covariant", rows=60, seed=seed)
        hits += int(found.low[0] <= truth <= found.high[0])
        assert found.kind == "estimate"
    # 95 % intervals: fewer hits than this has probability 1 in 100,000.
    assert hits >= binom.ppf(1e-5, runs, 0.93)


def test_what_can_not_be_asked_of_spread() -> None:
    hom = hom_from_features(cloud(10, 2), angle())
    with pytest.raises(InputError, match="variance"):
        spread(hom, 1.0, "both")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="scales"):
        spread(hom, [], "covariant")
    with pytest.raises(InputError, match="rows"):
        spread(hom, 1.0, "covariant", rows=11)
    with pytest.raises(InputError, match="limit_bytes"):
        spread(hom, 1.0, "covariant", limit_bytes=100)


def test_magnitude_dimension_of_a_line_by_its_closed_form() -> None:
    points = np.sort(np.random.default_rng(2).uniform(0, 20, 300))
    hom = hom_from_features(points[:, None], laplacian(1.0))
    gaps = np.diff(points)
    at = [1 + np.tanh(t * gaps / 2).sum() for t in (0.5, 2.0)]
    found = magnitude_dimension(hom, 0.5, 2.0, subsets=10)
    assert found.slope.value == pytest.approx(np.log(at[1] / at[0]) / np.log(4), rel=1e-6)
    assert found.slope.low < found.slope.value < found.slope.high
    assert found.kind == "estimate"
    # Halves see a coarser line, so they grow less.
    assert found.halves.mean() < found.slope.value


def test_magnitude_dimension_intervals_cover() -> None:
    # By the closed form for a line, the mean slope for samples of 60 is known to any precision.
    def slope(points: NDArray[np.float64]) -> NDArray[np.float64]:
        gaps = np.diff(np.sort(points, axis=1), axis=1)
        at = [1 + np.tanh(t * gaps / 2).sum(axis=1) for t in (1.0, 4.0)]
        return np.log(at[1] / at[0]) / np.log(4)

    rng = np.random.default_rng(0)
    truth = slope(rng.uniform(0, 5, (20_000, 60))).mean()
    runs, hits = 80, 0
    for seed in range(runs):
        hom = hom_from_features(rng.uniform(0, 5, (60, 1)), laplacian(1.0))
        found = magnitude_dimension(hom, 1.0, 4.0, seed=seed).slope
        hits += int(found.low <= truth <= found.high)
    assert binom.ppf(1e-4, runs, 0.93) <= hits


def test_what_can_not_be_asked_of_dimension() -> None:
    hom = hom_from_features(cloud(10, 2), angle())
    with pytest.raises(InputError, match="low < high"):
        magnitude_dimension(hom, 2.0, 1.0)
    with pytest.raises(InputError, match="halves"):
        magnitude_dimension(hom, 1.0, 2.0, subsets=2)
