"""EfficientNet-Lite: image classifiers trained on ImageNet, whose pooled last layer is the feature."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError
from presheaf.models.base import ModelInfo, Role
from presheaf.models.files import file_digest, fingerprint, first_line
from presheaf.models.optional import need
from presheaf.models.pixels import fit, fit_all

SIZES = {0: 224, 1: 240, 2: 260}
"""Side of the square input of each published model, in pixels."""
_PADDING = 32  # of the published evaluation: the middle size / (size + 32) of the shorter side is looked at
_MEAN, _SCALE = 127.0, 128.0


class EfficientNetLite:
    """Features of a published EfficientNet-Lite, 1,280 numbers an image.

    The input is prepared as for the published accuracies: the centred square of size / (size + 32) of the shorter side,
    resized bicubically, each channel (value - 127) / 128. Grey images become three equal channels.

    Parameters
    ----------
    weights : path
        A state dict saved by torch; nothing else is unpickled from it.
    version : 0, 1 or 2
    how : "crop" or "squash"
        "squash" reads the whole image, with its proportions changed.
    share : float in (0, 1], optional
        Share of the sides of the centred square that is read; by default the published one.
    device : str, optional
        By default the GPU where there is one.

    Raises
    ------
    InputError
        If there is no such version, option or device.
    MissingDependencyError
        If torch or the network's package is not installed.
    ModelError
        If the weights are damaged or of another network.

    References
    ----------
    Tan and Le 2019, EfficientNet (arXiv 1905.11946); the Lite models leave out squeeze-and-excitation and swish.
    """

    takes: Literal["image"] = "image"
    needs_fit = False
    batch_size = 32

    def __init__(
        self,
        weights: str | Path,
        version: int,
        *,
        how: str = "crop",
        share: float | None = None,
        device: str | None = None,
        name: str = "efficientnet-lite",
        licence: str = "",
    ) -> None:
        if version not in SIZES:
            raise InputError(f"'version' must be one of {', '.join(map(str, SIZES))}; got {version!r}.")
        torch = need("torch", "vision", "EfficientNet-Lite")
        package = need("efficientnet_lite_pytorch", "vision", "EfficientNet-Lite")
        from presheaf.models.torch_tools import pick_device

        self._size = SIZES[version]
        self._how = how
        self._share = self._size / (self._size + _PADDING) if share is None else share
        fit(np.zeros((1, 1, 1), dtype=np.uint8), 1, 1, 1, how, self._share)  # refuses options before weights are read
        self._device = pick_device(device)
        self._path = Path(weights)
        self._name, self._licence = name, licence
        network = package.EfficientNet.from_name(f"efficientnet-lite{version}")
        try:
            network.load_state_dict(torch.load(self._path, map_location="cpu", weights_only=True))
        except UnpicklingError as error:
            raise ModelError(
                f"{self._path.name} holds more than weights and is not loaded: {first_line(error)}"
            ) from error
        except (OSError, RuntimeError, ValueError, EOFError, KeyError, AttributeError, TypeError) as error:
            raise ModelError(f"{self._path.name} can't be read as these weights: {first_line(error)}.") from error
        self._network = network.eval().requires_grad_(False).to(self._device)

    @property
    def info(self) -> ModelInfo:
        seen = f"centre, {self._share:.3f} of the shorter side" if self._how == "crop" else "whole image, squashed"
        return ModelInfo(
            name=self._name,
            kind="efficientnet-lite",
            dim=int(self._network._fc.in_features),
            licence=self._licence,
            settings=(
                ("input", f"{self._size} x {self._size} pixels, colour"),
                ("part", seen),
                ("layer", "mean of the last convolution"),
            ),
        )

    @cached_property
    def fingerprint(self) -> str:
        how = ("crop", self._share) if self._how == "crop" else ("squash",)
        return fingerprint("efficientnet-lite", file_digest(self._path), self._size, *how)

    def fit(self, objects: Sequence[Any]) -> None:
        """Does nothing: the weights are trained."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Features of shape (n, 1280) of paths or uint8 arrays. Both roles are the same.

        Raises
        ------
        ImageError
            If an object is no image.
        """
        if not len(objects):
            return np.empty((0, int(self._network._fc.in_features)), dtype=np.float32)
        features: NDArray[np.float32] = self._forward(self._network, self._prepared(objects)).cpu().numpy()
        return features

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[np.float64], str]:
        """Features of one image at a time in float64."""
        from presheaf.models.torch_tools import in_double, one_by_one

        twin = in_double(self._network)
        ready = (self._prepared([one]) for one in objects)
        return one_by_one(lambda x: self._forward(twin, x)[0], ready, int(self._network._fc.in_features))

    def inputs(self, objects: Sequence[Any]) -> list[bytes]:
        """The prepared pixels of each image, as bytes: what reaches the weights but for a fixed scale."""
        return [self._prepared([one]).tobytes() for one in objects]

    def trace(self, text: str) -> None:
        """None: an image is no sequence of tokens."""

    def _prepared(self, objects: Sequence[Any]) -> NDArray[np.uint8]:
        return fit_all(objects, self._size, self._size, 3, self._how, self._share)

    def _forward(self, network: Any, pixels: NDArray[np.uint8]) -> Any:
        import torch

        weight = network._fc.weight
        x = torch.from_numpy(pixels).to(weight.device).permute(0, 3, 1, 2).to(weight.dtype)
        with torch.inference_mode():
            return network.extract_features((x - _MEAN) / _SCALE).mean(dim=(2, 3))
