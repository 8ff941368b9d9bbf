"""Resizing, cropping and channels, by hand; and the pixel baseline through the contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")
from hypothesis import given, settings
from hypothesis import strategies as st
from image_worlds import landscape, save

from presheaf.errors import InputError
from presheaf.models import check_model_source, load_model
from presheaf.models.features import encode_all
from presheaf.models.pixels import fit


def test_an_image_of_the_wanted_shape_stays_as_it_is() -> None:
    pixels = landscape(12, 20)
    assert np.array_equal(fit(pixels, 12, 20, 3), pixels)
    assert np.array_equal(fit(pixels, 12, 20, 3, "squash"), pixels)


def test_grey_is_the_weighted_sum_of_the_channels() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]]], dtype=np.uint8)
    grey = fit(pixels, 1, 4, 1)
    assert grey.shape == (1, 4, 1)
    assert grey[0, :, 0].tolist() == [76, 150, 29, 18]  # .299, .587, .114 of 255; 2.99 + 11.74 + 3.42
    assert np.array_equal(fit(grey, 1, 4, 3), grey.repeat(3, axis=2))


def test_cropping_takes_the_middle_and_squashing_all() -> None:
    wide = np.zeros((10, 30, 1), dtype=np.uint8)
    wide[:, 10:20] = 255
    assert (fit(wide, 10, 10, 1) == 255).all()
    assert fit(wide, 10, 30, 1, "squash").mean() == pytest.approx(85)
    assert fit(wide, 10, 10, 1, "squash").mean() == pytest.approx(85, abs=8)
    high = wide.transpose(1, 0, 2)
    assert (fit(high, 10, 10, 1) == 255).all()
    centre = np.zeros((20, 20, 1), dtype=np.uint8)
    centre[5:15, 5:15] = 200
    assert (fit(centre, 10, 10, 1, "crop", 0.5) == 200).all()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 20), st.integers(1, 20), st.sampled_from(["crop", "squash"])
)
def test_a_flat_image_stays_flat_at_any_size(h: int, w: int, height: int, width: int, how: str) -> None:
    flat = np.full((h, w, 3), (7, 130, 250), dtype=np.uint8)
    assert (fit(flat, height, width, 3, how) == (7, 130, 250)).all()


def test_what_is_asked_for_is_checked() -> None:
    for height, width, channels, share in ((0, 1, 3, 1.0), (1, 1, 2, 1.0), (1, 1, 3, 0.0), (1, 1, 3, 1.1)):
        with pytest.raises(InputError):
            fit(landscape(), height, width, channels, share=share)
    with pytest.raises(InputError, match="how"):
        fit(landscape(), 1, 1, 3, "stretch")


def test_the_baseline_keeps_the_contract(tmp_path: Path) -> None:
    objects = [save(landscape(seed=i), tmp_path / f"{i}.png") for i in range(4)] + [landscape(9, 9, seed=5)]
    check_model_source(load_model("pixels"), objects, other=load_model("pixels?side=8"))
    check_model_source(load_model("pixels?side=4&colour=true&how=crop"), objects, other=load_model("pixels"))


def test_the_baseline_is_the_pixels_around_mid_grey() -> None:
    model = load_model("pixels?side=2")
    image = np.array([[0, 255], [51, 204]], dtype=np.uint8)
    assert model.encode([image])[0] == pytest.approx([-1, 1, -0.6, 0.6], abs=1e-6)
    assert load_model("pixels?side=2&colour=true").info.dim == 12
    for wrong in ("side=0", "side=1000", "how=stretch"):
        with pytest.raises(InputError):
            load_model(f"pixels?{wrong}")


def test_equal_files_are_encoded_once_and_a_changed_file_again(tmp_path: Path) -> None:
    model, asked = load_model("pixels"), []
    encode = model.encode
    model.encode = lambda objects, role="object": (asked.extend(objects), encode(objects, role))[1]  # type: ignore[method-assign,func-returns-value]
    one = save(landscape(seed=1), tmp_path / "one.png")
    copy = tmp_path / "copy.png"
    copy.write_bytes(Path(one).read_bytes())
    other = save(landscape(seed=2), tmp_path / "other.png")
    features = encode_all(model, [one, str(copy), other, landscape(seed=2)])
    assert len(asked) == 3
    assert np.array_equal(features[0], features[1])
    assert np.array_equal(features[2], features[3])
    save(landscape(seed=3), Path(other), compress_level=0)
    assert not np.array_equal(encode_all(model, [other])[0], features[2])
    with pytest.raises(InputError):
        encode_all(model, [3])
