"""Partial and whole images: the hom counted by hand, the kernel against its formula, probabilities that add up."""

from __future__ import annotations

import numpy as np
import pytest

from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.ideality import ideality
from presheaf.enriched.laws import laws
from presheaf.errors import InputError
from presheaf.pretext.completion import completion_kernel, completions, masked, predicted_completions


def row(*pixels: int) -> np.ndarray:
    return np.array(pixels, dtype=np.uint8).reshape(1, -1, 1)


def objects() -> np.ndarray:
    """Three images of four pixels, the first two alike in the left half; then the left half of the first, the right of the third."""
    images = np.stack([row(1, 2, 3, 4), row(1, 2, 9, 9), row(5, 2, 3, 4)])
    every = np.ones((3, 1, 4), dtype=bool)
    left, right = np.array([[True, True, False, False]]), np.array([[False, False, True, True]])
    partial = masked(images[[0, 2]], np.stack([left, right]))
    return np.concatenate([masked(images, every), partial])


def test_hidden_pixels_are_not_there() -> None:
    shown = objects()[3:]
    assert shown[0, 0, :, 0].tolist() == [1, 2, 0, 0]
    assert shown[0, 0, :, 1].tolist() == [255, 255, 0, 0]


def test_completions_by_hand() -> None:
    hom = completions(objects())
    values = hom.quantale.values(hom.distances(dtype=np.float64))
    expected = np.eye(5)
    expected[3, [0, 1]] = 0.5  # 1 2 . . is completed by two of the three
    expected[4, [0, 2]] = 0.5  # . . 3 4 by another two
    np.testing.assert_allclose(values, expected)
    assert hom.lawful
    assert laws(hom).share.value == 0
    assert not hom.symmetric


def test_equal_images_are_isomorphic() -> None:
    twice = np.concatenate([objects()[:1], objects()[:1], objects()[3:4]])
    hom = completions(twice)
    values = hom.quantale.values(hom.distances(dtype=np.float64))
    np.testing.assert_allclose(values, [[1, 1, 0], [1, 1, 0], [0.5, 0.5, 1]])


def features(predictions: np.ndarray) -> np.ndarray:
    """Rows of `objects`: seen, pixels in [0, 1], prediction; those of partial images are given."""
    shown = objects()
    seen = (shown[..., 1] > 0).reshape(5, 4).astype(np.float32)
    pixels = shown[..., 0].reshape(5, 4) / np.float32(255)
    predicted = pixels.copy()
    predicted[3:] = np.where(seen[3:] > 0, pixels[3:], predictions)
    return np.concatenate([seen, pixels, predicted], axis=1).astype(np.float32)


def test_the_kernel_is_the_gaussian_of_hidden_pixels() -> None:
    rng = np.random.default_rng(0)
    rows = features(rng.random((2, 4)))
    sigma = 0.3
    hom = hom_from_features(rows, completion_kernel(sigma))
    distances = hom.distances(dtype=np.float64)
    for x in range(5):
        for y in range(5):
            if x == y:
                expected = 0.0
            elif x >= 3 > y:
                hidden = rows[x, :4] == 0
                expected = sum((rows[x, 8:][hidden] - rows[y, 4:8][hidden]) ** 2) / (2 * sigma**2)
            else:
                expected = np.inf
            assert distances[x, y] == pytest.approx(expected, abs=1e-6)
    first, second = (index.ravel() for index in np.indices((5, 5)))
    np.testing.assert_allclose(hom.pairs(first, second), distances.ravel(), atol=1e-9)
    assert hom.fitted == 0
    assert laws(hom).share.value == 0


@pytest.mark.parametrize("sigma", [1.0, 0.1, 1e-3])
def test_rows_of_partial_images_are_probabilities_however_small_the_likelihoods(sigma: float) -> None:
    rows = features(np.random.default_rng(1).random((2, 4)))
    kernel = completion_kernel(sigma)
    raw = hom_from_features(rows, kernel).distances(dtype=np.float64)[3:, :3]
    distances = predicted_completions(rows, kernel).distances(dtype=np.float64)
    np.testing.assert_allclose(np.exp(-distances[3:, :3]).sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(-distances[:3]), np.eye(5)[:3])
    np.testing.assert_allclose(np.diff(distances[3:, :3]), np.diff(raw), rtol=1e-6)


def test_ideality_by_hand() -> None:
    shown = objects()
    pixels = shown[..., 0].reshape(5, 4) / 255
    kernel = completion_kernel(0.002)  # pixels differ by 255ths, so a narrow Gaussian

    def measured(predictions: list[np.ndarray]) -> float:
        hom = predicted_completions(features(np.stack(predictions)), kernel)
        found = ideality(hom, completions(shown), "covariant", "rows", repeats=1)
        assert found.skipped == 3  # whole images have nothing to complete
        return found.value.value

    # Halfway between the two completions, and as near to the third image, whose hidden pixels are those of one of them.
    assert measured([(pixels[0] + pixels[1]) / 2, (pixels[0] + pixels[2]) / 2]) == pytest.approx(1 / 3, abs=1e-4)
    # All weight on one of the two completions; half the weight on one and half on what is none.
    assert measured([pixels[1] * 1.5, pixels[1]]) == pytest.approx(1 / 2, abs=1e-4)


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan"), float("inf")])
def test_sigma_is_positive(sigma: float) -> None:
    with pytest.raises(InputError, match="'sigma' must be a positive number"):
        completion_kernel(sigma)


def test_rows_have_three_parts() -> None:
    with pytest.raises(InputError, match="three equal parts"):
        hom_from_features(np.ones((2, 4)), completion_kernel(1.0))
