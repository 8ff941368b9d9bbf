"""Kernel-InfoNCE: SimCLR's loss with other kernels than the Gaussian (Tan, Zhang, Yang and Yuan 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from presheaf.enriched.kernel import Kernel, gamma
from presheaf.errors import InputError, one_of
from presheaf.pretext.base import Data
from presheaf.pretext.contrastive import positive
from presheaf.pretext.mixture_kernel import mixture_kernel
from presheaf.pretext.two_views import TwoViews, category_of_views

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

MIXES = ("none", "sum", "concatenation")


@dataclass(frozen=True)
class KernelInfoNCE(TwoViews):
    """InfoNCE with exp(-|u - v|^gamma / tau) on vectors of length 1, alone or mixed with the Gaussian.

    Parameters
    ----------
    gamma : float
        In (0, 2]: 2 is SimCLR at temperature tau / 2, 1 the Laplacian kernel. Up to 1 the kernel is lawful in [0, 1] under
        multiplication: -log of it keeps the triangle law.
    tau : float
    mix : "none", "sum" or "concatenation"
        "sum": share K_gamma + (1 - share) K_2 on the same features. "concatenation": K_gamma on the first half of the
        features and K_2 on the second, which are twice as many (``2 * projection``), normalised together before they are split.
    share : float
        Of K_gamma in a mixture, in (0, 1).
    encoder, dim, projection, crop, flip, jitter, blur
        See `TwoViews`.

    Notes
    -----
    k_f is the kernel itself, fixed in advance; at the optimum its row law is pi. The two kernels are mixed; the authors'
    code mixes the two losses, and such a loss has no single k_f. Loss in nats a view. Cost of a step: two views a row and
    (2 batch)^2 products.
    """

    gamma: float = 1.0
    tau: float = 0.4
    mix: str = "none"
    share: float = 0.5

    name = "kernel-infonce"
    category = category_of_views(
        "Tan, Zhang, Yang and Yuan 2024, Contrastive learning is spectral clustering on similarity graph"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("mix", self.mix, MIXES)
        positive("tau", self.tau)
        if not 0 < self.gamma <= 2 or (self.mix != "none" and self.gamma == 2):
            raise InputError(
                f"'gamma' must lie in (0, 2], below 2 where it is mixed with the Gaussian; got {self.gamma!r}."
            )
        if not 0 < self.share < 1:
            raise InputError(f"'share' must lie in (0, 1); got {self.share!r}.")

    @property
    def kernel(self) -> Kernel:
        if self.mix == "none":
            return gamma(self.gamma, self.tau, unlawful=True)
        return mixture_kernel(self.gamma, self.tau, self.share, self.mix == "concatenation")

    def network(self, data: Data) -> Module:
        """An `ImageNetwork`; for a concatenation its projection is twice as long."""
        from presheaf.models.nets import image_network

        _, height, width, channels = data.train.shape
        length = 2 * self.projection if self.mix == "concatenation" else self.projection
        return image_network(
            self.encoder, height=height, width=width, channels=channels, dim=self.dim, projection=length
        )

    def loss(self, network: Module, data: Data, rows: Tensor) -> Tensor:
        from presheaf.pretext.infonce import nt_xent

        first, second = self._two(network, data, rows)
        return nt_xent(first, second, self.log_kernel)

    def log_kernel(self, u: Tensor, v: Tensor) -> Tensor:
        """Log k_f of all pairs of features, shape (n, m), with a gradient."""
        from presheaf.pretext.infonce import log_gamma, log_sum

        if self.mix == "none":
            return log_gamma(u, v, self.gamma, self.tau)
        # Both views of the features are the whole of them for a simple sum.
        half = u.shape[1] // 2 if self.mix == "concatenation" else 0
        first = slice(0, half or None)
        return log_sum(
            log_gamma(u[:, first], v[:, first], self.gamma, self.tau),
            log_gamma(u[:, half:], v[:, half:], 2, self.tau),
            self.share,
        )
