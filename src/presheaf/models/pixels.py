"""From an image to the pixels a network takes: a given size and number of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, one_of
from presheaf.images import as_pixels, content_key, pillow, read_image

__all__ = ["as_pixels", "content_key", "fit", "fit_all", "read_image"]


def fit(image: Any, height: int, width: int, channels: int, how: str = "crop", share: float = 1.0) -> NDArray[np.uint8]:
    """Resize an image and give it the channels that are wanted.

    Parameters
    ----------
    image : path, or uint8 array of shape (h, w), (h, w, 1) or (h, w, 3)
    height, width : int
    channels : 1 or 3
        Colour becomes grey as 0.299 R + 0.587 G + 0.114 B (ITU-R 601); grey becomes three equal channels.
    how : "crop" or "squash"
        "crop" takes the largest centred part of the wanted shape, "squash" all of it, changing its proportions.
    share : float in (0, 1]
        Share of the sides of that part which is kept (``how="crop"`` only).

    Returns
    -------
    uint8 array of shape (height, width, channels)
        Resized bicubically, and smoothed first where it gets smaller. An image of the wanted shape is returned as it is.

    Raises
    ------
    ImageError
        If the image can't be used.
    InputError
        If a size is less than 1, or there is another option.
    """
    one_of("how", how, ("crop", "squash"))
    if min(height, width) < 1 or channels not in (1, 3) or not 0 < share <= 1:
        raise InputError(
            "an image is fitted to a height and a width of at least 1, 1 or 3 channels, and a share of its sides in (0, 1]; "
            f"got {height} x {width}, {channels} channels, share {share}."
        )
    pixels = as_pixels(image)
    library = pillow()
    picture = library.fromarray(np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels))
    picture = picture.convert("L" if channels == 1 else "RGB")
    box = _centre(picture.width, picture.height, width / height, share) if how == "crop" else None
    whole = box is None or box == (0, 0, picture.width, picture.height)
    if picture.size != (width, height) or not whole:
        picture = picture.resize((width, height), library.Resampling.BICUBIC, box=box)
    result = np.array(picture)
    return result[:, :, None] if channels == 1 else result


def fit_all(
    images: Sequence[Any], height: int, width: int, channels: int, how: str = "crop", share: float = 1.0
) -> NDArray[np.uint8]:
    """`fit` of each image, stacked: uint8 array of shape (n, height, width, channels)."""
    result = np.empty((len(images), height, width, channels), dtype=np.uint8)
    for i, image in enumerate(images):
        result[i] = fit(image, height, width, channels, how, share)
    return result


def _centre(width: int, height: int, shape: float, share: float) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the centred part with width / height = ``shape``."""
    w = min(width, height * shape) * share
    h = min(height, width / shape) * share
    left, top = (width - w) / 2, (height - h) / 2
    return (left, top, left + w, top + h)
