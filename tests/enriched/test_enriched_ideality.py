"""Ideality against an external hom: by hand, by definition, and planted merges and inventions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.enriched.construct import hom_from_distances, hom_from_features, hom_from_values
from presheaf.enriched.hom import Hom, Variance
from presheaf.enriched.ideality import Normalise, ideality
from presheaf.enriched.kernel import angle, laplacian
from presheaf.enriched.quantale import COST, LUKASIEWICZ, PROBABILITY
from presheaf.errors import InputError

VARIANCES: tuple[Variance, ...] = ("contravariant", "covariant")


def values(matrix: np.ndarray) -> Hom:
    out = np.array(matrix, dtype=float)
    np.fill_diagonal(out, 1)
    return hom_from_values(out, LUKASIEWICZ)


def blocks(n: int, size: int, inside: float, outside: float) -> np.ndarray:
    group = np.arange(n) // size
    return np.where(group[:, None] == group, inside, outside)


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("normalise", ["rows", "none"])
def test_the_hom_itself_is_ideal(variance: Variance, normalise: Normalise) -> None:
    hom = hom_from_features(np.random.default_rng(0).random((60, 4)), laplacian(0.5))
    result = ideality(hom, hom, variance, normalise)
    assert result.value.value == result.value.low == 0
    # 30 disjoint pairs without a difference.
    assert result.value.high == pytest.approx(1 - 0.025 ** (1 / 30))
    assert (result.merges.value, result.invented.value, result.lost.value, result.merged.value) == (0, 0, 0, 0)
    assert result.null.min() > 0.05
    assert result.p == 1 / 20


def test_by_hand() -> None:
    # Objects 0 and 1 are merged; the external hom tells 1 from 0 and ties 2 to 3.
    model = values([[1, 1, 0.2, 0], [1, 1, 0.2, 0], [0.2, 0.2, 1, 0], [0, 0, 0, 1]])
    task = values([[1, 0.4, 0.2, 0], [0.4, 1, 0, 0], [0.2, 0, 1, 0.6], [0, 0, 0.6, 1]])
    result = ideality(model, task, "covariant", "none", repeats=0)
    assert result.merges.value == pytest.approx(2 * 0.6 / 12)
    assert result.invented.value == pytest.approx(2 * 0.2 / 12)
    assert result.lost.value == pytest.approx(2 * 0.6 / 12)
    assert result.value.value == pytest.approx(2 * 1.4 / 12)
    assert result.merged.value == 0.5
    assert "4 objects" in repr(result)


def test_isomorphic_objects_merged_are_no_loss() -> None:
    task = values(blocks(40, 2, 1.0, 0.0))
    assert ideality(task, task, "covariant", "none", repeats=0).merged.value == 0
    # The model merges fours where the task merges twos.
    coarse = values(blocks(40, 4, 1.0, 0.0))
    result = ideality(coarse, task, "covariant", "none", repeats=0)
    assert result.merged.value == 1
    assert result.merges.value == pytest.approx(2 / 39)
    assert result.invented.value == result.lost.value == 0
    # A finer model merges nothing it should not, but loses what ties twins.
    fine = ideality(task, coarse, "covariant", "none", repeats=0)
    assert fine.merged.value == fine.merges.value == 0
    assert fine.lost.value == pytest.approx(2 / 39)


def test_invented_closeness_is_not_merging() -> None:
    task, model = values(blocks(60, 3, 0.8, 0.0)), values(blocks(60, 3, 0.8, 0.1))
    result = ideality(model, task, "contravariant", "none", repeats=0)
    assert result.invented.value == pytest.approx(0.1 * 57 / 59)
    assert result.merges.value == result.lost.value == 0
    # Normalised: of a row's weight 1.6 + 5.7 the part 5.7 lies where the task has nothing.
    rows = ideality(model, task, "contravariant", "rows", repeats=0)
    assert rows.value.value == pytest.approx(5.7 / 7.3)
    assert rows.invented.value == pytest.approx(5.7 / 7.3 / 2)
    assert rows.lost.value == pytest.approx(5.7 / 7.3 / 2)
    # A scale that rows take out.
    half = values(blocks(60, 3, 0.4, 0.0))
    assert ideality(half, task, "covariant", "rows", repeats=0).value.value == pytest.approx(0)
    assert ideality(half, task, "covariant", "none", repeats=0).value.value > 0


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 10**6),
    st.integers(4, 25),
    st.sampled_from(VARIANCES),
    st.sampled_from(["rows", "none"]),
    st.booleans(),
)
def test_against_the_definition(seed: int, n: int, variance: Variance, normalise: Normalise, merge: bool) -> None:
    rng = np.random.default_rng(seed)
    k, h = rng.random((n, n)), rng.random((n, n))
    if merge:
        k[0, 1] = k[1, 0] = 1
    result = ideality(values(k), values(h), variance, normalise, repeats=0, limit_bytes=8 * n * 8 * 3)
    if variance == "contravariant":
        k, h = k.T, h.T
    total, on_merges, lost = 0.0, 0.0, 0.0
    for x in range(n):
        others = [y for y in range(n) if y != x]
        a, b = k[x, others], h[x, others]
        if normalise == "rows":
            a, b = a / a.sum(), b / b.sum()
        weight = 0.5 if normalise == "rows" else 1 / (n - 1)
        total += np.abs(a - b).sum() * weight / n
        lost += np.maximum(b - a, 0).sum() * weight / n
        if merge and x < 2:
            on_merges += max(0, a[0] - b[0]) * weight / n
    assert result.value.value == pytest.approx(total)
    assert result.lost.value == pytest.approx(lost)
    assert result.merges.value == pytest.approx(on_merges)
    assert result.invented.value == pytest.approx(total - lost - on_merges)
    assert result.merged.value == (2 / n if merge else 0)


def test_order_of_the_objects_does_not_matter_to_the_numbers() -> None:
    rng = np.random.default_rng(3)
    k, h = rng.random((50, 50)), rng.random((50, 50))
    order = rng.permutation(50)
    one = ideality(values(k), values(h), "covariant", "rows", repeats=0)
    two = ideality(values(k).take(order), values(h).take(order), "covariant", "rows", repeats=0)
    assert one.value.value == pytest.approx(two.value.value)
    assert one.merges.value == pytest.approx(two.merges.value)


@pytest.mark.parametrize("normalise", ["rows", "none"])
def test_intervals_cover_what_more_objects_show(normalise: Normalise) -> None:
    def worlds(seed: int, n: int) -> tuple[Hom, Hom]:
        rng = np.random.default_rng(seed)
        # Skewed scales: some objects are far worse than others.
        x = rng.standard_normal((n, 3))
        noise = rng.standard_normal((n, 3)) * rng.exponential(0.5, (n, 1))
        return hom_from_features(x + noise, laplacian(1.0)), hom_from_features(x, laplacian(1.0))

    truth = ideality(*worlds(0, 1500), "covariant", normalise, repeats=0)
    covered = 0
    for seed in range(1, 101):
        result = ideality(*worlds(seed, 60), "covariant", normalise, repeats=0)
        covered += result.value.low <= truth.value.value <= result.value.high
    assert covered >= 88


def test_rows_without_weight_are_left_out() -> None:
    task = blocks(30, 3, 0.5, 0.0)
    task[29] = task[:, 29] = 0.0
    model = values(blocks(30, 3, 0.5, 0.0))
    result = ideality(model, values(task), "covariant", "rows", repeats=0)
    assert result.skipped == 1
    assert result.value.value == pytest.approx(2 * 0.5 / 29)


def test_refusals() -> None:
    hom = values(blocks(6, 2, 0.5, 0.1))
    with pytest.raises(InputError, match="same 4 or more objects"):
        ideality(hom, hom.take(np.arange(5)), "covariant", "rows")
    with pytest.raises(InputError, match="'normalise' must be one of"):
        ideality(hom, hom, "covariant", "columns")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="values must lie in"):
        ideality(hom_from_distances(np.zeros((6, 6)), COST), hom, "covariant", "none")
    with pytest.raises(InputError, match="values must lie in"):
        ideality(hom, hom_from_features(np.random.default_rng(0).random((6, 2)), angle()), "covariant", "none")
    with pytest.raises(InputError, match="no row of the homs"):
        ideality(hom, hom_from_values(np.eye(6), PROBABILITY), "covariant", "rows")
