"""Repairs in their order, and the repair of a function into a presheaf at exactly delta / 2 (theory oracle 11)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from presheaf.enriched.closure import close_distances
from presheaf.enriched.construct import hom_from_distances, hom_from_features, hom_from_relation, hom_from_values
from presheaf.enriched.functor import functor_defect, repair_presheaf
from presheaf.enriched.hom import Hom, Variance
from presheaf.enriched.kernel import angle, gaussian, half_cosine
from presheaf.enriched.quantale import ANGLE, COST, LUKASIEWICZ, PROBABILITY, Quantale
from presheaf.enriched.repair import change_quantale, close, snowflake
from presheaf.errors import InputError

VARIANCES: tuple[Variance, ...] = ("contravariant", "covariant")


def lawful(seed: int, n: int, quantale: Quantale = COST) -> Hom:
    d = np.random.default_rng(seed).random((n, n)) * min(quantale.cap, 3.0)
    return hom_from_distances(close_distances(d, quantale), quantale)


def cloud(n: int = 200) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((n, 3))


def test_angle_of_a_gaussian_is_lawful() -> None:
    result = change_quantale(hom_from_features(cloud(), gaussian(4.0, unlawful=True)))
    assert result.before.share.value > 0.15
    assert result.after.kept
    assert result.hom.lawful is True
    assert result.hom.fitted == 0
    assert result.hom.quantale is ANGLE
    # The same values: cos of the new distance is exp of minus the old one.
    squares = ((cloud()[:5, None] - cloud()[:5]) ** 2).sum(axis=2)
    np.testing.assert_allclose(np.cos(result.hom.distances(slice(5), slice(5), np.float64)), np.exp(-squares / 4))
    assert change_quantale(hom_from_features(cloud(), half_cosine(unlawful=True))).after.kept


def test_lawful_is_claimed_only_for_positive_semidefinite_values() -> None:
    factors = np.abs(cloud(30))
    factors /= np.linalg.norm(factors, axis=1, keepdims=True)
    values = np.clip(factors @ factors.T, 0, 1)
    np.fill_diagonal(values, 1)
    assert change_quantale(hom_from_values(values, PROBABILITY)).hom.lawful is True
    # a ~ b ~ c with 0.9 and a, c unrelated: no unit vectors do that.
    broken = hom_from_values([[1, 0.9, 0], [0.9, 1, 0.9], [0, 0.9, 1]], PROBABILITY)
    result = change_quantale(broken)
    assert result.hom.lawful is None
    assert not result.after.kept


def test_snowflake_of_a_square_is_near_the_root() -> None:
    # |u|^2 to the power 1/2 is a metric; points on a line need exactly that.
    line = np.random.default_rng(0).random((60, 1))
    assert snowflake(hom_from_features(line, gaussian(1.0, unlawful=True))).exponent == pytest.approx(0.5)
    hom = hom_from_features(cloud(400), gaussian(1.0, unlawful=True))
    usual = snowflake(hom)
    assert 0.5 < snowflake(hom, share=1.0).exponent < usual.exponent < 0.75
    assert usual.hom.fitted == 1
    assert usual.hom.lawful is None
    assert usual.before.objects == 200
    # Objects that did not choose: the 99 % quantile is 0 up to what chance moves.
    assert usual.after.share.value < 0.03 < usual.before.share.value
    assert usual.after.q99.value < 0.01


def test_snowflake_leaves_a_lawful_hom_alone_and_says_when_it_cannot_help() -> None:
    kept = snowflake(hom_from_features(cloud(), angle()))
    assert kept.hom.fitted == 0
    assert kept.hom.lawful is True
    # Everything is at distance 0 from one object in three and 1 from the others.
    d = np.ones((30, 30))
    d[:, ::3] = d[::3] = 0
    with pytest.raises(InputError, match="no power of the distance mends that"):
        snowflake(hom_from_distances(d, COST))
    with pytest.raises(InputError, match="don't add"):
        snowflake(hom_from_relation(np.eye(9)))


def test_closure_reports_before_and_after() -> None:
    result = close(hom_from_features(cloud(60), gaussian(1.0, unlawful=True)))
    assert result.kind == "closure"
    assert result.before.largest > 1e-3
    assert result.after.kept
    assert result.hom.lawful is True


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.sampled_from(VARIANCES),
    st.sampled_from([COST, PROBABILITY, LUKASIEWICZ, ANGLE]),
)
def test_the_nearest_presheaf_is_at_exactly_half_the_defect(
    seed: int, n: int, variance: Variance, quantale: Quantale
) -> None:
    hom = lawful(seed, n, quantale)
    task = np.random.default_rng(seed + 1).random(n) * min(quantale.cap, 3.0)
    repair = repair_presheaf(hom, task, variance)
    assert repair.moved == pytest.approx(repair.defect / 2, abs=1e-12)
    assert (repair.below <= task + 1e-12).all()
    assert (repair.above >= task - 1e-12).all()
    for presheaf in (repair.nearest, repair.below, repair.above):
        assert functor_defect(hom, presheaf, variance) == pytest.approx(0, abs=1e-9)
    d = hom.dense(1 << 20)
    d = d if variance == "contravariant" else d.T
    # By definition, over all pairs.
    assert repair.defect == pytest.approx(max(0, (task[:, None] - d - task).max()), abs=1e-12)


@pytest.mark.parametrize("variance", VARIANCES)
def test_no_presheaf_is_nearer_says_a_linear_program(variance: Variance) -> None:
    hom = lawful(7, 8)
    task = np.random.default_rng(8).random(8) * 3
    d = hom.dense(1 << 20)
    d = d if variance == "contravariant" else d.T
    # Variables T(0..7) and e; T(x) - T(y) <= D(x, y), |T - U| <= e, least e.
    x, y = np.nonzero(~np.eye(8, dtype=bool))
    law = np.zeros((len(x), 9))
    law[np.arange(len(x)), x], law[np.arange(len(x)), y] = 1, -1
    near = np.block([[np.eye(8), -np.ones((8, 1))], [-np.eye(8), -np.ones((8, 1))]])
    best = linprog(np.eye(9)[8], np.vstack([law, near]), np.concatenate([d[x, y], task, -task]), bounds=(0, None))
    assert repair_presheaf(hom, task, variance).moved == pytest.approx(best.fun, abs=1e-9)


def test_representables_are_presheaves_of_their_variance() -> None:
    hom = lawful(3, 10)
    for variance in VARIANCES:
        assert functor_defect(hom, hom.row(4, variance), variance) == pytest.approx(0, abs=1e-12)
    assert functor_defect(hom, hom.row(4, "covariant"), "contravariant") > 0.01


def test_infinite_labels_and_wrong_ones() -> None:
    hom = hom_from_distances([[0, 1], [np.inf, 0]], COST)
    # T(0) <= D(0, 1) + T(1) = 1 fails for T = (inf, 0) without end; the other way nothing is asked.
    assert functor_defect(hom, [np.inf, 0], "contravariant") == np.inf
    assert functor_defect(hom, [0, np.inf], "contravariant") == 0
    with pytest.raises(InputError, match=r"lie in \[0, inf\]"):
        functor_defect(hom, [-1, 0], "contravariant")
    with pytest.raises(InputError, match="for each of 2 objects"):
        functor_defect(hom, [0, 0, 0], "contravariant")
    with pytest.raises(InputError, match="Close it first"):
        repair_presheaf(hom_from_features(cloud(5), gaussian(1.0, unlawful=True)), np.zeros(5), "contravariant")
    with pytest.raises(InputError, match="don't add"):
        repair_presheaf(hom_from_relation(np.eye(2)), np.zeros(2), "contravariant")
