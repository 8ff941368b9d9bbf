"""The pixels themselves as features: the plain baseline beside a model of images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, one_of
from presheaf.models.base import ModelInfo, Role
from presheaf.models.files import fingerprint
from presheaf.models.pixels import content_key, fit

_MIDDLE = 127.5
_REMEMBERED = 256  # bytes; at most 32 MB in all


class PixelModel:
    """A small version of the image, value by value, mid-grey at zero. Nothing is learnt.

    Parameters
    ----------
    side : int
        Height and width in pixels.
    colour : bool
        Three numbers a pixel instead of one.
    how : "squash" or "crop"
        The whole image, with its proportions changed, or the largest centred square of it.

    Raises
    ------
    InputError
        If ``side`` is no whole number from 1 to 512.

    Notes
    -----
    Images that are equal at this size are one input. Cost: decoding and resizing.
    """

    takes: Literal["image"] = "image"
    needs_fit = False
    batch_size = 256

    def __init__(self, side: int = 16, *, colour: bool = False, how: str = "squash") -> None:
        if isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= 512:
            raise InputError(f"'side' must be a whole number of pixels from 1 to 512; got {side!r}.")
        self._side = side
        self._channels = 3 if colour else 1
        self._how = one_of("how", how, ("crop", "squash"))

    @property
    def info(self) -> ModelInfo:
        read = "colour" if self._channels == 3 else "grey"
        return ModelInfo(
            name="pixels",
            kind="pixels",
            dim=self._side * self._side * self._channels,
            precision="float32",
            trainable=False,
            licence="none needed: your own pixels",
            settings=(
                ("input", f"{self._side} x {self._side} pixels, {read}"),
                ("part", "whole image, squashed" if self._how == "squash" else "largest centred square"),
            ),
        )

    @property
    def fingerprint(self) -> str:
        return fingerprint("pixels", self._side, self._channels, self._how)

    def fit(self, objects: Sequence[Any]) -> None:
        """Does nothing: there is nothing to learn."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Values of shape (n, dim) from -1 to 1, of paths or uint8 arrays. Both roles are the same.

        Raises
        ------
        ImageError
            If an object is no image.
        """
        return self.encode_exact(objects)[0].astype(np.float32)

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[np.float64], str]:
        """The same in float64."""
        pixels = self._prepared(objects)
        return pixels.reshape(len(objects), self._side * self._side * self._channels) / _MIDDLE - 1, "float64"

    def inputs(self, objects: Sequence[Any]) -> list[bytes]:
        """The small image's bytes."""
        return [one.tobytes() for one in self._prepared(objects)]

    def trace(self, text: str) -> None:
        """None: an image is no sequence of tokens."""

    def _prepared(self, objects: Sequence[Any]) -> NDArray[np.uint8]:
        """Small images of shape (n, side, side, channels); those of files are remembered, as a ladder asks for them again."""
        shape = (self._side, self._side, self._channels)
        result = np.empty((len(objects), *shape), dtype=np.uint8)
        for i, one in enumerate(objects):
            if isinstance(one, str) and np.prod(shape) <= _REMEMBERED:
                small = _small(content_key(one), one, self._side, self._channels, self._how)
                result[i] = np.frombuffer(small, dtype=np.uint8).reshape(shape)
            else:
                result[i] = fit(one, *shape, self._how)
        return result


@lru_cache(maxsize=1 << 17)
def _small(content: str, path: str, side: int, channels: int, how: str) -> bytes:
    """The small image of a file; ``content`` is there to tell a file that was changed from what it was."""
    return fit(path, side, side, channels, how).tobytes()
