"""SimCLR: two views of an image find one another among all views of a batch (Chen, Kornblith, Norouzi and Hinton 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from presheaf.enriched.kernel import Kernel, gaussian
from presheaf.errors import InputError
from presheaf.pretext.base import Data
from presheaf.pretext.two_views import TwoViews, category_of_views

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


@dataclass(frozen=True)
class SimCLR(TwoViews):
    """NT-Xent on two views of every image of a batch.

    Parameters
    ----------
    temperature : float
        tau of exp(cos / tau).
    encoder, dim, projection, crop, flip, jitter, blur
        See `TwoViews`.

    Notes
    -----
    On vectors of length 1, exp(cos(u, v) / tau) is exp(-|u - v|^2 / (2 tau)) up to a factor, so k_f is the Gaussian of width
    2 tau, data-oblivious; in [0, 1] under multiplication it is not lawful (three points on a line). At the optimum the
    row-normalised k_f is pi, and the loss the entropy of its rows: 0 with one partner a view. Loss in nats a view;
    ln(2 batch - 1) for features that are all the same. Cost of a step: two views a row and (2 batch)^2 products.
    """

    temperature: float = 0.2

    name = "simclr"
    category = category_of_views(
        "Chen, Kornblith, Norouzi and Hinton 2020, A simple framework for contrastive learning of visual representations"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("temperature", self.temperature)

    @property
    def kernel(self) -> Kernel:
        return gaussian(2 * self.temperature, unlawful=True)

    def loss(self, network: Module, data: Data, rows: Tensor) -> Tensor:
        from presheaf.pretext.infonce import log_gamma, nt_xent

        first, second = self._two(network, data, rows)
        return nt_xent(first, second, lambda u, v: log_gamma(u, v, 2, 2 * self.temperature))


def positive(name: str, value: float) -> None:
    """Refuse what is no number above 0."""
    if not 0 < value < float("inf"):
        raise InputError(f"{name!r} must be a number above 0; got {value!r}.")
