"""Magnitude against closed forms (theory oracle 18), the definition by an independent inverse, and sup characterisation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from presheaf.enriched.construct import hom_from_distances, hom_from_features, hom_from_relation
from presheaf.enriched.iterate import iterate, magnitude_lower_bound
from presheaf.enriched.kernel import angle, laplacian, total_variation
from presheaf.enriched.magnitude import magnitude, magnitude_function, zeta_magnitude
from presheaf.enriched.quantale import COST
from presheaf.enriched.zeta import known_positive
from presheaf.errors import InputError


def line(points: list[float]) -> NDArray[np.float64]:
    return np.abs(np.subtract.outer(points, points))


def cloud(n: int, d: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((n, d))


@settings(deadline=None)
@given(d=st.floats(0.01, 30), t=st.floats(0.1, 3))
def test_two_points(d: float, t: float) -> None:
    found = magnitude(line([0, d]), t)
    assert found.value == pytest.approx(1 + np.tanh(t * d / 2), rel=1e-9)
    # d/dt of the closed form.
    assert found.derivative == pytest.approx(d / 2 / np.cosh(t * d / 2) ** 2, rel=1e-6, abs=1e-9)
    assert found.positive
    assert found.low == pytest.approx(found.value)
    assert found.kind == "proof"


def test_two_points_with_different_ways_there_and_back() -> None:
    found = magnitude([[0, 0.5], [2, 0]], 1.0)
    assert found.value == pytest.approx(1.370643, abs=1e-6)
    assert found.method == "LU"
    assert found.positive is None
    assert magnitude([[0, 2], [0.5, 0]], 1.0).value == pytest.approx(found.value)


@pytest.mark.parametrize("n", [2, 5, 40])
def test_equidistant_points(n: int) -> None:
    d = 1.3
    assert magnitude(d * (1 - np.eye(n)), 1.0).value == pytest.approx(n / (1 + (n - 1) * np.exp(-d)))


def test_line() -> None:
    assert magnitude(line([0, 1, 2]), 1.0).value == pytest.approx(1.924234, abs=1e-6)
    points = np.sort(np.random.default_rng(3).uniform(0, 9, 50))
    expected = 1 + np.tanh(np.diff(points) / 2).sum()
    assert magnitude(line(list(points)), 1.0).value == pytest.approx(expected, rel=1e-9)


def test_sizes_of_finite_categories() -> None:
    # Parallel pair of arrows, two isomorphic objects, a group of order 6, the walking arrow, and RotNet's orbits 4, 4, 2, 1.
    assert zeta_magnitude([[1, 2], [0, 1]]).value == pytest.approx(0)
    pair = zeta_magnitude([[1, 1], [1, 1]])
    assert pair.value == pytest.approx(1)
    assert pair.defined
    assert list(pair.weighting) == pytest.approx([0.5, 0.5])
    assert zeta_magnitude([[6]]).value == pytest.approx(1 / 6)
    assert zeta_magnitude([[1, 1], [0, 1]]).value == pytest.approx(1)
    orbits = np.zeros((11, 11))
    start = 0
    for size in (4, 4, 2, 1):
        orbits[start : start + size, start : start + size] = 4 // size
        start += size
    assert zeta_magnitude(orbits).value == pytest.approx(2.75)


def test_euler_characteristic_of_posets() -> None:
    # Faces of a triangle's boundary ordered by inclusion: a circle, 0. Of the full triangle: contractible, 1.
    faces = [{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 2}, {0, 1, 2}]
    inclusion = np.array([[a <= b for b in faces] for a in faces])
    assert magnitude(hom_from_relation(inclusion[:6, :6]), 1.0).value == pytest.approx(0)
    assert magnitude(hom_from_relation(inclusion), 1.0).value == pytest.approx(1)


def test_matrices_without_weighting_say_so() -> None:
    # Rank 1: zeta w = 1 asks for w0 + 2 w1 = 1 and = 1/2. The pseudo-inverse of a a' is a a' / |a|^4, sum 9 / 25.
    found = zeta_magnitude([[1, 2], [2, 4]])
    assert not found.defined
    assert found.value == pytest.approx(9 / 25)
    assert "no weighting" in repr(found)
    assert not zeta_magnitude([[0, 1], [0, 0]]).defined
    nothing = zeta_magnitude(np.zeros((0, 0)))
    assert (nothing.value, nothing.objects, nothing.defined) == (0, 0, True)


def test_negative_magnitude_is_said() -> None:
    # The bipartite graph K(3, 2) with edges of length 1, just below t = ln sqrt 2: negative (Leinster 2013).
    near = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 1, 1]], dtype=bool)
    distances = np.where(near, 2.0, 1.0) - 2 * np.eye(5)
    t = np.log(np.sqrt(2)) * 0.985
    q = np.exp(-t)
    # By symmetry w is a on the 3 and b on the 2: a (1 + 2 q^2) + 2 q b = 1 and 3 q a + b (1 + q^2) = 1.
    a, b = np.linalg.solve([[1 + 2 * q**2, 2 * q], [3 * q, 1 + q**2]], [1, 1])
    found = magnitude(distances, t)
    assert found.value == pytest.approx(3 * a + 2 * b, rel=1e-9)
    assert found.value == pytest.approx((5 - 7 * q) / ((1 + q) * (1 - 2 * q**2)), rel=1e-9)
    assert found.value < 0
    assert found.positive is False
    assert np.isnan(found.low)
    assert np.isnan(found.dimension)
    with pytest.raises(InputError, match="not positive"):
        magnitude(distances, t, method="iterative")


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), t=st.floats(0.2, 5))
def test_directed_homs_by_an_independent_inverse(seed: int, t: float) -> None:
    rng = np.random.default_rng(seed)
    distances = rng.uniform(0.5, 3, (12, 12))
    distances[rng.random((12, 12)) < 0.2] = np.inf
    np.fill_diagonal(distances, 0)
    inverse = np.linalg.inv(np.exp(-t * distances))
    found = magnitude(distances, t)
    assert found.value == pytest.approx(inverse.sum(), rel=1e-8, abs=1e-8)
    assert found.weighting == pytest.approx(inverse.sum(axis=1), rel=1e-6, abs=1e-8)
    assert found.coweighting == pytest.approx(inverse.sum(axis=0), rel=1e-6, abs=1e-8)
    step = 1e-6 * t
    around = (magnitude(distances, t + step).value - magnitude(distances, t - step).value) / (2 * step)
    assert found.derivative == pytest.approx(around, rel=1e-4, abs=1e-4)


def test_copies_of_objects_change_nothing() -> None:
    features = cloud(30, 3)
    once = magnitude(hom_from_features(features, laplacian(1.0)), 1.0)
    twice = magnitude(hom_from_features(np.concatenate([features, features[:7]]), laplacian(1.0)), 1.0)
    assert twice.value == pytest.approx(once.value, rel=1e-9)
    assert twice.defined
    assert twice.condition == np.inf
    assert twice.weighting[:7] == pytest.approx(once.weighting[:7] / 2, rel=1e-6)
    assert magnitude(np.zeros((5, 5)), 2.0).value == pytest.approx(1)


def test_near_copies_beyond_float64_fall_back() -> None:
    # 1e-9 apart: sizes differ from 1 by rounding, so the equations are singular to float64.
    found = magnitude(line([0, 1e-17, 1, 1 + 2e-16]), 1.0)
    assert found.value == pytest.approx(1 + np.tanh(0.5), rel=1e-9)


def test_function_of_the_scale_grows_from_one_to_n() -> None:
    hom = hom_from_features(cloud(60, 4), angle())
    curve = magnitude_function(hom, [30, 0.01, 0.3, 3])
    values = [m.value for m in curve]
    assert [m.t for m in curve] == [0.01, 0.3, 3, 30]
    assert values == sorted(values)
    assert values[0] == pytest.approx(1, abs=0.05)
    assert 50 < values[-1] <= 60
    assert values[2] == pytest.approx(magnitude(hom, 3.0).value, rel=1e-12)
    in_turn = magnitude_function(hom, [0.3, 3], limit_bytes=35 * 60**2)
    assert [m.value for m in in_turn] == pytest.approx(values[1:3], rel=1e-9)


@pytest.mark.parametrize("t", [0.3, 3.0, 20.0])
@pytest.mark.parametrize("kept", [True, False])
def test_conjugate_gradients_bound_the_direct_value_from_below(t: float, kept: bool) -> None:
    hom = hom_from_features(cloud(500, 5), angle())
    direct = magnitude(hom, t)
    found = iterate(hom, t, 1 << (24 if kept else 19))
    assert found.method == "conjugate gradient"
    assert found.kind == "estimate"
    assert found.value <= direct.value * (1 + 1e-9)
    assert found.value == pytest.approx(direct.value, rel=1e-4)
    assert direct.value - found.value <= 10 * found.error + 1e-9 * direct.value
    assert found.residual < 1e-3
    assert found.derivative == pytest.approx(direct.derivative, rel=1e-3)
    assert found.positive


def test_conjugate_gradients_take_copies_and_over_where_the_limit_ends() -> None:
    features = cloud(300, 3)
    features[200:] = features[:100]
    hom = hom_from_features(features, angle())
    expected = magnitude(hom_from_features(features[:200], angle()), 2.0).value
    found = magnitude(hom, 2.0, limit_bytes=4 * 8 * 299**2)
    assert found.method == "conjugate gradient"
    assert found.value == pytest.approx(expected, rel=1e-5)
    assert found.low <= expected * (1 + 1e-9)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_no_vector_passes_the_magnitude(seed: int) -> None:
    rng = np.random.default_rng(seed)
    distances = hom_from_features(cloud(20, 2, seed), laplacian(1.0)).distances(dtype=np.float64)
    v = rng.standard_normal(20)
    value = magnitude(distances, 1.0).value
    assert v.sum() ** 2 / (v @ np.exp(-distances) @ v) <= value * (1 + 1e-9)


def test_a_subset_bounds_from_below() -> None:
    hom = hom_from_features(cloud(400, 3), angle())
    found = magnitude_lower_bound(hom, 2.0, limit_bytes=4 * 8 * 100**2)
    assert found.subset.objects == 100
    assert found.kind == "proof"
    assert found.low <= magnitude(hom, 2.0).value
    assert magnitude_lower_bound(hom, 2.0).low == pytest.approx(magnitude(hom, 2.0).value)
    assert magnitude_lower_bound(hom_from_distances(line([0, 1, 5]), COST), 1.0).kind == "heuristic"


@pytest.mark.parametrize("t", [0.2, 1.0, 2.7])
def test_positive_is_only_claimed_where_no_eigenvalue_is_negative(t: float) -> None:
    rng = np.random.default_rng(5)
    homs = [
        hom_from_features(cloud(80, 3), angle()),
        hom_from_features(rng.dirichlet(np.ones(4), 80), total_variation()),
        hom_from_features(cloud(80, 3), laplacian(1.0)),
    ]
    for hom in homs:
        if known_positive(hom, t):
            zeta = np.exp(-t * hom.distances(dtype=np.float64))
            assert np.linalg.eigvalsh(zeta)[0] > -1e-10
    assert [known_positive(h, 1.0) for h in homs] == [True, True, True]
    assert [known_positive(h, 0.5) for h in homs] == [True, True, False]


def test_what_can_not_be_asked() -> None:
    directed = np.array([[0, 1.0], [2.0, 0]])
    with pytest.raises(InputError, match="scale t"):
        magnitude(directed, 0)
    with pytest.raises(InputError, match="symmetric"):
        magnitude(directed, 1, method="iterative")
    with pytest.raises(InputError, match="limit_bytes"):
        magnitude(directed, 1, limit_bytes=64)
    with pytest.raises(InputError, match="method must be"):
        magnitude(directed, 1, method="guess")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="shape"):
        zeta_magnitude(np.ones((2, 3)))
    with pytest.raises(InputError, match="scales"):
        magnitude_function(directed, [1, -1])
