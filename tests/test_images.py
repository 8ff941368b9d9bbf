"""Files to pixels: every way to store an image, and everything that is refused."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")
from PIL import Image

import presheaf.images as images
from presheaf.images import ImageError, as_pixels, check_image, content_key, read_image

# Two rows of three pixels: red, green, blue; black, grey, white.
RGB = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[0, 0, 0], [128, 128, 128], [255, 255, 255]]], dtype=np.uint8)
GREY = np.array([[0, 50, 100], [150, 200, 255]], dtype=np.uint8)


def stored(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_colour_and_grey_keep_every_value(tmp_path: Path) -> None:
    for suffix in (".png", ".bmp", ".tif", ".ppm"):
        assert np.array_equal(read_image(stored(tmp_path / f"c{suffix}", Image.fromarray(RGB))), RGB)
    assert np.array_equal(read_image(stored(tmp_path / "g.png", Image.fromarray(GREY))), GREY[:, :, None])


def test_palettes_become_colours_and_bilevel_becomes_black_and_white(tmp_path: Path) -> None:
    palette = Image.fromarray(RGB).quantize(6)
    assert np.array_equal(read_image(stored(tmp_path / "p.gif", palette)), RGB)
    assert np.array_equal(read_image(stored(tmp_path / "p.png", palette)), RGB)
    bits = Image.fromarray((GREY > 120).astype(np.uint8) * 255).convert("1")
    assert np.array_equal(read_image(stored(tmp_path / "b.png", bits))[:, :, 0], (GREY > 120) * 255)


def test_transparency_becomes_white(tmp_path: Path) -> None:
    alpha = np.array([[255, 0, 128], [255, 255, 0]], dtype=np.uint8)
    pixels = read_image(stored(tmp_path / "a.png", Image.fromarray(np.dstack([RGB, alpha]))))
    assert pixels[0, 0].tolist() == [255, 0, 0]
    assert pixels[0, 1].tolist() == [255, 255, 255]
    assert pixels[1, 2].tolist() == [255, 255, 255]
    assert pixels[0, 2] == pytest.approx([127, 127, 255], abs=1)  # half of blue over white
    grey = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha)])
    read = read_image(stored(tmp_path / "la.png", grey))
    assert read.shape == (2, 3, 1)
    assert read[:, :, 0][alpha == 255].tolist() == GREY[alpha == 255].tolist()
    assert read[0, 1, 0] == 255
    keyed = stored(tmp_path / "key.png", Image.fromarray(RGB), transparency=(255, 0, 0))
    assert read_image(keyed)[0, 0].tolist() == [255, 255, 255]


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    deep = GREY.astype(np.uint16) * 257
    assert np.array_equal(read_image(stored(tmp_path / "d.png", Image.fromarray(deep)))[:, :, 0], GREY)
    assert np.array_equal(read_image(stored(tmp_path / "d.tif", Image.fromarray(deep)))[:, :, 0], GREY)
    with pytest.raises(ImageError, match="no known range"):
        read_image(stored(tmp_path / "f.tif", Image.fromarray(GREY.astype(np.float32))))


def test_cmyk_becomes_colour(tmp_path: Path) -> None:
    cyan = Image.new("CMYK", (4, 4), (255, 0, 0, 0))
    read = read_image(stored(tmp_path / "c.tif", cyan))
    assert read.shape == (4, 4, 3)
    assert read[0, 0].tolist() == [0, 255, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_stands_upright(tmp_path: Path, orientation: int) -> None:
    # EXIF says how the stored rows and columns lie; undoing it by hand gives the picture back.
    lying = {
        1: RGB, 2: RGB[:, ::-1], 3: RGB[::-1, ::-1], 4: RGB[::-1], 5: RGB.transpose(1, 0, 2),
        6: np.rot90(RGB, 1), 7: RGB[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(RGB, 3),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = stored(tmp_path / "e.png", Image.fromarray(np.ascontiguousarray(lying)), exif=exif)
    assert np.array_equal(read_image(path), RGB)


def test_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    path = stored(tmp_path / "m.gif", frames[0], save_all=True, append_images=frames[1:], duration=50)
    assert np.array_equal(as_pixels(path).mean(axis=2), GREY)


def header_only(width: int, height: int) -> bytes:
    """A PNG whose header promises pixels that never come."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return start + struct.pack(">I", 10) + b"IDAT" + bytes(14)


def test_what_is_refused_and_in_which_words(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    whole = {
        suffix: stored(tmp_path / f"w{suffix}", Image.fromarray(noise)).read_bytes() for suffix in (".png", ".jpg")
    }
    files = {
        "empty.png": (b"", "empty file"),
        "text.jpg": (b"hello", "no image"),
        "cut.png": (whole[".png"][: len(whole[".png"]) // 2], "damaged image"),
        "cut.jpg": (whole[".jpg"][: len(whole[".jpg"]) // 2], "damaged image"),
        "bomb.png": (header_only(200_000, 200_000), "image too large"),
        "large.png": (header_only(10_000, 9_000), "image too large"),
        "eps.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "no image"),
    }
    for name, (content, kind) in files.items():
        path = tmp_path / name
        path.write_bytes(content)
        for refuse in (read_image, check_image):
            with pytest.raises(ImageError, match=kind) as caught:
                refuse(path)
            assert caught.value.kind == kind
            assert name in str(caught.value)
    with pytest.raises(ImageError, match="no such file"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(ImageError, match="no regular file"):
        read_image(tmp_path)
    with pytest.raises(ImageError):
        read_image("a\0b.png")
    for suffix, content in whole.items():
        (tmp_path / f"good{suffix}").write_bytes(content)
        check_image(tmp_path / f"good{suffix}")


def test_a_file_cut_anywhere_is_refused_or_whole(tmp_path: Path) -> None:
    for name in ("x.png", "x.jpg", "x.gif", "x.bmp"):
        content = stored(tmp_path / name, Image.fromarray(np.tile(RGB, (8, 8, 1)))).read_bytes()
        expected = read_image(tmp_path / name)
        for length in range(0, len(content), max(1, len(content) // 25)):
            (tmp_path / name).write_bytes(content[:length])
            try:
                found = read_image(tmp_path / name)
            except ImageError:
                continue
            assert found.shape == expected.shape


def test_content_not_name_makes_the_key(tmp_path: Path) -> None:
    first = stored(tmp_path / "a.png", Image.fromarray(RGB))
    second = tmp_path / "b.png"
    second.write_bytes(first.read_bytes())
    assert content_key(first) == content_key(str(second))
    assert content_key(first) != content_key(stored(tmp_path / "a.bmp", Image.fromarray(RGB)))
    before = content_key(second)
    second.write_bytes(stored(tmp_path / "c.png", Image.fromarray(255 - RGB)).read_bytes())
    os.utime(second, ns=(1, 1))
    assert content_key(second) != before
    assert content_key(RGB) == content_key(RGB.copy()) != content_key(RGB[::-1])
    assert content_key(GREY) == content_key(GREY[:, :, None])
    assert content_key(GREY) != content_key(GREY.reshape(3, 2))


def test_arrays_that_are_no_images() -> None:
    for wrong in (RGB.astype(float), np.zeros((2, 2, 4), np.uint8), np.zeros((0, 2), np.uint8), None, 3, GREY[0]):
        with pytest.raises(ImageError):
            as_pixels(wrong)


def test_a_file_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stored(tmp_path / "a.png", Image.fromarray(RGB))
    monkeypatch.setattr(images, "MOST_BYTES", 10)
    with pytest.raises(ImageError, match="file too large"):
        read_image(path)
