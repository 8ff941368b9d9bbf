"""What contrastive tasks share: two views of every image, a network with a projection, and the category of views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.construct import hom_from_features, hom_from_values
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import Kernel
from presheaf.enriched.quantale import PROBABILITY
from presheaf.errors import InputError, one_of
from presheaf.pretext.base import Data, HeldOut, Media, Option, TaskCategory
from presheaf.pretext.image_batches import device_of, image_tensor, in_batches
from presheaf.pretext.views import Views

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

ENCODERS = ("conv", "vit")
VIEWS = 4
"""Views of each held-out image."""
_IMAGE: Media = "image"


def category_of_views(source: str) -> TaskCategory:
    """The category that a contrastive task puts on views of images."""
    return TaskCategory(
        objects="views of images",
        hom="in proportion to pi(x, y), the probability that y is drawn as x's partner: 1 for views of one image, else 0",
        quantale=PROBABILITY,
        orientation="symmetric",
        variance="covariant",
        source=source,
    )


@dataclass(frozen=True)
class TwoViews:
    """Base of the contrastive tasks; its fields are their options.

    Parameters
    ----------
    encoder : "conv" or "vit"
        The backbone, see `presheaf.models.nets.image_network`.
    dim : int
        Length of its features, a multiple of 16.
    projection : int
        Length of the projected features that the loss, and k_f, are taken of.
    crop, flip, jitter, blur
        How views are drawn; see `presheaf.pretext.views.Views`.
    """

    encoder: str = "conv"
    dim: int = 64
    projection: int = 64
    crop: float = 0.4
    flip: bool = False
    jitter: float = 0.5
    blur: float = 0.0

    media = _IMAGE

    def __post_init__(self) -> None:
        one_of("encoder", self.encoder, ENCODERS)
        if self.projection < 2:
            raise InputError(f"'projection' must be at least 2; got {self.projection!r}.")
        _ = self.views  # refuses what it can't draw

    @property
    def options(self) -> Mapping[str, Option]:
        return asdict(self)

    @property
    def kernel(self) -> Kernel:
        """k_f, fixed in advance, on what `embed` gives."""
        raise NotImplementedError

    @cached_property
    def views(self) -> Views:
        """How views are drawn."""
        return Views(self.crop, self.flip, self.jitter, self.blur)

    def network(self, data: Data) -> Module:
        """An `ImageNetwork` for images of this size."""
        from presheaf.models.nets import image_network

        _, height, width, channels = data.train.shape
        return image_network(
            self.encoder, height=height, width=width, channels=channels, dim=self.dim, projection=self.projection
        )

    def after_step(self, network: Module) -> None:
        return None

    def held_out(self, data: Data, size: int, seed: int) -> HeldOut:
        """Four views each of about size / 4 held-out images, those of an image side by side, as uint8 images.

        Views of one image are isomorphic, those of two images unrelated. Which images, and the views, follow from ``seed``.

        Raises
        ------
        InputError
            Fewer than two held-out images.
        """
        import torch

        from presheaf.pretext.steps import draws

        if len(data.test) < 2:
            raise InputError(f"Views of at least 2 held-out images are needed; {data.name!r} has {len(data.test)}.")
        count = min(max(2, size // VIEWS), len(data.test))
        chosen = np.sort(np.random.default_rng(seed).choice(len(data.test), count, replace=False))
        with draws(seed):
            drawn = self.views.of(image_tensor(np.repeat(data.test[chosen], VIEWS, axis=0), torch.device("cpu")))
        objects = (255 * drawn).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
        image = np.repeat(np.arange(count), VIEWS)
        return HeldOut(objects, hom_of_views(image), "rows", image)

    def embed(self, network: Module, objects: Any) -> NDArray[np.float32]:
        """What the loss sees of views: projected features, shape (n, projection), normalised as the task does it."""
        return in_batches(network, objects, lambda images: self._features(network, images))

    def model_hom(self, features: NDArray[np.float32]) -> Hom:
        return hom_from_features(features, self.kernel)

    def save(self, network: Module, data: Data, folder: Path) -> str:
        from presheaf.models.nets import save_network

        return f"trained:{save_network(self._backbone(network), folder)}"

    def _backbone(self, network: Module) -> Any:
        return network

    def _features(self, network: Module, images: Tensor) -> Tensor:
        """Projected features, as k_f takes them: of length 1."""
        return normalised(self._backbone(network)(images))

    def _images(self, network: Module, data: Data, rows: Tensor) -> Tensor:
        return image_tensor(data.train[rows.cpu().numpy()], device_of(network))

    def _two(self, network: Module, data: Data, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Features of two views of each image, in one pass."""
        images = self._images(network, data, rows)
        first, second = self._features(network, self.views.of(images.repeat(2, 1, 1, 1))).chunk(2)
        return first, second


def normalised(features: Tensor) -> Tensor:
    """Rows scaled to length 1."""
    from torch.nn.functional import normalize

    return normalize(features, dim=1)


def hom_of_views(image: NDArray[np.int64]) -> Hom:
    """Hom on views, where ``image[x]`` is the image that x is a view of; shape (n,): 1 within an image, else 0.

    Dividing a row by its sum over the other views gives pi, the law by which a partner is drawn.
    """
    same = (image[:, None] == image).astype(np.float64)
    reason = "proof: being views of one image is an equivalence relation"
    return replace(hom_from_values(same, PROBABILITY, "positive pairs"), lawful=True, reason=reason)
