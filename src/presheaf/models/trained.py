"""Image networks that this library trained, as model sources: a folder of config.json and model.safetensors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError, one_of
from presheaf.models.base import ModelInfo, Role
from presheaf.models.files import file_digest, fingerprint, first_line, read_json
from presheaf.models.optional import need
from presheaf.models.pixels import fit_all

LAYERS = ("backbone", "embedding")
CONFIG, WEIGHTS = "config.json", "model.safetensors"
FORMAT = "presheaf image network"


class TrainedEncoder:
    """Features of an image network that `presheaf.models.nets.save_network` wrote.

    Parameters
    ----------
    folder : str or Path
    layer : "backbone" or "embedding"
        The features a downstream task uses, or their projection, that the pre-training loss saw.
    device : str, optional
        By default the GPU where there is one.
    name : str, optional
        What reports call it; by default the end of the folder.

    Raises
    ------
    InputError
        No such folder, or it holds something else.
    MissingDependencyError
        torch or safetensors isn't installed.
    ModelError
        The weights are damaged or don't fit the settings.

    Notes
    -----
    An image of another size is resized with its proportions changed, colour becomes grey (or grey three equal channels) where the
    network takes it so: images that are equal after that are one input.
    """

    takes: Literal["image"] = "image"
    needs_fit = False
    batch_size = 256

    def __init__(
        self, folder: str | Path, *, layer: str = "backbone", device: str | None = None, name: str = ""
    ) -> None:
        one_of("layer", layer, LAYERS)
        path = Path(folder).expanduser()
        config = read_json(path / CONFIG)
        if config.get("format") != FORMAT:
            raise InputError(_no_network(path))
        need("torch", "pretext", "A trained image network")
        files = need("safetensors.torch", "pretext", "A trained image network")
        from presheaf.models.nets import network_of
        from presheaf.models.torch_tools import pick_device

        network = network_of(config)
        try:
            network.load_state_dict(files.load_file(path / WEIGHTS))
        except Exception as error:  # safetensors has an error class of its own
            raise ModelError(
                f"{path / WEIGHTS} can't be read as the weights of {CONFIG}: {first_line(error)}."
            ) from error
        self._network = network.eval().requires_grad_(False).to(pick_device(device))
        self._folder, self._config, self._layer = path, config, layer
        self._name = name or f"trained:{path.name}"

    @property
    def info(self) -> ModelInfo:
        height, width, colour = self._config["height"], self._config["width"], self._config["channels"] == 3
        return ModelInfo(
            name=self._name,
            kind="trained",
            dim=self._dim,
            settings=(
                ("network", self._config["kind"]),
                ("input", f"{width} x {height} pixels, {'colour' if colour else 'grey'}"),
                ("layer", self._layer),
            ),
        )

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint("trained", *sorted(self._config.items()), file_digest(self._folder / WEIGHTS), self._layer)

    def fit(self, objects: Sequence[Any]) -> None:
        """Does nothing: the weights are trained."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Features of shape (n, dim) of paths or uint8 arrays. Both roles are the same.

        Raises
        ------
        ImageError
            If an object is no image.
        """
        if not len(objects):
            return np.empty((0, self._dim), dtype=np.float32)
        features: NDArray[np.float32] = self._forward(self._network, self._prepared(objects)).cpu().numpy()
        return features

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[np.float64], str]:
        """Features of one image at a time in float64."""
        from presheaf.models.torch_tools import in_double, one_by_one

        twin = in_double(self._network)
        ready = (self._prepared([one]) for one in objects)
        return one_by_one(lambda pixels: self._forward(twin, pixels)[0], ready, self._dim)

    def inputs(self, objects: Sequence[Any]) -> list[bytes]:
        """The prepared pixels of each image, as bytes: what reaches the weights but for a fixed scale."""
        return [self._prepared([one]).tobytes() for one in objects]

    def trace(self, text: str) -> None:
        """None: an image is no sequence of tokens."""

    @property
    def _dim(self) -> int:
        projection = self._config["projection"] if self._layer == "embedding" else None
        return int(self._config["dim"] if projection is None else projection)

    def _prepared(self, objects: Sequence[Any]) -> NDArray[np.uint8]:
        return fit_all(objects, self._config["height"], self._config["width"], self._config["channels"], "squash")

    def _forward(self, network: Any, pixels: NDArray[np.uint8]) -> Any:
        import torch

        weight = next(network.parameters())
        images = torch.from_numpy(pixels).to(weight.device).permute(0, 3, 1, 2).to(weight.dtype) / 255
        with torch.inference_mode():
            return network(images) if self._layer == "embedding" else network.features(images)


def _no_network(folder: Path) -> str:
    """Why a folder can't be loaded, and the folder that was probably meant."""
    if not folder.exists():
        return f"{str(folder)!r} does not exist; expected the folder of an image network trained with presheaf."
    inner = folder / "model"
    meant = f" It holds one: trained:{inner}." if read_json(inner / CONFIG).get("format") == FORMAT else ""
    return f"{str(folder)!r} isn't the folder of an image network trained with presheaf ({CONFIG}, {WEIGHTS}).{meant}"
