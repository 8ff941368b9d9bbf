"""MoCo: a momentum encoder and a queue of keys, so that negatives need no large batch (He et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from presheaf.enriched.kernel import Kernel, gaussian
from presheaf.errors import InputError
from presheaf.pretext.base import Data
from presheaf.pretext.contrastive import positive
from presheaf.pretext.image_batches import in_batches
from presheaf.pretext.two_views import TwoViews, category_of_views, normalised

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


@dataclass(frozen=True)
class MoCo(TwoViews):
    """InfoNCE of a view against the other view's key and a queue of keys of earlier batches.

    Parameters
    ----------
    temperature : float
        tau of exp(cos / tau).
    queue : int
        Keys that are kept; a new one takes the place of the oldest. It may be larger than the data: earlier keys of an
        image then stand among its own negatives.
    momentum : float
        Share in [0, 1) of the key encoder that stays at each step; the rest is the query encoder's.
    encoder, dim, projection, crop, flip, jitter, blur
        See `TwoViews`.

    Notes
    -----
    k_f, category and optimum are SimCLR's; embeddings are the query encoder's. Loss in nats a row, ln(queue + 1) where
    all features are the same. A batch of one works: the queue holds negatives. Cost of a step: two views a row, one of
    them without gradient, and batch times queue products.
    """

    temperature: float = 0.2
    queue: int = 512
    momentum: float = 0.99

    name = "moco"
    category = category_of_views(
        "He, Fan, Wu, Xie and Girshick 2020, Momentum contrast for unsupervised visual representation learning"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("temperature", self.temperature)
        if self.queue < 1 or not 0 <= self.momentum < 1:
            raise InputError(
                f"'queue' must be at least 1 and 'momentum' lie in [0, 1); got {self.queue!r}, {self.momentum!r}."
            )

    @property
    def kernel(self) -> Kernel:
        return gaussian(2 * self.temperature, unlawful=True)

    def network(self, data: Data) -> Module:
        """A `MomentumPair`: the query encoder, the key encoder (a copy), the queue and its place.

        The queue starts with keys of views of training images drawn with replacement. Random directions, the usual start,
        are told from keys at a glance, and the loss would rise until the last of them has left.
        """
        import torch

        from presheaf.pretext.momentum_pair import MomentumPair

        encoder = super().network(data)
        rows = torch.randint(len(data.train), (self.queue,)).numpy()

        def keys(images: Tensor) -> Tensor:
            return normalised(encoder(self.views.of(images)))

        return MomentumPair(encoder, torch.from_numpy(in_batches(encoder, data.train[rows], keys)))

    def loss(self, network: Module, data: Data, rows: Tensor) -> Tensor:
        import torch

        from presheaf.pretext.infonce import log_gamma, with_negatives

        images = self._images(network, data, rows)
        queries = self._features(network, self.views.of(images))
        with torch.no_grad():
            keys = normalised(network.key(self.views.of(images)))
        network.waiting = keys
        # `follow` writes into the queue, whose old values a gradient taken later still needs.
        negatives = network.queue.clone()
        return with_negatives(queries, keys, negatives, lambda u, v: log_gamma(u, v, 2, 2 * self.temperature))

    def after_step(self, network: Module) -> None:
        """Move the key encoder towards the query encoder, and queue the keys of the last `loss`."""
        network.follow(self.momentum)

    def _backbone(self, network: Module) -> Any:
        return network.query
