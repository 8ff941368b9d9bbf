"""The plain baseline beside a model: counted words for texts, small grey pixels for images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.models.base import Model
from presheaf.statistics.nulls import random_features
from presheaf.tables.task import Task

DIM = 300


@dataclass(frozen=True)
class Plain:
    """How a baseline is called: in a table, at the end of "head on ...", and as the subject of a sentence."""

    name: str
    short: str
    doing: str


TEXT = Plain("TF-IDF + SVD", "TF-IDF", "counting words")
IMAGE = Plain("pixels", "pixels", "comparing pixels")


def plain_of(media: object) -> Plain:
    """The baseline's names for a task of texts or of images ("image")."""
    return IMAGE if media == "image" else TEXT


def plain_model(task: Task) -> Model:
    """The baseline for a task's objects, not fitted."""
    if task.media == "image":
        from presheaf.models.plain_pixels import PixelModel

        return PixelModel()
    from presheaf.models.tfidf import TfidfModel

    return TfidfModel(dim=DIM)


def without_model(task: Task, positions: Sequence[int], dim: int, seed: int) -> NDArray[np.float32]:
    """Random features of some rows' objects, shape (m, dim): what any features of this size know about them.

    Of texts `random_features`; of images one layer of random weights on their 16 x 16 grey pixels, negative values cut off.
    """
    assert task.objects is not None
    objects = [task.objects[i] for i in positions]
    if task.media == "text":
        return random_features(objects, dim, seed)
    pixels = plain_model(task).encode(objects)
    weights = np.random.default_rng(seed).standard_normal((pixels.shape[1], dim), dtype=np.float32)
    return np.asarray(np.maximum(pixels @ weights / np.float32(np.sqrt(pixels.shape[1])), 0), dtype=np.float32)
