"""What a source of images must keep besides: equal input, equal features; any size and colour; clear refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.images import as_pixels
from presheaf.models.base import Model
from presheaf.models.pixels import fit

Hold = Callable[[object, str, str], None]
Close = Callable[[NDArray[Any], NDArray[Any], str, str, float], None]
_ROUNDING = 1e-5
_UNUSUAL = 1e-3  # images unlike any that a network was trained on pass through large values that nearly cancel


def hostile_images() -> dict[str, NDArray[np.uint8]]:
    """Images that a source must take, by name."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return {
        "one black pixel": np.zeros((1, 1, 1), dtype=np.uint8),
        "one white pixel without a channel axis": np.full((1, 1), 255, dtype=np.uint8),
        "a line one pixel high": np.arange(256, dtype=np.uint8)[None, :, None],
        "a very high image": np.repeat(np.arange(200, dtype=np.uint8), 10)[:, None, None].repeat(3, axis=1),
        "noise in colour": noise,
        "an image seen through strides": noise[::-2, ::3],
        "a black image in colour": np.zeros((40, 30, 3), dtype=np.uint8),
    }


def _refused() -> dict[str, Any]:
    return {
        "a file that is not there": "no/such/image.png",
        "a float array": np.zeros((8, 8, 3)),
        "four channels": np.zeros((8, 8, 4), dtype=np.uint8),
        "an image without pixels": np.zeros((0, 8, 3), dtype=np.uint8),
        "None": None,
    }


def check_images(model: Model, objects: Sequence[Any], hold: Hold, close: Close) -> None:
    """Check T0, hostile images and refusals; ``hold`` and ``close`` raise with the name of a clause."""
    _inputs(model, objects, hold, close)
    for name, image in hostile_images().items():
        features = model.encode([image])
        hold(
            features.shape == (1, model.info.dim) and np.isfinite(features).all(), "hostile", f"{name} has no features"
        )
        answer = model.encode_exact([image])
        if answer is not None:
            close(features, answer[0], "hostile", f"features and exact features of {name}", _UNUSUAL)
    for name, thing in _refused().items():
        try:
            model.encode([thing])
        except InputError:
            continue
        hold(False, "hostile", f"{name} isn't refused with an InputError")


def _inputs(model: Model, objects: Sequence[Any], hold: Hold, close: Close) -> None:
    """Equal keys mean equal features, also of images changed in ways that resizing may undo."""
    pool = [*objects, *(variant for one in objects[:4] for variant in _variants(one))]
    keys = model.inputs(pool)
    hold(
        all(model.trace(str(one)) is None for one in objects[:1]),
        "trace",
        "an image has no tokens, yet trace shows some",
    )
    if keys is None:
        return
    hold(len(keys) == len(pool), "T0", f"{len(keys)} keys for {len(pool)} objects")
    hold(all(isinstance(key, bytes) for key in keys), "T0", "a key is no bytes")
    hold(model.inputs([]) == [], "empty", "inputs of no objects isn't an empty list")
    hold(model.inputs(pool[::-1]) == keys[::-1], "T0", "the key of an object depends on the others")
    hold(len(set(keys)) > 1, "T0", "all objects have the same key")
    first = {key: position for position, key in reversed(list(enumerate(keys)))}
    merged = [(first[key], position) for position, key in enumerate(keys) if first[key] != position]
    hold(merged, "T0", "an image and its own pixels have different keys")
    left, right = [pool[a] for a, _ in merged], [pool[b] for _, b in merged]
    close(model.encode(left), model.encode(right), "T0", "features of images with equal keys", _ROUNDING)


def _variants(image: Any) -> list[NDArray[np.uint8]]:
    """The decoded pixels, grey, with equal channels, twice as large, one pixel changed, and mirrored."""
    pixels = as_pixels(image)
    grey = pixels if pixels.shape[2] == 1 else fit(pixels, pixels.shape[0], pixels.shape[1], 1)
    spot = pixels.copy()
    spot[0, 0] ^= 1
    return [
        pixels.copy(),
        grey,
        grey.repeat(3, axis=2),
        pixels.repeat(2, axis=0).repeat(2, axis=1),
        spot,
        pixels[:, ::-1],
    ]
