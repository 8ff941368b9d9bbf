"""Transfer between homs: oracle 12, brute force for both variances, and paired spaces whose distortion is known."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import ortho_group

from presheaf.enriched.calibration import fit_scale, on_one_scale, rescaled
from presheaf.enriched.closure import close_distances
from presheaf.enriched.construct import hom_from_distances, hom_from_features
from presheaf.enriched.distortion import distortion
from presheaf.enriched.functor import repair_presheaf
from presheaf.enriched.hom import Hom, Variance
from presheaf.enriched.kernel import angle, laplacian
from presheaf.enriched.laws import laws
from presheaf.enriched.pushforward import pushforward
from presheaf.enriched.quantale import COST, FUZZY_MIN
from presheaf.enriched.transfer import transfer
from presheaf.errors import InputError

BOTH: tuple[Variance, ...] = ("contravariant", "covariant")
seeds = st.integers(0, 10**6)


def directed(n: int, seed: int) -> NDArray[np.float64]:
    """A random Lawvere metric, asymmetric."""
    raw = np.random.default_rng(seed).uniform(0.2, 2, (n, n))
    return np.asarray(close_distances(raw, COST))


def of(matrix: NDArray[np.float64]) -> Hom:
    return hom_from_distances(matrix, COST)


def same(n: int) -> NDArray[np.int64]:
    return np.stack([np.arange(n), np.arange(n)], axis=1)


@pytest.mark.parametrize("variance", BOTH)
@given(seed=seeds)
@settings(max_examples=25, deadline=None)
def test_an_isometric_embedding_carries_representables_and_homs_between_presheaves(
    variance: Variance, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    large = directed(11, seed)
    images = rng.permutation(11)[:6]
    small = of(large[np.ix_(images, images)])
    target = of(large)
    for x in range(6):
        # The representable of x over C, in the orientation of presheaves of that variance.
        carried = pushforward(target, images, small.row(x, variance), variance)
        np.testing.assert_allclose(carried, target.row(int(images[x]), variance), atol=1e-12)
    s, t = (repair_presheaf(small, rng.uniform(0, 2, 6), variance).nearest for _ in range(2))
    over = pushforward(target, images, np.stack([s, t]), variance)
    assert np.maximum(over[1] - over[0], 0).max() == pytest.approx(np.maximum(t - s, 0).max(), abs=1e-12)


@pytest.mark.parametrize("variance", BOTH)
@pytest.mark.parametrize("norm", ["mean", "sup"])
def test_ranks_and_alignment_are_those_of_plain_loops(variance: Variance, norm: Literal["mean", "sup"]) -> None:
    rng = np.random.default_rng(3)
    n, k = 14, 5
    b = directed(n, 1)
    images = rng.permutation(n)
    c = np.asarray(close_distances(b[np.ix_(images, images)] + rng.uniform(0, 0.3, (n, n)), COST))
    pairs = np.stack([np.arange(n), images], axis=1)
    found = transfer(of(c), of(b), pairs, np.arange(k), variance, norm=norm, draws=3)

    def c_hom(x: int, y: int) -> float:
        return float(c[x, y] if variance == "contravariant" else c[y, x])

    def b_hom(x: int, y: int) -> float:
        return float(b[x, y] if variance == "contravariant" else b[y, x])

    def carried(x: int, y: int) -> float:
        return min(c_hom(a, x) + b_hom(y, int(images[a])) for a in range(k))

    ranks, defects = [], []
    for x in range(k, n):
        score = {}
        for other in range(k, n):
            gaps = [abs(carried(x, int(images[a])) - b_hom(int(images[a]), int(images[other]))) for a in range(k)]
            score[other] = max(gaps) if norm == "sup" else sum(gaps) / k
        ranks.append(sum(score[o] <= score[x] + 1e-12 for o in score))
        defects.append(max(abs(carried(x, int(y)) - b_hom(int(y), int(images[x]))) for y in images))
    assert found.found.ranks.tolist() == ranks
    assert found.alignment.largest == pytest.approx(max(defects))
    assert found.alignment.mean.value == pytest.approx(np.mean(defects))
    unseen = np.arange(k, n)
    gap = b[np.ix_(images[unseen], images[unseen])] - c[np.ix_(unseen, unseen)]
    assert found.distortion.functor.largest == pytest.approx(max(0, gap.max()))
    assert found.distortion.full.largest == pytest.approx(max(0, -gap.min()))


@given(seed=seeds, noise=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_carried_homs_differ_by_at_most_distortion_and_alignment(seed: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    n, k = 10, 4
    b = directed(n, seed)
    c = np.asarray(close_distances(b + noise * rng.uniform(0, 1, (n, n)), COST))
    carried = pushforward(of(b), np.arange(k), c[:k].T, "contravariant")
    alignment = np.abs(carried - b.T).max(axis=1)
    unseen = np.arange(k, n)
    moved = distortion(of(c), of(b)).either.largest
    for x in unseen:
        for y in unseen:
            between = max(0.0, float((carried[y] - carried[x]).max()))
            assert abs(c[x, y] - between) <= moved + alignment[x] + alignment[y] + 1e-9


@given(seed=seeds, gap=st.floats(0.01, 2))
@settings(max_examples=25, deadline=None)
def test_planted_distortion_is_found_on_its_side(seed: int, gap: float) -> None:
    d = directed(9, seed)
    off = ~np.eye(9, dtype=bool)
    wider = of(d + gap * off)
    added = distortion(of(d), wider)
    assert added.exact
    assert added.kind == "proof"
    assert added.pairs == 72
    assert added.full.largest == pytest.approx(0, abs=1e-12)
    assert added.functor.largest == pytest.approx(gap)
    assert added.functor.mean.value == pytest.approx(gap)
    assert added.functor.q95.value == pytest.approx(gap)
    assert added.size == pytest.approx(d[off].mean())
    back = distortion(wider, of(d))
    assert back.full.largest == pytest.approx(gap)
    assert back.functor.largest == pytest.approx(0, abs=1e-12)
    assert not back.keeps_homs(gap / 2)
    assert distortion(of(d), of(d)).keeps_homs(0.0)


def test_sampled_distortion_covers_the_whole_and_infinite_pairs_agree() -> None:
    rng = np.random.default_rng(5)
    points = rng.standard_normal((300, 4))
    first, second = (hom_from_features(points + s, laplacian(1.0)) for s in (0.0, 0.3 * rng.standard_normal((300, 4))))
    exact, sampled = distortion(first, second), distortion(first, second, exact_up_to=2, samples=60_000)
    assert not sampled.exact
    assert sampled.either.mean.low < exact.either.mean.value < sampled.either.mean.high
    assert sampled.either.mean.value == pytest.approx(exact.either.mean.value, rel=0.02)
    assert sampled.either.q95.value == pytest.approx(exact.either.q95.value, rel=0.05)
    apart = np.where(np.eye(4, dtype=bool), 0, np.inf)
    assert distortion(of(apart), of(apart)).keeps_homs(0.0)
    assert distortion(of(apart), of(np.zeros((4, 4)))).full.mean.value == np.inf


def test_the_interval_of_the_mean_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    # |y_i - y_j| - |x_i - x_j| for y = 2 x is |x_i - x_j|, of mean 2 / sqrt(pi) for normal points.
    inside = []
    for _ in range(400):
        x = rng.standard_normal((60, 1))
        seen = distortion(*(hom_from_features(s * x, laplacian(1.0)) for s in (1, 2))).functor.mean
        inside.append(seen.low <= 2 / np.sqrt(np.pi) <= seen.high)
    assert 0.91 <= np.mean(inside) <= 0.98


@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_the_scale_is_the_best_of_all_ratios(seed: int) -> None:
    a, b = directed(7, seed), directed(7, seed + 1)
    factor = fit_scale(of(a), of(b))
    off = ~np.eye(7, dtype=bool)
    loss = {s: np.abs(b - s * a)[off].mean() for s in [factor, *(b[off] / a[off])]}
    # The loss is piecewise linear with its corners at the ratios, so the least is at one of them.
    assert loss[factor] == pytest.approx(min(loss.values()))
    assert fit_scale(of(a), of(3 * a)) == pytest.approx(3)


def test_a_scale_makes_two_quantales_comparable_and_is_counted() -> None:
    x = np.random.default_rng(0).standard_normal((80, 6))
    first, second = (
        hom_from_features(x, angle()),
        hom_from_features(x / np.linalg.norm(x, axis=1)[:, None], laplacian(0.1)),
    )
    with pytest.raises(InputError, match="sphere and probability"):
        distortion(first, second)
    near, far, factor = on_one_scale(first, second)
    assert near.fitted == 1
    assert far.fitted == 0
    assert near.quantale is COST
    assert laws(near).kept
    # Chords are at most angles and at least 2 / pi of them.
    assert 10 * 2 / np.pi < factor < 10
    assert distortion(near, far).either.mean.value < 0.2 * distortion(near, far).size
    with pytest.raises(InputError, match="don't add"):
        rescaled(hom_from_distances(np.zeros((3, 3)), FUZZY_MIN), 2.0, 1)


def test_a_rotated_copy_is_found_whole_and_an_unrelated_one_not_at_all() -> None:
    rng = np.random.default_rng(7)
    x = rng.standard_normal((160, 8))
    wide = np.hstack([x, np.zeros((160, 4))]) @ ortho_group.rvs(12, random_state=1)
    order = rng.permutation(160)
    pairs = np.stack([np.arange(160), np.argsort(order)], axis=1)
    source = hom_from_features(x, angle())
    good = transfer(source, hom_from_features(wide[order], angle()), pairs, np.arange(40), "contravariant")
    assert good.found.recall[0][1].value == 1
    assert good.distortion.keeps_homs(1e-7)
    assert good.ambiguous == 0
    assert good.unseen == 120
    assert good.shuffled.recall < 0.1
    assert good.shuffled.p == 1 / 40
    assert {r.method for r in good.retrieval[1:]} == {"relative representation, cosine", "orthogonal map"}
    assert all(r.recall[0][1].value == 1 for r in good.retrieval)
    bad = transfer(
        source, hom_from_features(rng.standard_normal((160, 5)), angle()), pairs, np.arange(40), "contravariant"
    )
    assert bad.found.recall[0][1].low <= 1 / 120
    assert bad.shuffled.p > 0.05
    assert bad.found.median_rank > 30
    assert not bad.distortion.keeps_homs(0.1)


def test_mirror_twins_stay_ambiguous_when_all_anchors_lie_in_the_mirror() -> None:
    rng = np.random.default_rng(2)
    flat = np.hstack([rng.standard_normal((20, 2)), np.zeros((20, 1))])
    up = np.hstack([rng.standard_normal((15, 2)), rng.uniform(1, 2, (15, 1))])
    points = np.concatenate([flat, up, up * [1, 1, -1]])
    d = np.linalg.norm(points[:, None] - points, axis=2)
    hom = of(np.round(d, 12))
    found = transfer(hom, hom, same(50), np.arange(20), "covariant", norm="sup", draws=3)
    assert found.ambiguous == 30
    # A tie with the twin counts against the partner: second at best.
    assert found.found.ranks.min() == 2
    broken = transfer(hom, hom, same(50), np.arange(21), "covariant", norm="sup", draws=3)
    assert broken.ambiguous == 0


def test_isomorphic_candidates_do_not_count_against_the_answer() -> None:
    x = np.random.default_rng(4).standard_normal((30, 5))
    twice = np.concatenate([x, x[10:]])
    hom = hom_from_features(twice, angle())
    found = transfer(hom, hom, same(50), np.arange(10), "contravariant", draws=3)
    assert found.found.ranks.max() == 1


@pytest.mark.parametrize(
    ("pairs", "anchors", "message"),
    [
        (same(6), np.arange(6), "2 other pairs"),
        (same(6), np.array([7]), "positions in the 6 pairs"),
        (np.array([[0, 0], [1, 0], [2, 1], [3, 2]]), np.arange(2), "image of two"),
        (np.zeros((4, 3), dtype=int), np.arange(2), r"shape \(m, 2\)"),
        (np.array([[0, 9], [1, 1], [2, 2], [3, 3]]), np.arange(2), "target must lie in 0..5"),
    ],
)
def test_unusable_pairs_are_named(pairs: NDArray[np.int64], anchors: NDArray[np.int64], message: str) -> None:
    hom = of(directed(6, 0))
    with pytest.raises(InputError, match=message):
        transfer(hom, hom, pairs, anchors, "contravariant")


def test_little_memory_means_smaller_blocks_and_the_same_answer() -> None:
    x = np.random.default_rng(0).standard_normal((300, 6))
    hom, turned = (
        hom_from_features(v, angle()) for v in (x, x + 0.2 * np.random.default_rng(1).standard_normal(x.shape))
    )
    # 280 unseen x 20 anchors x 4 x 8 bytes = 179,200; a query takes 280 x 16 = 4,480 more.
    wide, narrow = (
        transfer(hom, turned, same(300), np.arange(20), "contravariant", draws=3, limit_bytes=limit)
        for limit in (1 << 28, 190_000)
    )
    for first, second in zip(wide.retrieval, narrow.retrieval, strict=True):
        np.testing.assert_array_equal(first.ranks, second.ranks)
    assert wide.shuffled == narrow.shuffled
    assert wide.alignment.largest == pytest.approx(narrow.alignment.largest)
    with pytest.raises(InputError, match="183,680 bytes"):
        transfer(hom, turned, same(300), np.arange(20), "contravariant", draws=3, limit_bytes=183_679)
