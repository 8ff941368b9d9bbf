"""Why two different image files are one input: the first way to prepare images that makes them equal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import PresheafError
from presheaf.models.pixels import fit, read_image

IMAGES = ("file format", "colour", "size", "crop", "fine detail")
"""Causes for images, all part of `IN01`."""

_CENTRE = 0.8  # share of the shorter side that every usual crop keeps
_SMALL = 32  # pixels: of two shapes, pictures that agree at this size and to this step differ in size alone
_STEP = 8.0

Pixels = NDArray[np.uint8]


def image_causes(a: str, b: str) -> tuple[str, ...]:
    """Names of the differences between two image files that reach the model as the same input.

    Parameters
    ----------
    a, b : str
        Paths of files whose bytes differ.

    Returns
    -------
    tuple of str
        ("file format",): the same pixels, stored in another way. ("colour",): the same once grey. ("size",): another height
        or width of what looks the same. ("crop",): the same in the middle. ("fine detail",): anything else that resizing
        removes. Two of them may come together; empty when a file can't be read any more.

    Notes
    -----
    "size" is said of images that agree at 32 x 32 pixels up to 8 of 255 on average, which is a judgement; that they are one
    input is not. Cost: decodes both.
    """
    try:
        first, second = read_image(a), read_image(b)
    except PresheafError:
        return ()
    for names, change in _CHANGES:
        left, right = change(first), change(second)
        if left.shape == right.shape and np.array_equal(left, right):
            return names
    if first.shape[:2] != second.shape[:2]:
        return ("size",) if _alike(first, second) else ("crop",)
    return ("fine detail",)


def _colour(pixels: Pixels) -> Pixels:
    return pixels.repeat(3, axis=2) if pixels.shape[2] == 1 else pixels


def _grey(pixels: Pixels) -> Pixels:
    return fit(pixels, pixels.shape[0], pixels.shape[1], 1)


def _centre(pixels: Pixels) -> Pixels:
    """The middle square that crops keep."""
    height, width = pixels.shape[:2]
    side = max(1, int(_CENTRE * min(height, width)))
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def _alike(first: Pixels, second: Pixels) -> bool:
    small = [fit(pixels, _SMALL, _SMALL, 1, "squash").astype(float) for pixels in (first, second)]
    return float(np.abs(small[0] - small[1]).mean()) <= _STEP


# From the mildest to the strongest: the first that explains a pair names it.
_CHANGES: tuple[tuple[tuple[str, ...], Callable[[Pixels], Pixels]], ...] = (
    (("file format",), _colour),
    (("colour",), _grey),
    (("crop",), lambda pixels: _centre(_colour(pixels))),
    (("colour", "crop"), lambda pixels: _centre(_grey(pixels))),
)
