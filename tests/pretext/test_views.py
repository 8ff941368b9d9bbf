"""Views: shapes and range, what each option changes, and where the draws come from."""

from __future__ import annotations

import random

import numpy as np
import pytest

from presheaf.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")

from presheaf.pretext.views import Views  # noqa: E402

ALL = Views(crop=0.3, flip=True, jitter=0.8, blur=0.5)


def pictures(n: int, channels: int, side: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).random((n, channels, side, side), dtype=np.float32))


@pytest.mark.parametrize(("channels", "side"), [(1, 8), (3, 8), (1, 28), (3, 32)])
def test_views_are_images_of_the_same_shape(channels: int, side: int) -> None:
    images = pictures(6, channels, side)
    drawn = ALL.of(images)
    assert drawn.shape == images.shape
    assert drawn.dtype == torch.float32
    assert float(drawn.min()) >= 0
    assert float(drawn.max()) <= 1
    assert len(ALL.of(images[:0])) == 0
    assert ALL.of(images[:1]).shape == (1, channels, side, side)


def test_draws_are_torchs_and_each_images_own() -> None:
    one = pictures(1, 3, 8).repeat(5, 1, 1, 1)

    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return ALL.of(one)

    first = drawn(1)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    assert torch.equal(drawn(1), first)
    assert not torch.equal(drawn(2), first)
    assert not any(torch.equal(first[0], other) for other in first[1:])


def test_nothing_is_done_that_was_not_asked_for() -> None:
    images = pictures(4, 3, 8)
    assert torch.equal(Views(crop=1.0, jitter=0.0).of(images), images)


def test_flips_mirror_about_half() -> None:
    images = pictures(200, 1, 8)
    drawn = Views(crop=1.0, jitter=0.0, flip=True).of(images)
    kept, mirrored = ((drawn == same).all(dim=(1, 2, 3)) for same in (images, images.flip(3)))
    assert bool((kept ^ mirrored).all())
    assert 60 <= int(mirrored.sum()) <= 140


def test_a_crop_of_an_even_image_is_the_image() -> None:
    flat = torch.full((8, 1, 8, 8), 0.25)
    torch.testing.assert_close(Views(crop=0.2, jitter=0.0).of(flat), flat)


def test_jitter_scales_grey_levels_of_an_even_image() -> None:
    """An even image has no contrast, so only brightness is left: a factor within 1 +- 0.8 s for four of five images."""
    drawn = Views(crop=1.0, jitter=0.5).of(torch.full((400, 1, 8, 8), 0.5))
    levels = drawn.mean(dim=(1, 2, 3))
    torch.testing.assert_close(drawn, levels[:, None, None, None].expand_as(drawn))
    assert float(levels.min()) >= 0.5 * 0.6 - 1e-6
    assert float(levels.max()) <= 0.5 * 1.4 + 1e-6
    assert 250 <= int(((levels - 0.5).abs() > 1e-6).sum()) <= 380


def test_blur_keeps_the_mean_of_a_dot_and_spreads_it() -> None:
    dot = torch.zeros(50, 1, 9, 9)
    dot[:, :, 4, 4] = 1
    drawn = Views(crop=1.0, jitter=0.0, blur=1.0).of(dot)
    torch.testing.assert_close(drawn.sum(dim=(1, 2, 3)), torch.ones(50))
    assert float(drawn[:, 0, 4, 4].min()) < 0.5
    assert float(drawn[:, 0, 4, 3].max()) > 0.05


@pytest.mark.parametrize("wrong", [{"crop": 0.0}, {"crop": 1.5}, {"jitter": -0.1}, {"jitter": 2.0}, {"blur": 1.1}])
def test_refusals(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Views(**wrong)
