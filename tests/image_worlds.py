"""Drawn images for tests: digits of scikit-learn as files, and one picture stored in many ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def save(pixels: NDArray[np.uint8], path: Path, **options: Any) -> str:
    """Pixels of shape (h, w) or (h, w, 3) as a file; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return str(path)


def digit_folder(root: Path, each: int, classes: int = 10) -> Path:
    """The first digits of each class of scikit-learn's 8 x 8 images, a sub-folder a class."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    for label in range(classes):
        for i in np.flatnonzero(digits.target == label)[:each]:
            save((digits.images[i] * 15).astype(np.uint8), root / str(label) / f"{i:04d}.png")
    return root


def landscape(height: int = 40, width: int = 60, seed: int = 0) -> NDArray[np.uint8]:
    """A smooth picture in colour with a bright patch, different for every seed."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    a, b = rng.uniform(1, 4, 2)
    waves = [np.sin(a * x / width * 3 + i) * np.cos(b * y / height * 3 - i) for i in range(3)]
    pixels = (np.stack(waves, axis=2) * 100 + 128).astype(np.uint8)
    top, left = int(rng.integers(0, height - 7)), int(rng.integers(0, width - 7))
    pixels[top : top + 8, left : left + 8] = rng.integers(0, 256, 3)
    return pixels
