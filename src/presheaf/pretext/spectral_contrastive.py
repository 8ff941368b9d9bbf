"""The spectral contrastive loss: inner products approximate the density ratio of positive pairs (HaoChen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched import forms
from presheaf.enriched.forms import RowWise
from presheaf.enriched.kernel import Kernel
from presheaf.enriched.quantale import PROBABILITY
from presheaf.pretext.base import Data
from presheaf.pretext.contrastive import positive
from presheaf.pretext.two_views import TwoViews, category_of_views

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Floats = NDArray[np.float64]

_VIEWS = category_of_views(
    "HaoChen, Wei, Gaidon and Ma 2021, Provable guarantees for self-supervised deep learning with spectral contrastive loss"
)


@dataclass(frozen=True)
class SpectralContrastive(TwoViews):
    """-2 E f(x)'f(x+) + E (f(x)'f(x'))^2, x+ a second view of x's image and x' a view of another.

    Parameters
    ----------
    bound : float
        Largest squared length of f(x): longer features are scaled back onto the ball, as in the authors' code, so inner
        products are at most this. As large as ``projection`` it leaves room for the optimum, where the mean squared
        length is at most the number of features.
    encoder, dim, projection, crop, flip, jitter, blur
        See `TwoViews`.

    Notes
    -----
    The loss is the squared error of F F' against A, the normalised adjacency matrix of positive pairs, up to a constant:
    at its optimum f(x)'f(x') is the best approximation of pi(x, x') / (pi(x) pi(x')) of rank ``projection``. That k_f is a
    plain inner product: of no quantale, negative for some pairs, not 1 between an object and itself. It is read in [0, 1]
    as max(0, f(x)'f(x')) / bound, which is not lawful; where rows are normalised the bound cancels. The loss is no entropy
    and has no unit; 0 for features that are 0. Cost of a step: two views a row and batch^2 products.
    """

    bound: float = 64.0

    name = "spectral"
    category = replace(
        _VIEWS, hom=_VIEWS.hom + "; the inner product approximates pi(x, y) / (pi(x) pi(y)), a ratio above 1"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("bound", self.bound)

    @property
    def kernel(self) -> Kernel:
        return inner_product(self.bound)

    def loss(self, network: Module, data: Data, rows: Tensor) -> Tensor:
        return spectral_loss(*self._two(network, data, rows))

    def _features(self, network: Module, images: Tensor) -> Tensor:
        """Projected features, scaled back where they leave the ball."""
        out: Tensor = network(images)
        length = out.norm(dim=1, keepdim=True).clamp_min(1e-12)
        return out * (self.bound**0.5 / length).clamp_max(1)


def spectral_loss(first: Tensor, second: Tensor) -> Tensor:
    """-2 mean_i f_i'g_i + mean over i != j of (f_i'g_j)^2 for two views f_i, g_i of n images; tensors of shape (n, d).

    Raises
    ------
    InputError
        Fewer than two images.
    """
    from presheaf.pretext.infonce import two_or_more

    n = two_or_more(first)
    products = first @ second.T
    together = products.diagonal()
    apart = ((products**2).sum() - (together**2).sum()) / (n * (n - 1))
    return apart - 2 * together.mean()


def inner_product(bound: float) -> Kernel:
    """max(0, <u, v>) / bound in PROBABILITY, for vectors of squared length at most ``bound``. Not lawful.

    Cost of a block: one matrix product in float64. Unlike ``enriched.kernel.dot``, an exponential, its rows are in
    proportion to the inner products themselves, which is what the loss fits.
    """
    why = "hom(x, x) is below 1 wherever <x, x> < bound, and products do not compose"
    form = RowWise(
        forms.anything, forms.as_given, partial(_products, bound=bound), partial(_pair_products, bound=bound)
    )
    return Kernel(f"inner product(bound={bound:g})", PROBABILITY, True, False, why, form)


def _products(u: Floats, v: Floats, bound: float) -> Floats:
    return _distance(u @ v.T / bound)


def _pair_products(u: Floats, v: Floats, bound: float) -> Floats:
    return _distance(np.einsum("ij,ij->i", u, v) / bound)


def _distance(shares: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        # Single precision leaves features a little outside their ball.
        return np.asarray(np.maximum(-np.log(np.maximum(shares, 0)), 0))
