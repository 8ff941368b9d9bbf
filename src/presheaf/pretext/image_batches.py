"""Images as torch has them, and networks asked of many images without gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, device
    from torch.nn import Module

BATCH = 512


def image_tensor(images: NDArray[np.uint8], where: device) -> Tensor:
    """uint8 pixels of shape (n, height, width, channels) as floats in [0, 1] of shape (n, channels, height, width)."""
    import torch

    pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)
    return torch.from_numpy(pixels).to(where) / 255


def device_of(network: Module) -> device:
    """Where the network's weights are."""
    return next(network.parameters()).device


def in_batches(
    network: Module, images: NDArray[np.uint8], ask: Callable[[Tensor], Tensor], batch: int = BATCH
) -> NDArray[np.float32]:
    """``ask`` of all images, in evaluation mode and without gradients; the network's mode is restored.

    Parameters
    ----------
    network : Module
        Whose mode and device count.
    images : uint8 array of shape (n, height, width, channels), n at least 1
    ask : callable
        Takes what `image_tensor` gives for some of the images, gives a tensor with one row an image.
    """
    import torch

    where, training = device_of(network), network.training
    network.eval()
    with torch.no_grad():
        rows = [
            ask(image_tensor(images[i : i + batch], where)).float().cpu().numpy() for i in range(0, len(images), batch)
        ]
    network.train(training)
    return np.asarray(np.concatenate(rows), dtype=np.float32)
