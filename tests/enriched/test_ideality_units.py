"""Ideality where objects come in units (views of images), and merging where hom(x, x) is not 1."""

from __future__ import annotations

import numpy as np
import pytest

from presheaf.enriched.construct import hom_from_distances, hom_from_features, hom_from_values
from presheaf.enriched.hom import Hom
from presheaf.enriched.ideality import Ideality, ideality
from presheaf.enriched.kernel import gaussian
from presheaf.enriched.quantale import LUKASIEWICZ, PROBABILITY
from presheaf.errors import InputError
from presheaf.pretext.spectral_contrastive import inner_product

VIEWS = 4


def related(images: int) -> Hom:
    image = np.repeat(np.arange(images), VIEWS)
    return hom_from_values((image[:, None] == image).astype(float), PROBABILITY)


def drawn(images: int, rng: np.random.Generator, units: bool) -> Ideality:
    """Views that differ little, of images at random: nearly all that I varies by is which images were drawn."""
    points = np.repeat(rng.standard_normal((images, 8)), VIEWS, axis=0)
    points += 0.1 * rng.standard_normal(points.shape)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    model = hom_from_features(points, gaussian(0.4, unlawful=True))
    own = np.repeat(np.arange(images), VIEWS) if units else None
    return ideality(model, related(images), "covariant", "rows", repeats=0, units=own)


def test_intervals_speak_of_further_images_where_views_are_left_out_with_their_image() -> None:
    rng = np.random.default_rng(0)
    found = [drawn(25, rng, units=True).value for _ in range(80)]
    truth = np.mean([one.value for one in found])
    assert sum(one.low <= truth <= one.high for one in found) >= 68  # of 80 at 95 %: fewer has probability below 1e-3
    # Single views left out: the interval is short by about a half, so it misses.
    alone = drawn(25, np.random.default_rng(1), units=False).value
    together = drawn(25, np.random.default_rng(1), units=True).value
    assert alone.value == together.value
    assert together.high - together.low > 1.3 * (alone.high - alone.low)
    assert together.effective == 25


def test_units_of_one_object_each_change_nothing() -> None:
    points = np.random.default_rng(2).standard_normal((40, 3))
    model = hom_from_features(points, gaussian(1.0, unlawful=True))
    external = hom_from_features(points[:, :1], gaussian(1.0, unlawful=True))
    plain = ideality(model, external, "covariant", "none", repeats=0)
    numbered = ideality(model, external, "covariant", "none", repeats=0, units=np.arange(40))
    assert repr(plain) == repr(numbered)
    assert plain.value == numbered.value


def test_few_units_say_nothing_of_others() -> None:
    for images in (1, 2, 3):
        found = ideality(
            related(images), related(images), "covariant", "rows", 0, units=np.repeat(np.arange(images), VIEWS)
        )
        assert (found.value.value, found.value.low, found.value.high) == (0, 0, 1)
    with pytest.raises(InputError, match="'units'"):
        ideality(related(2), related(2), "covariant", "rows", units=np.arange(3))


@pytest.mark.parametrize("length", [0.5, 1.0, 2.0])
def test_inner_products_merge_images_with_equal_features_whatever_their_length(length: float) -> None:
    """Two images of ten have one feature. hom(x, x) is below 1 unless the features fill their ball (length 2)."""
    features = length * np.repeat(np.eye(10), VIEWS, axis=0)
    features[VIEWS : 2 * VIEWS] = features[0]
    found = ideality(hom_from_features(features, inner_product(4.0)), related(10), "covariant", "rows", repeats=0)
    assert found.merged.value == pytest.approx(2 / 10)
    # The rows of 8 views put 4 of 7 on views of the other image.
    assert found.merges.value == pytest.approx(8 / 40 * 4 / 7 / 2)
    assert found.invented.value == pytest.approx(0)
    assert found.lost.value == pytest.approx(8 / 40 * 4 / 7 / 2)


def test_a_hom_without_identities_merges_nothing_of_itself() -> None:
    """Half of the objects are related to nothing, themselves included: their rows are equal in both homs."""
    near = np.ones((12, 12))
    near[:6, :6] = np.random.default_rng(3).uniform(0.2, 0.9, (6, 6))
    hom = hom_from_distances(near, LUKASIEWICZ)
    found = ideality(hom, hom, "covariant", "none", repeats=0)
    assert (found.value.value, found.merged.value) == (0, 0)
    apart = near.copy()
    apart[6:, 6:] = np.random.default_rng(4).uniform(0.2, 0.9, (6, 6))
    assert ideality(hom, hom_from_distances(apart, LUKASIEWICZ), "covariant", "none", repeats=0).merged.value == 0.5
