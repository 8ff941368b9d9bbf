"""RotNet: tell by which quarter turn an image was turned (Gidaris, Singh and Komodakis 2018).

The category is the action groupoid of quarter turns: hom(x, y) is the set of turns that take image x to image y, empty where y
is no turned copy of x (`presheaf.pretext.rotation_groupoid` has it exactly).

What the trained head can know of it. The loss asks one image at a time for its turn, so at its optimum the head gives
p(turn | x) and nothing else. From two such rows follows which turn it would have to be, if x and y are copies of one
image, and whether both are turned alike; whether they are copies of one image does not follow. Two upright images have the same
row, and one of them only is related to its own copies: so no k_f whatever on the head's rows is ideal for the
groupoid once there are two orbits. What the head becomes ideal for is "turned alike" (`rotation_ideality` measures both).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.construct import hom_from_features, hom_from_relation
from presheaf.enriched.hom import Hom
from presheaf.enriched.ideality import Ideality, ideality
from presheaf.enriched.kernel import Kernel, total_variation
from presheaf.enriched.quantale import BOOL
from presheaf.errors import InputError, one_of
from presheaf.pretext.base import Data, HeldOut, Media, Option, TaskCategory
from presheaf.pretext.image_batches import device_of, image_tensor, in_batches
from presheaf.pretext.rotation_groupoid import TURNS, rotation_groupoid, square_images, turned

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

ENCODERS = ("conv", "vit")


class RotNet:
    """Four turns of every image, cross-entropy over the four.

    Parameters
    ----------
    encoder : "conv" or "vit"
        The backbone, see `presheaf.models.nets.image_network`.
    dim : int
        Length of its features, a multiple of 16. One linear layer on top of them tells the turn.

    Notes
    -----
    k_f is 1 - total variation between the rows p(turn | x) and p(turn | y): fixed in advance, lawful in LUKASIEWICZ, and 1 iff the
    rows agree. Loss in nats a copy; ln 4 for a head that knows nothing. Cost of a step: four images a row.
    """

    name = "rotnet"
    media: Media = "image"
    category = TaskCategory(
        objects="images and their copies turned by quarter turns",
        hom="whether some quarter turn takes x to y; a head that tells turns can know whether they are turned alike, not this",
        quantale=BOOL,
        orientation="groupoid",
        variance="contravariant",
        source="Gidaris, Singh and Komodakis 2018, Unsupervised representation learning by predicting image rotations",
    )

    def __init__(self, encoder: str = "conv", dim: int = 64) -> None:
        self._encoder, self._dim = one_of("encoder", encoder, ENCODERS), dim

    def __repr__(self) -> str:
        return f"RotNet(encoder={self._encoder!r}, dim={self._dim})"

    @property
    def options(self) -> Mapping[str, Option]:
        return {"encoder": self._encoder, "dim": self._dim}

    @property
    def kernel(self) -> Kernel:
        return total_variation()

    def network(self, data: Data) -> Module:
        """A ModuleDict of "backbone" (an `ImageNetwork`) and "head" (its features to four logits)."""
        from torch.nn import Linear, ModuleDict

        from presheaf.models.nets import image_network

        _, height, width, channels = square_images(data.train).shape
        backbone = image_network(self._encoder, height=height, width=width, channels=channels, dim=self._dim)
        return ModuleDict({"backbone": backbone, "head": Linear(self._dim, TURNS)})

    def loss(self, network: Module, data: Data, rows: Tensor) -> Tensor:
        import torch

        images = image_tensor(data.train[rows.cpu().numpy()], device_of(network))
        copies = torch.cat([torch.rot90(images, k, dims=(2, 3)) for k in range(TURNS)])
        turn = torch.arange(TURNS, device=images.device).repeat_interleave(len(images))
        return torch.nn.functional.cross_entropy(_logits(network, copies), turn)

    def after_step(self, network: Module) -> None:
        return None

    def held_out(self, data: Data, size: int, seed: int) -> HeldOut:
        """size / 4 held-out images, the copies of each next to one another; hom: whether pixels are turned copies."""
        images = square_images(data.test)
        count = min(max(2, size // TURNS), len(images))
        chosen = np.random.default_rng(seed).choice(len(images), count, replace=False)
        copies = turned(images[np.sort(chosen)])[0]
        made = rotation_groupoid(copies)
        orbit = made.orbit[made.position]
        hom = hom_from_relation(orbit[:, None] == orbit, "turned copies")
        return HeldOut(copies, hom, "rows", np.repeat(np.arange(count), TURNS))

    def embed(self, network: Module, objects: Any) -> NDArray[np.float32]:
        """p(turn | x), shape (n, 4), counter-clockwise from 0."""
        return in_batches(network, objects, lambda images: _logits(network, images).softmax(dim=1))

    def model_hom(self, features: NDArray[np.float32]) -> Hom:
        return hom_from_features(features, self.kernel, "turned alike")

    def save(self, network: Module, data: Data, folder: Path) -> str:
        from presheaf.models.nets import save_network

        return f"trained:{save_network(network['backbone'], folder)}"


def _logits(network: Module, images: Tensor) -> Tensor:
    logits: Tensor = network["head"](network["backbone"].features(images))
    return logits


@dataclass(frozen=True)
class RotationIdeality:
    """How far the head's hom is from two categories on the same held-out copies.

    Attributes
    ----------
    groupoid : Ideality
        From the task's own: turned copies of one image. It stays near 1, however well turns are told.
    turned_alike : Ideality
        From the one that the loss's optimum is ideal for: both are turned by the same quarter turn.
    accuracy : float
        Share of the copies whose turn the head tells.
    """

    groupoid: Ideality
    turned_alike: Ideality
    accuracy: float


def rotation_ideality(task: RotNet, network: Module, data: Data, size: int = 400, seed: int = 0) -> RotationIdeality:
    """Ideality of a RotNet for the groupoid and for "turned alike", on held-out images, rows normalised.

    Parameters
    ----------
    size : int
        About as many copies, four an image.

    Raises
    ------
    InputError
        If ``size`` is below 8.

    Notes
    -----
    A lower value of `Ideality.value` is nearer, 0 ideal; each comes with its interval and the null of shuffled objects. Images
    that look the same after half a turn count as two copies turned differently, which no head can tell. Cost: one pass over the copies,
    and 22 comparisons of size^2 pairs for each category.
    """
    if size < 2 * TURNS:
        raise InputError(f"'size' must be at least {2 * TURNS}, two images with their copies; got {size!r}.")
    held = task.held_out(data, size, seed)
    turn = np.arange(len(held.objects)) % TURNS
    features = task.embed(network, held.objects)
    alike = hom_from_relation(turn[:, None] == turn, "turned alike")
    model, variance = task.model_hom(features), task.category.variance
    return RotationIdeality(
        ideality(model, held.hom, variance, held.normalise, seed=seed, units=held.units),
        ideality(model, alike, variance, held.normalise, seed=seed, units=held.units),
        float(np.mean(features.argmax(axis=1) == turn)),
    )
