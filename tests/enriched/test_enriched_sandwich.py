"""The Kan sandwich and what is built on it: theory oracles 9 and 10, planted anchors, and the parts of an error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.enriched.answers import (
    CONTRADICTED,
    DETERMINED,
    OPEN,
    answer_by_anchors,
    bagged_answers,
    consistent_anchors,
)
from presheaf.enriched.closure import close_distances
from presheaf.enriched.construct import hom_from_distances, hom_from_features
from presheaf.enriched.hom import Hom, Variance
from presheaf.enriched.kernel import angle, laplacian
from presheaf.enriched.label_category import COMPONENTS, ISOMORPHISM_CLASSES
from presheaf.enriched.losses import decompose_error
from presheaf.enriched.population import bayes_bracket, pair_bound
from presheaf.enriched.quantale import COST, FUZZY_MIN, LUKASIEWICZ, PROBABILITY, Quantale
from presheaf.enriched.sandwich import Sandwich, bagged_sandwich, coverage, kan_sandwich, trimmed_anchors
from presheaf.errors import InputError

VARIANCES: tuple[Variance, ...] = ("contravariant", "covariant")
QUANTALES = (COST, PROBABILITY, LUKASIEWICZ, FUZZY_MIN)


def lawful(seed: int, n: int, quantale: Quantale = COST) -> Hom:
    d = np.random.default_rng(seed).random((n, n)) * min(quantale.cap, 3.0)
    return hom_from_distances(close_distances(d, quantale), quantale, lawful=True)


def presheaf(hom: Hom, seed: int, variance: Variance) -> np.ndarray:
    """A random presheaf: a weighted colimit of representables, min_p w_p (+) hom(x, p)."""
    rng = np.random.default_rng(seed)
    points = rng.choice(hom.n, size=min(3, hom.n), replace=False)
    weights = rng.random(len(points)) * 0.3
    return hom.quantale.add(hom.columns(points, variance, np.float64), weights).min(axis=1)


def path(n: int) -> Hom:
    x = np.arange(n)
    return hom_from_distances(np.abs(x[:, None] - x), COST, lawful=True)


@pytest.mark.parametrize("variance", VARIANCES)
def test_oracle_9_gap(variance: Variance) -> None:
    result = kan_sandwich(path(3), [0, 2], [0.0, 0.0], variance)
    assert result.upper.tolist() == [0, 1, 0]
    assert result.lower.tolist() == [0, 0, 0]
    assert result.gap.tolist() == [0, 1, 0]
    assert result.defect == 0


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10**6),
    st.integers(2, 15),
    st.sampled_from(QUANTALES),
    st.sampled_from(VARIANCES),
    st.integers(1, 15),
)
def test_oracle_10_sandwich_on_random_lawvere_spaces(
    seed: int, n: int, quantale: Quantale, variance: Variance, a: int
) -> None:
    hom = lawful(seed, n, quantale)
    truth = presheaf(hom, seed + 1, variance)
    anchors = np.random.default_rng(seed + 2).permutation(n)[: min(a, n)]
    result = kan_sandwich(hom, anchors, truth[anchors], variance)
    assert (result.lower <= truth + 1e-9).all()
    assert (truth <= result.upper + 1e-9).all()
    np.testing.assert_allclose(result.lower[anchors], truth[anchors], atol=1e-9)
    np.testing.assert_allclose(result.upper[anchors], truth[anchors], atol=1e-9)
    assert result.defect <= 1e-9
    assert result.holds(truth).all()
    assert not result.crossed.any()
    # Both ends are presheaves, so neither can be improved.
    d = hom.dense(1 << 20) if variance == "contravariant" else hom.dense(1 << 20).T
    for end in (result.lower, result.upper):
        assert (end[:, None] <= quantale.add(d, end) + 1e-9).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 12), st.sampled_from(QUANTALES), st.sampled_from(VARIANCES))
def test_bounds_are_their_formulas_in_blocks(seed: int, n: int, quantale: Quantale, variance: Variance) -> None:
    hom, rng = lawful(seed, n, quantale), np.random.default_rng(seed)
    anchors, values = rng.integers(0, n, 4), rng.random(4) * min(1, quantale.cap)
    result = kan_sandwich(hom, anchors, values, variance, limit_bytes=300)
    d = hom.dense(1 << 20) if variance == "contravariant" else hom.dense(1 << 20).T
    for x in range(n):
        upper = min(float(quantale.add(d[x, a], v)) for a, v in zip(anchors, values, strict=True))
        # The least r on a grid with D[a, x] (+) r >= T(a), for every anchor.
        grid = np.linspace(0, min(1, quantale.cap), 2001)
        fine = np.all([quantale.add(d[a, x], grid) >= v - 1e-12 for a, v in zip(anchors, values, strict=True)], axis=0)
        assert result.upper[x] == pytest.approx(upper)
        assert result.lower[x] == pytest.approx(grid[fine][0], abs=1e-3)
    np.testing.assert_allclose(result.gap, result.upper - result.lower)


def test_a_wrong_anchor_crosses_and_trimming_or_bagging_mends_it() -> None:
    rng = np.random.default_rng(0)
    points = rng.random((300, 2))
    hom = hom_from_features(points, laplacian(1.0))
    truth = hom.row(0, "contravariant")
    anchors = np.arange(0, 300, 3)
    clean = kan_sandwich(hom, anchors, truth[anchors], "contravariant")
    values = truth[anchors].copy()
    values[7] += 3.0
    bad = kan_sandwich(hom, anchors, values, "contravariant")
    assert bad.crossed.mean() > 0.9
    assert bad.defect > 2.5
    assert "contradicted" in repr(bad)
    kept = trimmed_anchors(hom, anchors, values, "contravariant")
    assert np.flatnonzero(~kept).tolist() == [7]
    mended = kan_sandwich(hom, anchors[kept], values[kept], "contravariant")
    assert mended.holds(truth).all()
    held_out = np.setdiff1d(np.arange(300), anchors)
    bagged = bagged_sandwich(hom, anchors, values, "contravariant", held_out, bags=25, share=0.3)
    assert bagged.holds(truth[held_out]).all()
    assert not bagged.crossed.any()
    assert np.median(clean.gap) < np.median(bagged.gap) < 1


def test_trimming_is_least_on_planted_contradictions() -> None:
    hom = path(40)
    values = np.zeros(40)
    values[[5, 20, 33]] = 30.0
    kept = trimmed_anchors(hom, np.arange(40), values, "contravariant")
    assert np.flatnonzero(~kept).tolist() == [5, 20, 33]


def test_coverage_stands_beside_shuffled_truth() -> None:
    points = np.random.default_rng(1).random((400, 2))
    hom = hom_from_features(points, laplacian(1.0))
    truth = hom.row(0, "contravariant")
    anchors, held_out = np.arange(200), np.arange(200, 400)
    result = coverage(kan_sandwich(hom, anchors, truth[anchors], "contravariant", held_out), truth[held_out])
    assert result.inside.value == 1.0
    assert result.shuffled.value < 0.4
    # Steeper than the hom allows: no presheaf, and held-out truth says so.
    steep = 3 * truth
    broken = kan_sandwich(hom, anchors, steep[anchors], "contravariant", held_out)
    assert broken.defect > 0
    assert coverage(broken, steep[held_out]).inside.high < 0.5


def test_infinite_distances_leave_everything_open() -> None:
    d = np.full((4, 4), np.inf)
    np.fill_diagonal(d, 0)
    result = kan_sandwich(hom_from_distances(d, COST), [0, 1], [0.0, np.inf], "contravariant")
    assert result.upper.tolist() == [0, np.inf, np.inf, np.inf]
    assert result.lower.tolist() == [0, np.inf, 0, 0]
    assert result.gap.tolist() == [0, 0, np.inf, np.inf]
    assert not result.crossed.any()
    assert isinstance(result, Sandwich)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(3, 14), st.integers(1, 3), st.sampled_from((COMPONENTS, ISOMORPHISM_CLASSES)))
def test_answers_are_what_the_sandwiches_leave(seed: int, n: int, k: int, category: object) -> None:
    rng = np.random.default_rng(seed)
    d = lawful(seed, n).dense(1 << 20)
    # The larger direction is a lawful metric; the smaller of two is not in general, so the oracle is on symmetric homs.
    hom = hom_from_distances(np.maximum(d, d.T), COST, lawful=True)
    anchors = rng.permutation(n)[: n // 2 + 1]
    labels = np.array(["a", "b", "c"])[rng.integers(0, k, len(anchors))]
    found = answer_by_anchors(hom, anchors, labels, category, limit_bytes=2000)  # type: ignore[arg-type]
    for lam in (0.0, 0.3, 0.8):
        above = np.nextafter(lam, 9)
        possible, reached = [], np.zeros(n, dtype=bool)
        for label in found.classes:
            values = np.where(labels == label, 0.0, above)
            possible.append(kan_sandwich(hom, anchors, values, "contravariant").lower == 0)
            reached |= (
                kan_sandwich(hom, anchors[labels == label], np.zeros(sum(labels == label)), "contravariant").upper
                <= lam
            )
        count = np.sum(possible, axis=0)
        status, answer = found.status(lam), found.answer(lam)
        np.testing.assert_array_equal(status == CONTRADICTED, count == 0)
        np.testing.assert_array_equal(status == OPEN, ~reached)
        for x in np.flatnonzero(status == DETERMINED):
            assert [c[x] for c in possible] == [c == answer[x] for c in range(len(found.classes))]
        assert (answer[status != DETERMINED] == -1).all()


def test_lambda_itself_is_in_reach() -> None:
    # Object 2 is at distance 2 from a and 3 from b.
    found = answer_by_anchors(path(6), [0, 5], ["a", "b"], COMPONENTS, [2])
    assert [int(found.status(lam)[0]) for lam in (1.9, 2.0, 2.9, 3.0)] == [OPEN, DETERMINED, DETERMINED, CONTRADICTED]


def test_bags_that_disagree_abstain() -> None:
    # Three anchors of three labels at the same place, one in each bag: none has more than half.
    hom = hom_from_distances(np.zeros((4, 4)), COST)
    label, support = bagged_answers(hom, [0, 1, 2], ["a", "b", "c"], COMPONENTS, 0.0, [3], bags=99, share=0.34)
    assert label.tolist() == [-1]
    assert 1 / 3 <= support[0] <= 0.5
    far = hom_from_distances(1.0 - np.eye(4), COST)
    label, support = bagged_answers(far, [0, 1, 2], ["a", "b", "c"], COMPONENTS, 0.5, [3, 2], bags=99, share=0.34)
    assert label.tolist() == [-1, 2]
    assert np.isnan(support[0])
    assert support[1] == 1


def test_readings_of_a_directed_hom() -> None:
    hom = hom_from_distances([[0, 1], [5, 0]], COST)
    assert answer_by_anchors(hom, [0], ["a"], COMPONENTS).nearest.tolist() == [0, 1]
    assert answer_by_anchors(hom, [0], ["a"], ISOMORPHISM_CLASSES).nearest.tolist() == [0, 5]


def noisy_clusters(seed: int, wrong: float) -> tuple[Hom, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((12, 8))
    owner = rng.integers(0, 12, 600)
    hom = hom_from_features(centres[owner] + 0.03 * rng.standard_normal((600, 8)), angle())
    labels = owner % 3
    seen = np.where(rng.random(600) < wrong, rng.integers(0, 3, 600), labels)
    return hom, labels, seen


def test_trimmed_and_bagged_answers_withstand_wrong_labels() -> None:
    hom, labels, seen = noisy_clusters(0, 0.1)
    anchors, held_out = np.arange(300), np.arange(300, 600)
    plain = answer_by_anchors(hom, anchors, seen[anchors], COMPONENTS, held_out)
    assert (plain.status(0.2) == CONTRADICTED).mean() > 0.5
    kept = consistent_anchors(hom, anchors, seen[anchors], COMPONENTS, 0.2)
    assert (seen[anchors] == labels[anchors])[kept].mean() > 0.99
    trimmed = answer_by_anchors(hom, anchors[kept], seen[anchors][kept], COMPONENTS, held_out)
    answered = trimmed.status(0.2) == DETERMINED
    assert answered.mean() > 0.9
    assert (trimmed.answer(0.2)[answered] == labels[held_out][answered]).mean() > 0.99
    # Few anchors a bag, or a wrong label is in reach of every bag.
    label, support = bagged_answers(hom, anchors, seen[anchors], COMPONENTS, 0.2, held_out, bags=101, share=0.04)
    assert (label >= 0).mean() > 0.6
    assert (label == labels[held_out])[label >= 0].mean() > 0.99
    assert (support[label >= 0] > 0.5).all()


def test_error_parts_sum_and_name_what_was_planted() -> None:
    hom, labels, _ = noisy_clusters(1, 0.0)
    rng = np.random.default_rng(2)
    # One cluster has no anchors, and in another labels are a coin.
    groups = _clusters(hom)
    truth = labels.copy()
    coin = groups == groups[0]
    truth[coin] = rng.integers(0, 2, coin.sum())
    silent = groups == groups[np.flatnonzero(groups != groups[0])[0]]
    anchors = np.setdiff1d(np.arange(300), np.flatnonzero(silent))
    held_out = np.arange(300, 600)
    predicted = truth[held_out].copy()
    careless = np.flatnonzero(~(coin | silent)[held_out])[:20]
    predicted[careless] = (predicted[careless] + 1) % 3
    predicted[silent[held_out]] = (predicted[silent[held_out]] + 1) % 3
    predicted[coin[held_out]] = 0
    result = decompose_error(hom, truth, predicted, anchors, held_out, COMPONENTS, 0.25)
    parts = (result.collision, result.indeterminacy, result.estimation)
    assert sum(p.error.value for p in parts) == pytest.approx(result.total.value)
    assert sum(p.objects.value for p in parts) == pytest.approx(1)
    assert result.estimation.error.value == pytest.approx(20 / 300)
    assert result.indeterminacy.error.value == pytest.approx(silent[held_out].mean())
    assert result.collision.error.value == pytest.approx((truth[held_out][coin[held_out]] == 1).sum() / 300)
    assert result.collision.objects.value == pytest.approx(coin[held_out].mean())
    assert result.collision.shuffled.value > 0.8
    assert all(p.error.low <= p.error.value <= p.error.high for p in parts)
    assert "collision" in repr(result)


def _clusters(hom: Hom) -> np.ndarray:
    from scipy.sparse.csgraph import connected_components

    return np.asarray(connected_components(hom.within(0.2, "both").graph(), directed=False)[1])


def test_pair_bound_is_half_the_disagreement() -> None:
    rng = np.random.default_rng(0)
    apart = rng.random(400) < 0.3
    labels = rng.integers(0, 2, 400)
    result = pair_bound(labels, labels ^ apart)
    assert result.disagreement.value == apart.mean()
    assert result.error.value == apart.mean() / 2
    assert result.error.low < 0.15 < result.error.high
    assert result.ceiling.high == 1 - result.error.low
    assert pair_bound(["a", "b"], ["a", "b"]).error.low == 0
    with pytest.raises(InputError, match="one length"):
        pair_bound([1, 2], [1])


def test_pair_bound_covers_the_truth() -> None:
    covered = 0
    for seed in range(300):
        apart = np.random.default_rng(seed).random(60) < 0.2
        covered += pair_bound(np.zeros(60), apart.astype(float)).error.low <= 0.1
    # One-sided at 97.5 %.
    assert covered >= 285


def test_cover_hart_bracket() -> None:
    # Labels are 1 with probability 0.8 whatever the features: R* = 0.2, R tends to 2 * 0.2 * 0.8 = 0.32, and the
    # bracket is tight at both ends of Cover and Hart's inequality for two labels.
    rng = np.random.default_rng(0)
    hom = hom_from_features(rng.random((4000, 2)), laplacian(1.0))
    labels = (rng.random(4000) < 0.8).astype(int)
    result = bayes_bracket(hom, labels, np.arange(2000), np.arange(2000, 4000), "contravariant")
    assert result.neighbour.low < 0.32 < result.neighbour.high
    assert result.low_end < 0.2 < result.high
    assert result.low == pytest.approx((1 - np.sqrt(1 - 2 * result.neighbour.value)) / 2)
    three = bayes_bracket(hom, rng.integers(0, 3, 4000), np.arange(2000), np.arange(2000, 4000), "covariant")
    # Pure noise of three labels: R = R* = 2/3, where the lower end meets the upper.
    assert three.low_end < 2 / 3 < three.high_end
    assert three.kind == "heuristic"


def test_refusals() -> None:
    hom = path(4)
    with pytest.raises(InputError, match="'variance' must be one of"):
        kan_sandwich(hom, [0], [0.0], "sideways")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="one distance in"):
        kan_sandwich(hom, [0], [-1.0], "covariant")
    with pytest.raises(InputError, match="at least one"):
        kan_sandwich(hom, [], [], "covariant")
    with pytest.raises(InputError, match="anchors must lie in"):
        kan_sandwich(hom, [4], [0.0], "covariant")
    with pytest.raises(InputError, match="limit_bytes=10"):
        kan_sandwich(hom, [0], [0.0], "covariant", limit_bytes=10)
    with pytest.raises(InputError, match="odd number of bags"):
        bagged_sandwich(hom, [0], [0.0], "covariant", bags=4)
    with pytest.raises(InputError, match="disjoint"):
        decompose_error(hom, [0, 1, 0, 1], [0], [0, 1], [1], COMPONENTS, 1.0)
    with pytest.raises(InputError, match="lambda must be"):
        answer_by_anchors(hom, [0], ["a"], COMPONENTS).status(-1)
    with pytest.raises(InputError, match="one for each of 2 anchors"):
        answer_by_anchors(hom, [0, 1], ["a"], COMPONENTS)
