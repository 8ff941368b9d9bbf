"""What must not happen: other numbers for the opposite hom or for scaled features, widths of nothing, tracebacks."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

import presheaf.enriched as en
from presheaf.enriched.evidence import split_objects
from presheaf.enriched.kernel import angle, gaussian, laplacian
from presheaf.enriched.quantale import ANGLE, COST, FUZZY_MIN, LUKASIEWICZ, PROBABILITY, QUANTALES, SPHERE, Quantale
from presheaf.enriched.ustatistics import bounded_interval, jackknife
from presheaf.errors import InputError

SIDES = (("contravariant", "covariant"), ("covariant", "contravariant"))


def both_ways(quantale: Quantale, seed: int, n: int = 12) -> tuple[en.Hom, en.Hom, np.ndarray]:
    """A directed hom, its opposite, and a task."""
    rng = np.random.default_rng(seed)
    top = min(quantale.cap, 3.0)
    d = rng.random((n, n)) * top
    if seed % 2:
        d = np.round(d * 3 / top) * top / 3
    np.fill_diagonal(d, 0)
    return en.hom_from_distances(d, quantale), en.hom_from_distances(d.T.copy(), quantale), rng.random(n) * top


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([PROBABILITY, COST, ANGLE, SPHERE, LUKASIEWICZ, FUZZY_MIN]))
def test_the_opposite_hom_with_the_other_variance_gives_the_same(seed: int, quantale: Quantale) -> None:
    hom, opposite, task = both_ways(quantale, seed)
    labels, anchors, rest = np.arange(12) % 3, np.arange(5), np.arange(5, 12)
    pairs = np.stack([np.arange(12)] * 2, axis=1)
    questions: list[Callable[[Any, Any], Any]] = [
        lambda h, v: en.representability_defects(h, task, v).rho,
        lambda h, v: en.functor_defect(h, task, v),
        lambda h, v: en.prompt_curve(h, task, v, 3).high,
        lambda h, v: en.kan_sandwich(h, anchors, task[:5], v).gap,
        lambda h, v: en.bayes_bracket(h, labels, anchors, rest, v).neighbour.value,
        lambda h, v: en.spread(h, 1.0, v).value,
        lambda h, v: en.resolving_set(h, v, 0.05).anchors,
        lambda h, v: h.nearest(3, v)[1],
        lambda h, v: en.transfer(h, h, pairs, anchors, v, draws=3).alignment.largest,
        lambda h, v: en.representability(h, task, v, 0.3, rounds=9).null_p,
        lambda h, v: en.decision_level(h, labels, v, rounds=9).error,
        lambda h, v: en.kappa(h, 0, [1, 2], "meet" if v == "contravariant" else "join", draws=3).kappa,
    ]
    for question in questions:
        for side, other in SIDES:
            np.testing.assert_allclose(question(hom, side), question(opposite, other), atol=1e-9)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_angles_know_no_scale(scale: float) -> None:
    features = np.random.default_rng(0).standard_normal((30, 4))
    usual = en.hom_from_features(features, angle())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled = en.hom_from_features(scale * features, angle())
        for dtype in (np.float32, np.float64):
            np.testing.assert_allclose(scaled.distances(dtype=dtype), usual.distances(dtype=dtype), atol=1e-6)
        near = scaled.within(0.5, "both")
        np.testing.assert_array_equal(near.indices, usual.within(0.5, "both").indices)
        np.testing.assert_array_equal(scaled.nearest(5, "both")[0], usual.nearest(5, "both")[0])


def test_features_whose_squares_overflow_are_refused() -> None:
    features = 1e30 * np.random.default_rng(0).standard_normal((9, 3))
    for kernel in (laplacian(1.0), gaussian(1.0, unlawful=True)):
        with pytest.raises(InputError, match="Scale them"):
            en.hom_from_features(features, kernel)
    # The largest that is let through has finite squares in float32.
    edge = (np.finfo(np.float32).max / 24) ** 0.5
    hom = en.hom_from_features(np.array([[edge] * 3, [-edge] * 3]), laplacian(1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hom.distances()[0, 1] == pytest.approx(2 * edge * 3**0.5)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_layout_and_precision_of_the_features_change_nothing(dtype: type) -> None:
    numbers = np.random.default_rng(1).integers(1, 6, (20, 4))
    whole = np.zeros((40, 8), dtype=dtype)
    whole[::2, ::2] = numbers
    expected = en.hom_from_features(numbers.astype(np.float64), angle()).within(0.3, "both")
    for given_ in (whole[::2, ::2], np.asfortranarray(numbers.astype(dtype))):
        found = en.hom_from_features(given_, angle()).within(0.3, "both")
        np.testing.assert_array_equal(found.indices, expected.indices)


def test_an_infinite_radius_holds_all_pairs() -> None:
    hom = en.hom_from_features(np.random.default_rng(2).standard_normal((7, 3)), angle())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(hom.within(np.inf, "both").indices) == 42


@pytest.mark.parametrize("quantale", QUANTALES, ids=lambda q: q.name)
@pytest.mark.parametrize("n", [0, 1, 2, 8])
def test_degenerate_homs_give_an_answer_or_say_what_is_wrong(quantale: Quantale, n: int) -> None:
    for matrix in (np.zeros((n, n)), np.full((n, n), quantale.cap), np.where(np.eye(n) > 0, 0, quantale.cap)):
        hom = en.hom_from_distances(matrix, quantale)
        task, labels = np.full(n, quantale.cap), np.arange(n) % 2
        half = np.arange(n // 2)
        questions: list[Callable[[], Any]] = [
            lambda h=hom: en.laws(h),
            lambda h=hom: en.closure(h),
            lambda h=hom: en.change_quantale(h),
            lambda h=hom: en.spread(h, 1.0, "covariant"),
            lambda h=hom: en.magnitude(h, 1.0),
            lambda h=hom, t=task: en.prompt_curve(h, t, "covariant", 2, exact=True),
            lambda h=hom, t=task: en.prompt_number(h, t, "covariant", 0.1),
            lambda h=hom, t=task: en.representability(h, t, "covariant", 0.1, rounds=3),
            lambda h=hom, t=task: en.false_representable_rate(h, t, "covariant", 0.1, 2),
            lambda h=hom, y=labels: en.decision_level(h, y, "covariant", rounds=3),
            lambda h=hom, t=task, a=half: en.trimmed_anchors(h, a, t[: len(a)], "covariant"),
            lambda h=hom: en.resolving_set(h, "covariant", candidates=[]),
            lambda h=hom: en.resolving_set(h, "covariant", candidates=[n]),
            lambda h=hom: en.kappa(h, 0, [1], "meet", objects=[n], draws=2),
            lambda h=hom: en.kappa(h, 0, [1], "meet", objects=[], draws=2),
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for question in questions:
                with contextlib.suppress(InputError):
                    assert question() is not None


@pytest.mark.parametrize(
    "make",
    [
        lambda: en.hom_from_counts(np.ones(4)),
        lambda: en.hom_from_counts(np.array([["a"]])),
        lambda: en.zeta_magnitude(np.eye(2) * 1j),
        lambda: en.zeta_magnitude([[np.nan]]),
        lambda: en.spread(en.hom_from_distances(np.full((4, 4), np.inf), COST), 1.0, "covariant"),
    ],
)
def test_tables_that_are_none_are_named(make: Callable[[], Any]) -> None:
    with pytest.raises(InputError):
        make()


def test_what_are_no_numbers_is_named() -> None:
    hom, words = en.hom_from_features(np.random.default_rng(7).random((6, 3)).astype(np.float32), angle()), ["a"] * 6
    questions: list[Callable[[], Any]] = [
        lambda: en.representability(hom, words, "covariant", 0.1),
        lambda: en.functor_defect(hom, [[1.0], [1.0, 2.0]], "covariant"),  # type: ignore[list-item]
        lambda: en.ensemble(hom, [0], ["a"], "covariant"),
        lambda: en.ensemble(hom, [0.7], [0.0], "covariant"),
        lambda: en.kan_sandwich(hom, [0, 1], ["a", "b"], "covariant"),
        lambda: en.isbell_upper(hom, words),
        lambda: en.soft_prompt(np.eye(6), words, 0.1),
        lambda: hom.pairs([0, 1], [0]),
        lambda: hom.between(np.full((1, 3), 1e300), "covariant"),
    ]
    for question in questions:
        with pytest.raises(InputError):
            question()


def test_small_counts_and_features_without_columns() -> None:
    assert en.hom_from_counts(np.zeros((0, 3))).n == 0
    assert en.hom_from_counts(np.eye(3, dtype=np.float16)).distances()[0, 1] == pytest.approx(np.pi / 2)
    assert not en.linearly_separable(np.zeros((2, 0)), np.array([True, False]))


def test_equal_numbers_do_not_make_an_interval_of_no_width() -> None:
    # 30 of 30: the same as the exact binomial bound.
    low, high = bounded_interval(np.ones(30), 1.0, 0.0, 1.0)
    assert (low, high) == (pytest.approx(beta.ppf(0.025, 30, 1)), 1.0)
    hom = en.hom_from_features(np.random.default_rng(3).standard_normal((40, 3)), angle())
    kept = en.compare_homs(hom, hom, 5, "both").kept
    assert kept.value == kept.high == 1
    assert kept.low == pytest.approx(beta.ppf(0.025, 40, 1))


def test_the_jackknife_leaves_one_object_out() -> None:
    # Mean |x - y| over pairs, with each object really left out.
    x = np.random.default_rng(4).random(9)
    gaps = np.abs(x[:, None] - x)
    value = gaps.sum() / 72
    without = np.array([np.delete(np.delete(gaps, i, 0), i, 1).sum() / 56 for i in range(9)])
    error = (8 / 9 * np.sum((without - without.mean()) ** 2)) ** 0.5
    low, high = jackknife(gaps.sum(axis=1) / 8, value, 2)
    assert (high - low) / 2 == pytest.approx(2.306004135 * error)
    assert jackknife(np.ones(3), 1.0, 3) == (-np.inf, np.inf)


def test_trimming_that_would_fill_memory_is_refused() -> None:
    rng = np.random.default_rng(5)
    hom = en.hom_from_features(1e-3 * rng.random((600, 3)), laplacian(1.0))
    with pytest.raises(InputError, match="contradict each other"):
        en.trimmed_anchors(hom, np.arange(600), rng.random(600), "contravariant", 1 << 20)


def test_a_transfer_keeps_to_its_limit() -> None:
    hom = en.hom_from_features(np.random.default_rng(8).random((400, 3)), angle())
    pairs = np.stack([np.arange(400)] * 2, axis=1)
    with pytest.raises(InputError, match="Raise the limit"):
        en.transfer(hom, hom, pairs, np.arange(100), "covariant", limit_bytes=900_000)


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_a_reading_goes_on_beyond_the_objects_that_chose(power: float) -> None:
    # Far objects only among the held-out ones: a reading that ends at the last choosing distance would leave them outside.
    line = np.concatenate([np.linspace(0, 1, 100), np.linspace(1, 4, 100)])[:, None]
    hom = en.hom_from_features(line, laplacian(1.0))
    task = hom.row(0, "contravariant") ** power
    found = en.representability(hom, task, "contravariant", 0.05, scoring=np.arange(100, 200), rounds=0)
    if power == 1:
        assert found.value.verdict == found.calibrated.verdict == "representable"
        assert found.calibrated.prompts == (0,)
        assert found.calibration.fitted == 1
        np.testing.assert_allclose(found.calibration(np.array([0.5, 7.0, np.inf])), [0.5, 7.0, np.inf])
    else:
        # The root bends on beyond, which nothing that chose can tell.
        assert found.calibrated.verdict == "cannot say"


def test_no_object_both_chooses_and_scores() -> None:
    rng = np.random.default_rng(6)
    hom, task = en.hom_from_features(rng.standard_normal((60, 3)), angle()), rng.random(60)
    choosing, held = split_objects(60, None, 0)
    other = task.copy()
    other[held] = rng.permutation(other[held])
    first, second = (en.representability(hom, t, "contravariant", 0.1, rounds=0) for t in (task, other))
    assert first.value.prompts == second.value.prompts
    assert first.calibrated.prompts == second.calibrated.prompts
    np.testing.assert_array_equal(first.calibration.slopes, second.calibration.slopes)
    curves = [en.ensembles(hom, t, "contravariant", 0.1, 3).curve for t in (task, other)]
    np.testing.assert_array_equal(curves[0].high, curves[1].high)
    assert len(np.intersect1d(choosing, held)) == 0
