"""Two homs on the same objects against plain loops, and whether concepts compose in lattices where they must."""

from __future__ import annotations

from math import gcd, lcm

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import ortho_group, spearmanr

from presheaf.enriched.compare import compare_homs, shared
from presheaf.enriched.composition import kappa
from presheaf.enriched.construct import hom_from_distances, hom_from_features, hom_from_relation
from presheaf.enriched.distortion import distortion
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import angle, laplacian
from presheaf.enriched.quantale import COST
from presheaf.errors import InputError


def normal(n: int, d: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((n, d))


def test_numbers_are_those_of_plain_loops() -> None:
    n, k = 25, 4
    x = normal(n, 5)
    first, second = hom_from_features(x, angle()), hom_from_features(x + 0.4 * normal(n, 5, 1), angle())
    found = compare_homs(first, second, k, "both")
    a, b = first.dense(10**7), second.dense(10**7)
    for i in range(n):
        others = [j for j in range(n) if j != i]
        near = [set(sorted(others, key=lambda j: d[i, j])[:k]) for d in (a, b)]
        assert found.kept_by_object[i] == pytest.approx(len(near[0] & near[1]) / k)
        assert set(found.before[i].tolist()) == near[0]
        assert found.order_by_object[i] == pytest.approx(spearmanr(a[i, others], b[i, others]).statistic)
        assert found.moved_by_object[i] == pytest.approx(np.mean(np.abs(a[i, others] - b[i, others])))
    assert found.kept.value == pytest.approx(found.kept_by_object.mean())
    assert found.chance == pytest.approx(k / (n - 1))
    assert found.kept.low < found.kept.value < found.kept.high


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_rotating_and_scaling_features_changes_nothing(seed: int) -> None:
    x = normal(60, 6, seed)
    turned = 3 * x @ ortho_group.rvs(6, random_state=seed)
    found = compare_homs(*(hom_from_features(f, angle()) for f in (x, turned)), 5, "both")
    assert found.distortion.keeps_homs(1e-7)
    assert found.kept.value == 1
    assert found.order.value == pytest.approx(1)


def test_unrelated_homs_keep_what_chance_keeps() -> None:
    kept, order = [], []
    for seed in range(20):
        found = compare_homs(*(hom_from_features(normal(150, 5, 2 * seed + s), angle()) for s in (0, 1)), 10, "both")
        kept.append(found.kept.value - found.chance)
        order.append(found.order.value)
    for seen in (kept, order):
        assert abs(np.mean(seen)) < 4 * np.std(seen) / np.sqrt(len(seen))


def test_scale_matters_to_the_distortion_and_not_to_neighbours() -> None:
    x = normal(40, 3)
    first, second = (hom_from_features(x, laplacian(tau)) for tau in (1.0, 0.5))
    found = compare_homs(first, second, 3, "contravariant")
    assert found.kept.value == 1
    assert found.distortion.full.largest == pytest.approx(0, abs=1e-12)
    assert found.distortion.functor.mean.value == pytest.approx(found.distortion.size)


def test_shared_counts_entries_of_the_same_row() -> None:
    assert shared(np.array([[1, 2], [3, 4]]), np.array([[2, 5], [1, 2]])).tolist() == [0.5, 0.0]


def test_different_objects_are_refused() -> None:
    with pytest.raises(InputError, match="4 and 5"):
        compare_homs(*(hom_from_features(normal(n, 3), angle()) for n in (4, 5)), 1, "both")


NUMBERS = np.arange(1, 61)
DIVIDES = hom_from_relation((NUMBERS[None, :] % NUMBERS[:, None]) == 0)


@pytest.mark.parametrize(("a", "b"), [(12, 18), (8, 12), (5, 7), (20, 30)])
def test_greatest_common_divisors_are_meets_and_least_multiples_joins(a: int, b: int) -> None:
    parts = [a - 1, b - 1]
    assert kappa(DIVIDES, gcd(a, b) - 1, parts, "meet").composes(0)
    assert kappa(DIVIDES, lcm(a, b) - 1, parts, "join").composes(0)
    # The least multiple receives no map to a and b: it is no meet of theirs, and the witness says at which number.
    wrong = kappa(DIVIDES, lcm(a, b) - 1, parts, "meet")
    assert wrong.kappa == np.inf
    witness = wrong.witness + 1
    assert lcm(a, b) % witness == 0
    assert a % witness or b % witness
    assert wrong.extra == np.inf
    assert wrong.missing == 0


def above(points: NDArray[np.float64]) -> Hom:
    """max_j (x_j - y_j)^+: 0 iff x <= y in every coordinate. Meets are minima, joins maxima."""
    return hom_from_distances(np.maximum(points[:, None] - points[None, :], 0).max(axis=2), COST)


@given(seed=st.integers(0, 10**6), shift=st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_minima_compose_and_a_shifted_one_is_off_by_the_shift(seed: int, shift: float) -> None:
    points = normal(30, 3, seed)
    low, high = points[:3].min(axis=0), points[:3].max(axis=0)
    hom = above(np.concatenate([points, [low, high, low + shift, low - shift]]))
    assert kappa(hom, 30, [0, 1, 2], "meet", draws=9).composes(1e-12)
    assert kappa(hom, 31, [0, 1, 2], "join", draws=9).composes(1e-12)
    nearer = kappa(hom, 32, [0, 1, 2], "meet", draws=9)
    assert nearer.extra == pytest.approx(shift, abs=1e-12)
    assert nearer.kappa <= shift + 1e-12
    further = kappa(hom, 33, [0, 1, 2], "meet", draws=9)
    assert further.missing == pytest.approx(shift, abs=1e-12)
    assert further.extra == pytest.approx(0, abs=1e-12)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_on_the_image_kappa_grows_by_the_distortion_at_most(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((12, 3))
    points[0] = points[1:3].min(axis=0)
    source = above(points)
    target = above(np.hstack([points + 0.3 * rng.standard_normal((12, 3)), rng.standard_normal((12, 1))]))
    moved = distortion(source, target)
    before = kappa(source, 0, [1, 2], "meet", draws=0).kappa
    after = kappa(target, 0, [1, 2], "meet", draws=0).kappa
    assert after <= before + moved.full.largest + moved.functor.largest + 1e-12


def test_true_parts_are_told_from_random_ones_and_a_null_claim_is_not() -> None:
    rng = np.random.default_rng(1)
    points = rng.standard_normal((200, 6))
    points[0] = points[1:4].min(axis=0) + 0.05 * rng.standard_normal(6)
    hom = above(points)
    assert kappa(hom, 0, [1, 2, 3], "meet").p <= 0.01
    chance = [kappa(hom, 5, rng.choice(np.arange(6, 200), 3, replace=False), "meet", draws=99).p for _ in range(60)]
    assert np.mean(np.array(chance) <= 0.1) < 0.25
    with pytest.raises(InputError, match="at least one"):
        kappa(hom, 0, [], "meet")
