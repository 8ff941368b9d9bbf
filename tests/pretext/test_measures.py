"""Alignment and effective rank: by hand, by definition, and under changes that must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import presheaf.enriched as pe
from presheaf.errors import InputError
from presheaf.pretext.measures import alignment, effective_rank


def blocks(m: int, views: int) -> pe.Hom:
    """Views of one image are related, others are not."""
    image = np.repeat(np.arange(m), views)
    return pe.hom_from_values((image[:, None] == image).astype(float), pe.PROBABILITY)


def distances(matrix: np.ndarray) -> pe.Hom:
    return pe.hom_from_distances(matrix, pe.COST)


def test_alignment_by_hand() -> None:
    # Two images with two views each, views 1 apart, images 3 apart: 12 ordered pairs, 4 of them at 1 and 8 at 3.
    d = np.array([[0, 1, 3, 3], [1, 0, 3, 3], [3, 3, 0, 1], [3, 3, 1, 0]], dtype=float)
    assert alignment(distances(d), blocks(2, 2), "contravariant").value == pytest.approx(1 - 1 / (28 / 12))


def test_alignment_is_one_where_related_objects_coincide_and_nothing_where_all_are_equally_far() -> None:
    external = blocks(5, 3)
    image = np.repeat(np.arange(5), 3)
    together = (image[:, None] != image).astype(float)
    assert alignment(distances(together), external, "contravariant").value == pytest.approx(1)
    assert alignment(distances(1 - np.eye(15)), external, "contravariant").value == pytest.approx(0)


def test_alignment_heeds_the_direction() -> None:
    rng = np.random.default_rng(0)
    d = rng.random((6, 6)) * (1 - np.eye(6))
    h = np.triu(rng.random((6, 6)), 1) + np.eye(6)
    model, external = distances(d), pe.hom_from_values(h, pe.PROBABILITY)
    w = np.where(np.eye(6) > 0, 0, h)
    for variance, x, y in (("covariant", d, w), ("contravariant", d.T, w.T)):
        rows = y.sum(axis=1) > 0
        near = np.mean([(y[i] / y[i].sum() * x[i]).sum() for i in np.flatnonzero(rows)])
        got = alignment(model, external, variance).value  # type: ignore[arg-type]
        assert got == pytest.approx(1 - near / (d.sum() / 30), rel=1e-9)


@given(st.integers(0, 10_000), st.floats(0.1, 10))
def test_alignment_does_not_move_with_scale_or_block_size(seed: int, scale: float) -> None:
    features = np.random.default_rng(seed).standard_normal((12, 3))
    model, external = pe.hom_from_features(features, pe.laplacian(1.0)), blocks(4, 3)
    wider = pe.hom_from_features(features * scale, pe.laplacian(1.0))
    first = alignment(model, external, "contravariant")
    assert alignment(wider, external, "contravariant").value == pytest.approx(first.value, rel=1e-6)
    assert alignment(model, external, "contravariant", limit_bytes=1).value == pytest.approx(first.value)
    assert first.low <= first.value <= first.high


def test_alignment_says_when_there_is_nothing_to_say() -> None:
    nothing = pe.hom_from_values(np.eye(4), pe.PROBABILITY)
    assert np.isnan(alignment(distances(1 - np.eye(4)), nothing, "covariant").value)
    assert np.isnan(alignment(distances(np.zeros((4, 4))), blocks(2, 2), "covariant").value)
    with pytest.raises(InputError, match="same 3 or more objects"):
        alignment(distances(np.zeros((4, 4))), blocks(2, 3), "covariant")


def test_the_interval_of_alignment_holds_the_value_of_many_more_objects() -> None:
    rng = np.random.default_rng(1)

    def world(images: int) -> tuple[pe.Hom, pe.Hom]:
        points = np.repeat(rng.standard_normal((images, 4)), 2, axis=0) + 0.7 * rng.standard_normal((2 * images, 4))
        return pe.hom_from_features(points, pe.laplacian(1.0)), blocks(images, 2)

    truth = alignment(*world(1500), "contravariant").value
    draws = [alignment(*world(60), "contravariant") for _ in range(100)]
    held = sum(d.low <= truth <= d.high for d in draws)
    assert held >= 85  # of 100 at a level of 95 %; fewer than 85 has probability below 1e-4


def test_effective_rank_by_hand() -> None:
    assert effective_rank(np.eye(4)).value == pytest.approx(4)
    assert effective_rank(np.ones((7, 3))).value == pytest.approx(1)
    # Singular values 3 and 1: shares .75 and .25.
    want = np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert effective_rank(np.diag([3.0, 1.0])).value == pytest.approx(want)
    assert effective_rank(np.zeros((5, 2))).value == 0


@given(st.integers(0, 10_000))
def test_effective_rank_does_not_move_with_rotation_scale_or_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((30, 4)) @ np.diag([3, 1, 0.3, 0.1])
    turn, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    want = effective_rank(features).value
    for other in (features @ turn, features * 7, features[::-1]):
        assert effective_rank(other).value == pytest.approx(want, rel=1e-6)
    assert 1 <= want <= 4


def test_effective_rank_refuses_what_is_no_table() -> None:
    with pytest.raises(InputError, match="finite"):
        effective_rank(np.array([[np.nan, 1.0]]))


def views_of(images: int, views: int, rng: np.random.Generator) -> np.ndarray:
    """Views that differ little, of images at random."""
    centres = rng.standard_normal((images, 6)) * [3, 2, 1, 1, 0.5, 0.2]
    return np.repeat(centres, views, axis=0) + 0.05 * rng.standard_normal((images * views, 6))


def test_views_are_left_out_with_their_image() -> None:
    """What varies is which images were drawn: intervals that leave out single views are short by about the root of the views."""
    rng = np.random.default_rng(2)
    images, views = 30, 4
    own, draws = np.repeat(np.arange(images), views), [views_of(images, views, rng) for _ in range(100)]
    ranks = [effective_rank(draw, units=own) for draw in draws]
    truth = np.mean([rank.value for rank in ranks])
    assert sum(rank.low <= truth <= rank.high for rank in ranks) >= 86
    alone = [effective_rank(draw) for draw in draws]
    assert [rank.value for rank in alone] == pytest.approx([rank.value for rank in ranks])
    assert sum(rank.low <= truth <= rank.high for rank in alone) < 80
    model = pe.hom_from_features(draws[0], pe.laplacian(1.0))
    wide, short = (alignment(model, blocks(images, views), "covariant", units=units) for units in (own, None))
    assert wide.value == pytest.approx(short.value)
    assert wide.low <= wide.value <= wide.high
    few = alignment(model.take(np.arange(12)), blocks(3, views), "covariant", units=own[:12])
    assert (few.low, few.high) == (-np.inf, 1)


def test_effective_rank_speaks_of_draws_of_as_many_objects() -> None:
    """As its docstring says: 64 equal directions show about 62 in 300 draws, and the interval holds that, not 64."""
    rng = np.random.default_rng(3)
    found = [effective_rank(rng.standard_normal((300, 64))) for _ in range(40)]
    truth = float(np.mean([rank.value for rank in found]))
    assert 61.5 < truth < 63
    assert sum(rank.low <= truth <= rank.high for rank in found) >= 33
