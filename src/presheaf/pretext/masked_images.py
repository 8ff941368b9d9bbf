"""Masked images: complete an image from a quarter of its patches (He et al. 2022, masked autoencoders).

The category has partial and whole images as objects and, from a partial image to a whole one, the probability that this
completes it (`presheaf.pretext.completion`). The loss is the mean squared error of the hidden pixels; its optimum is their mean given the
seen ones. So what the network is ideal for is the law of completions as a Gaussian around that mean sees it: exactly the
task's own where hidden pixels scatter that way, a blurred one elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import Kernel
from presheaf.enriched.quantale import PROBABILITY
from presheaf.errors import InputError
from presheaf.pretext.base import Data, HeldOut, Media, Option, TaskCategory
from presheaf.pretext.completion import completion_kernel, completions, masked, predicted_completions
from presheaf.pretext.image_batches import BATCH, device_of, image_tensor

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


class MaskedImages:
    """A masked autoencoder.

    Parameters
    ----------
    mask_ratio : float
        Share of the patches that are hidden. Patches are 2 x 2 pixels in images up to 16 x 16, else 4 x 4.
    dim, decoder_dim : int
        Widths of encoder (three layers) and decoder (one), multiples of 16.
    sigma : float
        Of the Gaussian in k_f, in units of the range of a pixel. Fixed in advance.

    Raises
    ------
    InputError
        A number out of its range.

    Notes
    -----
    Loss: mean squared error a hidden pixel, pixels in [-1, 1]. Network and loss are transformers' ViTMAEForPreTraining; masks come from
    torch's global generator. Cost of a step: the encoder on the seen patches, the decoder on all.
    """

    name = "mae"
    media: Media = "image"
    category = TaskCategory(
        objects="partial and whole images",
        hom="the probability that the whole image y completes the partial image x",
        quantale=PROBABILITY,
        orientation="directed",
        variance="covariant",
        source="He, Chen, Xie, Li, Dollar and Girshick 2022, Masked autoencoders are scalable vision learners",
    )

    def __init__(self, mask_ratio: float = 0.75, dim: int = 64, decoder_dim: int = 32, sigma: float = 0.25) -> None:
        if not 0 < mask_ratio < 1:
            raise InputError(f"'mask_ratio' must lie between 0 and 1; got {mask_ratio!r}.")
        for option, value in (("dim", dim), ("decoder_dim", decoder_dim)):
            if value < 16 or value % 16:
                raise InputError(f"{option!r} must be a multiple of 16; got {value!r}.")
        self._mask_ratio, self._dim, self._decoder_dim, self._sigma = mask_ratio, dim, decoder_dim, sigma
        self._kernel = completion_kernel(sigma)

    def __repr__(self) -> str:
        return f"MaskedImages({', '.join(f'{name}={value!r}' for name, value in self.options.items())})"

    @property
    def options(self) -> Mapping[str, Option]:
        return {
            "mask_ratio": self._mask_ratio,
            "dim": self._dim,
            "decoder_dim": self._decoder_dim,
            "sigma": self._sigma,
        }

    @property
    def kernel(self) -> Kernel:
        return self._kernel

    def network(self, data: Data) -> Module:
        from presheaf.models.masked_encoder import masked_autoencoder, masked_config

        _, height, width, channels = data.train.shape
        config = masked_config(
            height, width, channels, self._dim, mask_ratio=self._mask_ratio, decoder_dim=self._decoder_dim
        )
        patches = (height // config.patch_size) ** 2
        if not 1 <= self._seen(patches) < patches:
            raise InputError(f"with mask_ratio={self._mask_ratio} none or all of {patches} patches are seen.")
        return masked_autoencoder(config)

    def loss(self, network: Module, data: Data, rows: Tensor) -> Tensor:
        import torch

        where = device_of(network)
        images = image_tensor(data.train[rows.cpu().numpy()], where)
        # Drawn on the CPU, so that a GPU masks the same patches.
        noise = torch.rand(len(images), network.vit.embeddings.patch_embeddings.num_patches).to(where)
        loss: Tensor = network(2 * images - 1, noise=noise).loss
        return loss

    def after_step(self, network: Module) -> None:
        return None

    def held_out(self, data: Data, size: int, seed: int) -> HeldOut:
        """size / 2 held-out images with some patches hidden, then the same images whole."""
        from presheaf.models.masked_encoder import patch_size

        rng = np.random.default_rng(seed)
        count = min(max(2, size // 2), len(data.test))
        images = data.test[np.sort(rng.choice(len(data.test), count, replace=False))]
        _, height, width, _ = images.shape
        patch = patch_size(height, width)
        grid = height // patch
        patches = grid * grid
        hidden_first = np.argsort(rng.random((count, patches)), axis=1)
        seen = np.zeros((count, patches), dtype=np.bool_)
        np.put_along_axis(seen, hidden_first[:, patches - self._seen(patches) :], True, axis=1)
        seen = seen.reshape(count, grid, grid)
        seen = seen.repeat(patch, axis=1).repeat(patch, axis=2)
        objects = np.concatenate([masked(images, seen), masked(images, np.ones_like(seen))])
        return HeldOut(objects, completions(objects), "rows", np.tile(np.arange(count), 2))

    def embed(self, network: Module, objects: Any) -> NDArray[np.float32]:
        """Which pixels are seen (0 or 1), the pixels, and the network's prediction of them, all pixels in [0, 1].

        Parameters
        ----------
        objects : uint8 array of shape (n, height, width, channels + 1)
            From `presheaf.pretext.completion.masked`: whole images, or the number of whole patches seen that the task leaves.

        Returns
        -------
        float32 array of shape (n, 3 height width channels)
            The prediction of what is seen, and so of a whole image, is what is seen.

        Raises
        ------
        InputError
            If other parts of an image are hidden than whole patches, as many as the task hides.
        """
        given = np.asarray(objects)
        n, channels = len(given), given.shape[3] - 1
        seen = np.repeat(given[..., -1:] > 0, channels, axis=3)
        pixels = given[..., :-1].astype(np.float32) / 255
        predicted = pixels.copy()
        partial = np.flatnonzero(~seen.reshape(n, -1).all(axis=1))
        for start in range(0, len(partial), BATCH):
            part = partial[start : start + BATCH]
            predicted[part] = self._predict(network, given[part])
        predicted = np.where(seen, pixels, predicted)
        joined = np.stack([seen.astype(np.float32), pixels, predicted], axis=1)
        return np.asarray(joined.reshape(n, -1), dtype=np.float32)

    def model_hom(self, features: NDArray[np.float32]) -> Hom:
        """k_f of a partial image with each whole one, divided by their sum: probabilities over these completions."""
        return predicted_completions(features, self.kernel)

    def save(self, network: Module, data: Data, folder: Path) -> str:
        """The encoder alone, as an image network that sees whole images."""
        from presheaf.models.nets import image_network, save_network

        _, height, width, channels = data.train.shape
        encoder = image_network("mae", height=height, width=width, channels=channels, dim=self._dim)
        encoder.backbone.encoder.load_state_dict(network.vit.state_dict())
        return f"trained:{save_network(encoder, folder)}"

    def _seen(self, patches: int) -> int:
        # As transformers counts them.
        return int(patches * (1 - self._mask_ratio))

    def _predict(self, network: Module, objects: NDArray[np.uint8]) -> NDArray[np.float32]:
        """All pixels as the decoder sees them, shape (n, height, width, channels)."""
        import torch

        where, training = device_of(network), network.training
        seen = self._seen_patches(objects, network.config.patch_size)
        patches = seen.shape[1]
        order = torch.from_numpy(np.where(seen, 0.0, 1.0) + np.arange(patches) / (2 * patches)).to(where, torch.float32)
        network.eval()
        with torch.no_grad():
            logits = network(2 * image_tensor(objects[..., :-1], where) - 1, noise=order).logits
            pixels = (network.unpatchify(logits) + 1) / 2
        network.train(training)
        return np.asarray(pixels.permute(0, 2, 3, 1).cpu().numpy(), dtype=np.float32)

    def _seen_patches(self, objects: NDArray[np.uint8], patch: int) -> NDArray[np.bool_]:
        """Shape (n, patches)."""
        n, height, width, _ = objects.shape
        cells = (objects[..., -1] > 0).reshape(n, height // patch, patch, width // patch, patch)
        cells = cells.transpose(0, 1, 3, 2, 4).reshape(n, -1, patch * patch)
        seen: NDArray[np.bool_] = np.asarray(cells.all(axis=2))
        expected = self._seen(seen.shape[1])
        if (cells.any(axis=2) != seen).any() or (seen.sum(axis=1) != expected).any():
            raise InputError(
                f"a partial image must show {expected} of its {seen.shape[1]} patches of {patch} x {patch} pixels, each as a whole."
            )
        return seen
