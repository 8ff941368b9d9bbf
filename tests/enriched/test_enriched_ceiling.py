"""Ceilings along lambda: theory oracle 24, planted worlds, brute force, and what must not move them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from presheaf.enriched.ceiling import CeilingCurve, ceiling_curve, ceiling_null, unavoidable_error
from presheaf.enriched.closure import close_distances
from presheaf.enriched.conflicts import close_pairs, conflicts
from presheaf.enriched.construct import hom_from_distances, hom_from_features
from presheaf.enriched.functor import functor_defect
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import angle, laplacian
from presheaf.enriched.label_category import COMPONENTS, ISOMORPHISM_CLASSES, Discrete, LabelCategory, Metric, Ordered
from presheaf.enriched.linkage import components, majority
from presheaf.enriched.quantale import COST
from presheaf.enriched.vertex_cover import least_cover
from presheaf.errors import InputError

DISCRETE = (COMPONENTS, ISOMORPHISM_CLASSES)


def line(points: list[float]) -> Hom:
    x = np.array(points)
    # Rounded, so that steps of 0.1 are all the same number.
    return hom_from_distances(np.round(np.abs(x[:, None] - x), 9), COST)


def curve(hom: Hom, labels: object, category: LabelCategory, lambdas: list[float]) -> CeilingCurve:
    return ceiling_curve(close_pairs(hom, lambdas[-1], category.reading), labels, category, lambdas)  # type: ignore[arg-type]


def directed(seed: int, n: int) -> Hom:
    """A random Lawvere metric space, not symmetric."""
    return hom_from_distances(close_distances(np.random.default_rng(seed).random((n, n))), COST, lawful=True)


def least_by_program(n: int, i: np.ndarray, j: np.ndarray, whole: bool) -> float:
    """Size of a least vertex cover by integer (or linear) programming."""
    rows = np.zeros((len(i), n))
    rows[np.arange(len(i)), i] = rows[np.arange(len(i)), j] = 1
    return float(
        milp(np.ones(n), integrality=int(whole), bounds=Bounds(0, 1), constraints=LinearConstraint(rows, 1)).fun
    )


@pytest.mark.parametrize("category", DISCRETE)
def test_oracle_24_abab(category: Discrete) -> None:
    result = curve(line([0, 0.1, 0.2, 1]), list("ABAB"), category, [0.05, 0.15, 1.0])
    assert result.strict.tolist() == [1.0, 0.75, 0.5]
    assert result.margin.tolist() == [1.0, 0.75, 0.5]
    assert result.exact.all()
    assert result.conflicts.tolist() == [0, 2, 4]
    assert result.evidence.tolist() == [0, 0.75, 1]
    assert result.nearest_conflict == 0.1


def test_oracle_24_strict_and_margin_differ_where_closeness_is_not_transitive() -> None:
    result = curve(line([0, 0.1, 0.2, 0.3, 0.4, 0.5]), list("AAABBB"), COMPONENTS, [0.1])
    assert result.strict[0] == 1 / 2
    assert result.margin[0] == pytest.approx(5 / 6)
    assert result.reached[0] == result.margin[0]


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_twins_labelled_apart(share: float) -> None:
    features = np.random.default_rng(0).standard_normal((100, 16))
    apart = np.arange(100) < round(share * 100)
    one = np.random.default_rng(1).integers(0, 2, 100)
    labels = np.concatenate([one, one ^ apart])
    hom = hom_from_features(np.concatenate([features, features]), angle())
    result = curve(hom, labels, ISOMORPHISM_CLASSES, [0.0, 1e-3])
    assert result.strict == pytest.approx(1 - share / 2)
    assert result.margin == pytest.approx(1 - share / 2)
    assert (result.evidence == 1).all()
    # Judged by its twin an object is right unless the two are labelled apart: the plug-in ceiling is no estimate.
    assert result.leave_one_out[0].value == pytest.approx(1 - share)
    assert result.leave_one_out[0].low <= 1 - share <= result.leave_one_out[0].high
    # Twins are right or wrong together, so they are worth one row.
    assert result.leave_one_out[0].effective == pytest.approx(100, rel=0.01)
    assert result.nearest_conflict == (None if share == 0 else 0.0)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 14), st.integers(0, 30), st.booleans())
def test_covers_are_least_with_two_sides_and_bracketed_without(seed: int, n: int, m: int, two: bool) -> None:
    rng = np.random.default_rng(seed)
    i, j = rng.integers(0, n, m), rng.integers(0, n, m)
    left = rng.random(n) < 0.5
    keep = left[i] != left[j] if two else i != j
    i, j = i[keep], j[keep]
    cover = least_cover(n, i, j, left if two else None, seed)
    assert (cover.members[i] | cover.members[j]).all()
    assert cover.members.sum() == cover.size
    true = round(least_by_program(n, i, j, whole=True)) if len(i) else 0
    assert cover.bound <= true <= cover.size
    if two:
        assert cover.bound == true == cover.size
    else:
        relaxed = least_by_program(n, i, j, whole=False) if len(i) else 0
        assert cover.bound == pytest.approx(relaxed)
        assert cover.size <= 2 * relaxed


def test_three_labels_report_a_bracket() -> None:
    # A triangle of three labels: the relaxation says 3/2, so at least 2 must go.
    result = curve(line([0, 0.1, 0.2]), list("ABC"), COMPONENTS, [0.2])
    assert result.margin[0] == result.reached[0] == pytest.approx(1 / 3)
    assert result.exact[0]
    assert "CeilingCurve" in repr(result)
    # Five in a ring, neighbours at 1: two can stay, the relaxation allows 5/2, and no two neighbours are within 1/2.
    steps = np.abs(np.arange(5)[:, None] - np.arange(5))
    ring = hom_from_distances(np.minimum(steps, 5 - steps), COST)
    odd = curve(ring, list("ABABC"), COMPONENTS, [1.0])
    assert odd.reached[0] == odd.margin[0] == 2 / 5
    # Two groups of four labels, joined by one pair: only the groups show that 6 of 8 must go.
    d = np.where(np.arange(8)[:, None] // 4 == np.arange(8) // 4, 1.0, 9.0) * (1 - np.eye(8))
    d[3, 4] = d[4, 3] = 2.0
    groups = curve(hom_from_distances(d, COST), list("ABCDABCD"), COMPONENTS, [2.0])
    assert groups.strict[0] == 1 / 4
    assert (groups.margin[0], groups.reached[0]) == (1 / 4, 1 / 4)
    # Groups within lambda that are not found at lambda / 2 leave the relaxation's bound.
    loose = curve(hom_from_distances(1.0 - np.eye(4), COST), list("ABCD"), COMPONENTS, [1.0])
    assert (loose.margin[0], loose.reached[0]) == (0.5, 0.25)
    assert not loose.exact[0]


def test_groups_bound_only_where_everything_is_close() -> None:
    # A centre at 1 from four others. Where these are near each other too, one of five can stay.
    d = np.full((5, 5), 2.0) - 2 * np.eye(5)
    d[0, 1:] = d[1:, 0] = 1.0
    near = curve(hom_from_distances(d, COST), list("ABCDE"), COMPONENTS, [2.0])
    assert near.margin[0] == near.reached[0] == 1 / 5
    # Where they are far apart, which breaks the triangle law, all but the centre can.
    d[1:, 1:] = 9 - 9 * np.eye(4)
    far = curve(hom_from_distances(d, COST), list("ABCDE"), COMPONENTS, [2.0])
    assert far.margin[0] == far.reached[0] == 4 / 5


def test_what_was_found_is_never_below_strict() -> None:
    # Half of the pairs of each group are close: components are whole groups, and the search by conflicts keeps fewer.
    rng = np.random.default_rng(0)
    group = np.arange(1000) // 100
    d = np.where(group[:, None] == group, np.where(rng.random((1000, 1000)) < 0.3, 1.0, 2.0), 9.0)
    d = np.minimum(d, d.T) * (1 - np.eye(1000))
    labels = rng.integers(0, 10, 1000)
    hom = hom_from_distances(d, COST)
    searched = conflicts(close_pairs(hom, 1.0, "either"), labels, COMPONENTS).cover(1.0)
    result = curve(hom, labels, COMPONENTS, [1.0, 2.0])
    assert 1 - searched.size / 1000 < result.strict[0] == result.reached[0]
    # Within 2 everything of a group is close, so nothing beats its majority.
    assert result.strict[1] == result.reached[1]


@pytest.mark.parametrize("category", DISCRETE)
def test_at_zero_every_number_of_labels_is_exact(category: Discrete) -> None:
    # Classes of isomorphic objects: both ceilings are the classes' majorities.
    rng = np.random.default_rng(0)
    group, labels = rng.integers(0, 30, 200), rng.integers(0, 5, 200)
    d = directed(1, 30).dense(1 << 20)[group][:, group]
    result = curve(hom_from_distances(d, COST), labels, category, [0.0])
    expected = sum(np.bincount(labels[group == g]).max() for g in set(group.tolist())) / 200
    assert result.strict[0] == result.margin[0] == result.reached[0] == expected
    assert result.exact[0]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 25), st.integers(1, 4), st.sampled_from(DISCRETE))
def test_against_definitions(seed: int, n: int, k: int, category: Discrete) -> None:
    hom, labels = directed(seed, n), np.random.default_rng(seed + 1).integers(0, k, n)
    d = hom.dense(1 << 20)
    sides = np.minimum(d, d.T) if category is COMPONENTS else np.maximum(d, d.T)
    lambdas = [0.0, 0.05, 0.1, 0.2, 0.4]
    result = curve(hom, labels, category, lambdas)
    for step, lam in enumerate(lambdas):
        close = (sides <= lam) & ~np.eye(n, dtype=bool)
        reach = (close | np.eye(n, dtype=bool)).astype(float)
        for _ in range(6):
            reach = np.minimum(reach @ reach, 1)
        groups = {tuple(row) for row in reach.astype(int).tolist()}
        right = sum(np.bincount(labels[np.array(g, dtype=bool)]).max() for g in groups)
        assert result.strict[step] == pytest.approx(right / n)
        i, j = np.nonzero(np.triu(close & (labels[:, None] != labels)))
        assert result.conflicts[step] == len(i)
        least = least_by_program(n, i, j, whole=True) if len(i) else 0
        assert result.reached[step] - 1e-9 <= 1 - least / n <= result.margin[step] + 1e-9
        assert result.evidence[step] == close.any(axis=1).mean()
        if result.exact[step]:
            assert result.reached[step] == result.margin[step]
    assert (result.strict <= result.margin + 1e-9).all()
    assert (np.diff(result.margin) <= 1e-9).all()
    assert (np.diff(result.strict) <= 1e-9).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 4), st.integers(1, 6))
def test_majority_without_oneself(seed: int, n: int, k: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    component, codes = rng.integers(0, groups, n), rng.integers(0, k, n)
    right, credit = majority(component, codes)
    assert right == sum(np.bincount(codes[component == g]).max() for g in set(component.tolist()))
    for x in range(n):
        others = codes[(component == component[x]) & (np.arange(n) != x)]
        if not len(others):
            assert np.isnan(credit[x])
            continue
        count = np.bincount(others, minlength=k)
        best = np.flatnonzero(count == count.max())
        assert credit[x] == pytest.approx((codes[x] in best) / len(best))


@pytest.mark.parametrize("category", DISCRETE)
def test_what_must_not_move_a_ceiling(category: Discrete) -> None:
    hom, labels = directed(3, 60), np.random.default_rng(4).integers(0, 2, 60)
    lambdas = [0.0, 0.02, 0.04, 0.08]
    base = curve(hom, labels, category, lambdas)
    assert 0.5 < base.margin[-1] < 1
    order = np.random.default_rng(5).permutation(60)
    twice = np.repeat(np.arange(60), 2)
    for other in (
        curve(hom, np.array(["zebra", "ant"])[labels], category, lambdas),
        curve(hom.take(order), labels[order], category, lambdas),
        curve(hom.take(twice), labels[twice], category, lambdas),
    ):
        np.testing.assert_allclose(other.strict, base.strict)
        np.testing.assert_allclose(other.margin, base.margin)
        np.testing.assert_allclose(other.reached, base.reached)
        assert other.nearest_conflict == base.nearest_conflict


def test_the_bound_beyond_two_labels_ignores_names_order_and_copies() -> None:
    hom, labels = directed(3, 40), np.random.default_rng(4).integers(0, 4, 40)
    base = curve(hom, labels, COMPONENTS, [0.03, 0.08])
    order = np.random.default_rng(5).permutation(40)
    twice = np.repeat(np.arange(40), 2)
    bound = [least_by_program(40, *_edges(hom, labels, lam), whole=False) for lam in (0.03, 0.08)]
    assert (base.margin <= 1 - np.ceil(np.array(bound) - 1e-9) / 40 + 1e-9).all()
    np.testing.assert_allclose(curve(hom, 3 - labels, COMPONENTS, [0.03, 0.08]).margin, base.margin)
    np.testing.assert_allclose(curve(hom.take(order), labels[order], COMPONENTS, [0.03, 0.08]).margin, base.margin)
    doubled = curve(hom.take(twice), labels[twice], COMPONENTS, [0.03, 0.08])
    np.testing.assert_allclose(doubled.margin, 1 - np.array(bound) / 40)


def _edges(hom: Hom, labels: np.ndarray, lam: float) -> tuple[np.ndarray, np.ndarray]:
    d = hom.dense(1 << 20)
    return np.nonzero(np.triu((np.minimum(d, d.T) <= lam) & (labels[:, None] != labels)))  # type: ignore[return-value]


def test_the_claim_changes_with_the_label_category() -> None:
    # One arrow 0 -> 1 and none back; labels 1 and 0.
    hom = hom_from_distances([[0, 0], [5, 0]], COST)
    labels = [1, 0]
    expected = {COMPONENTS: 0.5, ISOMORPHISM_CLASSES: 1.0, Ordered(): 0.5, Metric(1.0): 0.5}
    for category, margin in expected.items():
        assert curve(hom, labels, category, [1.0]).margin[0] == margin, category.claim
    assert curve(hom, [0, 1], Ordered(), [1.0]).margin[0] == 1.0
    ordered = curve(hom, labels, Ordered(), [1.0])
    assert ordered.strict is None
    assert "strict not defined" in repr(ordered)
    pairs = close_pairs(hom, 1.0, Ordered().reading)
    assert ceiling_null(pairs, labels, Ordered(), [1.0], repeats=2).strict is None
    assert len(curve(hom, labels, Ordered(), [1.0]).statements) == 1
    assert "one label" in curve(hom, labels, COMPONENTS, [1.0]).statements[0]
    incomparable = Ordered(np.eye(2, dtype=bool))
    assert curve(hom, [0, 1], incomparable, [1.0]).margin[0] == 0.5
    assert len({category.claim for category in expected}) == 4


def test_metric_labels_conflict_where_they_pass_the_slope() -> None:
    hom = line([0, 1, 2, 3])
    values = [0.0, 1.0, 5.0, 3.0]
    assert conflicts(close_pairs(hom, 3, "either"), values, Metric(1.0)).up_to(3)[0].tolist() == [1, 2, 0]
    assert curve(hom, values, Metric(1.0), [3.0]).margin[0] == 0.75
    assert curve(hom, values, Metric(4.0), [3.0]).margin[0] == 1.0
    table = np.array([[0, 1, 9], [1, 0, 9], [9, 9, 0]])
    assert curve(hom, [0, 1, 0, 2], Metric(1.0, table), [3.0]).margin[0] == 0.75


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 20), st.floats(0.2, 3))
def test_unavoidable_error_is_half_the_defect(seed: int, n: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    points, values = rng.random((n, 2)), rng.random(n)
    hom = hom_from_features(points, laplacian(1.0))
    pairs = close_pairs(hom, 6.0, "either")
    found = unavoidable_error(pairs, values, slope, [0.0, 0.3, 6.0])
    assert found.complete[-1] or slope * 6 < np.ptp(values)
    # The nearest function of this slope, by linear programming.
    d = slope * hom.dense(1 << 20)
    rows = [np.eye(n)[i] - np.eye(n)[j] for i in range(n) for j in range(n) if i != j]
    ends = [d[i, j] for i in range(n) for j in range(n) if i != j]
    rows = np.column_stack([np.array(rows), np.zeros(len(rows))])
    near = np.block([[np.eye(n), -np.ones((n, 1))], [-np.eye(n), -np.ones((n, 1))]])
    solved = milp(
        np.append(np.zeros(n), 1),
        bounds=Bounds(-np.inf, np.inf),
        constraints=[
            LinearConstraint(rows, -np.inf, ends),
            LinearConstraint(near, -np.inf, np.append(values, -values)),
        ],
    )
    assert found.error[-1] == pytest.approx(solved.fun, abs=1e-7)
    assert (np.diff(found.error) >= 0).all()


def test_unavoidable_error_of_arrows_is_half_the_presheaf_defect() -> None:
    hom, values = directed(8, 30), np.random.default_rng(9).random(30)
    found = unavoidable_error(close_pairs(hom, 2.0, "forward"), values, 1.0, [2.0])
    assert found.error[0] == pytest.approx(functor_defect(hom, values, "contravariant") / 2)
    back = unavoidable_error(close_pairs(hom, 2.0, "forward"), values.max() - values, 1.0, [2.0])
    assert back.error[0] == pytest.approx(functor_defect(hom, values, "covariant") / 2)


def test_shuffled_labels_are_the_null() -> None:
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.standard_normal((20, 8)), 10, axis=0)
    hom = hom_from_features(centres + 0.05 * rng.standard_normal((200, 8)), angle())
    labels = np.repeat(np.arange(20) % 2, 10)
    pairs = close_pairs(hom, 0.2, "either")
    real = ceiling_curve(pairs, labels, COMPONENTS, [0.0, 0.2])
    null = ceiling_null(pairs, labels, COMPONENTS, [0.0, 0.2], repeats=19)
    assert real.margin[1] == 1.0
    assert null.margin[:, 1].max() < 0.9
    # At lambda = 0 nothing is close, and the real labels say no more than any others.
    assert null.p(real).tolist() == [1.0, 0.05]
    assert real.leave_one_out[0].rows == 0
    assert real.evidence[0] == 0


def test_leave_one_out_covers_where_the_plug_in_share_cannot() -> None:
    # Pure noise in cells of three: the plug-in share is 3/4 on average, what is true of new objects is 1/2.
    plug, covered = [], 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        d = np.where(np.arange(90)[:, None] // 3 == np.arange(90) // 3, 0.0, 1.0)
        result = curve(hom_from_distances(d, COST), rng.integers(0, 2, 90), COMPONENTS, [0.5])
        plug.append(result.strict[0])
        covered += result.leave_one_out[0].low <= 0.5 <= result.leave_one_out[0].high
    assert np.mean(plug) == pytest.approx(0.75, abs=0.02)
    assert covered >= 186


def test_components_in_steps_are_those_at_once() -> None:
    pairs = close_pairs(directed(1, 80), 0.1, "either")
    steps = list(components(pairs, np.linspace(0, 0.1, 9)))
    for lam, (component, seen) in zip(np.linspace(0, 0.1, 9), steps, strict=True):
        ((alone, again),) = components(pairs, np.array([lam]))
        assert len(set(zip(component.tolist(), alone.tolist(), strict=True))) == len(set(alone.tolist()))
        assert len(set(component.tolist())) == len(set(alone.tolist()))
        assert (seen == again).all()


def test_degenerate_inputs() -> None:
    equal = hom_from_distances(np.zeros((6, 6)), COST)
    result = curve(equal, [0, 0, 0, 0, 1, 2], COMPONENTS, [0.0])
    assert result.strict[0] == result.reached[0] == pytest.approx(4 / 6)
    one = curve(equal, [7] * 6, COMPONENTS, [0.0])
    assert one.strict[0] == one.margin[0] == 1.0
    assert one.nearest_conflict is None
    alone = hom_from_distances(np.zeros((1, 1)), COST)
    assert curve(alone, ["a"], COMPONENTS, [0.0]).strict[0] == 1.0


def test_refusals() -> None:
    hom = line([0, 1, 2])
    pairs = close_pairs(hom, 1.0, "either")
    with pytest.raises(InputError, match="reading 'either'"):
        ceiling_curve(pairs, [0, 1, 0], ISOMORPHISM_CLASSES)
    with pytest.raises(InputError, match="one label for each of 3"):
        ceiling_curve(pairs, [0, 1], COMPONENTS)
    with pytest.raises(InputError, match="Search further"):
        ceiling_curve(pairs, [0, 1, 0], COMPONENTS, [2.0])
    with pytest.raises(InputError, match="ascending"):
        ceiling_curve(pairs, [0, 1, 0], COMPONENTS, [1.0, 0.5])
    with pytest.raises(InputError, match="must not be missing"):
        ceiling_curve(pairs, [0.0, np.nan, 0.0], COMPONENTS)
    with pytest.raises(InputError, match="'arrows' must be one of"):
        Discrete("some")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="transitive"):
        Ordered(np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=bool))
    with pytest.raises(InputError, match="slope"):
        Metric(0.0)
    with pytest.raises(InputError, match="symmetric"):
        Metric(1.0, np.array([[0, 1], [2, 0]]))
    with pytest.raises(InputError, match="rows of the declared table"):
        Metric(1.0, np.zeros((2, 2))).encode([0, 2])
