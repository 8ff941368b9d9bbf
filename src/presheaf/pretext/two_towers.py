"""One network for each side of a pair, with unit vectors of one space as their values. Import it only where torch is known to be there."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from presheaf.errors import InputError
from presheaf.models.nets import image_network
from presheaf.pretext.base import len_of
from presheaf.pretext.image_batches import image_tensor

BATCH = 512


class Head(nn.Module):  # type: ignore[misc]
    """Features to a vector: standardised by the training objects' mean and spread, then linear, or with a hidden layer."""

    def __init__(self, features: np.ndarray[Any, np.dtype[np.float32]], dim: int, hidden: int) -> None:
        super().__init__()
        mean, spread = features.mean(axis=0), features.std(axis=0)
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("spread", torch.from_numpy(np.where(spread > 1e-6, spread, 1).astype(np.float32)))
        length = features.shape[1]
        self.map = (
            nn.Sequential(nn.Linear(length, hidden), nn.GELU(), nn.Linear(hidden, dim))
            if hidden
            else nn.Linear(length, dim, bias=False)
        )

    def forward(self, features: Tensor) -> Tensor:
        mapped: Tensor = self.map((features - self.mean) / self.spread)
        return mapped


class TwoTowers(nn.Module):  # type: ignore[misc]
    """Left and right objects to unit vectors of shape (n, dim).

    Parameters
    ----------
    left, right : objects to train on
        uint8 images of shape (n, height, width, channels) get an image network, float32 features of shape (n, d) a head.
    dim : int
    hidden : int
        Width of a head's hidden layer; 0 is a linear head.
    encoder : "conv" or "vit"
        Of the image networks.

    Raises
    ------
    InputError
        If a side is neither.
    """

    def __init__(self, left: Any, right: Any, dim: int, hidden: int, encoder: str) -> None:
        super().__init__()
        self.left, self.right = (_tower(side, dim, hidden, encoder) for side in (left, right))

    def forward(self, left: Any, right: Any) -> tuple[Tensor, Tensor]:
        """Unit vectors of both sides, with gradients; the objects as numpy has them."""
        return self._unit(self.left, left), self._unit(self.right, right)

    def of(self, side: str, objects: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Unit vectors of one side, "left" or "right", without gradients, in batches and evaluation mode."""
        training, tower = self.training, getattr(self, side)
        self.eval()
        with torch.no_grad():
            parts = [self._unit(tower, objects[i : i + BATCH]).cpu().numpy() for i in range(0, len_of(objects), BATCH)]
        self.train(training)
        return np.concatenate(parts)

    def _unit(self, tower: nn.Module, objects: Any) -> Tensor:
        where = next(tower.parameters()).device
        given = image_tensor(objects, where) if objects.ndim == 4 else torch.from_numpy(objects).to(where)
        return nn.functional.normalize(tower(given), dim=1)


def _tower(side: Any, dim: int, hidden: int, encoder: str) -> nn.Module:
    if isinstance(side, np.ndarray) and side.ndim == 4:
        _, height, width, channels = side.shape
        return image_network(encoder, height=height, width=width, channels=channels, dim=64, projection=dim)
    if isinstance(side, np.ndarray) and side.ndim == 2:
        return Head(side, dim, hidden)
    raise InputError(
        "A side of the pairs is images or features; got texts. Give them features first: "
        "'emoji?left=efficientnet-lite0&right=minilm' as data, or presheaf.pretext.featured(data, left_model, right_model)."
    )
