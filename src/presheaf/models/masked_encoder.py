"""The vision transformer of a masked autoencoder (He et al. 2022) as transformers has it, small enough for one core."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from presheaf.errors import InputError
from presheaf.models.optional import need
from presheaf.models.torch_tools import quietly

LAYERS, HEAD = 3, 16
"""Layers of the encoder, and the width of an attention head."""


def patch_size(height: int, width: int) -> int:
    """Side of a patch: 2 up to 16 pixels, else 4.

    Raises
    ------
    InputError
        If the images are not square, or their side is no multiple of it.
    """
    patch = 2 if max(height, width) <= 16 else 4
    if height != width or height % patch:
        raise InputError(
            f"A masked autoencoder takes square images whose side is a multiple of {patch}; these are {height} x {width}. Crop "
            "or pad them."
        )
    return patch


def masked_config(
    height: int, width: int, channels: int, dim: int, *, mask_ratio: float = 0.0, decoder_dim: int = 32
) -> Any:
    """A `transformers.ViTMAEConfig` of this size: three layers in the encoder, one in the decoder.

    Raises
    ------
    InputError
        If the images don't fit.
    MissingDependencyError
        If transformers is not installed.
    """
    return need("transformers", "pretext", "A masked autoencoder").ViTMAEConfig(
        hidden_size=dim,
        num_hidden_layers=LAYERS,
        num_attention_heads=dim // HEAD,
        intermediate_size=2 * dim,
        image_size=height,
        patch_size=patch_size(height, width),
        num_channels=channels,
        decoder_hidden_size=decoder_dim,
        decoder_num_hidden_layers=1,
        decoder_num_attention_heads=decoder_dim // HEAD,
        decoder_intermediate_size=2 * decoder_dim,
        mask_ratio=mask_ratio,
        # 0.02, the default, is for widths of about a thousand.
        initializer_range=dim**-0.5,
    )


def masked_autoencoder(config: Any) -> nn.Module:
    """A new `transformers.ViTMAEForPreTraining` with random weights from torch's generator, its patches and positions as published."""
    transformers = need("transformers", "pretext", "A masked autoencoder")
    with quietly():
        network: nn.Module = transformers.ViTMAEForPreTraining(config)
    _as_published(network.vit.embeddings)
    _set_positions(network.decoder.decoder_pos_embed)
    return network


class MaskedEncoder(nn.Module):  # type: ignore[misc]
    """The encoder on whole images: features are the mean over patches.

    Parameters
    ----------
    height, width, channels, dim : int
        See `masked_config`.
    """

    def __init__(self, height: int, width: int, channels: int, dim: int) -> None:
        super().__init__()
        transformers = need("transformers", "pretext", "A masked autoencoder")
        with quietly():
            self.encoder = transformers.ViTMAEModel(masked_config(height, width, channels, dim))
        _as_published(self.encoder.embeddings)

    def forward(self, images: Tensor) -> Tensor:
        """Features of shape (n, dim) of images in [-1, 1]. Nothing is masked and nothing drawn."""
        patches = self.encoder.embeddings.patch_embeddings.num_patches
        order = torch.arange(patches, device=images.device, dtype=images.dtype).expand(len(images), -1)
        tokens: Tensor = self.encoder(images, noise=order).last_hidden_state
        return tokens[:, 1:].mean(dim=1)


def _as_published(embeddings: Any) -> None:
    """Patches as a linear layer by Glorot and Bengio's rule, and fixed positions.

    Networks that transformers 5 makes from a configuration miss both: positions stay zero, and without them no patch can be told
    from another.
    """
    weight = embeddings.patch_embeddings.projection.weight
    nn.init.xavier_uniform_(weight.view(len(weight), -1))
    _set_positions(embeddings.position_embeddings)


def _set_positions(positions: Tensor) -> None:
    """Sines and cosines of row and column, zeros for the class token."""
    grid = round((positions.shape[1] - 1) ** 0.5)
    with torch.no_grad():
        positions[0, 1:] = torch.from_numpy(_sines(grid, positions.shape[2])).to(positions)


def _sines(grid: int, dim: int) -> NDArray[np.float32]:
    """Shape (grid^2, dim): for column, then row, dim / 4 sines and as many cosines at falling frequencies."""
    frequency = 1 / 10000 ** (np.arange(dim // 4) / (dim / 4))
    angles = np.arange(grid)[:, None] * frequency
    waves = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    row, column = np.divmod(np.arange(grid * grid), grid)
    return np.concatenate([waves[column], waves[row]], axis=1).astype(np.float32)
