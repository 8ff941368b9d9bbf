"""CLIP: of all right objects in the batch tell the partner of each left one, and the reverse (Radford et al. 2021).

The category is a profunctor between two sides, pi(x, y) = 1 for a pair: heteromorphisms only. Of two objects of one side the loss
says nothing, so `TwoSided.model_hom` puts them infinitely apart and ideality compares what the loss sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import Kernel, gaussian
from presheaf.enriched.quantale import PROBABILITY
from presheaf.errors import InputError, one_of
from presheaf.pretext.base import Data, HeldOut, Media, Option, TaskCategory, len_of
from presheaf.pretext.bipartite import keys_of, pair_relation, union_hom

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

ENCODERS = ("conv", "vit")


class TwoSided:
    """Two towers into one space, symmetric InfoNCE on pairs.

    Parameters
    ----------
    dim : int
        Of the common space.
    hidden : int
        Width of the hidden layer of a head on given features; 0 is a linear head.
    temperature : float
        Fixed: with a learnt one k_f would not be given in advance.
    encoder : "conv" or "vit"
        Network of a side that is images, see `presheaf.models.nets.image_network`.

    Raises
    ------
    InputError
        A value out of its range.

    Notes
    -----
    k_f(u, v) = exp(-|u - v|^2 / (2 temperature)) on unit vectors, which is exp(cos / temperature) up to a factor that row laws don't see.
    It breaks the triangle law in PROBABILITY, and says so. Loss in nats an object, ln(batch) for towers that know nothing. Cost of a
    step: both towers on the batch, and batch^2 dim.
    """

    name = "clip"
    media: Media = "pair"
    category = TaskCategory(
        objects="left objects and right objects (pictures and their names)",
        hom="pi(x, y) = 1 where x and y, of different sides, are a pair; 0 between others, and nothing within a side",
        quantale=PROBABILITY,
        orientation="heteromorphism",
        variance="contravariant",
        source="Radford et al. 2021, Learning transferable visual models from natural language supervision",
    )

    def __init__(self, dim: int = 128, hidden: int = 0, temperature: float = 0.1, encoder: str = "conv") -> None:
        if dim < 1 or hidden < 0:
            raise InputError(f"'dim' must be at least 1 and 'hidden' at least 0; got {dim!r} and {hidden!r}.")
        if not (isfinite(temperature) and temperature > 0):
            raise InputError(f"'temperature' must be a positive number; got {temperature!r}.")
        self._dim, self._hidden, self._temperature = dim, hidden, temperature
        self._encoder = one_of("encoder", encoder, ENCODERS)

    def __repr__(self) -> str:
        return f"TwoSided({', '.join(f'{name}={value!r}' for name, value in self.options.items())})"

    @property
    def options(self) -> Mapping[str, Option]:
        return {
            "dim": self._dim,
            "hidden": self._hidden,
            "temperature": self._temperature,
            "encoder": self._encoder,
        }

    @property
    def kernel(self) -> Kernel:
        return gaussian(2 * self._temperature, unlawful=True)

    def network(self, data: Data) -> Module:
        """`TwoTowers` for data of this shape; heads keep the mean and spread of the features to train on."""
        from presheaf.pretext.two_towers import TwoTowers

        left, right = data.train
        return TwoTowers(left, right, self._dim, self._hidden, self._encoder)

    def loss(self, network: Module, data: Data, rows: Tensor) -> Tensor:
        """Mean of the cross-entropies left to right and right to left.

        Raises
        ------
        InputError
            Fewer than two rows: there is nothing to tell the partner from.
        """
        import torch

        if len(rows) < 2:
            raise InputError(f"A contrastive loss needs at least 2 pairs in a batch; got {len(rows)}.")
        chosen = rows.cpu().numpy()
        left, right = network(*(side[chosen] for side in data.train))
        logits = left @ right.T / self._temperature
        own = torch.arange(len(logits), device=logits.device)
        entropy = torch.nn.functional.cross_entropy
        return (entropy(logits, own) + entropy(logits.T, own)) / 2

    def after_step(self, network: Module) -> None:
        return None

    def held_out(self, data: Data, size: int, seed: int) -> HeldOut:
        """size / 2 held-out pairs; the hom is on their left objects and, after them, their right ones."""
        total = len_of(data.test)
        count = min(max(2, size // 2), total)
        chosen = np.sort(np.random.default_rng(seed).choice(total, count, replace=False))
        left, right = (_take(side, chosen) for side in data.test)
        distances = PROBABILITY.distance(pair_relation(keys_of(left), keys_of(right)).astype(np.float64))
        reason = "proof: partners are isomorphic, others unrelated"
        one_each = (np.isfinite(distances).sum(axis=1) == 1).all() and (np.isfinite(distances).sum(axis=0) == 1).all()
        if not one_each:
            reason = "objects of one side that share a partner are not related themselves"
        hom = union_hom(distances, PROBABILITY, "pairs", bool(one_each), reason)
        return HeldOut((left, right), hom, "rows", np.tile(np.arange(count), 2))

    def embed(self, network: Module, objects: Any) -> NDArray[np.float32]:
        """Unit vectors of (left, right): the left objects' and, after them, the right objects', shape (left + right, dim)."""
        left, right = objects
        return np.concatenate([network.of("left", left), network.of("right", right)])

    def model_hom(self, features: NDArray[np.float32]) -> Hom:
        """k_f between the first half of the features (left) and the second (right); objects of one side infinitely apart.

        Raises
        ------
        InputError
            An odd number of features.
        """
        m, odd = divmod(len(features), 2)
        if odd:
            raise InputError(f"features must be of as many left as right objects; got {len(features)} in all.")
        whole = hom_from_features(features, self.kernel)
        sides = np.arange(m), np.arange(m, 2 * m)
        reason = "objects of one side are taken for unrelated, however near a third object of the other side is to both"
        return union_hom(whole.distances(*sides, np.float64), PROBABILITY, self.kernel.name, False, reason)

    def save(self, network: Module, data: Data, folder: Path) -> str:
        """The left tower: an image network as `trained:FOLDER`, a head as the vectors it gives to the objects of ``data``.

        The vectors are those of the objects to train on and, after them, of those held out, in ``left.npy``, and of the other side in
        ``right.npy``: rows of a table in that order.
        """
        from presheaf.models.nets import ImageNetwork, save_network

        if isinstance(network.left, ImageNetwork):
            return f"trained:{save_network(network.left, folder)}"
        folder.mkdir(parents=True, exist_ok=True)
        for side, name in enumerate(("left", "right")):
            objects = np.concatenate([data.train[side], data.test[side]])
            np.save(folder / f"{name}.npy", network.of(name, objects), allow_pickle=False)
        return f"vectors:{folder / 'left.npy'}"


def _take(side: Any, rows: NDArray[np.int64]) -> Any:
    return side[rows] if isinstance(side, np.ndarray) else tuple(side[i] for i in rows)
