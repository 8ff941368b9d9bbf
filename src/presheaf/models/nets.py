"""Small image networks that train on one core: their features do not depend on what else is in the batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from presheaf.errors import InputError, one_of
from presheaf.models.trained import CONFIG, FORMAT, WEIGHTS

KINDS = ("conv", "vit", "mae")


def image_network(
    kind: str, *, height: int, width: int, channels: int, dim: int, projection: int | None = None
) -> ImageNetwork:
    """A new image network with random weights from torch's generator.

    Parameters
    ----------
    kind : "conv", "vit" or "mae"
        Three convolutions with group norm (Wu and He 2018), pooled over places; or a vision transformer (Dosovitskiy et al.
        2021) of three layers, pooled over patches; or the encoder of a masked autoencoder (`presheaf.models.masked_encoder`).
    height, width, channels : int
        Of the images; 8 x 8 to 32 x 32 is what it is made for. "vit" needs sides that its patch (2 up to 16 pixels, else 4)
        divides.
    dim : int
        Length of the features; a multiple of 16.
    projection : int, optional
        Length of what `ImageNetwork.forward` gives: a hidden layer and a linear one on top of the features, as contrastive
        losses want. None: the features themselves.

    Raises
    ------
    InputError
        A number out of its range.
    """
    one_of("kind", kind, KINDS)
    for name, value in (("height", height), ("width", width)):
        if value < 4:
            raise InputError(f"{name!r} must be at least 4 pixels; got {value!r}.")
    if channels not in (1, 3):
        raise InputError(f"'channels' must be 1 (grey) or 3 (red, green, blue); got {channels!r}.")
    if dim < 16 or dim % 16 or (projection is not None and projection < 1):
        raise InputError(f"'dim' must be a multiple of 16 and 'projection' at least 1; got {dim!r}, {projection!r}.")
    backbone = {"conv": _conv, "vit": _ViT, "mae": _masked}[kind](height, width, channels, dim)
    config = {"format": FORMAT, "kind": kind, "height": height, "width": width, "channels": channels, "dim": dim}
    return ImageNetwork(backbone, {**config, "projection": projection})


class ImageNetwork(nn.Module):  # type: ignore[misc]
    """A backbone and, where asked for, a projection on top.

    Attributes
    ----------
    config : dict
        Plain values that build it again; see `network_of`.
    """

    def __init__(self, backbone: nn.Module, config: dict[str, Any]) -> None:
        super().__init__()
        self.config = config
        self.backbone = backbone
        dim, projection = config["dim"], config["projection"]
        self.projection = (
            nn.Identity()
            if projection is None
            else nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, projection))
        )

    def features(self, images: Tensor) -> Tensor:
        """Features of shape (n, dim) of float images in [0, 1] of shape (n, channels, height, width)."""
        self._check(images)
        features: Tensor = self.backbone(2 * images - 1)
        return features

    def forward(self, images: Tensor) -> Tensor:
        """The projection of the features, shape (n, projection); the features where there is none."""
        projected: Tensor = self.projection(self.features(images))
        return projected

    def _check(self, images: Tensor) -> None:
        expected = tuple(self.config[name] for name in ("channels", "height", "width"))
        if images.ndim != 4 or tuple(images.shape[1:]) != expected:
            raise InputError(
                f"The network takes images of shape (n, {', '.join(map(str, expected))}); got {tuple(images.shape)}."
            )


def network_of(config: dict[str, Any]) -> ImageNetwork:
    """The network that a `config` describes, with random weights.

    Raises
    ------
    InputError
        If the values don't describe one.
    """
    named = ("kind", "height", "width", "channels", "dim", "projection")
    missing = [name for name in named if name not in config]
    if config.get("format") != FORMAT or missing:
        raise InputError(f"Expected the settings of a {FORMAT}; missing: {', '.join(missing) or 'format'}.")
    return image_network(**{name: config[name] for name in named})


def save_network(network: ImageNetwork, folder: str | Path) -> Path:
    """Write ``config.json`` and ``model.safetensors``; the folder, that ``trained:FOLDER`` reads."""
    from safetensors.torch import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / CONFIG).write_text(json.dumps(network.config, indent=2) + "\n", encoding="utf-8")
    return folder


def _norm(channels: int) -> nn.Module:
    return nn.GroupNorm(8, channels)


def _conv(height: int, width: int, channels: int, dim: int) -> nn.Module:
    """Filters 3 x 3; sides above 16 pixels are halved at once, later all are halved twice."""
    layers: list[nn.Module] = []
    sizes = [channels, 32, 64, dim]
    strides = [1 if max(height, width) <= 16 else 2, 2, 2]
    for before, after, stride in zip(sizes, sizes[1:], strides, strict=False):
        layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), _norm(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _masked(height: int, width: int, channels: int, dim: int) -> nn.Module:
    from presheaf.models.masked_encoder import MaskedEncoder

    return MaskedEncoder(height, width, channels, dim)


class _ViT(nn.Module):  # type: ignore[misc]
    """Patches, learnt positions, three pre-norm layers, mean over patches."""

    def __init__(self, height: int, width: int, channels: int, dim: int) -> None:
        super().__init__()
        patch = 2 if max(height, width) <= 16 else 4
        if height % patch or width % patch:
            raise InputError(f"'vit' cuts into patches of {patch} x {patch} pixels; {height} x {width} is not divided.")
        self.patches = nn.Conv2d(channels, dim, patch, patch)
        self.positions = nn.Parameter(0.02 * torch.randn(1, (height // patch) * (width // patch), dim))
        layer = nn.TransformerEncoderLayer(dim, dim // 16, 2 * dim, 0.0, "gelu", batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 3, nn.LayerNorm(dim), enable_nested_tensor=False)
        for weight in self.layers.parameters():  # copies of one layer otherwise
            if weight.ndim > 1:
                nn.init.xavier_uniform_(weight)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2) + self.positions
        pooled: Tensor = self.layers(tokens).mean(dim=1)
        return pooled
